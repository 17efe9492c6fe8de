/*
 * Recovery: a transaction whose engine died is brought to an end by whoever finds its record: the
 * dead man's switch at once, the next boot, or the next engine. In the same boot what was touched
 * is rolled back and what was being committed is completed. After a reboot the system that booted
 * decides, and the rest follows it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "engine.h"
#include "error.h"
#include "file.h"
#include "history.h"
#include "locks.h"
#include "text.h"
#include "transaction-phases.h"

static bool is_same_boot(const Record *record) {
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;

        return sd_id128_get_boot(&id) >= 0 &&
               strcmp(sd_id128_to_string(id, text), record->boot_id) == 0;
}

/** transaction_runs() - whether a system is the running one. */
bool transaction_runs(const Transaction *t, const char *toplevel) {
        _cleanup_free_ char *path = NULL;

        return file_realpath(t->places->running, &path) >= 0 && strcmp(path, toplevel) == 0;
}

/* Somebody else has switched since: what runs is none of this transaction's. */
static bool is_overtaken(const Transaction *t) {
        const Record *record = &t->record;
        _cleanup_free_ char *running = NULL;

        return is_same_boot(record) && *record->from &&
               file_realpath(t->places->running, &running) >= 0 &&
               strcmp(running, record->from) != 0 && strcmp(running, record->to) != 0;
}

static bool has_booted(const Transaction *t, const char *toplevel) {
        _cleanup_free_ char *path = NULL;

        return file_realpath(t->places->booted, &path) >= 0 && strcmp(path, toplevel) == 0;
}

/* This boot tries the new system, and nobody has said yet how it is. One that was found bad, or is
 * being made the default, is not asked about again. */
static bool is_to_be_checked(const Transaction *t) {
        const Record *record = &t->record;

        if (!*record->trial || record->committing || !has_booted(t, record->to))
                return false;
        return is_same_boot(record) ?
                       strcmp(record->phase, "check") == 0 ||
                               strcmp(record->phase, "confirm") == 0 :
                       strcmp(record->phase, "stage") != 0 && strcmp(record->phase, "unstage") != 0;
}

static const char *phase_to_enter(const Transaction *t) {
        const Record *record = &t->record;

        if (strcmp(record->phase, "end") == 0)
                return "end";
        if (is_to_be_checked(t))
                return "check";
        if (!is_same_boot(record))
                return "settle";
        if (strcmp(record->phase, "stage") == 0 || strcmp(record->phase, "unstage") == 0 ||
            strcmp(record->phase, "trial") == 0 || is_overtaken(t))
                return "unstage";
        return strcmp(record->phase, "commit") == 0 ? "commit" : "rollback";
}

/* Why there is a way back; a commit that is completed and an end that is repeated need no reason.
 */
static void set_error(Transaction *t, const char *phase) {
        const Record *record = &t->record;

        if (*record->error_name)
                (void) sd_bus_error_setf(&t->error, record->error_name, "%s", record->error_text);
        else if (strcmp(phase, "check") == 0)
                return;
        else if (strcmp(phase, "settle") == 0 && record_was_tried(record))
                (void) sd_bus_error_setf(&t->error, ENACT_ERROR_ROLLED_BACK,
                                         "The trial boot of '%s' has failed: another system was "
                                         "started",
                                         record->to);
        else if (strcmp(phase, "unstage") == 0 && record->waits)
                (void) sd_bus_error_setf(&t->error, ENACT_ERROR_INTERRUPTED,
                                         "The trial of '%s' at the next boot was given up. The "
                                         "boot default is what it was.",
                                         record->to);
        else if (strcmp(phase, "end") != 0 && strcmp(phase, "commit") != 0)
                (void) sd_bus_error_setf(&t->error, ENACT_ERROR_FAILED,
                                         "The switch to '%s' was interrupted in phase '%s'",
                                         record->to, record->phase);
}

/* Those phases that change what runs, or lead to one that does. */
static bool is_live(const char *phase) {
        return strcmp(phase, "rollback") == 0 || strcmp(phase, "commit") == 0 ||
               strcmp(phase, "check") == 0;
}

static int open_systems(Transaction *t, const char *phase, sd_bus_error *reterr_error) {
        const Record *record = &t->record;
        int r;

        r = profile_open(t->places->profiles, t->request->profile, /* make= */ false, &t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot open the profiles in '%s': %s",
                                         t->places->profiles, strerror(-r));
        r = toplevel_open(record->to, &t->new, reterr_error);
        if (r < 0 && is_live(phase))
                return r;
        sd_bus_error_free(reterr_error);
        if (*record->from) {
                r = toplevel_open(record->from, &t->old, reterr_error);
                if (r < 0 && is_live(phase))
                        return r;
                sd_bus_error_free(reterr_error);
        }
        return 0;
}

static bool never(void) {
        return false;
}

static void tell_recovery(Transaction *t) {
        cJSON *event = event_new("recover");
        _cleanup_free_ char *text = NULL;

        event_add_text(event, "id", t->record.id);
        event_add_text(event, "phase", t->record.phase);
        event_add_text(event, "from", t->record.from);
        event_add_text(event, "to", t->record.to);
        if (text_printf(&text, "a switch to '%s' was interrupted in phase '%s'", t->record.to,
                        t->record.phase) >= 0)
                event_add_text(event, "text", text);
        event_add_message_id(event, MESSAGE_RECOVERY_BEGINS);
        event_emit(t->log, event);
}

static void tell_trial(Transaction *t) {
        cJSON *event = event_new("trial-begins");

        event_add_text(event, "id", t->record.id);
        event_add_text(event, "from", t->record.from);
        event_add_text(event, "to", t->record.to);
        event_add_text(event, "text", t->record.to);
        event_add_message_id(event, MESSAGE_TRIAL_BEGINS);
        event_emit(t->log, event);
}

/* The lock is free as soon as the engine is dead; what it has started may still be at work. */
static int end_engine(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = manager_open(&t->manager, reterr_error);
        if (r < 0)
                return r;
        r = engine_kill(t->manager, t->record.id);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The engine of the interrupted switch to '%s' cannot be "
                                         "ended: %s",
                                         t->record.to, strerror(-r));
        return 0;
}

/* It was told already, and better than from the record alone. */
static bool is_in_history(const Transaction *t) {
        _cleanup_(history_done) History history = { 0 };

        return history_read(t->places->state, &history) >= 0 &&
               history_find(&history, t->record.id);
}

/* Brings the record that is read into @t to its end; the locks are held. */
static int recover(Transaction *t, sd_bus_error *reterr_error) {
        const char *phase = phase_to_enter(t);
        const bool checks = strcmp(phase, "check") == 0;
        int r;

        t->id = t->record.id;
        t->request = &t->record.request;
        t->recorded = t->staged = true;
        t->recovers = !checks; /* that has only begun */
        t->on_trial = *t->record.trial && has_booted(t, t->record.to);
        t->activates = t->record.activates;
        t->commits = t->request->verb != REQUEST_TEST;
        t->touched = t->activates && is_live(phase);
        if (*t->record.trial)
                t->generation = 0; /* whichever holds it */
        if (is_overtaken(t))
                t->record.committing = false; /* the profile is theirs, too */
        transaction_find_ground(t);
        if (!checks)
                tell_recovery(t);
        if (is_same_boot(&t->record))
                r = end_engine(t, reterr_error);
        else
                r = checks ? manager_open(&t->manager, reterr_error) : 0;
        if (r < 0)
                return r;

        r = open_systems(t, phase, reterr_error);
        if (r < 0)
                return r;
        /* The file of a lock whose holder was killed goes, too. */
        if (profile_lock(t->profile) == 0)
                profile_unlock(t->profile);
        if (t->new) /* refused if it could not be read, so it can */
                (void) transaction_read_settings(t, NULL);
        set_error(t, phase);
        t->was_tried = record_was_tried(&t->record);
        t->record.waits = false;
        if (strcmp(phase, "end") == 0) {
                t->staged = !is_in_history(t);
                r = text_printf(&t->text, "The switch to '%s' had ended well.", t->record.to);
                if (r < 0)
                        return r;
        }
        return transaction_go(t, phase, reterr_error);
}

/* A record that nobody can read says nothing; the next switch looks after all units. */
static int set_aside(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = record_set_aside(t->places->state);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot set the damaged record in '%s' aside: %s",
                                         t->places->state, strerror(-r));
        transaction_note(t, "the record of an interrupted switch is damaged; it was set aside as "
                            "'transaction.damaged', and all units are looked after");
        return 0;
}

/* 0 if there is a record of ours to work on, TRANSACTION_NONE if there is none. */
static int read_record(Transaction *t, const char *id, sd_bus_error *reterr_error) {
        int r;

        r = record_take_up(t->places->state);
        if (r >= 0)
                r = record_read(t->places->state, &t->record);
        if (r == -ENOENT || (r == 0 && id && strcmp(t->record.id, id) != 0))
                return TRANSACTION_NONE;
        if (r == RECORD_NEWER)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "A newer version of enact was interrupted in the middle of a switch, and "
                        "only that one can end it: run '%s recover'. Nothing was changed.",
                        *t->record.engine ? t->record.engine : "enact-activate");
        if (r == -EBADMSG || r == -EFBIG || r == -EISDIR || r == -ENXIO)
                return set_aside(t, reterr_error) < 0 ? -EBADMSG : TRANSACTION_NONE;
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot read the record in '%s': %s. Nothing was changed.",
                                         t->places->state, strerror(-r));
        return 0;
}

/*
 * The dead man's switch of the interrupted transaction, if it is not there still: it waits for the
 * lock that we hold, and goes on where we hang or die. One that was given up is no longer so.
 */
static int arm(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r = 0;

        if (t->record.given_up || t->record.waits) {
                t->record.given_up = t->record.waits = false;
                r = record_write(t->places->state, &t->record);
        }
        if (r >= 0)
                r = manager_open(&manager, reterr_error);
        return r < 0 ? r : engine_arm(manager, t->record.id, reterr_error);
}

/*
 * For a transaction that is about to begin and has the locks: what an earlier one has left is ended
 * first. If that fails, the new one looks after all units: it may be the way out.
 */
int transaction_recover_found(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Transaction found = {
                .places = t->places,
                .log = t->log,
                .interrupted = never,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
        };
        int r;

        r = read_record(&found, NULL, reterr_error);
        if (r == 0) {
                if (is_same_boot(&found.record) && arm(&found, NULL) < 0)
                        transaction_note(t, "nobody watches over this recovery");
                r = recover(&found, &error);
                if (error.message)
                        transaction_note(t, error.message);
                t->all_units = transaction_is_open(NULL, t->places);
                r = t->all_units ? /* what that one has stopped, this one starts */
                            string_list_copy(&t->record.stopped, &found.record.stopped) :
                            0;
        }
        transaction_done(&found);
        return r < 0 ? r : 0;
}

/**
 * transaction_recover() - bring an interrupted transaction to its end
 * @id:              of the one that is meant; NULL: any
 * @log:             told of each step
 * @lock_limit_usec: how long whoever has the locks is waited for
 * @ret_text:        how it ended well, in one sentence; owned by the caller
 *
 * Return: 0 if what was committed is complete; TRANSACTION_NONE if there is nothing to do; else a
 * negative errno, and @reterr_error says what holds now: RolledBack or Failed (the old system runs
 * and is the boot default), or what prevents an end.
 */
int transaction_recover(const char *id, const TransactionPlaces *places, EventLog *log,
                        uint64_t lock_limit_usec, char **ret_text, sd_bus_error *reterr_error) {
        Transaction t = {
                .places = places,
                .log = log,
                .interrupted = never,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
        };
        int r;

        r = locks_take(places, lock_limit_usec, &t.lock_fd, &t.nixos_lock_fd, reterr_error);
        if (r >= 0)
                r = read_record(&t, id, reterr_error);
        if (r == TRANSACTION_NONE && id && !transaction_is_open(NULL, places))
                transaction_forget_ground(&t); /* who noted it died before it had a record */
        if (r == 0 && is_to_be_checked(&t))
                r = TRANSACTION_ON_TRIAL;
        if (r == 0)
                r = recover(&t, reterr_error);
        if (r == 0)
                *ret_text = TAKE_PTR(t.text);
        transaction_done(&t);
        return r;
}

/**
 * transaction_check_trial() - judge the boot that tries a new system, and commit or condemn it
 * @id:              of the trial, as transaction_find_trial() has it
 * @interrupted:     asked at safe points whether to stop: then the trial has failed
 * @lock_limit_usec: how long whoever has the locks is waited for
 *
 * Return: as transaction_recover(). A host that goes back has been told to reboot by then.
 */
int transaction_check_trial(const char *id, const TransactionPlaces *places, EventLog *log,
                            bool (*interrupted)(void), uint64_t lock_limit_usec, char **ret_text,
                            sd_bus_error *reterr_error) {
        Transaction t = {
                .places = places,
                .log = log,
                .interrupted = interrupted,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
        };
        int r;

        r = locks_take(places, lock_limit_usec, &t.lock_fd, &t.nixos_lock_fd, reterr_error);
        if (r >= 0)
                r = read_record(&t, id, reterr_error);
        if (r == 0 && !is_to_be_checked(&t))
                r = TRANSACTION_NONE;
        if (r == 0) {
                tell_trial(&t);
                r = recover(&t, reterr_error);
        }
        if (r == 0)
                *ret_text = TAKE_PTR(t.text);
        transaction_done(&t);
        return r;
}

/**
 * transaction_find_trial() - the trial that this boot is
 * @ret_id: owned by the caller
 *
 * Return: 0, or TRANSACTION_NONE.
 */
int transaction_find_trial(const TransactionPlaces *places, char **ret_id) {
        Transaction t = { .places = places, .lock_fd = -EBADF, .nixos_lock_fd = -EBADF };
        int r = TRANSACTION_NONE;

        if (record_read(places->state, &t.record) == 0 && is_to_be_checked(&t)) {
                *ret_id = TAKE_PTR(t.record.id);
                r = 0;
        }
        transaction_done(&t);
        return r;
}

/**
 * transaction_hand_over() - have the dead man's switch bring an interrupted transaction to its end
 * @ret_id: of the transaction; owned by the caller
 *
 * That one is watched by systemd: killed or hanging, it is started again. After a reboot there is
 * nothing live that a recovery could leave in the middle, and nobody to hand over to.
 *
 * Return: 0; TRANSACTION_NONE where it is for the caller to do; or a negative errno with
 * @reterr_error set: somebody is at it.
 */
int transaction_hand_over(const TransactionPlaces *places, char **ret_id,
                          sd_bus_error *reterr_error) {
        Transaction t = { .places = places, .lock_fd = -EBADF, .nixos_lock_fd = -EBADF };
        int r;

        r = locks_take(places, 0, &t.lock_fd, &t.nixos_lock_fd, reterr_error);
        if (r >= 0 && (record_take_up(places->state) < 0 ||
                       record_read(places->state, &t.record) != 0 || !is_same_boot(&t.record) ||
                       t.record.waits || is_to_be_checked(&t) || arm(&t, NULL) < 0))
                r = TRANSACTION_NONE;
        if (r == 0)
                *ret_id = TAKE_PTR(t.record.id);
        transaction_done(&t);
        return r;
}

/**
 * transaction_is_open() - whether a record stands that has not been ended
 * @id: of the transaction that is meant, that nobody has given up yet, and that does not wait for
 * the next boot; NULL: any
 */
bool transaction_is_open(const char *id, const TransactionPlaces *places) {
        _cleanup_(record_done) Record record = { 0 };
        int r;

        r = record_read(places->state, &record);
        if (!id)
                return r >= 0;
        return r == 0 && strcmp(record.id, id) == 0 && !record.given_up && !record.waits;
}
