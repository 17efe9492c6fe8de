/*
 * enact-activate run: the engine at work, in a unit of its own under PID 1. It has no caller to
 * lose: the request lies in a file, the story is told to a file, and only systemd can end it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "error.h"
#include "lease.h"
#include "run-directory.h"
#include "state-directory.h"
#include "transaction.h"
#include "verbs.h"
#include "working.h"

static void on_sign(void *userdata, uint64_t within_usec) {
        lease_expect(userdata, within_usec);
}

static int take_lease(const char *id, Lease **ret, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = run_directory_path(id, RUN_LEASE, &path);
        if (r >= 0)
                r = lease_new(path, ret);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot make the lease of the dead man's switch in '" RUN_DIRECTORY
                        "': %s. Nothing was changed.",
                        strerror(-r));
        return 0;
}

static void tell_twofold(EventLog *log) {
        if (state_directory_is_twofold())
                event_say(log, "note", "text",
                          "interrupted switches have left records in '" STATE_DIRECTORY
                          "' and in '" STATE_DIRECTORY_VOLATILE
                          "'; the later one is ended first, the other one by the next switch or "
                          "by 'enact-activate recover'");
}

static int work(const char *id, const Request *request, EventLog *log) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(lease_freep) Lease *lease = NULL;
        _cleanup_free_ char *text = NULL;
        int r, code;

        r = take_lease(id, &lease, &error);
        if (r >= 0) {
                event_log_watch(log, on_sign, lease);
                tell_twofold(log);
                working_let_other_engine_recover(log);
                r = transaction_run(id, request, &TRANSACTION_PLACES_HOST, log,
                                    working_is_interrupted, &text, &error);
        }
        code = working_tell_end(log, id, r, &error, text);
        event_log_watch(log, NULL, NULL);
        return code;
}

static int run(int argc, char **argv) {
        _cleanup_(request_done) Request request = { 0 };
        _cleanup_(event_log_freep) EventLog *log = NULL;
        int r;

        if (argc != 2) {
                fprintf(stderr, "Usage: enact-activate run %s\n", verb_run.synopsis);
                return 2;
        }
        working_set_up_signals();
        working_find_record();

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
