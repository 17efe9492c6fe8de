/* enact status: what runs, what the next boot takes, what is under way and how the last switch
 * ended. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "display.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "json.h"
#include "manager.h"
#include "options.h"
#include "systems.h"
#include "verbs.h"

typedef struct Status {
        Systems systems;
        cJSON *open;    /* the record of a transaction that has not ended; NULL if there is none */
        bool under_way; /* an engine holds the lock */
        StringList failed; /* units */
} Status;

/* The record stands while an engine works, and after one was killed. */
static int read_open(Status *status) {
        _cleanup_free_ char *text = NULL, *command = NULL;
        pid_t pid;
        size_t n;
        int r;

        r = file_read(AT_FDCWD, STATE_DIRECTORY "/transaction.json", FILE_SMALL_MAX, &text, &n);
        if (r >= 0)
                r = json_parse(text, n, &status->open);
        if (r < 0 && r != -ENOENT && r != -EBADMSG)
                return r;
        status->under_way = file_lock_holder(STATE_DIRECTORY "/lock", &pid, &command) >= 0;
        return 0;
}

static int read_failed(Status *status, sd_bus_error *reterr_error) {
        _cleanup_(inventory_done) Inventory inventory = { 0 };
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r;

        if (sd_booted() <= 0) /* a chroot has no units to tell of */
                return 0;
        r = manager_open(&manager, reterr_error);
        if (r >= 0)
                r = manager_inventory(manager, &inventory, reterr_error);
        for (size_t i = 0; r >= 0 && i < inventory.n; i++)
                if (strcmp(inventory.units[i].active, "failed") == 0)
                        r = string_list_add(&status->failed, inventory.units[i].id);
        return r;
}

static int status_read(const Options *options, Status *status, sd_bus_error *reterr_error) {
        int r;

        r = systems_read(options->profile, &status->systems, reterr_error);
        if (r >= 0)
                r = read_open(status);
        if (r >= 0)
                r = read_failed(status, reterr_error);
        return r;
}

static void status_done(Status *status) {
        systems_done(&status->systems);
        cJSON_Delete(status->open);
        string_list_done(&status->failed);
}

static const HistoryEntry *last_of(const History *history) {
        return history->n > 0 ? &history->entries[history->n - 1] : NULL;
}

static void print_last(const HistoryEntry *entry) {
        time_t ended = (time_t) entry->ended;
        char date[sizeof("2026-01-31 23:59:59")] = "";
        struct tm tm;

        if (localtime_r(&ended, &tm))
                (void) strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
        printf("last %-8s  %s, exit code %ju: %s\n", entry->verb, date,
               (uintmax_t) entry->exit_code, entry->text);
}

static const char *or_none(const char *text) {
        return text && *text ? text : "none";
}

static void print_open(const Status *status) {
        const char *phase = status->open ? json_string(status->open, "phase") : NULL;

        if (status->under_way)
                printf("under way      a switch%s%s%s\n", phase ? " in phase '" : "",
                       phase ? phase : "", phase ? "'" : "");
        else if (status->open)
                printf("interrupted    a switch to %s ended in phase '%s' without a result; switch again\n",
                       or_none(json_string(status->open, "to")), or_none(phase));
}

static void print_status(const Status *status) {
        const Systems *s = &status->systems;

        printf("running        %s\n", or_none(s->running));
        printf("boot default   %s\n", or_none(s->current));
        printf("booted         %s\n", or_none(s->booted));
        print_open(status);
        if (last_of(&s->history))
                print_last(last_of(&s->history));
        for (size_t i = 0; i < status->failed.n; i++)
                printf("failed unit    %s\n", status->failed.items[i]);
}

static int add_text_or_null(cJSON *object, const char *key, const char *text) {
        cJSON *item = text && *text ? cJSON_AddStringToObject(object, key, text) :
                                      cJSON_AddNullToObject(object, key);

        return item ? 0 : -ENOMEM;
}

static int add_last(cJSON *object, const HistoryEntry *entry) {
        cJSON *last;

        if (!entry)
                return cJSON_AddNullToObject(object, "last") ? 0 : -ENOMEM;
        last = cJSON_AddObjectToObject(object, "last");
        if (!last || !cJSON_AddStringToObject(last, "id", entry->id) ||
            !cJSON_AddStringToObject(last, "verb", entry->verb) ||
            !cJSON_AddStringToObject(last, "from", entry->from) ||
            !cJSON_AddStringToObject(last, "to", entry->to) ||
            !cJSON_AddNumberToObject(last, "ended", (double) entry->ended) ||
            !cJSON_AddNumberToObject(last, "exit", (double) entry->exit_code) ||
            !cJSON_AddStringToObject(last, "text", entry->text))
                return -ENOMEM;
        return 0;
}

static int print_json(Status *status) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        const Systems *s = &status->systems;
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            add_text_or_null(object, "running", s->running) < 0 ||
            add_text_or_null(object, "default", s->current) < 0 ||
            add_text_or_null(object, "booted", s->booted) < 0 ||
            !cJSON_AddBoolToObject(object, "under-way", status->under_way) ||
            json_add_strings(object, "failed-units", &status->failed) < 0 ||
            add_last(object, last_of(&s->history)) < 0)
                return -ENOMEM;
        if (!cJSON_AddItemToObject(object, "open",
                                   status->open ? status->open : cJSON_CreateNull()))
                return -ENOMEM;
        status->open = NULL;

        r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        _cleanup_(status_done) Status status = { 0 };
        Display display;
        int r, index;

        r = options_parse(argc, argv, &options, &index);
        if (r < 0 || index < argc) {
                fprintf(stderr, "Usage: enact status %s\n", verb_status.synopsis);
                return 2;
        }
        display_open(&display, options.json);

        r = status_read(&options, &status, &error);
        if (r >= 0 && options.json)
                r = print_json(&status);
        else if (r >= 0)
                print_status(&status);
        if (r >= 0)
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_status = {
        .name = "status",
        .synopsis = "[--json]",
        .help = "Show what runs, what boots next and how the last switch ended",
        .run = run,
};
