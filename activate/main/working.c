/* What those have in common that work on a transaction: which signals they heed, and their last
 * word. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "working.h"

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
