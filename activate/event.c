/*
 * Events: what the engine tells while it works. They are appended to a file that can be followed
 * from outside, so the story does not depend on a terminal, a pipe or journald; the journal gets
 * a copy that may be lost. Telling never fails a switch: what cannot be written is dropped, and a
 * program that never stops talking does not fill /run, which systemd needs.
 */
#include <assert.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "file.h"
#include "journal.h"
#include "text.h"

#define OUTPUT_BYTES_MAX ((size_t) 16 * 1024 * 1024)
#define SILENCE_USEC     (5 * 60 * USEC_PER_SEC) /* where nothing else was said beforehand */

/* What journal entries have as fields of their own, beside the whole event. */
/* clang-format off */
static const struct {
        const char *key, *field;
        bool stays; /* said once, all later entries have it */
} journal_fields[] = {
        { "id",         "ENACT_ID",      /* stays= */ true  },
        { "from",       "ENACT_FROM",    /* stays= */ true  },
        { "to",         "ENACT_TO",      /* stays= */ true  },
        { "generation", "GENERATION",    /* stays= */ true  },
        { "verdict",    "ENACT_VERDICT", /* stays= */ false },
        { "exit",       "ENACT_EXIT",    /* stays= */ false },
        { "error",      "ENACT_ERROR",   /* stays= */ false },
        { "phase",      "ENACT_PHASE",   /* stays= */ false },
        { "profile",    "ENACT_PROFILE", /* stays= */ false },
        { "toplevel",   "ENACT_TOPLEVEL", /* stays= */ false },
        { "unit",       "UNIT",          /* stays= */ false },
};
/* clang-format on */

struct EventLog {
        int fd;          /* -EBADF where events go to @handler */
        size_t n_output; /* bytes of what programs print */
        bool journal, timed;
        void (*handler)(void *userdata, const cJSON *event);
        void *userdata;
        void (*on_sign)(void *userdata, uint64_t within_usec);
        void *sign_userdata;
        char *said[ELEMENTSOF(journal_fields)]; /* of those that stay */
};

/**
 * event_log_new() - tell events to a file
 * @fd:      opened for appending; owned by the log from here on
 * @journal: whether the journal gets a copy
 *
 * Return: 0 or -ENOMEM.
 */
int event_log_new(int fd, bool journal, EventLog **ret) {
        EventLog *log = malloc(sizeof(*log));

        if (!log)
                return -ENOMEM;
        *log = (EventLog){ .fd = fd, .journal = journal };
        *ret = log;
        return 0;
}

/**
 * event_log_new_handler() - hand events to a function of this process
 *
 * Return: 0 or -ENOMEM.
 */
int event_log_new_handler(void (*handler)(void *userdata, const cJSON *event), void *userdata,
                          EventLog **ret) {
        EventLog *log = malloc(sizeof(*log));

        if (!log)
                return -ENOMEM;
        *log = (EventLog){ .fd = -EBADF, .handler = handler, .userdata = userdata };
        *ret = log;
        return 0;
}

/** event_log_add_times() - from here on each event has the monotonic time at which it was told. */
void event_log_add_times(EventLog *log) {
        log->timed = true;
}

/**
 * event_log_watch() - have a function told of each sign of life
 * @on_sign: called for each event and by event_log_expect(), with the longest time that the next
 *           one may take
 */
void event_log_watch(EventLog *log, void (*on_sign)(void *userdata, uint64_t within_usec),
                     void *userdata) {
        log->on_sign = on_sign;
        log->sign_userdata = userdata;
}

/** event_log_expect() - what comes now may be silent for so long. */
void event_log_expect(EventLog *log, uint64_t within_usec) {
        if (log->on_sign)
                log->on_sign(log->sign_userdata, within_usec);
}

/** event_log_set_id() - whose story it is, also before its first event says so. 0 or -ENOMEM. */
int event_log_set_id(EventLog *log, const char *id) {
        free(log->said[0]);
        assert(strcmp(journal_fields[0].key, "id") == 0);
        log->said[0] = strdup(id);
        return log->said[0] ? 0 : -ENOMEM;
}

EventLog *event_log_free(EventLog *log) {
        if (!log)
                return NULL;
        (void) fd_close(log->fd);
        for (size_t i = 0; i < ELEMENTSOF(log->said); i++)
                free(log->said[i]);
        free(log);
        return NULL;
}

/** event_new() - an event to add to and hand to event_emit(); NULL without memory, which those
 * accept. */
cJSON *event_new(const char *name) {
        cJSON *event = cJSON_CreateObject();

        event_add_text(event, "event", name);
        return event;
}

/** event_add_text() - a text; what is no UTF-8 in it, as programs may print, is replaced. */
void event_add_text(cJSON *event, const char *key, const char *text) {
        _cleanup_free_ char *clean = NULL;

        if (!event || !text)
                return;
        if (!text_is_utf8(text))
                text = clean = text_to_utf8(text);
        if (text)
                (void) cJSON_AddStringToObject(event, key, text);
}

void event_add_number(cJSON *event, const char *key, double number) {
        if (event)
                (void) cJSON_AddNumberToObject(event, key, number);
}

/** event_add_message_id() - makes the journal's copy a notice that the catalog explains. */
void event_add_message_id(cJSON *event, sd_id128_t id) {
        char text[SD_ID128_STRING_MAX];

        event_add_text(event, "message-id", sd_id128_to_string(id, text));
}

/** event_add_end_id() - the message id of a switch's last word. */
void event_add_end_id(cJSON *event, int exit_code) {
        const struct {
                int exit_code;
                sd_id128_t id;
        } ids[] = {
                { 0, MESSAGE_SWITCH_ENDED },
                { 3, MESSAGE_SWITCH_ROLLED_BACK },
                { 5, MESSAGE_ROLLBACK_FAILED },
                { 100, MESSAGE_SWITCH_ENDED },
        };

        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                if (ids[i].exit_code == exit_code) {
                        event_add_message_id(event, ids[i].id);
                        return;
                }
        event_add_message_id(event, MESSAGE_SWITCH_FAILED);
}

static int add_field(StringList *fields, const char *name, const char *value) {
        char *field;
        int r;

        if (!value)
                return 0;
        r = text_printf(&field, "%s=%s", name, value);
        return r < 0 ? r : string_list_take(fields, field);
}

/* What stands for the event in one line. */
static const char *summary_of(const cJSON *event) {
        static const char *const keys[] = { "text", "unit", "phase" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (json_string(event, keys[i]))
                        return json_string(event, keys[i]);
        return "";
}

/* A text or a whole number of the event; NULL if it has none. Owned by the caller. */
static char *value_of(const cJSON *event, const char *key) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
        char *text = NULL;

        if (cJSON_IsString(item))
                return strdup(item->valuestring);
        if (cJSON_IsNumber(item) && text_printf(&text, "%.0f", item->valuedouble) < 0)
                return NULL;
        return text;
}

static int add_journal_fields(EventLog *log, const cJSON *event, StringList *fields) {
        for (size_t i = 0; i < ELEMENTSOF(journal_fields); i++) {
                _cleanup_free_ char *value = value_of(event, journal_fields[i].key);
                int r;

                if (value && journal_fields[i].stays) {
                        free(log->said[i]);
                        log->said[i] = TAKE_PTR(value);
                }
                r = add_field(fields, journal_fields[i].field, value ? value : log->said[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of no worth when it is over. */
static bool is_for_now(const cJSON *event) {
        const char *name = json_string(event, "event");

        return name && strcmp(name, "countdown") == 0;
}

/* journald shows what is an emergency on each terminal. */
static const char *priority_of(const char *name, const char *id) {
        if (strcmp(name, "reboot") == 0)
                return "0";
        return id ? "5" : "6";
}

/* The journal's copy: what a person reads, with the whole event as a field for programs. */
static void emit_to_journal(EventLog *log, const cJSON *event, const char *line) {
        const char *name = json_string(event, "event"), *id = json_string(event, "message-id");
        _cleanup_(string_list_done) StringList fields = { 0 };
        _cleanup_free_ char *message = NULL;

        if (!name || text_printf(&message, "%s: %s", name, summary_of(event)) < 0 ||
            add_field(&fields, "MESSAGE", message) < 0 ||
            add_field(&fields, "PRIORITY", priority_of(name, id)) < 0 ||
            add_field(&fields, "SYSLOG_IDENTIFIER", "enact-activate") < 0 ||
            add_field(&fields, "ENACT_EVENT_NAME", name) < 0 ||
            add_field(&fields, "ENACT_EVENT", line) < 0 ||
            add_field(&fields, "MESSAGE_ID", id) < 0 || add_journal_fields(log, event, &fields) < 0)
                return;
        (void) journal_send(&fields);
}

static void write_line(const EventLog *log, const char *line) {
        _cleanup_free_ char *with_newline = NULL;

        if (text_printf(&with_newline, "%s\n", line) >= 0)
                (void) file_append(log->fd, with_newline, strlen(with_newline));
}

/* Whether a line of a program finds no room any more; said once. */
static bool is_too_much(EventLog *log, const cJSON *event, const char *line) {
        const char *name = json_string(event, "event");

        if (!name || strcmp(name, "output") != 0)
                return false;
        if (log->n_output > OUTPUT_BYTES_MAX)
                return true;
        log->n_output += strlen(line);
        if (log->n_output <= OUTPUT_BYTES_MAX)
                return false;
        event_say(log, "note", "text", "more is printed than is told here");
        return true;
}

static void emit_to_file(EventLog *log, cJSON *event) {
        _cleanup_free_ char *line = NULL;

        if (log->timed)
                event_add_number(event, "usec", (double) clock_monotonic_usec());
        if (json_print(event, &line) < 0)
                return;
        if (log->journal && !is_for_now(event))
                emit_to_journal(log, event, line);
        if (!is_too_much(log, event, line))
                write_line(log, line);
}

/**
 * event_emit() - tell one event
 * @event: freed here; may be NULL
 */
void event_emit(EventLog *log, cJSON *event) {
        event_log_expect(log, SILENCE_USEC);
        if (event && log->handler)
                log->handler(log->userdata, event);
        else if (event)
                emit_to_file(log, event);
        cJSON_Delete(event);
}

/** event_say() - an event with one text beside its name; @key may be NULL. */
void event_say(EventLog *log, const char *name, const char *key, const char *text) {
        cJSON *event = event_new(name);

        if (key)
                event_add_text(event, key, text);
        event_emit(log, event);
}

/** event_say_units() - an event about some units, and what is done with them; none if there is no
 * unit. */
void event_say_units(EventLog *log, const char *name, const char *job, const StringList *units) {
        _cleanup_free_ char *text = NULL;
        cJSON *event;

        if (units->n == 0)
                return;
        event = event_new(name);
        event_add_text(event, "job", job);
        if (string_list_join(units, ", ", &text) >= 0)
                event_add_text(event, "text", text);
        if (event)
                (void) json_add_strings(event, "units", units);
        event_emit(log, event);
}
