/*
 * The words of NixOS' own switch-to-configuration. Scripts and people match on them, so they stay
 * as they are; a standard error that is gone loses words and nothing else.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "drop-in-story.h"
#include "text.h"

/** drop_in_say() - one line on standard error, whoever may listen. */
void drop_in_say(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vfprintf(stderr, format, ap);
        va_end(ap);
        (void) fputc('\n', stderr);
        (void) fflush(stderr);
        clearerr(stderr);
}

static int compare_ignoring_case(const void *a, const void *b) {
        const char *x = *(char *const *) a, *y = *(char *const *) b;
        int r = strcasecmp(x, y);

        return r != 0 ? r : strcmp(x, y);
}

/** drop_in_say_list() - "<words>: a, b", in order whatever the case; nothing for an empty list. */
void drop_in_say_list(const char *words, const StringList *units) {
        _cleanup_(string_list_done) StringList sorted = { 0 };
        _cleanup_free_ char *text = NULL;

        if (units->n == 0 || string_list_copy(&sorted, units) < 0)
                return;
        qsort(sorted.items, sorted.n, sizeof(*sorted.items), compare_ignoring_case);
        if (string_list_join(&sorted, ", ", &text) >= 0)
                drop_in_say("%s: %s", words, text);
}

static void units_of(const cJSON *event, StringList *units) {
        const cJSON *item;

        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(event, "units")) {
                if (cJSON_IsString(item))
                        (void) string_list_add(units, item->valuestring);
        }
}

static void on_jobs(DropInStory *story, const cJSON *event) {
        static const struct {
                const char *job, *words;
        } texts[] = {
                { "stop", "stopping the following units" },
                { "reload", "reloading the following units" },
                { "restart", "restarting the following units" },
                { "start", "starting the following units" },
        };
        _cleanup_(string_list_done) StringList units = { 0 };
        const char *job = json_string(event, "job");

        units_of(event, &units);
        for (size_t i = 0; job && i < ELEMENTSOF(texts); i++)
                if (strcmp(texts[i].job, job) == 0)
                        drop_in_say_list(texts[i].words, &units);
}

static void on_skip(DropInStory *story, const cJSON *event) {
        _cleanup_(string_list_done) StringList units = { 0 };

        units_of(event, &units);
        drop_in_say_list("NOT restarting the following changed units", &units);
}

static void on_script(DropInStory *story, const cJSON *event) {
        drop_in_say("activating the configuration...");
}

static void on_reexecute(DropInStory *story, const cJSON *event) {
        drop_in_say("restarting systemd...");
}

static void on_sysinit(DropInStory *story, const cJSON *event) {
        drop_in_say("restarting sysinit-reactivation.target");
}

static void on_note(DropInStory *story, const cJSON *event) {
        drop_in_say("%s", json_string(event, "text"));
}

static void on_refused(DropInStory *story, const cJSON *event) {
        story->refused = true;
        drop_in_say("Failed to %s %s: %s", json_string(event, "job"), json_string(event, "unit"),
                    json_string(event, "text"));
}

static void on_job_done(DropInStory *story, const cJSON *event) {
        static const char *const bad[] = { "dependency", "failed", "timeout" };
        const char *result = json_string(event, "result");
        char *line;

        for (size_t i = 0; result && i < ELEMENTSOF(bad); i++)
                if (strcmp(bad[i], result) == 0 &&
                    text_printf(&line, "Failed to %s %s", json_string(event, "job"),
                                json_string(event, "unit")) >= 0)
                        (void) string_list_take(&story->failures, line);
}

/** drop_in_story_tell() - an event of the engine in those words; @userdata is the DropInStory. */
void drop_in_story_tell(void *userdata, const cJSON *event) {
        static const struct {
                const char *event;
                void (*tell)(DropInStory *story, const cJSON *event);
        } words[] = {
                { "job-done", on_job_done },   { "jobs", on_jobs },       { "note", on_note },
                { "reexecute", on_reexecute }, { "refused", on_refused }, { "script", on_script },
                { "skip", on_skip },           { "sysinit", on_sysinit },
        };
        const char *name = json_string(event, "event");

        for (size_t i = 0; name && i < ELEMENTSOF(words); i++)
                if (strcmp(words[i].event, name) == 0)
                        words[i].tell(userdata, event);
}

/** drop_in_story_failures() - say which jobs failed, in all phases. */
void drop_in_story_failures(DropInStory *story) {
        for (size_t i = 0; i < story->failures.n; i++)
                drop_in_say("%s", story->failures.items[i]);
}

void drop_in_story_done(DropInStory *story) {
        string_list_done(&story->failures);
}
