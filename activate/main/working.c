/* What those have in common that work on a transaction: which signals they heed, their last word,
 * and to whom an open record is left. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "clock.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "manager.h"
#include "program.h"
#include "record.h"
#include "run-directory.h"
#include "state-directory.h"
#include "state-ground.h"
#include "unit-lists.h"
#include "working.h"

#define RECOVER_LIMIT_USEC (30 * 60 * USEC_PER_SEC)
#define HANDED_OVER        "ENACT_HANDED_OVER" /* a variable of the environment */

/** working_is_interrupted() - once told to end, always told so: whoever asks later must hear it,
 * too. */
bool working_is_interrupted(void) {
        const struct timespec no_time = { 0 };
        static bool told;
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        told = told || sigtimedwait(&signals, NULL, &no_time) > 0;
        return told;
}

/** working_set_up_signals() - asked to end, it does so at the next safe point; a lost terminal or
 * pipe is nothing to it. */
void working_set_up_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
        (void) signal(SIGHUP, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
}

/**
 * working_tell_end() - how a transaction ended, as the last event of its story
 * @r:    what it answered
 * @text: how it ended well
 *
 * Return: the exit code.
 */
int working_tell_end(EventLog *log, const char *id, int r, sd_bus_error *error, const char *text) {
        cJSON *event = event_new("end");
        int code;

        if (r < 0 && !sd_bus_error_is_set(error))
                (void) sd_bus_error_setf(error, ENACT_ERROR_FAILED, "The engine failed: %s",
                                         strerror(-r));
        code = error_to_exit_code(error);
        event_add_text(event, "id", id);
        event_add_number(event, "exit", code);
        event_add_text(event, "error", error->name);
        event_add_text(event, "text", error->message ? error->message : text);
        event_add_end_id(event, code);
        event_emit(log, event);
        return code;
}

/**
 * working_is_for_another_engine() - whether the open record was written by another program
 * @ret_engine: that one, which knows best what it means; owned by the caller
 *
 * One that is gone cannot be asked, and nobody is asked twice: two that each take the other for the
 * right one would never end.
 */
bool working_is_for_another_engine(char **ret_engine) {
        _cleanup_free_ char *own = NULL, *theirs = NULL;
        _cleanup_(record_done) Record record = { 0 };

        if (getenv(HANDED_OVER) || record_read(state_directory(), &record) < 0 || !*record.engine ||
            file_realpath("/proc/self/exe", &own) < 0 ||
            file_realpath(record.engine, &theirs) < 0 || strcmp(own, theirs) == 0 ||
            access(theirs, X_OK) < 0)
                return false;
        (void) setenv(HANDED_OVER, "1", /* overwrite= */ true);
        *ret_engine = TAKE_PTR(theirs);
        return true;
}

/**
 * working_find_record() - have the open record in sight before anybody looks for it
 *
 * Whoever died may have had a script mount something over it, and could not take that away again.
 * Somebody who works on the host does that.
 */
void working_find_record(void) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(state_ground_done) StateGround ground = { 0 };
        _cleanup_free_ char *command = NULL;
        pid_t pid;

        if (state_ground_read(RUN_GROUND, &ground) < 0 ||
            file_lock_holder(NIXOS_DIRECTORY "/switch-to-configuration.lock", &pid, &command) >= 0)
                return;
        if (state_ground_keep(&ground, &error) < 0 && error.message)
                fprintf(stderr, SD_NOTICE "enact-activate: %s\n", error.message);
}

static void tell_line(void *userdata, const char *line) {
        event_say(userdata, "note", "text", line);
}

/** working_let_other_engine_recover() - before our own work, where there is something to recover
 * and somebody who knows better; what is left open then is ours. */
void working_let_other_engine_recover(EventLog *log) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_free_ char *engine = NULL;
        const Program program = {
                .arguments = &arguments,
                .on_line = tell_line,
                .userdata = log,
                .limit_usec = RECOVER_LIMIT_USEC,
        };
        int status;

        if (!working_is_for_another_engine(&engine) || string_list_add(&arguments, engine) < 0 ||
            string_list_add(&arguments, "recover") < 0)
                return;
        event_log_expect(log, 2 * RECOVER_LIMIT_USEC);
        (void) program_run(&program, &status);
}

/**
 * working_unit_is_active() - whether a unit works, or may
 *
 * Asked anew each time: systemd may be executed anew meanwhile, which ends a connection. Where it
 * does not answer, the unit may be at work.
 */
bool working_unit_is_active(const char *unit) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_free_ char *state = NULL;

        if (manager_open(&manager, NULL) < 0 ||
            manager_unit_text(manager, unit, SYSTEMD_UNIT, "ActiveState", &state) < 0)
                return true;
        return strcmp(state, "inactive") != 0 && strcmp(state, "failed") != 0;
}
