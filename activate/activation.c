/*
 * Activation: what is live is touched here and nowhere else. The order is NixOS' own, since
 * activation scripts and units depend on it; what is different is that a failing script or unit is
 * an error here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "activation.h"
#include "clock.h"
#include "error.h"
#include "jobs.h"
#include "process.h"
#include "program.h"
#include "text.h"
#include "unit-report.h"

#define PROGRAM_LIMIT_USEC   (30 * 60 * USEC_PER_SEC)
#define SYSINIT_REACTIVATION "sysinit-reactivation.target"

/* What a person sees while jobs run. */
static void on_job_start(void *userdata, const char *job, const char *unit) {
        Activation *a = userdata;
        cJSON *event = event_new("job");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_emit(a->log, event);
}

static void on_job_end(void *userdata, const char *job, const char *unit, const char *result,
                       uint64_t duration_usec) {
        Activation *a = userdata;
        cJSON *event = event_new("job-done");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_text(event, "result", result);
        event_add_number(event, "seconds", (double) duration_usec / USEC_PER_SEC);
        event_emit(a->log, event);
        if (jobs_result_is_bad(result))
                unit_report_failure(a->log, a->manager, unit);
}

static void on_job_wait(void *userdata, const char *job, const char *unit, uint64_t since_usec,
                        uint64_t limit_usec) {
        Activation *a = userdata;
        cJSON *event = event_new("wait");

        event_add_text(event, "job", job);
        event_add_text(event, "unit", unit);
        event_add_number(event, "seconds", (double) (since_usec / USEC_PER_SEC));
        event_add_number(event, "limit", (double) (limit_usec / USEC_PER_SEC));
        event_emit(a->log, event);
}

static int run_jobs(Activation *a, const char *job, const StringList *units,
                    sd_bus_error *reterr_error) {
        const JobObserver observer = {
                .on_start = on_job_start,
                .on_end = on_job_end,
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

static int run_list(Activation *a, PlanAction action, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 };
        const PlanList *list = &a->plan->lists[action];

        for (size_t i = 0; i < list->n; i++) {
                int r = string_list_add(&units, list->entries[i].unit);

                if (r < 0)
                        return r;
        }
        return run_jobs(a, plan_action_to_string(action), &units, reterr_error);
}

static void on_line(void *userdata, const char *line) {
        Activation *a = userdata;

        event_say(a->log, "output", "text", line);
}

static int add_variable(StringList *environment, const char *name, const char *value) {
        char *assignment;
        int r;

        r = text_printf(&assignment, "%s=%s", name, value);
        return r < 0 ? r : string_list_take(environment, assignment);
}

/* A clean environment: nothing of the caller's reaches a program that runs as root.
 */
static int make_environment(const Activation *a, StringList *environment) {
        const char *locales = wrapper_get(&a->to->wrapper, "LOCALE_ARCHIVE");
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path,
                        "%s/sw/bin:%s/sw/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                        "/usr/bin:/sbin:/bin",
                        a->to->path, a->to->path);
        if (r < 0)
                return r;
        if (add_variable(environment, "PATH", path) < 0 ||
            add_variable(environment, "HOME", "/root") < 0 ||
            add_variable(environment, "NIXOS_ACTION", a->action) < 0 ||
            add_variable(environment, "NIXOS_INSTALL_BOOTLOADER",
                         a->install_bootloader ? "1" : "0") < 0)
                return -ENOMEM;
        if (locales && add_variable(environment, "LOCALE_ARCHIVE", locales) < 0)
                return -ENOMEM;
        return 0;
}

/**
 * activation_run_program() - run a program of the closure, its output told as events
 * @what: its name for people
 *
 * Return: 0, or a negative errno with @reterr_error set if it cannot be started, fails or runs too
 * long.
 */
int activation_run_program(Activation *a, const char *what, const StringList *arguments,
                           sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList environment = { 0 };
        _cleanup_free_ char *status_text = NULL;
        Program program = {
                .arguments = arguments,
                .limit_usec = PROGRAM_LIMIT_USEC,
                .on_line = on_line,
                .userdata = a,
        };
        int r, status;

        r = make_environment(a, &environment);
        if (r < 0)
                return r;
        program.environment = (const char *const *) environment.items;

        r = program_run(&program, &status);
        if (r == -ETIMEDOUT)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The %s ('%s') was killed after %d minutes", what,
                                         arguments->items[0],
                                         (int) (PROGRAM_LIMIT_USEC / USEC_PER_SEC / 60));
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot start the %s ('%s'): %s", what,
                                         arguments->items[0], strerror(-r));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;

        r = process_status_to_text(status, &status_text);
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED, "The %s ('%s') failed: %s", what,
                                 arguments->items[0], status_text);
}

/**
 * activation_run_variable() - run the command that a variable of the wrapper holds
 * @variable:      split at blanks, as NixOS has it; nothing is run if it is not set
 * @last_argument: a further argument behind the toplevel, or NULL
 *
 * Return: as activation_run_program().
 */
int activation_run_variable(Activation *a, const char *what, const char *variable,
                            const char *last_argument, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const char *command = wrapper_get(&a->to->wrapper, variable);
        _cleanup_free_ char *words = NULL;
        char *rest;
        int r;

        if (!command)
                return 0;
        words = strdup(command);
        if (!words)
                return -ENOMEM;

        for (char *word = strtok_r(words, " \t\n", &rest); word;
             word = strtok_r(NULL, " \t\n", &rest)) {
                r = string_list_add(&arguments, word);
                if (r < 0)
                        return r;
        }
        if (arguments.n == 0)
                return 0;

        r = string_list_add(&arguments, a->to->path);
        if (r >= 0 && last_argument)
                r = string_list_add(&arguments, last_argument);
        if (r < 0)
                return r;
        return activation_run_program(a, what, &arguments, reterr_error);
}

/**
 * activation_run_script() - run activate or dry-activate of the system
 * @name: of the script
 *
 * Return: as activation_run_program().
 */
int activation_run_script(Activation *a, const char *name, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        char *path;
        int r;

        r = text_printf(&path, "%s/%s", toplevel_scripts(a->to), name);
        if (r >= 0)
                r = string_list_take(&arguments, path);
        if (r >= 0)
                r = string_list_add(&arguments, toplevel_scripts(a->to));
        if (r < 0)
                return r;
        return activation_run_program(a, "activation script", &arguments, reterr_error);
}

/* An otherwise empty target of NixOS, for what must run again early in each switch. */
static int run_sysinit_reactivation(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 };
        _cleanup_close_ int units_fd = -EBADF;
        int r;

        r = toplevel_open_units(a->to, &units_fd);
        if (r < 0 || faccessat(units_fd, SYSINIT_REACTIVATION, F_OK, 0) < 0)
                return 0;
        r = string_list_add(&units, SYSINIT_REACTIVATION);
        if (r < 0)
                return r;
        return run_jobs(a, "restart", &units, reterr_error);
}

static int renew_manager(Activation *a, sd_bus_error *reterr_error) {
        int r;

        if (a->plan->reexec) {
                event_say(a->log, "note", "text", "restarting systemd");
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
 * Units whose job fails are in @failed; that alone is no error here, the judge weighs it. After an
 * error the host is between two systems, and the caller must bring it to one of them. A failing
 * activation script is an error, but the units are still brought up, so that what was stopped runs
 * again meanwhile.
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int activation_run(Activation *a, sd_bus_error *reterr_error) {
        static const PlanAction after[] = { PLAN_RELOAD, PLAN_RESTART, PLAN_START };
        int r, script;

        r = run_list(a, PLAN_STOP, reterr_error);
        if (r < 0)
                return r;

        script = activation_run_script(a, "activate", reterr_error);

        r = renew_manager(a, script < 0 ? NULL : reterr_error);
        if (r >= 0)
                r = run_sysinit_reactivation(a, script < 0 ? NULL : reterr_error);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(after); i++)
                r = run_list(a, after[i], script < 0 ? NULL : reterr_error);
        return script < 0 ? script : r;
}

void activation_done(Activation *a) {
        string_list_done(&a->failed);
}
