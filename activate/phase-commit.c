/* Commit, and the two ways back: what was staged is taken back, or the system that ran before runs
 * again. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "text.h"
#include "transaction-phases.h"
#include "upkeep.h"

#define FAILED_ROOTS_MAX 5U

static int install_boot_loader(Transaction *t, const Toplevel *toplevel,
                               sd_bus_error *reterr_error) {
        const Scripts scripts = transaction_scripts(t, toplevel);
        int r;

        r = scripts_run_variable(&scripts, "boot loader installer", "INSTALL_BOOTLOADER", NULL,
                                 reterr_error);
        if (r >= 0 && upkeep_menu_is_written(t->places->roots) < 0)
                transaction_note(t, "what the boot menu no longer lists could not be given up");
        return r;
}

/* A generation that was staged may be gone by now: a garbage collection removes all but the current
 * one. */
static int obtain_and_set(Transaction *t, const char *target, uint64_t *generation) {
        bool made;
        int r;

        r = profile_obtain(t->profile, target, *generation, /* any= */ true, generation, &made);
        if (r < 0)
                return r;
        t->generation_made = t->generation_made || made;
        return profile_set(t->profile, *generation);
}

static int set_profile(Transaction *t, const char *target, uint64_t *generation,
                       sd_bus_error *reterr_error) {
        int r;

        r = profile_lock(t->profile);
        if (r == 0)
                r = obtain_and_set(t, target, generation);
        else if (r == PROFILE_LOCKED)
                r = -EBUSY;
        profile_unlock(t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot set the profile '%s/%s' to '%s': %s",
                                         t->places->profiles, t->request->profile, target,
                                         strerror(-r));
        return 0;
}

static void put_profile_back(Transaction *t) {
        uint64_t generation = 0;

        if (t->old_profile && set_profile(t, t->old_profile, &generation, NULL) < 0)
                transaction_note(t, "the profile could not be put back");
}

/* That of the profile; the system that runs may have been tested only. */
static void put_boot_loader_back(Transaction *t) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = NULL;
        const Toplevel *old = t->old;

        if (t->old_profile && toplevel_open(t->old_profile, &toplevel, NULL) >= 0)
                old = toplevel;
        if (old && install_boot_loader(t, old, NULL) < 0)
                transaction_note(t, "the boot loader installer of the old system failed, too");
}

int commit_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!t->commits)
                return 0;

        r = install_boot_loader(t, t->new, reterr_error);
        if (r >= 0)
                r = set_profile(t, t->new->path, &t->generation, reterr_error);
        if (r >= 0)
                return 0;

        transaction_note(t, "making the old system the boot default again");
        put_profile_back(t);
        put_boot_loader_back(t);
        return r;
}

static void remove_generation(Transaction *t) {
        if (!t->generation_made)
                return;
        if (profile_lock(t->profile) == 0 && profile_remove(t->profile, t->generation) < 0)
                transaction_note(t, "the new generation's link could not be removed");
        profile_unlock(t->profile);
}

/* Nothing live was touched: take back what was staged. */
int unstage_enter(Transaction *t, sd_bus_error *reterr_error) {
        remove_generation(t);
        if (t->nixos_lock_fd >= 0) /* without both locks the root is another one's */
                transaction_drop_root(t, "candidate");
        return 0;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* The failed system is kept for those who want to know why; each holds a whole closure, so only a
 * few are. */
static void keep_failed(Transaction *t) {
        _cleanup_free_ char *name = NULL, *directory = NULL;

        if (text_printf(&name, "failed/%s", base_name(t->new->path)) < 0 ||
            text_printf(&directory, "%s/failed", t->places->roots) < 0)
                return;
        (void) transaction_set_root(t, name, t->new->path);
        (void) file_keep_newest(directory, FAILED_ROOTS_MAX);
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

/* Back to the recorded path: the same planning and activation as forwards, and judged as well. */
int rollback_enter(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        keep_failed(t);
        if (t->request->no_rollback) {
                if (commit_enter(t, NULL) < 0)
                        transaction_note(t, "it could not be made the boot default, either");
                transaction_drop_root(t, "candidate");
                conclude(t, ENACT_ERROR_UNITS_FAILED,
                         "'%s' is active all the same (--no-rollback).", t->new->path);
                return 0;
        }

        r = t->touched ? transaction_go_back(t, &error) : 0;
        remove_generation(t);
        transaction_drop_root(t, "candidate");
        if (r < 0)
                conclude(t, ENACT_ERROR_ROLLBACK_FAILED,
                         "Going back to '%s' failed, too: %s. 'enact status' says what holds.",
                         t->old->path, error.message ? error.message : strerror(-r));
        else if (t->touched)
                conclude(t, ENACT_ERROR_ROLLED_BACK, "Rolled back: '%s' runs again.", t->old->path);
        else
                conclude(t, ENACT_ERROR_FAILED, "The running system was not touched.");
        return 0;
}
