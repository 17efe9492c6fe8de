/*
 * Activation: what is live is touched here and nowhere else. The order is NixOS' own, since
 * activation scripts and units depend on it; what is different is that a failing script or unit is
 * an error here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "activation.h"
#include "clock.h"
#include "error.h"
#include "jobs.h"
#include "text.h"
#include "unit-report.h"

#define SYSINIT_REACTIVATION "sysinit-reactivation.target"

/* What a person sees while jobs run. */
static void on_job_start(void *userdata, const char *job, const char *unit) {
        Activation *a = userdata;
        cJSON *event = event_new("job");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_emit(a->scripts.log, event);
}

static void on_job_end(void *userdata, const char *job, const char *unit, const char *result,
                       uint64_t duration_usec) {
        Activation *a = userdata;
        cJSON *event = event_new("job-done");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_text(event, "result", result);
        event_add_number(event, "seconds", (double) duration_usec / USEC_PER_SEC);
        event_emit(a->scripts.log, event);
        if (jobs_result_is_bad(result))
                unit_report_failure(a->scripts.log, a->manager, unit);
}

static void on_job_refused(void *userdata, const char *job, const char *unit, const char *error) {
        Activation *a = userdata;
        cJSON *event = event_new("refused");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_text(event, "text", error);
        event_emit(a->scripts.log, event);
}

static void on_job_wait(void *userdata, const char *job, const char *unit, uint64_t since_usec,
                        uint64_t limit_usec) {
        Activation *a = userdata;
        cJSON *event = event_new("wait");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_number(event, "seconds", (double) (since_usec / USEC_PER_SEC));
        event_add_number(event, "limit", (double) (limit_usec / USEC_PER_SEC));
        event_emit(a->scripts.log, event);
}

static int run_jobs(Activation *a, const char *job, const StringList *units,
                    sd_bus_error *reterr_error) {
        const JobObserver observer = {
                .on_start = on_job_start,
                .on_end = on_job_end,
                .on_refused = on_job_refused,
                .on_wait = on_job_wait,
                .userdata = a,
        };
        const Jobs jobs = {
                .verb = job,
                .units = units,
                .observer = &observer,
                .limit_usec = a->job_limit_usec,
        };

        return jobs_run(a->manager, &jobs, &a->failed, reterr_error);
}

/* The units of a list, hidden ones too, and those that people hear of. */
static int split_list(const PlanList *list, StringList *all, StringList *visible) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                r = string_list_add(all, list->entries[i].unit);
                if (r >= 0 && !list->entries[i].hidden)
                        r = string_list_add(visible, list->entries[i].unit);
        }
        return r;
}

static int run_list(Activation *a, PlanAction action, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 }, visible = { 0 };
        const char *job = plan_action_to_string(action);
        int r;

        r = split_list(&a->plan->lists[action], &units, &visible);
        if (r < 0)
                return r;
        event_say_units(a->scripts.log, action == PLAN_SKIP ? "skip" : "jobs", job, &visible);
        return action == PLAN_SKIP ? 0 : run_jobs(a, job, &units, reterr_error);
}

/* An otherwise empty target of NixOS, for what must run again early in each switch. */
static int run_sysinit_reactivation(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 };
        _cleanup_close_ int units_fd = -EBADF;
        int r;

        r = toplevel_open_units(a->scripts.of, &units_fd);
        if (r < 0 || faccessat(units_fd, SYSINIT_REACTIVATION, F_OK, 0) < 0)
                return 0;
        r = string_list_add(&units, SYSINIT_REACTIVATION);
        if (r < 0)
                return r;
        event_say(a->scripts.log, "sysinit", NULL, NULL);
        return run_jobs(a, "restart", &units, reterr_error);
}

static int renew_manager(Activation *a, sd_bus_error *reterr_error) {
        int r;

        if (a->plan->reexec) {
                event_say(a->scripts.log, "reexecute", "text", "restarting systemd");
                r = manager_reexecute(a->manager, reterr_error);
                if (r < 0)
                        return r;
        }
        r = manager_reset_failed(a->manager, reterr_error);
        if (r < 0)
                return r;
        return manager_reload(a->manager, reterr_error);
}

/**
 * activation_run() - make @to the running system
 *
 * Units whose job fails are in @failed, what an activation script failed with is in @script_error;
 * that alone is no error here, the caller weighs it. The units are brought up all the same, so that
 * what was stopped runs again. After an error the host is between two systems, and the caller must
 * bring it to one of them.
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int activation_run(Activation *a, sd_bus_error *reterr_error) {
        static const PlanAction before[] = { PLAN_STOP, PLAN_SKIP };
        static const PlanAction after[] = { PLAN_RELOAD, PLAN_RESTART, PLAN_START };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(before); i++)
                r = run_list(a, before[i], reterr_error);
        if (r < 0)
                return r;

        event_say(a->scripts.log, "script", "text", "activate");
        r = scripts_run_activation(&a->scripts, "activate", &a->script_error);
        if (r == -ENOMEM)
                return r;

        r = renew_manager(a, reterr_error);
        if (r >= 0)
                r = run_sysinit_reactivation(a, reterr_error);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(after); i++)
                r = run_list(a, after[i], reterr_error);
        return r;
}

void activation_done(Activation *a) {
        string_list_done(&a->failed);
        sd_bus_error_free(&a->script_error);
}
