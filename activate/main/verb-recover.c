/*
 * enact-activate recover: brings a switch that was interrupted to its end, by the engine that its
 * record names. At boot enact-recover.service starts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "error.h"
#include "record.h"
#include "transaction.h"
#include "verbs.h"
#include "working.h"

static int open_log(EventLog **ret) {
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        return fd < 0 ? -errno : event_log_new(fd, /* journal= */ true, ret);
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(event_log_freep) EventLog *log = NULL;
        _cleanup_free_ char *text = NULL, *engine = NULL;
        int r;

        if (argc != 1) {
                fprintf(stderr, "Usage: enact-activate recover\n");
                return 2;
        }
        if (working_is_for_another_engine(&engine))
                (void) execl(engine, engine, "recover", NULL);
        working_set_up_signals();

        r = open_log(&log);
        if (r >= 0)
                r = transaction_recover(NULL, &TRANSACTION_PLACES_HOST, log, 0, &text, &error);
        if (r == TRANSACTION_NONE) {
                puts(record_was_damaged(state_directory()) ?
                             "The record of an interrupted switch is damaged; "
                             "the next switch looks after all units." :
                             "No switch was interrupted.");
                return 0;
        }
        r = working_tell_end(log, "", r, &error, text);
        if (!getenv("JOURNAL_STREAM")) /* that has the event already */
                puts(error.message ? error.message : text);
        /* Whole is whole, whichever of the two systems it is. */
        return transaction_is_open(NULL, &TRANSACTION_PLACES_HOST) ? r : 0;
}

const Verb verb_recover = {
        .name = "recover",
        .synopsis = "",
        .help = "Bring an interrupted switch to its end",
        .run = run,
};
