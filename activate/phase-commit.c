/* Commit, and the two ways back: what was staged is taken back, or the system that ran before runs
 * again. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "noted-default.h"
#include "text.h"
#include "transaction-phases.h"

#define FAILED_ROOTS_MAX 5U

/* A generation that was staged may be gone by now: a garbage collection removes all but the current
 * one. */
int transaction_set_profile(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = profile_lock(t->profile);
        if (r == 0)
                r = profile_obtain(t->profile, transaction_kept(t), t->generation, /* any= */ true,
                                   &t->generation, NULL);
        else if (r == PROFILE_LOCKED)
                r = -EBUSY;
        if (r >= 0)
                r = profile_set(t->profile, t->generation);
        profile_unlock(t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot set the profile '%s/%s' to '%s': %s",
                                         t->places->profiles, t->request->profile,
                                         transaction_kept(t), strerror(-r));
        return 0;
}

/* What is not known later would be put back wrongly then. */
int transaction_note_default(const Transaction *t, const char *toplevel,
                             sd_bus_error *reterr_error) {
        int r;

        r = noted_default_write(t->places, toplevel);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot note in '%s' that '%s' is the boot default: %s",
                                         t->places->state, toplevel, strerror(-r));
        return 0;
}

static void tell_committed(Transaction *t) {
        cJSON *event = event_new("committed");

        event_add_text(event, "profile", t->request->profile);
        event_add_number(event, "generation", (double) t->generation);
        event_add_text(event, "text", t->new->path);
        event_emit(t->log, event);
}

int commit_enter(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_(toplevel_freep) Toplevel *kept = NULL;
        int r;

        r = toplevel_open(transaction_kept(t), &kept, reterr_error);
        if (r < 0)
                return r;
        t->record.committing = true;
        r = transaction_install_menu(t, kept, reterr_error);
        if (r >= 0)
                r = transaction_set_profile(t, reterr_error);
        if (r >= 0)
                r = transaction_note_default(t, kept->path, reterr_error);
        if (r >= 0)
                tell_committed(t);
        return r;
}

/* Whether the profile stands for what the commit has set; somebody else may have changed it since.
 */
static bool profile_stands_for(const Transaction *t, const char *toplevel) {
        _cleanup_free_ char *target = NULL;

        return profile_current(t->profile, &target) >= 0 && strcmp(target, toplevel) == 0;
}

static int put_profile_back(Transaction *t) {
        int r;

        /* No room for a lock is needed where there is nothing to do. */
        if (profile_holds(t->profile, t->record.old_link) ||
            !profile_stands_for(t, transaction_kept(t)))
                return 0;
        r = profile_lock(t->profile);
        if (r == 0)
                r = profile_put_back(t->profile, t->record.old_link, t->record.old_profile);
        profile_unlock(t->profile);
        if (r != 0)
                transaction_note(t, "the profile could not be put back");
        return r == PROFILE_LOCKED ? -EBUSY : r;
}

/* What was the default before; but what somebody else has made of the profile since is theirs. A
 * record of an earlier version does not know the default, and what is gone cannot be put back. */
static int open_old_default(const Transaction *t, Toplevel **ret) {
        const bool is_system = strcmp(t->request->profile, SYSTEM_PROFILE) == 0;
        _cleanup_free_ char *target = NULL;

        if (*t->record.old_default &&
            (!is_system || profile_holds(t->profile, t->record.old_link)) &&
            toplevel_open(t->record.old_default, ret, NULL) >= 0)
                return 0;
        if (profile_current(t->profile, &target) < 0)
                return -ENOENT;
        return toplevel_open(target, ret, NULL);
}

static int put_boot_loader_back(Transaction *t) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = NULL;
        const Toplevel *of = open_old_default(t, &toplevel) >= 0 ? toplevel : t->old;
        int r;

        r = of ? transaction_install_menu(t, of, NULL) : 0;
        if (r < 0) {
                noted_default_forget(t->places);
                transaction_note(t, "the boot loader installer of the old system failed, too");
        } else if (of && transaction_note_default(t, of->path, NULL) <
                                 0) /* then the profile stands for it */
                transaction_note(t, "which system is the boot default could not be noted");
        return r;
}

/* What stands above those that were there before was made for this transaction, whoever did it. */
static bool is_ours(const Transaction *t, const Generation *g) {
        return g->number > t->record.highest && !g->current &&
               strcmp(g->target, transaction_kept(t)) == 0;
}

static int remove_generations(Transaction *t) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        bool locked = false;
        int r;

        r = profile_list(t->profile, &list);
        for (size_t i = 0; r >= 0 && i < list.n; i++) {
                if (!is_ours(t, &list.items[i]))
                        continue;
                r = locked ? 0 : profile_lock(t->profile);
                if (r == PROFILE_LOCKED)
                        return -EBUSY;
                locked = r >= 0;
                if (locked)
                        r = profile_remove(t->profile, list.items[i].number);
        }
        return r;
}

/* With its generation gone nothing wants the entry any more. What the menu leads to is what was
 * noted, so that is noted with the menu as it is now. */
static void remove_entry(Transaction *t) {
        int r;

        if (!t->record.staged_entry)
                return;
        r = transaction_unstage_menu(t);
        if (r < 0) {
                transaction_note(t, "the new system's entry could not be taken out of the boot "
                                    "menu yet; it is not what boots");
                transaction_give_up(t);
        } else if (transaction_note_default(t, t->record.old_default, NULL) < 0)
                transaction_note(t, "which system is the boot default could not be noted");
}

static void remove_links(Transaction *t) {
        int r;

        if (!t->profile)
                return;
        r = remove_generations(t);
        profile_unlock(t->profile);
        if (r < 0) {
                transaction_note(t, "the new generation's link could not be removed yet");
                transaction_give_up(t); /* a loader that sorts must not make it the default */
        }
}

static void remove_generation(Transaction *t) {
        remove_links(t);
        if (t->profile)
                remove_entry(t);
}

/* What a commit has begun with, or may have. A loader that sorts must not make the failed system
 * the default, so that its generation goes before the installer looks; unless it is kept. */
static int undo_commit(Transaction *t, bool keeps_generation) {
        int r, q;

        if (!t->record.committing && !*t->record.trial)
                return 0;
        transaction_note(t, "making the old system the boot default again");
        r = put_profile_back(t);
        if (!keeps_generation)
                remove_links(t);
        q = put_boot_loader_back(t);
        return r < 0 ? r : q;
}

/* Nothing live was touched: take back what was staged. */
int unstage_enter(Transaction *t, _unused_ sd_bus_error *reterr_error) {
        if (!t->recorded)
                return 0;
        if (undo_commit(t, /* keeps_generation= */ false) < 0)
                transaction_give_up(t);
        remove_generation(t);
        return 0;
}

/* The failed system is kept for those who want to know why; each holds a whole closure, so only a
 * few are. */
static void keep_failed(Transaction *t) {
        _cleanup_free_ char *name = NULL, *directory = NULL;

        if (text_printf(&name, "failed/%s", file_base_name(t->new->path)) < 0 ||
            text_printf(&directory, "%s/failed", t->places->roots) < 0)
                return;
        (void) transaction_set_root(t, name, t->new->path);
        (void) file_keep_newest(directory, file_base_name(t->new->path), FAILED_ROOTS_MAX);
}

/* Exchanges the error for one that says what holds now. */
static _printf_(3, 4) void conclude(Transaction *t, const char *name, const char *format, ...) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *holds = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&holds, format, ap) < 0)
                holds = NULL;
        va_end(ap);

        (void) sd_bus_error_setf(&error, name, "%s. %s", t->error.message, holds ? holds : "");
        sd_bus_error_free(&t->error);
        (void) sd_bus_error_move(&t->error, &error);
}

static const char *next_boot(const Transaction *t) {
        const Record *record = &t->record;

        return *record->old_default ? record->old_default :
               *record->old_profile ? record->old_profile :
                                      record->from;
}

/* A host that goes down starts nothing any more; what boots next decides. */
static bool leave_to_next_boot(Transaction *t) {
        if (!t->touched || manager_check(t->manager, NULL) < 0 || !manager_is_stopping(t->manager))
                return false;
        transaction_give_up(t);
        conclude(t, ENACT_ERROR_FAILED, "The host is shutting down; '%s' boots next.",
                 next_boot(t));
        return true;
}

/* The record says so before it begins, so that a power cut in the middle finds it. */
static int commit_all_the_same(Transaction *t) {
        int r;

        if (!t->commits || t->record.committing)
                return t->record.committing ? -EALREADY : 0;
        r = transaction_record_commit(t);
        return r < 0 ? r : commit_enter(t, NULL);
}

static void keep_active(Transaction *t) {
        if (commit_all_the_same(t) < 0) {
                (void) undo_commit(t, /* keeps_generation= */ true);
                transaction_note(t, "it could not be made the boot default, either");
        }
        conclude(t, error_to_exit_code(&t->error) == 4 ? t->error.name : ENACT_ERROR_UNITS_FAILED,
                 "'%s' is active all the same (%s).", t->new->path,
                 t->request->no_rollback ? "--no-rollback" : "its rollback.automatic is false");
}

/*
 * Who declines a rollback keeps a system that was activated, whatever became of its units. What was
 * not, or what somebody wants back, is no system to keep. An engine that died on the way is
 * followed by one that goes on.
 */
static bool is_kept(Transaction *t) {
        if (!t->no_rollback || !t->touched)
                return false;
        if (t->recovers)
                t->activated = transaction_bring(t, t->old, t->new, NULL) >= 0 ||
                               transaction_runs(t, t->record.to);
        return t->activated && !t->interrupted();
}

static int go_back(Transaction *t, sd_bus_error *reterr_error) {
        if (!t->touched)
                return 0;
        if (!t->old)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "No system ran before that could run again");
        return transaction_bring(t, t->new, t->old, reterr_error);
}

static void tell_trial_failed(Transaction *t) {
        cJSON *event = event_new("trial-failed");

        event_add_text(event, "id", t->record.id);
        event_add_text(event, "to", t->record.to);
        event_add_text(event, "text", t->error.message);
        event_add_message_id(event, MESSAGE_TRIAL_FAILED);
        event_emit(t->log, event);
}

/* The host goes back as it came: by a boot. What is on disk leads to the old system by then. */
static void condemn_trial(Transaction *t) {
        int r;

        keep_failed(t);
        r = undo_commit(t, /* keeps_generation= */ false);
        remove_generation(t);
        t->reboots_back = r >= 0 && reboot_back_is_certain(t) && !manager_is_stopping(t->manager);
        if (r < 0)
                transaction_give_up(t);
        conclude(t, r < 0 ? ENACT_ERROR_ROLLBACK_FAILED : ENACT_ERROR_ROLLED_BACK,
                 "'%s' has failed its trial boot. %s", t->record.to,
                 t->reboots_back ? "The host reboots into the system before now." :
                 r < 0           ? "'enact status' says what holds." :
                                   "The system before boots next.");
        tell_trial_failed(t);
}

/* Back to the recorded path: the same planning and activation as forwards, and judged as well. */
int rollback_enter(Transaction *t, _unused_ sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r, q;

        if (t->on_trial) {
                condemn_trial(t);
                return 0;
        }
        if (leave_to_next_boot(t))
                return 0;
        keep_failed(t);
        if (is_kept(t)) {
                keep_active(t);
                return 0;
        }

        q = undo_commit(t, /* keeps_generation= */ false);
        r = go_back(t, &error);
        if (r < 0 && leave_to_next_boot(t)) /* it has begun to go down meanwhile */
                return 0;
        remove_generation(t);
        if (q < 0 && r >= 0) {
                transaction_give_up(t);
                conclude(t, ENACT_ERROR_ROLLBACK_FAILED,
                         "'%s' runs%s, but it may not be the boot default.", t->record.from,
                         t->touched ? " again" : "");
        } else if (r < 0) {
                t->reboots_back = q >= 0 && reboot_back_is_due(t);
                t->record.rebooting = t->record.rebooting || t->reboots_back;
                transaction_give_up(t);
                conclude(t, ENACT_ERROR_ROLLBACK_FAILED, "Going back to '%s' failed, too: %s. %s",
                         t->record.from, error.message ? error.message : strerror(-r),
                         t->reboots_back ? "The host reboots into it now." :
                                           "'enact status' says what holds.");
        } else if (t->touched)
                conclude(t, ENACT_ERROR_ROLLED_BACK, "Rolled back: '%s' runs again.",
                         t->record.from);
        else
                conclude(t, ENACT_ERROR_FAILED, "The running system was not touched.");
        return 0;
}

/* It booted because its commit had come so far that it was the boot default. */
static int complete_commit(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        sd_bus_error_free(&t->error);
        r = commit_enter(t, &error);
        if (r < 0) {
                transaction_give_up(t);
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The host was started anew and '%s' runs, but it could "
                                         "not be made the boot default for good: %s",
                                         t->record.to,
                                         error.message ? error.message : strerror(-r));
        }
        return text_printf(&t->text,
                           "The host was started anew and '%s' runs; it is the boot default.",
                           t->record.to);
}

/*
 * After a reboot nothing live is left of an interrupted switch. If the new system booted because
 * its commit had come so far, the commit is completed; otherwise what was there before stays.
 */
int settle_enter(Transaction *t, sd_bus_error *reterr_error) {
        const char *host =
                t->record.rebooting ? "Going back failed, too, and the host" : "The host";
        _cleanup_free_ char *booted = NULL;
        bool is_new;
        int r;

        r = file_realpath(t->places->booted, &booted);
        is_new = r >= 0 && strcmp(booted, transaction_kept(t)) == 0;
        if (is_new && t->record.committing && t->new &&
            (profile_stands_for(t, transaction_kept(t)) ||
             profile_holds(t->profile, t->record.old_link)))
                return complete_commit(t, reterr_error);

        if (undo_commit(t, /* keeps_generation= */ false) < 0)
                transaction_give_up(t);
        remove_generation(t);
        if (t->was_tried) {
                keep_failed(t);
                conclude(t, ENACT_ERROR_ROLLED_BACK, "'%s' runs, and is the boot default.",
                         r >= 0 ? booted : t->record.from);
                tell_trial_failed(t);
        } else if (is_new)
                conclude(t, ENACT_ERROR_FAILED, "%s was started anew and '%s' runs.", host, booted);
        else
                conclude(t, ENACT_ERROR_FAILED,
                         "%s was started anew and '%s' runs; '%s' is not the boot default.", host,
                         r >= 0 ? booted : t->record.from, t->record.to);
        return 0;
}
