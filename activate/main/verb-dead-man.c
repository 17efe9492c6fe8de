/*
 * enact-activate dead-man: the dead man's switch of one transaction, in a unit of its own. It
 * watches whether the engine lives and gives signs of life; one that is dead, stopped or late is
 * ended with all that it has started, and what it left is brought to its end here. The lease counts
 * by what this process itself has seen: a host that was paused as a whole loses nothing.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "clock.h"
#include "engine.h"
#include "error.h"
#include "file-lock.h"
#include "lease.h"
#include "run-directory.h"
#include "state-ground.h"
#include "text.h"
#include "transaction.h"
#include "under-way.h"
#include "unit-lists.h"
#include "verbs.h"
#include "working.h"

#define LOCK_LIMIT_USEC USEC_PER_SEC
#define PATIENCE_USEC   (3 * 60 * USEC_PER_SEC)
#define END_LIMIT_USEC  (10 * 60 * USEC_PER_SEC) /* all of end_engine() */
#define PAUSE_MSEC      200
#define TRIES           5U

typedef struct Watch {
        const char *id; /* of the engine */
        Lease *lease;
        int engine_fd;      /* pidfd; -EBADF: it has ended */
        const char *record; /* watched as long as this one is open; NULL: in any case */
        StateGround ground; /* of the engine's record; it is noted when somebody watches */
} Watch;

static void watch_done(Watch *watch) {
        lease_free(watch->lease);
        (void) fd_close(watch->engine_fd);
        state_ground_done(&watch->ground);
}

/* systemd may be executing itself anew right now. */
static int open_patiently(Manager **ret) {
        uint64_t deadline = clock_monotonic_usec() + PATIENCE_USEC;
        int r;

        do {
                r = manager_open(ret, NULL);
                if (r >= 0)
                        return r;
                (void) poll(NULL, 0, PAUSE_MSEC);
        } while (clock_monotonic_usec() < deadline);
        return r;
}

/* systemd would keep what it tells of every unit for a connection that nobody reads: it is closed
 * again. */
static int find_engine(Watch *watch) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_free_ char *path = NULL;
        pid_t pid;
        int r;

        r = open_patiently(&manager);
        if (r >= 0)
                r = engine_pid(manager, watch->id, &pid);
        if (r >= 0)
                r = run_directory_path(watch->id, RUN_LEASE, &path);
        if (r >= 0)
                r = lease_open(path, &watch->lease);
        if (r >= 0 && pid > 0)
                watch->engine_fd = pidfd_open(pid, 0);
        return r;
}

typedef enum Finding {
        FINDING_ENDED,  /* the engine is no more */
        FINDING_LAPSED, /* it is there and gives no sign of life */
        FINDING_TOLD,   /* we are not wanted any more */
} Finding;

static bool is_wanted(const Watch *watch) {
        return !working_is_interrupted() &&
               (!watch->record || transaction_is_open(watch->record, &TRANSACTION_PLACES_HOST));
}

/* In time, for /run may be covered later. */
static void find_ground(Watch *watch) {
        StateGround found = { 0 };

        if (state_ground_read(RUN_GROUND, &found) < 0)
                return;
        state_ground_done(&watch->ground);
        watch->ground = found;
}

static Finding watch_engine(Watch *watch, EventLog *log) {
        struct pollfd fd = { .fd = watch->engine_fd, .events = POLLIN };
        uint64_t beats = lease_beats(watch->lease);
        unsigned silence = 0; /* seconds */

        if (watch->engine_fd < 0)
                return FINDING_ENDED;
        while (silence < LEASE_SEC) {
                if (poll(&fd, 1, 1000) > 0)
                        return FINDING_ENDED;
                if (!is_wanted(watch))
                        return FINDING_TOLD;
                if (!watch->ground.directory)
                        find_ground(watch);
                event_log_expect(log, LEASE_SEC * USEC_PER_SEC);
                silence++;
                if (lease_beats(watch->lease) != beats) {
                        beats = lease_beats(watch->lease);
                        silence = 0;
                }
        }
        return FINDING_LAPSED;
}

static void tell(EventLog *log, const char *text) {
        cJSON *event = event_new("dead-man");

        event_add_text(event, "text", text);
        event_add_message_id(event, MESSAGE_DEAD_MAN);
        event_emit(log, event);
}

/* The two are never at work together: what cannot be ended is not worked beside. */
static int end_engine(const char *id, Finding finding, EventLog *log) {
        int r;

        event_log_expect(log, END_LIMIT_USEC);
        tell(log, finding == FINDING_LAPSED ? "the engine gives no sign of life and is ended" :
                                              "the engine has died");
        for (unsigned i = 0; i < TRIES; i++) {
                _cleanup_(manager_freep) Manager *manager = NULL;

                r = open_patiently(&manager);
                if (r >= 0 && manager_is_stopping(manager))
                        return -ESHUTDOWN;
                if (r >= 0)
                        r = engine_kill(manager, id);
                if (!manager_is_disconnect(r))
                        break;
        }
        if (r < 0)
                tell(log, "the engine cannot be ended, so nothing is done");
        return r;
}

static void say_left_open(int r, sd_bus_error *error) {
        sd_bus_error_free(error);
        (void) sd_bus_error_setf(error, ENACT_ERROR_ROLLBACK_FAILED,
                                 "The switch was interrupted and could not be brought to an "
                                 "end: %s. 'enact status' says what holds.",
                                 strerror(-r));
}

/* Somebody else who has the lock recovers first, too. Who hangs or dies over it is ended like the
 * first engine. */
static void watch_holder(const char *id, EventLog *log) {
        _cleanup_(watch_done) Watch watch = { .engine_fd = -EBADF, .record = id };
        UnderWay holder = { 0 };
        Finding finding;

        if (under_way_find(state_directory(), NIXOS_DIRECTORY, &holder) == 0 && holder.id &&
            strcmp(holder.id, id) != 0) {
                watch.id = holder.id;
                if (find_engine(&watch) >= 0 && watch.engine_fd >= 0) {
                        finding = watch_engine(&watch, log);
                        if (finding != FINDING_TOLD && is_wanted(&watch))
                                (void) end_engine(holder.id, finding, log);
                }
        }
        under_way_done(&holder);
}

/* Until the record is closed, or given up by whoever had the lock. */
static int recover(const char *id, EventLog *log) {
        for (;;) {
                _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_free_ char *text = NULL;
                int r;

                r = transaction_recover(id, &TRANSACTION_PLACES_HOST, log, LOCK_LIMIT_USEC, &text,
                                        &error);
                if (r == TRANSACTION_NONE)
                        return 0;
                if (sd_bus_error_has_name(&error, ENACT_ERROR_BUSY)) {
                        watch_holder(id, log);
                        if (working_is_interrupted() ||
                            !transaction_is_open(id, &TRANSACTION_PLACES_HOST))
                                return 0;
                        continue;
                }
                if (r < 0 && transaction_is_open(id, &TRANSACTION_PLACES_HOST))
                        say_left_open(r, &error);
                (void) working_tell_end(log, id, r, &error, text);
                return 0;
        }
}

/* An activation script may have mounted something over the record, and its engine have died before
 * it could take that away. */
static bool keep_ground(Watch *watch, EventLog *log) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        find_ground(watch);
        if (state_ground_keep(&watch->ground, &error) >= 0)
                return true;
        if (error.message)
                tell(log, error.message);
        return false;
}

static int take_over(Watch *watch, Finding finding, EventLog *log) {
        const bool in_sight = keep_ground(watch, log);
        const char *id = watch->id;
        int r = 0;

        /* One that stands still before it has a record would go on unwatched. */
        if (finding == FINDING_LAPSED || transaction_is_open(id, &TRANSACTION_PLACES_HOST))
                r = end_engine(id, finding, log);
        if (r == -ESHUTDOWN) /* the next boot decides */
                return 0;
        if (r < 0)
                return 1;
        if (transaction_is_open(id, &TRANSACTION_PLACES_HOST))
                return recover(id, log);
        /* What it notes before it has a record may be left. */
        return in_sight && access(RUN_GROUND, F_OK) >= 0 ? recover(id, log) : 0;
}

static void on_sign(void *userdata, uint64_t within_usec) {
        lease_expect(userdata, within_usec);
}

static int run(int argc, char **argv) {
        _cleanup_(watch_done) Watch watch = { .engine_fd = -EBADF };
        _cleanup_(lease_freep) Lease *own = NULL;
        _cleanup_(event_log_freep) EventLog *log = NULL;
        Finding finding;
        int r;

        if (argc != 2) {
                fprintf(stderr, "Usage: enact-activate dead-man %s\n", verb_dead_man.synopsis);
                return 2;
        }
        working_set_up_signals();
        watch.id = argv[1];

        r = run_directory_open_story(watch.id, &log);
        find_ground(&watch);
        if (r >= 0)
                r = lease_new(NULL, &own);
        if (r >= 0) {
                event_log_watch(log, on_sign, own);
                event_log_expect(log, 2 * PATIENCE_USEC);
                r = find_engine(&watch);
        }
        if (r < 0) {
                fprintf(stderr, SD_ERR "enact-activate: cannot watch the switch '%s': %s\n",
                        watch.id, strerror(-r));
                return 1;
        }
        (void) sd_notify(/* unset_environment= */ false, "READY=1");

        finding = watch_engine(&watch, log);
        return finding == FINDING_TOLD ? 0 : take_over(&watch, finding, log);
}

const Verb verb_dead_man = {
        .name = "dead-man",
        .synopsis = "ID",
        .help = "Watch an engine and end its switch if it dies (started by the engine)",
        .run = run,
};
