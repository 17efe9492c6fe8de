/*
 * enact-activate recover: brings a switch that was interrupted to its end, by the engine that its
 * record names. At boot enact-recover.service starts it, and it does the work itself; in the boot
 * that the switch was begun in it has the dead man's switch do it, and waits for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "engine.h"
#include "error.h"
#include "history.h"
#include "record.h"
#include "state-directory.h"
#include "transaction.h"
#include "verbs.h"
#include "working.h"

#define PAUSE_MSEC       100
#define AWAIT_LIMIT_USEC (60 * 60 * USEC_PER_SEC)

static int open_log(EventLog **ret) {
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        return fd < 0 ? -errno : event_log_new(fd, /* journal= */ true, ret);
}

/* Started by systemd, it has said so in the journal already. */
static void say(const char *text) {
        if (!getenv("JOURNAL_STREAM"))
                puts(text);
}

/* Killed, it is started again at once; who waits may leave. */
static int await_dead_man(const char *id) {
        uint64_t deadline = clock_monotonic_usec() + AWAIT_LIMIT_USEC;
        _cleanup_free_ char *unit = NULL;
        int r;

        r = engine_dead_man(id, &unit);
        while (r >= 0 && working_unit_is_active(unit) && !working_is_interrupted() &&
               clock_monotonic_usec() < deadline)
                (void) poll(NULL, 0, PAUSE_MSEC);
        return r;
}

/* How it ended is in the history. */
static int tell_end(const char *id) {
        _cleanup_(history_done) History history = { 0 };
        const HistoryEntry *entry;

        (void) history_read(state_directory(), &history);
        entry = history_find(&history, id);
        if (entry)
                say(entry->text);
        if (!transaction_is_open(NULL, &TRANSACTION_PLACES_HOST))
                return 0;
        if (!entry)
                say("The interrupted switch is not at its end yet. 'enact status' says what holds.");
        return entry && entry->exit_code > 0 ? (int) entry->exit_code : 1;
}

static int recover_here(void) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(event_log_freep) EventLog *log = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

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
        if (r == TRANSACTION_ON_TRIAL) {
                puts("This boot tries a new system; " BOOT_CHECK_UNIT " judges it.");
                return 0;
        }
        r = working_tell_end(log, "", r, &error, text);
        say(error.message ? error.message : text);
        /* Whole is whole, whichever of the two systems it is. */
        return transaction_is_open(NULL, &TRANSACTION_PLACES_HOST) ? r : 0;
}

/* A process has one state directory: what is open in the other one is for the next. */
static void recover_the_other(void) {
        if (transaction_is_open(NULL, &TRANSACTION_PLACES_HOST))
                return;
        puts("Another switch was interrupted with its record elsewhere; that is ended now.");
        (void) fflush(stdout);
        (void) execl("/proc/self/exe", "enact-activate", "recover", NULL);
}

static int recover(void) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *id = NULL;
        int r;

        r = transaction_hand_over(&TRANSACTION_PLACES_HOST, &id, &error);
        if (r < 0) {
                say(error.message ? error.message : strerror(-r));
                return error_to_exit_code(&error);
        }
        if (r == TRANSACTION_NONE || await_dead_man(id) < 0 ||
            (transaction_is_open(id, &TRANSACTION_PLACES_HOST) && !working_is_interrupted()))
                return recover_here();
        return tell_end(id);
}

static int run(int argc, char **argv) {
        _cleanup_free_ char *engine = NULL;
        bool twofold;
        int r;

        if (argc != 1) {
                fprintf(stderr, "Usage: enact-activate recover\n");
                return 2;
        }
        working_find_record();
        twofold = state_directory_is_twofold();
        if (working_is_for_another_engine(&engine))
                (void) execl(engine, engine, "recover", NULL);
        working_set_up_signals();

        r = recover();
        if (twofold)
                recover_the_other();
        return r;
}

const Verb verb_recover = {
        .name = "recover",
        .synopsis = "",
        .help = "Bring an interrupted switch to its end",
        .run = run,
};
