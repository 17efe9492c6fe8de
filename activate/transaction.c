/*
 * The transaction: a new system is staged, activated, judged and only then made the profile and the
 * boot default; whatever fails leads back to the system that ran at the start. The table of phases
 * is the documentation. The phase is on disk before it is entered.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "history.h"
#include "locks.h"
#include "text.h"
#include "transaction-phases.h"
#include "upkeep.h"

typedef enum Phase {
        PHASE_STAGE,
        PHASE_TRIAL,
        PHASE_ACTIVATE,
        PHASE_JUDGE,
        PHASE_CHECK,
        PHASE_CONFIRM,
        PHASE_COMMIT,
        PHASE_UNSTAGE,
        PHASE_ROLLBACK,
        PHASE_SETTLE,
        PHASE_END,
        _PHASE_MAX,
} Phase;

/* clang-format off */
static const struct {
        const char *name;
        int (*enter)(Transaction *t, sd_bus_error *reterr_error);
        Phase on_success, on_failure;
        bool forwards; /* not entered unless its record is on disk */
} phases[_PHASE_MAX] = {
        [PHASE_STAGE]    = { "stage",    stage_enter,    PHASE_TRIAL,    PHASE_UNSTAGE,  true  },
        [PHASE_TRIAL]    = { "trial",    trial_enter,    PHASE_ACTIVATE, PHASE_UNSTAGE,  true  },
        [PHASE_ACTIVATE] = { "activate", activate_enter, PHASE_JUDGE,    PHASE_ROLLBACK, true  },
        [PHASE_JUDGE]    = { "judge",    judge_enter,    PHASE_CONFIRM,  PHASE_ROLLBACK, true  },
        [PHASE_CHECK]    = { "check",    check_enter,    PHASE_CONFIRM,  PHASE_ROLLBACK, true  },
        [PHASE_CONFIRM]  = { "confirm",  confirm_enter,  PHASE_COMMIT,   PHASE_ROLLBACK, true  },
        [PHASE_COMMIT]   = { "commit",   commit_enter,   PHASE_END,      PHASE_ROLLBACK, true  },
        [PHASE_UNSTAGE]  = { "unstage",  unstage_enter,  PHASE_END,      PHASE_END,      false },
        [PHASE_ROLLBACK] = { "rollback", rollback_enter, PHASE_END,      PHASE_END,      false },
        [PHASE_SETTLE]   = { "settle",   settle_enter,   PHASE_END,      PHASE_END,      false },
        [PHASE_END]      = { "end",      end_enter,      _PHASE_MAX,     _PHASE_MAX,     false },
};
/* clang-format on */

static Phase phase_from_string(const char *name) {
        Phase phase = 0;

        while (phase < _PHASE_MAX && strcmp(phases[phase].name, name) != 0)
                phase++;
        return phase;
}

void transaction_note(const Transaction *t, const char *text) {
        event_say(t->log, "note", "text", text);
}

/** transaction_job_limit_usec() - for each job: what was asked for, else what the new system wants;
 * 0: by the unit's own timeout. */
uint64_t transaction_job_limit_usec(const Transaction *t) {
        return t->request->job_limit_sec > 0 ? t->request->job_limit_sec * USEC_PER_SEC :
                                               t->settings.job_limit_usec;
}

int transaction_set_root(const Transaction *t, const char *name, const char *target) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", t->places->roots, name);
        if (r < 0)
                return r;
        return file_symlink(AT_FDCWD, target, path);
}

/* A root that is not what it should be costs room, or a system that could have been kept: that is
 * told, and spoils nothing. */
static void note_root(const Transaction *t, const char *name, const char *what, int r) {
        _cleanup_free_ char *text = NULL;

        if (text_printf(&text, "the root '%s/%s' could not be %s (%s); the next switch does that",
                        t->places->roots, name, what, strerror(-r)) >= 0)
                transaction_note(t, text);
}

/** transaction_drop_root() - take a root away if it is there; what fails is told. */
void transaction_drop_root(const Transaction *t, const char *name) {
        int r = file_remove(t->places->roots, name);

        if (r < 0 && r != -ENOENT)
                note_root(t, name, "taken away", r);
}

/** transaction_set_good() - the last system that was found well; what fails is told. */
void transaction_set_good(const Transaction *t, const char *target) {
        int r = transaction_set_root(t, "good", target);

        if (r < 0)
                note_root(t, "good", "set", r);
}

/* Whoever finds the record knows how far the transaction had come. */
static int write_record(Transaction *t, Phase phase) {
        Record *record = &t->record;
        const Plan *plan = t->way.plan;

        record->committing = record->committing || phase == PHASE_COMMIT;
        record->activates = t->activates;
        if (text_replace(&record->phase, phases[phase].name) < 0 ||
            text_replace(&record->error_name, t->error.name ? t->error.name : "") < 0 ||
            text_replace(&record->error_text, t->error.message ? t->error.message : "") < 0 ||
            (plan && text_replace(&record->digest, plan->digest) < 0) ||
            transaction_note_before(t) < 0)
                return -ENOMEM;
        return record_write(t->places->state, record);
}

static int say_unrecorded(const Transaction *t, int r, const char *holds,
                          sd_bus_error *reterr_error) {
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                 "Cannot write the record in '%s': %s%s", t->places->state,
                                 strerror(-r), holds);
}

/** transaction_begin_record() - from here on a kill or a power cut is no secret. */
int transaction_begin_record(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = write_record(t, PHASE_STAGE);
        if (r < 0)
                return say_unrecorded(t, r, ". Nothing was changed.", reterr_error);
        t->recorded = true;
        return 0;
}

/* Says that whoever comes next must end it; why there was a way back stays in the record. */
void transaction_give_up(Transaction *t) {
        t->keeps_record = t->record.given_up = true;
        if (t->recorded)
                (void) write_record(t, PHASE_ROLLBACK);
}

/**
 * transaction_wait_for_boot() - all is ready for the next boot, which goes on with it
 *
 * Until then nobody need end it; who does, gives the trial up. Return: 0 or an error of
 * record_write().
 */
int transaction_wait_for_boot(Transaction *t) {
        t->keeps_record = t->record.waits = true;
        return write_record(t, PHASE_TRIAL);
}

/** transaction_record_commit() - the profile and the boot default may change from here on. */
int transaction_record_commit(Transaction *t) {
        return t->recorded ? write_record(t, PHASE_COMMIT) : 0;
}

/* What has nothing to do is not entered: activating what only boots, or committing what is only
 * tested. */
static bool has_work(const Transaction *t, Phase phase) {
        switch (phase) {
        case PHASE_ACTIVATE:
        case PHASE_JUDGE:
                return t->activates;
        case PHASE_TRIAL:
                return t->trial != MENU_TRIAL_NONE;
        case PHASE_CONFIRM:
                return confirm_is_wanted(t);
        case PHASE_COMMIT:
                return t->commits;
        case PHASE_STAGE:
        case PHASE_CHECK:
        case PHASE_UNSTAGE:
        case PHASE_ROLLBACK:
        case PHASE_SETTLE:
        case PHASE_END:
        case _PHASE_MAX:
        default:
                return true;
        }
}

/* Nobody is told of a phase that is a formality. */
static bool is_told(const Transaction *t, Phase phase) {
        if (phase == PHASE_ROLLBACK)
                return (t->touched || t->on_trial) && !t->no_rollback;
        return phase != PHASE_END && phase != PHASE_SETTLE;
}

/* Told to end, it turns back before the new system counts; one that is told later has ended. */
static int check_interrupt(const Transaction *t, Phase phase, sd_bus_error *reterr_error) {
        if (phase != PHASE_COMMIT || (!t->touched && !t->on_trial) || t->recovers ||
            !t->interrupted())
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED, "The switch was told to stop");
}

/* Enters one phase and answers the next one. The first error stays; the later phases add what
 * holds. */
static Phase enter_phase(Transaction *t, Phase phase) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!has_work(t, phase))
                return phases[phase].on_success;

        r = check_interrupt(t, phase, &error);
        if (r >= 0 && t->recorded)
                r = transaction_keep_ground(t, phases[phase].forwards, &error);
        if (phase == PHASE_JUDGE)
                judge_begin(t);
        if (phase == PHASE_CONFIRM)
                confirm_begin(t);
        if (phase == PHASE_TRIAL && r >= 0)
                r = trial_begin(t);
        if (r >= 0 && t->recorded && !t->keeps_record) {
                r = write_record(t, phase);
                if (r < 0)
                        (void) say_unrecorded(t, r, "", &error);
        }
        if (r >= 0 || !phases[phase].forwards) {
                if (is_told(t, phase))
                        event_say(t->log, "phase", "phase", phases[phase].name);
                sd_bus_error_free(&error);
                r = phases[phase].enter(t, &error);
        }
        if (r >= 0)
                return (t->nothing_to_do || t->record.waits) && phase != PHASE_END ?
                               PHASE_END :
                               phases[phase].on_success;

        if (!sd_bus_error_is_set(&error))
                (void) sd_bus_error_setf(&error, ENACT_ERROR_FAILED, "Phase '%s' failed: %s",
                                         phases[phase].name, strerror(-r));
        if (!sd_bus_error_is_set(&t->error))
                (void) sd_bus_error_move(&t->error, &error);
        return phases[phase].on_failure;
}

/** transaction_kept() - what the profile and the boot menu get: a specialisation has no entry of
 * its own there, but the system that it is of. */
const char *transaction_kept(const Transaction *t) {
        const char *system = t->request->system;

        return system && *system ? system : t->new ? t->new->path : t->record.to;
}

/* A specialisation runs: its system is the default. */
static int tell_variant(Transaction *t) {
        return text_printf(&t->text,
                           "'%s' runs; '%s', which it is a specialisation of, is generation "
                           "%" PRIu64 " of '%s' and the boot default.",
                           t->new->path, transaction_kept(t), t->generation, t->request->profile);
}

/* The system that runs in the end, said in one sentence. */
static int tell_success(Transaction *t) {
        const char *profile = t->request->profile;

        if (t->text)
                return 0;
        if (t->nothing_to_do)
                return text_printf(&t->text, "Nothing to do: '%s' %s.", t->new->path,
                                   t->request->verb == REQUEST_BOOT ?
                                           "is the boot default already" :
                                   t->request->verb == REQUEST_TEST ?
                                           "runs already" :
                                           "runs already and is the boot default");
        if (!t->commits)
                return text_printf(&t->text, "'%s' runs; the boot default stays.", t->new->path);
        if (t->on_trial)
                return text_printf(
                        &t->text,
                        "'%s' was tried in this boot and is well; it is generation %" PRIu64
                        " of '%s' and the boot default.",
                        t->new->path, t->generation, profile);
        if (strcmp(transaction_kept(t), t->new->path) != 0)
                return tell_variant(t);
        if (!t->activates)
                return text_printf(&t->text,
                                   "'%s' is generation %" PRIu64 " of '%s' and the boot default%s.",
                                   t->new->path, t->generation, profile,
                                   transaction_runs_already(t) ? "; it ran already" :
                                                                 "; it runs after a reboot");
        return text_printf(&t->text,
                           "'%s' runs; it is generation %" PRIu64 " of '%s' and the boot default.",
                           t->new->path, t->generation, profile);
}

static void write_history(Transaction *t, const char *text) {
        const Record *record = &t->record;
        const HistoryEntry entry = {
                .id = record->id,
                .verb = (char *) request_verb_to_string(t->request->verb),
                .from = record->from,
                .to = record->to,
                .begun = record->begun,
                .ended = (uint64_t) time(NULL),
                .uid = t->request->uid,
                .exit_code = (uint64_t) error_to_exit_code(&t->error),
                .text = (char *) text,
                .evidence = record->evidence,
        };

        if (history_write(t->places->state, &entry) < 0)
                transaction_note(t, "the history entry could not be written");
}

/* What only stood for the way is taken away; what runs now is what a rollback may lead to. */
static void settle_roots(Transaction *t) {
        const char *slash = strrchr(t->record.to, '/');

        if (!sd_bus_error_is_set(&t->error)) {
                _cleanup_free_ char *failed = NULL;

                if (t->commits && (t->request->verb != REQUEST_BOOT || t->on_trial))
                        transaction_set_good(t, t->record.to);
                if (t->activates)
                        record_forget_damage(t->places->state);
                if (slash && text_printf(&failed, "failed%s", slash) >= 0)
                        transaction_drop_root(t, failed);
        }
        /* Judged as well. */
        if (t->commits && sd_bus_error_has_name(&t->error, ENACT_ERROR_ROLLED_BACK))
                transaction_set_good(t, t->record.from);
        transaction_drop_root(t, "candidate");
        transaction_drop_root(t, "back");
        transaction_drop_root(t, "engine");
}

/*
 * A switch that is over is not spoilt by what it leaves lying about; who is killed here has deleted
 * a few less, and the next one makes up for it.
 */
static void trim_generations(Transaction *t) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const UpkeepPlaces places = {
                .transaction = *t->places,
                .booted = t->places->booted,
                .store = STORE_DIRECTORY,
        };
        _cleanup_free_ char *text = NULL;
        int r;

        if (t->settings.generations == 0)
                return;
        r = upkeep_trim(t->request->profile, t->settings.generations, t->request->uid, &places,
                        t->log, &error);
        if (r < 0 && text_printf(&text, "old generations are left to the next switch: %s",
                                 error.message ? error.message : strerror(-r)) >= 0)
                transaction_note(t, text);
}

/* Whether all units were looked after, those of an earlier transaction that was left open, too. */
static bool has_settled(const Transaction *t) {
        return t->touched && !sd_bus_error_has_name(&t->error, ENACT_ERROR_ROLLBACK_FAILED);
}

static void say_needs_reboot(Transaction *t) {
        (void) sd_bus_error_setf(&t->error, ENACT_ERROR_NEEDS_REBOOT,
                                 "'%s' has another init interface than the running system: %s",
                                 t->new->path,
                                 t->record.waits ? t->text :
                                                   "it is the boot default and takes effect after "
                                                   "a reboot");
}

/* The last thing that is done is to remove the record: until then, all of this is done again. */
int end_enter(Transaction *t, _unused_ sd_bus_error *reterr_error) {
        const bool committed = !sd_bus_error_is_set(&t->error) && t->commits && !t->nothing_to_do;
        int r;

        if (!sd_bus_error_is_set(&t->error)) {
                r = tell_success(t);
                if (r < 0)
                        return r;
        }
        if (t->reboots && !sd_bus_error_is_set(&t->error))
                say_needs_reboot(t);
        if (!t->recorded)
                return 0;
        transaction_forget_ground(t);
        if (t->record.waits) /* the next boot ends it, and the history tells how */
                return 0;
        if (t->staged)
                write_history(t, t->error.message ? t->error.message : t->text);
        if (t->reboots_back && t->keeps_record)
                reboot_back(t);
        if (t->keeps_record)
                return 0;
        settle_roots(t);
        r = record_end(t->places->state, has_settled(t));
        if (r < 0 && r != -ENOENT) /* it says "end": whoever finds it only has this left to do */
                transaction_note(t,
                                 "the record of this switch could not be removed; the next start "
                                 "of an engine does that");
        if (committed)
                trim_generations(t);
        if (t->reboots_back)
                reboot_back(t);
        return 0;
}

/**
 * transaction_go() - go through the phases from one of them to the end
 *
 * Return: 0; else a negative errno, and @reterr_error says what failed and what holds now.
 */
int transaction_go(Transaction *t, const char *first_phase, sd_bus_error *reterr_error) {
        Phase phase = phase_from_string(first_phase);
        int r;

        assert(phase < _PHASE_MAX);
        while (phase < _PHASE_MAX)
                phase = enter_phase(t, phase);

        if (!sd_bus_error_is_set(&t->error))
                return 0;
        r = -sd_bus_error_get_errno(&t->error);
        (void) sd_bus_error_move(reterr_error, &t->error);
        return r;
}

void transaction_done(Transaction *t) {
        manager_free(t->manager);
        profile_free(t->profile);
        toplevel_free(t->old);
        toplevel_free(t->new);
        way_done(&t->way);
        settings_done(&t->settings);
        unit_facts_list_done(&t->restarted_before);
        probe_outcomes_done(&t->probes_before);
        record_done(&t->record);
        state_ground_done(&t->ground);
        free(t->text);
        sd_bus_error_free(&t->error);
        (void) fd_close(t->nixos_lock_fd);
        (void) fd_close(t->lock_fd);
}

/**
 * transaction_run() - make a system the running one, the boot default, or both
 * @id:          names it in the record and the history; begins with the time
 * @request:     what is wanted; checked in form only
 * @places:      where state, profiles and roots lie
 * @log:         told of each step
 * @interrupted: asked at safe points whether to stop
 * @ret_text:    how it ended well, in one sentence; owned by the caller
 *
 * What an earlier one has left open is brought to its end first.
 *
 * Return: 0; else a negative errno, and @reterr_error says what failed and what holds now. Its name
 * has the exit code (error_to_exit_code()).
 */
int transaction_run(const char *id, const Request *request, const TransactionPlaces *places,
                    EventLog *log, bool (*interrupted)(void), char **ret_text,
                    sd_bus_error *reterr_error) {
        Transaction t = {
                .id = id,
                .request = request,
                .places = places,
                .log = log,
                .interrupted = interrupted,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
                .record.begun = (uint64_t) time(NULL),
        };
        int r;

        r = locks_take(places, 0, &t.lock_fd, &t.nixos_lock_fd, reterr_error);
        if (r >= 0)
                r = transaction_recover_found(&t, reterr_error);
        if (r >= 0)
                r = transaction_go(&t, phases[PHASE_STAGE].name, reterr_error);
        if (r >= 0)
                *ret_text = TAKE_PTR(t.text);
        transaction_done(&t);
        return r;
}
