/*
 * The guard of the drop-in: a transaction without a record, for whoever calls has moved the profile
 * and the boot default before. The judge and the way back are those of every other one; nobody
 * takes over if this process dies in the middle, as nobody does from NixOS' own program.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "drop-in-guard.h"
#include "drop-in-story.h"
#include "error.h"
#include "file.h"
#include "text.h"
#include "transaction-phases.h"

struct DropInGuard {
        TransactionPlaces places;
        Request request;
        Transaction t; /* of what it holds, the systems' new one, the manager and the way are not
                          ours */
        bool stuck; /* the profile stands for the new system, and no generation for the old one */
};

/* What is begun is ended, whatever signals come. */
static bool never(void) {
        return false;
}

static bool is_in_folder(const char *folder, const char *name, const char *toplevel) {
        _cleanup_free_ char *link = NULL, *path = NULL;

        return text_printf(&link, "%s/%s", folder, name) >= 0 && file_realpath(link, &path) >= 0 &&
               strcmp(path, toplevel) == 0;
}

/* Whether a generation is of that system, by itself or as one of its specialisations. */
static bool holds(const char *target, const char *toplevel) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_free_ char *folder = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (strcmp(target, toplevel) == 0)
                return true;
        if (text_printf(&folder, "%s/specialisation", target) < 0 ||
            file_open_directory(AT_FDCWD, folder, &fd) < 0 || file_list(fd, ".", &names) < 0)
                return false;
        for (size_t i = 0; i < names.n; i++)
                if (is_in_folder(folder, names.items[i], toplevel))
                        return true;
        return false;
}

/* The newest generation that holds the old system is what the profile was before. */
static int find_link(DropInGuard *guard, const char *current) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        Record *record = &guard->t.record;
        const Generation *found = NULL;
        _cleanup_free_ char *link = NULL;
        int r;

        r = profile_list(guard->t.profile, &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n; i++)
                if (holds(list.items[i].target, record->from))
                        found = &list.items[i];
        guard->stuck = !found;
        if (!found)
                return 0;
        r = profile_generation_link(guard->t.profile, found->number, &link);
        /* What runs may be a specialisation of what the profile stands for. */
        if (r >= 0 && strcmp(current, guard->t.new->path) != 0)
                r = text_replace(&guard->request.system, current);
        if (r >= 0)
                r = text_replace(&record->old_link, link);
        return r < 0 ? r : text_replace(&record->old_profile, found->target);
}

/* Whoever calls may have set the profile, or not; and what it was then is nowhere to be read. */
static int find_profile(DropInGuard *guard) {
        Transaction *t = &guard->t;
        _cleanup_free_ char *current = NULL;
        int r;

        r = profile_open(t->places->profiles, t->request->profile, /* make= */ false, &t->profile);
        if (r >= 0)
                r = profile_current(t->profile, &current);
        if (r == -ENOENT)
                return 0;
        if (r < 0 || !holds(current, t->record.to) || holds(current, t->record.from))
                return r;
        return find_link(guard, current);
}

static int fill(DropInGuard *guard, const DropIn *drop_in, EventLog *log) {
        Transaction *t = &guard->t;
        const char *install = getenv("NIXOS_INSTALL_BOOTLOADER");
        int r;

        guard->places = TRANSACTION_PLACES_HOST;
        guard->request.install_bootloader = install && strcmp(install, "1") == 0;
        t->request = &guard->request;
        t->places = &guard->places;
        t->log = log;
        t->interrupted = never;
        t->lock_fd = t->nixos_lock_fd = -EBADF;
        t->new = drop_in->new;
        t->activates = t->touched = true;
        t->record.highest = UINT64_MAX; /* no generation is ours */
        r = request_verb_from_string(drop_in->action, &guard->request.verb);
        if (r >= 0)
                r = text_replace(&guard->request.profile, SYSTEM_PROFILE);
        if (r >= 0)
                r = text_replace(&guard->request.toplevel, drop_in->new->path);
        if (r >= 0)
                r = text_replace(&t->record.to, drop_in->new->path);
        return r < 0 ? r : record_fill(&t->record); /* what was before the call nobody knows */
}

static int find_old(DropInGuard *guard, const char *old) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Transaction *t = &guard->t;
        int r;

        r = toplevel_open(old, &t->old, &error);
        if (r < 0)
                drop_in_say("warning: there is no way back, so nothing will be rolled back: %s",
                            error.message ? error.message : strerror(-r));
        return r;
}

/**
 * drop_in_guard_new() - a guard, if the new system wants one
 * @old:     the system that runs
 * @drop_in: and @log must outlive it
 * @ret:     NULL if there is nothing to guard: the new system does not ask for it, runs already, or
 *           has no way back
 *
 * Return: 0, or a negative errno with @reterr_error set; nothing was changed then.
 */
int drop_in_guard_new(const DropIn *drop_in, const char *old, EventLog *log, DropInGuard **ret,
                      sd_bus_error *reterr_error) {
        _cleanup_(drop_in_guard_freep) DropInGuard *guard = NULL;
        Transaction *t;
        int r;

        guard = calloc(1, sizeof(*guard));
        if (!guard)
                return -ENOMEM;
        t = &guard->t;
        r = fill(guard, drop_in, log);
        if (r >= 0)
                r = transaction_read_settings(t, reterr_error);
        if (r < 0)
                return r;
        if (!t->settings.drop_in || t->no_rollback || strcmp(old, drop_in->new->path) == 0 ||
            find_old(guard, old) < 0)
                return 0;
        r = text_replace(&t->record.from, t->old->path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(guard);
        return 0;
}

/* Until the new one is found good, no other root may name the old one. Who is killed here leaves it
 * to the next switch. */
static void keep_old(Transaction *t) {
        _cleanup_free_ char *failed = NULL;

        if (text_printf(&failed, "%s/failed", t->places->roots) < 0 ||
            file_make_directories(failed, 0755) < 0 ||
            transaction_set_root(t, "back", t->old->path) < 0)
                transaction_note(t, "the old system could not be rooted");
}

/**
 * drop_in_guard_begin() - look at what runs, right before it is touched
 * @manager: and @state and @plan must outlive the guard; the plan may grow on the way
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int drop_in_guard_begin(DropInGuard *guard, Manager *manager, const RecordedState *state,
                        Plan *plan, sd_bus_error *reterr_error) {
        Transaction *t = &guard->t;

        t->manager = manager;
        t->way.from = t->record.from;
        t->way.state = *state;
        t->way.plan = plan;
        keep_old(t);
        return judge_take_before(t, reterr_error);
}

/* A test makes nothing the last good one. */
static void settle(const Transaction *t, const Toplevel *runs) {
        if (t->request->verb == REQUEST_SWITCH)
                transaction_set_good(t, runs->path);
        transaction_drop_root(t, "back");
}

static void forget_failure(const Transaction *t) {
        _cleanup_free_ char *failed = NULL;

        if (text_printf(&failed, "failed%s", strrchr(t->new->path, '/')) >= 0)
                transaction_drop_root(t, failed);
}

static int roll_back(DropInGuard *guard) {
        Transaction *t = &guard->t;
        int r = 0;

        drop_in_say("rolling back to '%s': %s", t->record.from, t->error.message);
        if (t->request->verb == REQUEST_SWITCH)
                r = find_profile(guard);
        (void) file_make_directories(t->places->state, 0755); /* where the boot default is noted */
        /* An installer would take what the profile stands for. */
        t->record.committing = t->request->verb == REQUEST_SWITCH && r >= 0 && !guard->stuck;
        (void) rollback_enter(t, NULL);
        if (sd_bus_error_has_name(&t->error, ENACT_ERROR_ROLLED_BACK))
                settle(t, t->old);
        drop_in_say("Error: %s", t->error.message);
        if (r >= 0 && !guard->stuck)
                return error_to_exit_code(&t->error);

        drop_in_say("Error: the profile '%s/" SYSTEM_PROFILE "' and the boot default are still "
                    "'%s': %s",
                    t->places->profiles, t->new->path,
                    r < 0 ? strerror(-r) : "no generation holds the old system");
        return error_to_exit_code(&(sd_bus_error){ .name = ENACT_ERROR_ROLLBACK_FAILED });
}

/**
 * drop_in_guard_end() - judge what was activated, and go back if it is not good
 * @steps: that were taken: which jobs failed, and what was told of them
 * @error: what went wrong beside them, if something did; taken over
 * @code:  what NixOS' own program would end with
 *
 * Return: the exit code: @code, or that of a rollback.
 */
int drop_in_guard_end(DropInGuard *guard, const Steps *steps, sd_bus_error *error, int code) {
        Transaction *t = &guard->t;
        int r;

        r = string_list_copy(&t->way.failed_jobs, &steps->failed);
        if (r >= 0)
                r = string_list_copy(&t->way.told, &steps->told);
        if (sd_bus_error_is_set(error))
                (void) sd_bus_error_move(&t->error, error);
        else if (r >= 0)
                r = transaction_judge(t, &t->way, &t->error);
        if (r >= 0 && !sd_bus_error_is_set(&t->error)) {
                settle(t, t->new);
                forget_failure(t);
                return code;
        }
        if (!sd_bus_error_is_set(&t->error))
                (void) sd_bus_error_setf(&t->error, ENACT_ERROR_FAILED,
                                         "The new system cannot be judged: %s", strerror(-r));
        if (manager_is_stopping(t->manager)) {
                drop_in_say("The host is shutting down, so nothing is rolled back.");
                return code;
        }
        return roll_back(guard);
}

DropInGuard *drop_in_guard_free(DropInGuard *guard) {
        if (!guard)
                return NULL;

        guard->t.new = NULL;
        guard->t.manager = NULL;
        guard->t.way.state = (RecordedState){ 0 };
        guard->t.way.plan = NULL;
        transaction_done(&guard->t);
        request_done(&guard->request);
        free(guard);
        return NULL;
}
