/* enact status: what runs, what the next boot takes and whether it is needed, what is under way and
 * how the last switch ended. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "display.h"
#include "error.h"
#include "past.h"
#include "status.h"
#include "verbs.h"

/* Of the profile; where several hold the same system, the one that is the boot default, or else the
 * newest. NULL: none. */
static const Generation *generation_of(const Systems *systems, const char *toplevel) {
        const Generation *found = NULL;

        for (size_t i = 0; toplevel && i < systems->generations.n; i++) {
                const Generation *g = &systems->generations.items[i];

                if (strcmp(g->target, toplevel) == 0 && !(found && found->current))
                        found = g;
        }
        return found;
}

static void print_system(const char *what, const Systems *systems, const char *toplevel) {
        const Generation *g = generation_of(systems, toplevel);

        printf("%-14s %s", what, toplevel ? toplevel : "none");
        if (g)
                printf("  (generation %" PRIu64 ")", g->number);
        else if (toplevel)
                printf("  (no generation)");
        putchar('\n');
}

static void print_reason(const char *what, const RebootReason *reason) {
        const char *booted = *reason->booted ? reason->booted : "none";
        const char *wanted = *reason->wanted ? reason->wanted : "none";

        if (strcmp(reason->what, "kernel-params") == 0)
                printf("%-14s kernel-params: comes: %s; goes: %s\n", what, wanted, booted);
        else if (strcmp(reason->what, "bootspec-extensions") == 0)
                printf("%-14s bootspec-extensions differ\n", what);
        else
                printf("%-14s %s: %s instead of %s\n", what, reason->what, wanted, booted);
}

static void print_reboot(const Status *status) {
        const Systems *s = &status->systems;

        for (size_t i = 0; i < status->reboot.n; i++)
                print_reason(status->reboot.items[i].hard ? "reboot needed" : "reboot advised",
                             &status->reboot.items[i]);
        if (s->running && s->boot_default && strcmp(s->running, s->boot_default) != 0)
                printf("until a reboot what runs is not the boot default\n");
        for (size_t i = 0; i < status->missing.n; i++)
                print_reason("not in effect", &status->missing.items[i]);
}

static void print_since(const cJSON *record) {
        const cJSON *request = cJSON_GetObjectItemCaseSensitive(record, "request");
        uint64_t begun, uid;
        char date[64];

        if (json_number(record, "begun", (uint64_t) 1 << 53, &begun) >= 0) {
                past_date(begun, date, sizeof(date));
                printf(", since %s", date);
        }
        if (json_number(request, "uid", UINT32_MAX, &uid) >= 0) {
                _cleanup_free_ char *user = past_user(uid);

                printf(", by %s", user ? user : "");
        }
}

static void print_open(const Status *status) {
        const char *phase = json_string(status->open, "phase");
        const char *to = json_string(status->open, "to");

        if (status->damaged)
                puts("damaged        the record of an interrupted switch; the next switch looks "
                     "after all units");
        if (!status->under_way && !status->open)
                return;
        if (status->trial && !status->under_way) {
                const char *way = json_string(status->open, "trial");

                printf("next boot      tries %s, %s", status->trial,
                       way && strcmp(way, "counted") == 0 ? "counted by the boot loader" : "once");
                print_since(status->open);
                puts("; 'enact cancel' gives that up");
                return;
        }
        if (status->under_way)
                printf("under way      a switch%s%s", to ? " to " : "", to ? to : "");
        else
                printf("interrupted    a switch to %s%s", to ? to : "an unknown system",
                       status->other_boot ? ", by a reboot" : "");
        if (phase)
                printf(", in phase '%s'", phase);
        print_since(status->open);
        puts(status->under_way ? "" : "; 'enact cancel' or the next switch brings it to an end");
        if (status->under_way && status->confirm_sec > 0)
                printf("to confirm     %" PRIu64 " s are left for 'enact confirm'\n",
                       status->confirm_sec);
}

static void print_past(const char *what, const HistoryEntry *entry) {
        char date[64];

        past_date(entry->ended, date, sizeof(date));
        printf("%s %-*s  %s, exit code %" PRIu64 ": %s\n", what, 12 - (int) strlen(what),
               entry->verb, date, entry->exit_code, entry->text);
}

static void print_status(const Status *status) {
        const HistoryEntry *last = status_last(status), *failed = status_last_failed(status);
        const Systems *s = &status->systems;

        print_system("running", s, s->running);
        print_system("boot default", s, s->boot_default);
        if (s->default_is_guessed)
                puts("               by the profile: a guess, since no boot loader installer is known to agree");
        print_system("booted", s, s->booted);
        print_reboot(status);
        print_open(status);
        if (last)
                print_past("last", last);
        if (failed && failed != last)
                print_past("failed", failed);
        for (size_t i = 0; i < status->failed_systems.n; i++)
                print_system("failed system", s, status->failed_systems.items[i]);
        for (size_t i = 0; i < status->failed_units.n; i++)
                printf("failed unit    %s\n", status->failed_units.items[i]);
}

static int add_text_or_null(cJSON *object, const char *key, const char *text) {
        cJSON *item = text && *text ? cJSON_AddStringToObject(object, key, text) :
                                      cJSON_AddNullToObject(object, key);

        return item ? 0 : -ENOMEM;
}

/* Takes over @item, which may be NULL. */
static int add_item(cJSON *object, const char *key, cJSON *item) {
        if (!item)
                item = cJSON_CreateNull();
        if (item && cJSON_AddItemToObject(object, key, item))
                return 0;
        cJSON_Delete(item);
        return -ENOMEM;
}

static int add_past(cJSON *object, const char *key, const HistoryEntry *entry) {
        cJSON *item = NULL;
        int r;

        r = entry ? past_to_json(entry, &item) : 0;
        return r < 0 ? r : add_item(object, key, item);
}

static int add_generation(cJSON *object, const char *key, const Systems *systems,
                          const char *toplevel) {
        const Generation *g = generation_of(systems, toplevel);
        cJSON *item = g ? cJSON_AddNumberToObject(object, key, (double) g->number) :
                          cJSON_AddNullToObject(object, key);

        return item ? 0 : -ENOMEM;
}

static int add_generations(cJSON *object, const Systems *s) {
        cJSON *generations = cJSON_AddObjectToObject(object, "generations");

        if (!generations || add_generation(generations, "running", s, s->running) < 0 ||
            add_generation(generations, "default", s, s->boot_default) < 0 ||
            add_generation(generations, "booted", s, s->booted) < 0)
                return -ENOMEM;
        return 0;
}

static int add_reasons(cJSON *object, const char *key, const RebootReasons *reasons) {
        cJSON *array = cJSON_AddArrayToObject(object, key);

        for (size_t i = 0; array && i < reasons->n; i++) {
                const RebootReason *reason = &reasons->items[i];
                cJSON *item = cJSON_CreateObject();

                if (!item || !cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return -ENOMEM;
                }
                if (!cJSON_AddStringToObject(item, "what", reason->what) ||
                    !cJSON_AddBoolToObject(item, "hard", reason->hard) ||
                    add_text_or_null(item, "booted", reason->booted) < 0 ||
                    add_text_or_null(item, "wanted", reason->wanted) < 0)
                        return -ENOMEM;
        }
        return array ? 0 : -ENOMEM;
}

static int add_reboot(cJSON *object, const Status *status) {
        cJSON *reboot = cJSON_AddObjectToObject(object, "reboot");

        if (!reboot ||
            !cJSON_AddBoolToObject(reboot, "needed", reboot_is_needed(&status->reboot)) ||
            add_reasons(reboot, "reasons", &status->reboot) < 0 ||
            add_reasons(reboot, "not-in-effect", &status->missing) < 0)
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
            add_text_or_null(object, "default", s->boot_default) < 0 ||
            !cJSON_AddBoolToObject(object, "default-is-guessed", s->default_is_guessed) ||
            add_text_or_null(object, "booted", s->booted) < 0 || add_generations(object, s) < 0 ||
            add_reboot(object, status) < 0 ||
            !cJSON_AddBoolToObject(object, "under-way", status->under_way) ||
            !cJSON_AddBoolToObject(object, "interrupted",
                                   status->open && !status->under_way && !status->trial) ||
            add_text_or_null(object, "trial", status->trial) < 0 ||
            !cJSON_AddBoolToObject(object, "damaged-record", status->damaged) ||
            !cJSON_AddBoolToObject(object, "other-boot", status->other_boot) ||
            add_item(object, "open", TAKE_PTR(status->open)) < 0 ||
            !cJSON_AddNumberToObject(object, "confirm-seconds", (double) status->confirm_sec) ||
            add_past(object, "last", status_last(status)) < 0 ||
            add_past(object, "last-failed", status_last_failed(status)) < 0 ||
            json_add_strings(object, "failed-systems", &status->failed_systems) < 0 ||
            json_add_strings(object, "failed-units", &status->failed_units) < 0)
                return -ENOMEM;

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

        r = options_parse(verb_status.options, argc, argv, &options, &index);
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
        .synopsis = "",
        .help = "Show what runs, what boots next and how the last switch ended",
        .options = OPTIONS_JSON | OPTIONS_PROFILE,
        .run = run,
};
