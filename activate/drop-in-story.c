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
#include "user-session.h"

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

/** drop_in_say_planned() - the same for a list of a plan, hidden units only if all are shown. */
void drop_in_say_planned(const char *words, const Plan *plan, PlanAction action, bool show_all) {
        _cleanup_(string_list_done) StringList units = { 0 };
        const PlanList *list = &plan->lists[action];

        for (size_t i = 0; i < list->n; i++)
                if (!list->entries[i].hidden || show_all)
                        (void) string_list_add(&units, list->entries[i].unit);
        drop_in_say_list(words, &units);
}

/**
 * drop_in_story_forecast_user() - what a live run would tell of a user
 *
 * NixOS' own program has the words but never comes to say them. A user's targets stay hidden in any
 * case, since the variable that shows them does not reach its process for the user.
 */
void drop_in_story_forecast_user(const Plan *user) {
        static const struct {
                PlanAction action;
                const char *words;
        } texts[] = {
                { PLAN_STOP, "would stop the following user units" },
                { PLAN_SKIP, "would NOT restart the following user units" },
                { PLAN_RELOAD, "would reload the following user units" },
                { PLAN_RESTART, "would restart the following user units" },
                { PLAN_START, "would start the following user units" },
        };

        drop_in_say("would reload user units for %s...", user->user);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                drop_in_say_planned(texts[i].words, user, texts[i].action, /* show_all= */ false);
        if (user_session_has_scripts(user->to))
                drop_in_say("would restart the following user units: " USER_ACTIVATION_UNIT);
        drop_in_say_list("would take over the following user units from the user's own definitions",
                         &user->migrate);
}

static void units_of(const cJSON *event, StringList *units) {
        const cJSON *item;

        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(event, "units")) {
                if (cJSON_IsString(item))
                        (void) string_list_add(units, item->valuestring);
        }
}

/* "stopping the following units", or for a user's units "stopping the following user units". */
static void say_jobs(const cJSON *event, const char *pass) {
        static const struct {
                const char *job, *words;
        } texts[] = {
                { "stop", "stopping" },    { "skip", "NOT restarting" },
                { "reload", "reloading" }, { "restart", "restarting" },
                { "start", "starting" },
        };
        _cleanup_(string_list_done) StringList units = { 0 };
        const char *job = json_string(event, "job"), *user = json_string(event, "user");
        _cleanup_free_ char *words = NULL;

        units_of(event, &units);
        for (size_t i = 0; job && i < ELEMENTSOF(texts); i++) {
                bool skipped = strcmp(job, "skip") == 0;

                if (strcmp(texts[i].job, job) == 0 &&
                    text_printf(&words, "%s%s the following %s%sunits", texts[i].words, pass,
                                user ? "user " : "", skipped && !user ? "changed " : "") >= 0)
                        drop_in_say_list(words, &units);
        }
}

static void on_jobs(_unused_ DropInStory *story, const cJSON *event) {
        say_jobs(event, "");
}

static void on_jobs_after(_unused_ DropInStory *story, const cJSON *event) {
        say_jobs(event, " (post-activation)");
}

/** drop_in_story_tell_deprecated() - what NixOS says when an activation script uses its lists. */
void drop_in_story_tell_deprecated(void) {
        drop_in_say("WARN: restarting or reloading systemd units from the activation script is "
                    "deprecated and will be removed in NixOS 26.11.");
}

static void on_activation_lists(_unused_ DropInStory *story, _unused_ const cJSON *event) {
        drop_in_story_tell_deprecated();
}

static void on_swapoff(_unused_ DropInStory *story, const cJSON *event) {
        drop_in_say("stopping swap device: %s", json_string(event, "text"));
}

static void on_swapoff_failed(_unused_ DropInStory *story, const cJSON *event) {
        drop_in_say("Failed to stop swapping to %s: %s", json_string(event, "text"),
                    json_string(event, "error"));
}

static void on_user(_unused_ DropInStory *story, const cJSON *event) {
        drop_in_say("reloading user units for %s...", json_string(event, "user"));
}

static void on_user_failed(_unused_ DropInStory *story, const cJSON *event) {
        const char *user = json_string(event, "user");

        drop_in_say("warning: user activation for %s failed", user);
        drop_in_say("%s: %s", user, json_string(event, "text"));
}

static void on_units_failed(_unused_ DropInStory *story, const cJSON *event) {
        _cleanup_(string_list_done) StringList units = { 0 };
        _cleanup_free_ char *names = NULL;

        units_of(event, &units);
        drop_in_say_list("warning: the following user units failed", &units);
        if (string_list_join(&units, " ", &names) >= 0)
                drop_in_say("See `systemctl --user status %s` for details.", names);
}

static void on_script(DropInStory *story, const cJSON *event) {
        drop_in_say("activating the configuration...");
}

static void on_script_failed(DropInStory *story, const cJSON *event) {
        drop_in_say("Failed to run activate script");
}

static void on_reexecute(DropInStory *story, const cJSON *event) {
        drop_in_say("restarting systemd...");
}

static void on_sysinit(DropInStory *story, const cJSON *event) {
        drop_in_say("restarting sysinit-reactivation.target");
}

static void on_note(DropInStory *story, const cJSON *event) {
        const char *user = json_string(event, "user");

        drop_in_say("%s%s%s", user ? user : "", user ? ": " : "", json_string(event, "text"));
}

/* The user's unit that each switch restarts is called by its name alone. */
static void on_refused(_unused_ DropInStory *story, const cJSON *event) {
        const char *unit = json_string(event, "unit");
        bool named_so = json_string(event, "user") && strcmp(unit, USER_ACTIVATION_UNIT) != 0;

        drop_in_say("Failed to %s %s%s: %s", json_string(event, "job"),
                    named_so ? "user unit " : "", unit, json_string(event, "text"));
}

static void on_job_done(DropInStory *story, const cJSON *event) {
        static const char *const bad[] = { "dependency", "failed", "timeout" };
        const char *result = json_string(event, "result");
        char *line;

        for (size_t i = 0; result && i < ELEMENTSOF(bad); i++)
                if (strcmp(bad[i], result) == 0 &&
                    text_printf(&line, "Failed to %s %s%s", json_string(event, "job"),
                                json_string(event, "user") ? "user unit " : "",
                                json_string(event, "unit")) >= 0)
                        (void) string_list_take(&story->failures, line);
}

static int number_of(const cJSON *event, const char *key) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);

        return cJSON_IsNumber(item) ? item->valueint : 0;
}

static void on_wait(_unused_ DropInStory *story, const cJSON *event) {
        const char *user = json_string(event, "user");

        drop_in_say("waiting to %s %s%s: %d s of at most %d s", json_string(event, "job"),
                    user ? "user unit " : "", json_string(event, "unit"),
                    number_of(event, "seconds"), number_of(event, "limit"));
}

/* At once, with what helps to see why; which ones failed is said again at the end. */
static void on_unit_failed(_unused_ DropInStory *story, const cJSON *event) {
        const char *result = json_string(event, "result"), *active = json_string(event, "active");
        const cJSON *item;

        if (active && strcmp(active, "active") == 0) { /* again, or still */
                active = "up and not well";
                result = NULL;
        }
        drop_in_say("%s%s is %s%s%s%s; its last words:",
                    json_string(event, "user") ? "user unit " : "", json_string(event, "unit"),
                    active ? active : "unknown", result ? " (" : "", result ? result : "",
                    result ? ")" : "");
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(event, "log")) {
                _cleanup_free_ char *line = cJSON_IsString(item) ? strdup(item->valuestring) : NULL;

                if (!line)
                        continue;
                text_strip_controls(line);
                drop_in_say("  | %s", line);
        }
}

/** drop_in_story_tell() - an event of the engine in those words; @userdata is the DropInStory. */
void drop_in_story_tell(void *userdata, const cJSON *event) {
        static const struct {
                const char *event;
                void (*tell)(DropInStory *story, const cJSON *event);
        } words[] = {
                { "activation-lists", on_activation_lists },
                { "job-done", on_job_done },
                { "jobs", on_jobs },
                { "jobs-after", on_jobs_after },
                { "note", on_note },
                { "output", on_note },
                { "reexecute", on_reexecute },
                { "refused", on_refused },
                { "script", on_script },
                { "script-failed", on_script_failed },
                { "skip", on_jobs },
                { "swapoff", on_swapoff },
                { "swapoff-failed", on_swapoff_failed },
                { "sysinit", on_sysinit },
                { "unit-failed", on_unit_failed },
                { "units-failed", on_units_failed },
                { "user", on_user },
                { "user-failed", on_user_failed },
                { "wait", on_wait },
        };
        const char *name = json_string(event, "event");

        for (size_t i = 0; name && i < ELEMENTSOF(words); i++)
                if (strcmp(words[i].event, name) == 0)
                        words[i].tell(userdata, event);
}

/** drop_in_story_failures() - say which jobs have failed since it was said the last time. */
void drop_in_story_failures(DropInStory *story) {
        for (size_t i = 0; i < story->failures.n; i++)
                drop_in_say("%s", story->failures.items[i]);
        string_list_done(&story->failures);
}

void drop_in_story_done(DropInStory *story) {
        string_list_done(&story->failures);
}
