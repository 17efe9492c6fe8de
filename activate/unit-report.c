/* What is told of a unit that failed: its state, its result and its last words. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-messages.h>
#include <unistd.h>

#include "text.h"
#include "unit-name.h"
#include "unit-report.h"

#define LOG_LINES    10U
#define SETTLE_USEC  ((unsigned) 20 * 1000)
#define SLACK_USEC   ((uint64_t) 50 * 1000) /* systemd may have spoken of the start just before */
#define SETTLE_READS 10U                    /* a fifth of a second at most */
#define LATE_READS   50U                    /* a whole one, where there is more to come for sure */
#define DECIMAL_MAX  sizeof("18446744073709551615")
#define FAILED       "MESSAGE_ID=" SD_MESSAGE_UNIT_FAILURE_RESULT_STR

/* What the journal has of a unit. */
typedef struct Words {
        StringList lines;
        bool has_end; /* systemd's word that it failed, which comes after all of the unit's own */
} Words;

static int add_message(sd_journal *journal, StringList *lines) {
        const void *data;
        size_t n;
        int r;

        r = sd_journal_get_data(journal, "MESSAGE", &data, &n);
        if (r < 0)
                return 0;
        n -= strlen("MESSAGE=");
        return string_list_take(lines, strndup((const char *) data + strlen("MESSAGE="), n));
}

/* Whose unit it is. */
typedef struct Source {
        const char *unit;
        bool of_user;
        uid_t uid;
        uint64_t pid; /* of its main process; 0: not known */
} Source;

static int add_match(sd_journal *journal, const char *field, const char *value) {
        _cleanup_free_ char *match = NULL;
        int r;

        r = text_printf(&match, "%s=%s", field, value);
        return r < 0 ? r : sd_journal_add_match(journal, match, 0);
}

static int add_number(sd_journal *journal, const char *field, uint64_t number) {
        char text[DECIMAL_MAX];

        (void) snprintf(text, sizeof(text), "%" PRIu64, number);
        return add_match(journal, field, text);
}

/* Anybody may log with a field that speaks of a unit; only the word of the manager, or of whoever
 * runs as the user, is about theirs. */
static int add_speaker(sd_journal *journal, const Source *source) {
        return source->of_user ? add_number(journal, "_UID", source->uid) :
                                 add_number(journal, "_PID", 1);
}

/* Of a user's process that dies at once the journal knows nothing but its number. */
static int add_main_process(sd_journal *journal, const Source *source) {
        int r;

        r = add_number(journal, "_UID", source->uid);
        if (r < 0 || source->pid == 0)
                return r;
        r = sd_journal_add_disjunction(journal);
        if (r >= 0)
                r = add_number(journal, "_PID", source->pid);
        return r < 0 ? r : add_number(journal, "_UID", source->uid);
}

/* What the unit said and what systemd said of it. By the unit, not by the run's id: of a process
 * that dies at once the journal may not learn that any more. */
static int add_matches(sd_journal *journal, const Source *source) {
        int r;

        r = add_match(journal, source->of_user ? "_SYSTEMD_USER_UNIT" : "_SYSTEMD_UNIT",
                      source->unit);
        if (r >= 0 && source->of_user)
                r = add_main_process(journal, source);
        if (r >= 0)
                r = sd_journal_add_disjunction(journal);
        if (r >= 0)
                r = add_match(journal, source->of_user ? "USER_UNIT" : "UNIT", source->unit);
        return r < 0 ? r : add_speaker(journal, source);
}

static bool is_since(sd_journal *journal, uint64_t since_usec) {
        uint64_t usec;

        /* Of another boot: -ESTALE. */
        return since_usec == 0 || (sd_journal_get_monotonic_usec(journal, &usec, NULL) >= 0 &&
                                   usec + SLACK_USEC >= since_usec);
}

static bool is_end(sd_journal *journal) {
        const void *data;
        size_t n;

        return sd_journal_get_data(journal, "MESSAGE_ID", &data, &n) >= 0 && n == strlen(FAILED) &&
               memcmp(data, FAILED, n) == 0;
}

static int add_entry(sd_journal *journal, Words *words) {
        words->has_end = words->has_end || is_end(journal);
        return add_message(journal, &words->lines);
}

static int read_tail(sd_journal *journal, uint64_t since_usec, Words *words) {
        int r;

        r = sd_journal_seek_tail(journal);
        if (r >= 0)
                r = sd_journal_previous_skip(journal, LOG_LINES);
        while (r > 0) {
                r = is_since(journal, since_usec) ? add_entry(journal, words) : 0;
                if (r >= 0)
                        r = sd_journal_next(journal);
        }
        return r;
}

/* The last journal lines about a unit, oldest first; 0, or an errno of reading the journal. */
static int read_log(const Source *source, uint64_t since_usec, Words *words) {
        sd_journal *journal;
        int r;

        r = sd_journal_open(&journal,
                            SD_JOURNAL_LOCAL_ONLY | (source->of_user ? 0 : SD_JOURNAL_SYSTEM));
        if (r < 0)
                return r;
        r = add_matches(journal, source);
        if (r >= 0)
                r = read_tail(journal, since_usec, words);
        sd_journal_close(journal);
        return r;
}

/* The journal takes a moment to write down what a process said when it died: it is read until
 * nothing more comes, and of a unit that failed until it says so, too. */
static void read_settled_log(const Source *source, uint64_t since_usec, bool failed,
                             StringList *lines) {
        Words words = { 0 };

        (void) read_log(source, since_usec, &words);
        for (unsigned i = 0; i < (failed && !words.has_end ? LATE_READS : SETTLE_READS); i++) {
                Words before = TAKE_GENERIC(words, (Words){ 0 });
                bool settled;

                (void) usleep(SETTLE_USEC);
                (void) read_log(source, since_usec, &words);
                settled = string_list_equal(&before.lines, &words.lines);
                string_list_done(&before.lines);
                if (settled && (!failed || words.has_end))
                        break;
        }
        *lines = words.lines;
}

/* What is there for us, and not for whoever is told. */
static uint64_t take_number(cJSON *event, const char *key) {
        uint64_t number;

        if (json_number(event, key, INT64_MAX, &number) < 0)
                number = 0;
        cJSON_DeleteItemFromObjectCaseSensitive(event, key);
        return number;
}

static void add_words(cJSON *event, Source *source) {
        const char *active = json_string(event, "active"), *sub = json_string(event, "sub");
        _cleanup_(string_list_done) StringList lines = { 0 };
        uint64_t since_usec = take_number(event, "begun");

        /* The number was another's before. */
        source->pid = take_number(event, "pid");
        if (since_usec == 0)
                source->pid = 0;
        /* One that starts again and again has said why in a run before this one. */
        if (sub && text_after_prefix(sub, "auto-restart"))
                since_usec = 0;
        read_settled_log(source, since_usec, active && strcmp(active, "failed") == 0, &lines);
        cJSON_DeleteItemFromObjectCaseSensitive(event, "log");
        (void) json_add_strings(event, "log", &lines);
}

/**
 * unit_report_failure() - tell that a unit failed, with what helps to see why
 *
 * What cannot be found out is left out. Of a user's unit it is the words, which the user may not be
 * allowed to read: unit_report_add_words() is for root.
 */
void unit_report_failure(EventLog *log, Manager *manager, const char *unit) {
        _cleanup_free_ char *active = NULL, *sub = NULL, *result = NULL;
        cJSON *event = event_new("unit-failed");
        uint64_t begun_usec = 0;
        uint32_t pid = 0;

        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "ActiveState", &active);
        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "SubState", &sub);
        (void) manager_unit_result(manager, unit, &result);
        (void) manager_unit_begun(manager, unit, &begun_usec);
        (void) manager_main_pid_of(manager, unit, &pid);

        event_add_text(event, "unit", unit);
        event_add_text(event, "active", active);
        event_add_text(event, "sub", sub);
        event_add_text(event, "result", result);
        event_add_number(event, "begun", (double) begun_usec);
        event_add_number(event, "pid", pid);
        if (event && !manager_is_users(manager))
                add_words(event, &(Source){ .unit = unit });
        event_emit(log, event);
}

/** unit_report_add_words() - what the journal has of a user's unit, for an event of
 * unit_report_failure() that came from the user's process and may hold anything. */
void unit_report_add_words(cJSON *event, uid_t uid) {
        const char *unit = json_string(event, "unit");

        if (unit && unit_name_is_valid(unit))
                add_words(event, &(Source){ .unit = unit, .of_user = true, .uid = uid });
}
