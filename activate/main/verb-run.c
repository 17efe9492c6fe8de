/*
 * enact-activate run: the engine at work, in a unit of its own under PID 1. It has no caller to
 * lose: the request lies in a file, the story is told to a file, and only systemd can end it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "error.h"
#include "event.h"
#include "file.h"
#include "request.h"
#include "run-directory.h"
#include "transaction.h"
#include "verbs.h"

/* Once told to end, always told so: whoever asks later must hear it, too. */
static bool interrupted(void) {
        const struct timespec no_time = { 0 };
        static bool told;
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        told = told || sigtimedwait(&signals, NULL, &no_time) > 0;
        return told;
}

/* Asked to end, it does so at the next safe point; a lost terminal or pipe is nothing to it. */
static void set_up_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
        (void) signal(SIGHUP, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
}

static void tell_end(EventLog *log, const char *id, const sd_bus_error *error, const char *text) {
        cJSON *event = event_new("end");
        int code = error_to_exit_code(error);

        event_add_text(event, "id", id);
        event_add_number(event, "exit", code);
        event_add_text(event, "error", error->name);
        event_add_text(event, "text", error->message ? error->message : text);
        event_add_end_id(event, code);
        event_emit(log, event);
}

static int work(const char *id, const Request *request, EventLog *log) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        r = transaction_run(id, request, &TRANSACTION_PLACES_HOST, log, interrupted, &text, &error);
        if (r < 0 && !sd_bus_error_is_set(&error))
                (void) sd_bus_error_setf(&error, ENACT_ERROR_FAILED, "The engine failed: %s",
                                         strerror(-r));
        tell_end(log, id, &error, text);
        return error_to_exit_code(&error);
}

static int run(int argc, char **argv) {
        _cleanup_(request_done) Request request = { 0 };
        _cleanup_(event_log_freep) EventLog *log = NULL;
        int r;

        if (argc != 2) {
                fprintf(stderr, "Usage: enact-activate run %s\n", verb_run.synopsis);
                return 2;
        }
        set_up_signals();

        r = run_directory_open(argv[1], &request, &log);
        if (r < 0) {
                fprintf(stderr, SD_ERR "enact-activate: cannot read the request '%s': %s\n",
                        argv[1], strerror(-r));
                return 1;
        }
        return work(argv[1], &request, log);
}

const Verb verb_run = {
        .name = "run",
        .synopsis = "ID",
        .help = "Carry out a request (started by systemd)",
        .run = run,
};
