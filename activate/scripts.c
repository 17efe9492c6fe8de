/*
 * Scripts: the programs of a system closure that a switch runs as root: activation, pre-switch
 * checks, the boot loader installer.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "error.h"
#include "process.h"
#include "program.h"
#include "scripts.h"
#include "text.h"

#define PROGRAM_LIMIT_USEC (30 * 60 * USEC_PER_SEC)
#define PAUSE_USEC         (USEC_PER_SEC / 10)
#define MANAGER_PAUSE_USEC USEC_PER_SEC /* systemd is not asked more often than that */

static void on_line(void *userdata, const char *line) {
        const Scripts *scripts = userdata;

        event_say(scripts->log, "output", "text", line);
        event_log_expect(scripts->log, 2 * PROGRAM_LIMIT_USEC); /* it may fall silent again */
}

static bool is_interrupted(void *userdata) {
        const Scripts *scripts = userdata;

        return (scripts->interrupted && scripts->interrupted()) ||
               (scripts->manager && manager_check(scripts->manager, NULL) >= 0 &&
                manager_is_stopping(scripts->manager));
}

static int add_variable(StringList *environment, const char *name, const char *value) {
        char *assignment;
        int r;

        r = text_printf(&assignment, "%s=%s", name, value);
        return r < 0 ? r : string_list_take(environment, assignment);
}

/* A clean environment: nothing of the caller's reaches a program that runs as root.
 */
static int make_environment(const Scripts *scripts, StringList *environment) {
        const char *locales = wrapper_get(&scripts->of->wrapper, "LOCALE_ARCHIVE");
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path,
                        "%s/sw/bin:%s/sw/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                        "/usr/bin:/sbin:/bin",
                        scripts->of->path, scripts->of->path);
        if (r < 0)
                return r;
        if (add_variable(environment, "PATH", path) < 0 ||
            add_variable(environment, "HOME", "/root") < 0 ||
            add_variable(environment, "NIXOS_ACTION", scripts->action) < 0 ||
            add_variable(environment, "NIXOS_INSTALL_BOOTLOADER",
                         scripts->install_bootloader ? "1" : "0") < 0)
                return -ENOMEM;
        if (locales && add_variable(environment, "LOCALE_ARCHIVE", locales) < 0)
                return -ENOMEM;
        return 0;
}

/**
 * scripts_run() - run a program of the closure, its output told as events
 * @what: its name for people
 *
 * Return: 0, or a negative errno with @reterr_error set if it cannot be started, fails or runs too
 * long.
 */
int scripts_run(const Scripts *scripts, const char *what, const StringList *arguments,
                sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList environment = { 0 };
        _cleanup_free_ char *status_text = NULL;
        Program program = {
                .arguments = arguments,
                .limit_usec = PROGRAM_LIMIT_USEC,
                .interrupted = is_interrupted,
                .pause_usec = scripts->manager ? MANAGER_PAUSE_USEC : PAUSE_USEC,
                .grace_usec = scripts->grace_usec,
                .on_line = scripts->in_place ? NULL : on_line,
                .userdata = (void *) scripts,
        };
        int r, status;

        if (!scripts->in_place) {
                r = make_environment(scripts, &environment);
                if (r < 0)
                        return r;
                program.environment = (const char *const *) environment.items;
        }

        event_log_expect(scripts->log, 2 * PROGRAM_LIMIT_USEC);
        r = program_run(&program, &status);
        if (r == -EINTR)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "The %s ('%s') was interrupted", what,
                                         arguments->items[0]);
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
 * scripts_run_variable() - run the command that a variable of the wrapper holds
 * @variable:      split at blanks, as NixOS has it; nothing is run if it is not set
 * @last_argument: a further argument behind the toplevel, or NULL
 *
 * Return: as scripts_run().
 */
int scripts_run_variable(const Scripts *scripts, const char *what, const char *variable,
                         const char *last_argument, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const char *command = wrapper_get(&scripts->of->wrapper, variable);
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

        r = string_list_add(&arguments, scripts->of->path);
        if (r >= 0 && last_argument)
                r = string_list_add(&arguments, last_argument);
        if (r < 0)
                return r;
        return scripts_run(scripts, what, &arguments, reterr_error);
}

/**
 * scripts_run_activation() - run activate or dry-activate of the system
 * @name: of the script
 *
 * Return: as scripts_run().
 */
int scripts_run_activation(const Scripts *scripts, const char *name, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        char *path;
        int r;

        r = text_printf(&path, "%s/%s", toplevel_scripts(scripts->of), name);
        if (r >= 0)
                r = string_list_take(&arguments, path);
        if (r >= 0)
                r = string_list_add(&arguments, toplevel_scripts(scripts->of));
        if (r < 0)
                return r;
        return scripts_run(scripts, "activation script", &arguments, reterr_error);
}
