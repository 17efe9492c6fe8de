/*
 * Staging: all that can be refused is refused here, and all that a later phase needs is made
 * durable. Nothing live is touched.
 */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "locks.h"
#include "text.h"
#include "transaction-phases.h"

/* What runs now; its own record of how to be activated is needed to come back to it. */
static int find_old(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = toplevel_open(t->places->running, &t->old, &error);
        if (r >= 0 || t->request->no_rollback || t->request->verb == REQUEST_BOOT)
                return 0;
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_REFUSED,
                "There would be no way back: %s Use --no-rollback to switch all the same.",
                error.message ? error.message : strerror(-r));
}

bool transaction_runs_already(const Transaction *t) {
        return t->old && strcmp(t->old->path, t->new->path) == 0;
}

static bool any_managed_unit_failed(const Inventory *inventory) {
        for (size_t i = 0; i < inventory->n; i++)
                if (strcmp(inventory->units[i].active, "failed") == 0 &&
                    inventory->units[i].fragment &&
                    text_after_prefix(inventory->units[i].fragment, "/etc/systemd/system/"))
                        return true;
        return false;
}

/* A different init interface means that the running PID 1 cannot serve the new system. */
static int check_init_interface(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_free_ char *old = NULL, *new = NULL;

        if (!t->old || toplevel_read_line(t->new, "init-interface-version", &new) < 0)
                return 0;
        if (toplevel_read_line(t->old, "init-interface-version", &old) >= 0 &&
            strcmp(old, new) == 0)
                return 0;

        if (!t->commits)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "'%s' has another init interface ('%s' instead of '%s') and can "
                        "only be booted. Nothing was changed.",
                        t->new->path, new, old ? old : "none");
        t->activates = false;
        t->reboots = true;
        return 0;
}

static int find_what_is_missing(Transaction *t) {
        const RequestVerb verb = t->request->verb;
        int r;

        r = profile_current(t->profile, &t->old_profile);
        if (r < 0 && r != -ENOENT)
                return r;

        t->activates = verb != REQUEST_BOOT;
        t->commits = verb != REQUEST_TEST;
        if (t->request->force || t->found_record)
                return 0;

        if (transaction_runs_already(t) && !any_managed_unit_failed(&t->way.state.inventory))
                t->activates = false;
        if (t->old_profile && strcmp(t->old_profile, t->new->path) == 0 &&
            (verb == REQUEST_BOOT ? true : !t->activates))
                t->commits = false;
        t->nothing_to_do = !t->activates && !t->commits;
        return 0;
}

static int make_generation(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = profile_lock(t->profile);
        if (r == PROFILE_LOCKED)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                         "Another program is changing the profile '%s/%s'. "
                                         "Nothing was changed.",
                                         t->places->profiles, t->request->profile);
        if (r >= 0)
                r = profile_obtain(t->profile, t->new->path, t->request->generation,
                                   /* any= */ t->request->verb == REQUEST_ROLLBACK, &t->generation,
                                   &t->generation_made);
        profile_unlock(t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot make a generation of the profile '%s/%s': %s. "
                                         "Nothing was changed.",
                                         t->places->profiles, t->request->profile, strerror(-r));
        return 0;
}

/* From here on the garbage collector leaves it alone, and a power cut leaves all of its files. */
static int keep_candidate(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = transaction_set_root(t, "candidate", t->new->path);
        if (r >= 0 && t->old) /* the way back: no other root may name it once the new one runs */
                r = transaction_set_root(t, "good", t->old->path);
        if (r >= 0)
                r = file_sync_filesystem(STORE_DIRECTORY);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot keep '%s' from being lost: %s. Nothing was changed.", t->new->path,
                        strerror(-r));
        return 0;
}

static int say_interrupted(sd_bus_error *reterr_error) {
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                 "Interrupted before activation. Nothing was changed.");
}

static int run_pre_switch_checks(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Scripts scripts = transaction_scripts(t, t->new);
        int r;

        scripts.interrupted = t->interrupted;
        r = scripts_run_variable(&scripts, "pre-switch check", "PRE_SWITCH_CHECK",
                                 t->activates ? scripts.action : "boot", &error);
        if (r >= 0)
                return 0;
        if (sd_bus_error_has_name(&error, ENACT_ERROR_INTERRUPTED))
                return say_interrupted(reterr_error);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED, "%s. Nothing was changed.",
                                 error.message ? error.message : strerror(-r));
}

static int stage_open(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = locks_take(t->places, &t->lock_fd, &t->nixos_lock_fd, reterr_error);
        if (r < 0)
                return r;
        r = toplevel_open(t->request->toplevel, &t->new, reterr_error);
        if (r < 0)
                return r;
        r = find_old(t, reterr_error);
        if (r < 0)
                return r;
        r = manager_open(&t->manager, reterr_error);
        if (r < 0)
                return r;
        r = transaction_look(t, t->old, t->new, &t->way, reterr_error);
        if (r < 0)
                return r;
        r = profile_open(t->places->profiles, t->request->profile, /* make= */ true, &t->profile);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot open the profiles in '%s': %s. Nothing was changed.",
                        t->places->profiles, strerror(-r));
        return 0;
}

static void tell_beginning(Transaction *t) {
        cJSON *event = event_new("begin");

        event_add_text(event, "id", t->id);
        event_add_text(event, "verb", request_verb_to_string(t->request->verb));
        event_add_text(event, "from", t->old ? t->old->path : "");
        event_add_text(event, "to", t->new->path);
        event_add_text(event, "text", t->new->path);
        event_add_message_id(event, MESSAGE_SWITCH_BEGINS);
        event_emit(t->log, event);
}

/* Whoever asked may have looked at a plan before; another one is not what they agreed to. */
static int agree_on_plan(Transaction *t, sd_bus_error *reterr_error) {
        const char *wanted = t->request->plan_digest;
        int r;

        r = transaction_plan(t, t->new, &t->way, reterr_error);
        if (r < 0 || !wanted || !*wanted || strcmp(wanted, t->way.plan->digest) == 0)
                return r;
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_REFUSED,
                "The plan is '%s' now and not '%s': what runs, what is wanted or what "
                "would be done has changed. Nothing was changed.",
                t->way.plan->digest, wanted);
}

/* All that can be refused is refused here; nothing live is touched. */
int stage_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = stage_open(t, reterr_error);
        if (r < 0)
                return r;
        tell_beginning(t);

        t->found_record = transaction_find_record(t);
        r = find_what_is_missing(t);
        if (r < 0)
                return r;
        if (t->nothing_to_do) {
                t->staged = true;
                return 0;
        }
        r = check_init_interface(t, reterr_error);
        if (r < 0)
                return r;
        r = keep_candidate(t, reterr_error);
        if (r < 0)
                return r;
        if (!t->request->no_check) {
                r = run_pre_switch_checks(t, reterr_error);
                if (r < 0)
                        return r;
        }
        if (t->activates) {
                r = agree_on_plan(t, reterr_error);
                if (r < 0)
                        return r;
        }
        if (t->commits) {
                r = make_generation(t, reterr_error);
                if (r < 0)
                        return r;
        }
        if (t->interrupted())
                return say_interrupted(reterr_error);
        t->staged = true;
        return 0;
}
