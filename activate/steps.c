/*
 * The steps of a switch that are jobs of a service manager, the system's or a user's: one list of
 * the plan after the other, each told as it begins and as it ends.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "jobs.h"
#include "steps.h"
#include "text.h"
#include "unit-lists.h"
#include "unit-report.h"

#define TOLD_MAX 50U /* units beside our own; to read what they said takes a moment */

/* What a person sees while jobs run. */
static void on_job_start(void *userdata, const char *job, const char *unit) {
        Steps *s = userdata;
        cJSON *event = event_new("job");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_emit(s->log, event);
}

static void tell_failure(Steps *s, const char *unit) {
        unit_report_failure(s->log, s->manager, unit);
        if (!string_list_contains(&s->told, unit))
                (void) string_list_add(&s->told, unit);
}

static void on_job_end(void *userdata, const char *job, const char *unit, const char *result,
                       uint64_t duration_usec) {
        Steps *s = userdata;
        cJSON *event = event_new("job-done");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_text(event, "result", result);
        event_add_number(event, "seconds", (double) duration_usec / USEC_PER_SEC);
        event_emit(s->log, event);
        if (jobs_result_is_bad(result))
                tell_failure(s, unit);
}

/* What a target brings along is told at once, too; but not again with each attempt of systemd's. */
static void on_other_failed(void *userdata, const char *unit) {
        Steps *s = userdata;

        if (s->told.n < TOLD_MAX && !string_list_contains(&s->told, unit))
                tell_failure(s, unit);
}

static void on_job_refused(void *userdata, const char *job, const char *unit, const char *error) {
        Steps *s = userdata;
        cJSON *event = event_new("refused");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_text(event, "text", error);
        event_emit(s->log, event);
}

static void on_job_wait(void *userdata, const char *job, const char *unit, uint64_t since_usec,
                        uint64_t limit_usec) {
        Steps *s = userdata;
        cJSON *event = event_new("wait");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_number(event, "seconds", (double) (since_usec / USEC_PER_SEC));
        event_add_number(event, "limit", (double) (limit_usec / USEC_PER_SEC));
        event_emit(s->log, event);
}

/** steps_check_interrupt() - told to stop, nothing more is begun: the way back is not made longer.
 * 0 or a negative errno with @reterr_error set. */
int steps_check_interrupt(const Steps *s, sd_bus_error *reterr_error) {
        if (!s->interrupted || !s->interrupted())
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED, "The switch was told to stop");
}

/**
 * steps_run_quietly() - one job for each unit, of which only the single ones are told
 *
 * Return: 0 (also with failed units), or a negative errno with @reterr_error set.
 */
int steps_run_quietly(Steps *s, const char *job, const StringList *units,
                      sd_bus_error *reterr_error) {
        const JobObserver observer = {
                .on_start = on_job_start,
                .on_end = on_job_end,
                .on_refused = on_job_refused,
                .on_other_failed = on_other_failed,
                .on_wait = on_job_wait,
                .userdata = s,
        };
        const Jobs jobs = {
                .verb = job,
                .units = units,
                .observer = &observer,
                .limit_usec = s->job_limit_usec,
                .limit_max_usec = s->job_limit_max_usec,
                .interrupted = s->interrupted,
        };

        int r;

        r = jobs_run(s->manager, &jobs, &s->failed, reterr_error);
        return r < 0 ? r : steps_check_interrupt(s, reterr_error);
}

/* The units of a list, hidden ones too, and those that people hear of. */
static int split_list(const Steps *s, PlanAction action, StringList *all, StringList *visible) {
        const PlanList *list = &s->plan->lists[action];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                if (!s->sockets_are_up || action != PLAN_START ||
                    !text_has_suffix(list->entries[i].unit, ".socket"))
                        r = string_list_add(all, list->entries[i].unit);
                if (r >= 0 && (!list->entries[i].hidden || s->show_all))
                        r = string_list_add(visible, list->entries[i].unit);
        }
        return r;
}

static void tell_units(const Steps *s, const char *name, const char *job, const StringList *units) {
        event_say_units(s->log, s->post_activation ? "jobs-after" : name, job, units);
}

/**
 * steps_run_units() - one job for each unit, told as such
 *
 * Return: 0 (also with failed units), or a negative errno with @reterr_error set.
 */
int steps_run_units(Steps *s, const char *job, const StringList *units,
                    sd_bus_error *reterr_error) {
        tell_units(s, "jobs", job, units);
        return steps_run_quietly(s, job, units, reterr_error);
}

/** steps_run_list() - the same for one list of the plan; hidden units are done, and not told unless
 * all shall be shown. */
int steps_run_list(Steps *s, PlanAction action, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 }, visible = { 0 };
        const char *job = plan_action_to_string(action);
        int r;

        r = split_list(s, action, &units, &visible);
        if (r < 0)
                return r;
        tell_units(s, action == PLAN_SKIP ? "skip" : "jobs", job, &visible);
        return action == PLAN_SKIP ? 0 : steps_run_quietly(s, job, &units, reterr_error);
}

/* The target of those that are new, and on no list themselves. */
static bool is_for_sockets(const Plan *plan, const char *unit) {
        return text_has_suffix(unit, ".socket") ||
               (plan->lists[PLAN_RESTART].n > 0 && strcmp(unit, "sockets.target") == 0);
}

/* What is restarted may bring a service up that it requires, and beside that its socket would not
 * start any more. */
static int start_sockets(Steps *s, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList sockets = { 0 };
        const PlanList *starts = &s->plan->lists[PLAN_START];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < starts->n; i++)
                if (is_for_sockets(s->plan, starts->entries[i].unit))
                        r = string_list_add(&sockets, starts->entries[i].unit);
        if (r >= 0 && s->plan->lists[PLAN_RESTART].n > 0)
                r = string_list_copy(&sockets, &s->plan->sockets);
        string_list_sort_unique(&sockets);
        if (r >= 0)
                r = steps_run_quietly(s, "start", &sockets, reterr_error);
        s->sockets_are_up = r >= 0;
        return r;
}

/**
 * steps_bring_up() - what comes after the manager was reloaded: reloads, restarts and starts
 * @lists_directory: where what is still to be done is written down; NULL: nowhere
 *
 * Return: 0 (also with failed units), or a negative errno with @reterr_error set.
 */
int steps_bring_up(Steps *s, const char *lists_directory, sd_bus_error *reterr_error) {
        static const PlanAction actions[] = { PLAN_RELOAD, PLAN_RESTART, PLAN_START };
        int r = 0;

        s->sockets_are_up = false;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(actions); i++) {
                if (actions[i] == PLAN_RESTART)
                        r = start_sockets(s, reterr_error);
                if (r >= 0)
                        r = steps_run_list(s, actions[i], reterr_error);
                if (r >= 0 && lists_directory)
                        unit_lists_remove_action(lists_directory, actions[i]);
        }
        return r;
}

void steps_done(Steps *s) {
        string_list_done(&s->failed);
        string_list_done(&s->told);
}
