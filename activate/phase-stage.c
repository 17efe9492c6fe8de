/*
 * Staging: all that can be refused is refused here, and all that a later phase needs is made
 * durable. Nothing live is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <systemd/sd-id128.h>

#include "clock.h"
#include "config.h"
#include "engine.h"
#include "error.h"
#include "file.h"
#include "identity.h"
#include "lease.h"
#include "live-state.h"
#include "noted-default.h"
#include "room.h"
#include "specialisation.h"
#include "state-mount.h"
#include "text.h"
#include "transaction-phases.h"

#define SYNC_LIMIT_USEC      (60 * 60 * USEC_PER_SEC)
#define COLLECTOR_LIMIT_USEC (15 * 60 * USEC_PER_SEC)
#define COLLECTOR_PAUSE_MSEC 200
#define LOOK_FRESH_USEC      (2 * USEC_PER_SEC)

/* What runs now; its own record of how to be activated is needed to come back to it. */
static int find_old(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = toplevel_open(t->places->running, &t->old, &error);
        if (r >= 0 || t->no_rollback || t->request->verb == REQUEST_BOOT)
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

static int find_highest_generation(Transaction *t) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        int r;

        r = profile_list(t->profile, &list);
        if (r >= 0 && list.n > 0)
                t->record.highest = list.items[list.n - 1].number;
        return r;
}

static int find_default(Transaction *t) {
        int r;

        r = noted_default_read(t->places, &t->record.old_default);
        if (r == -ENOENT) {
                t->record.old_default = strdup("");
                return t->record.old_default ? 0 : -ENOMEM;
        }
        t->default_is_guessed = r == NOTED_DEFAULT_GUESSED;
        return r < 0 ? r : 0;
}

/* What there is to come back to. */
static int find_profile(Transaction *t) {
        int r;

        r = profile_link(t->profile, &t->record.old_link);
        if (r >= 0)
                r = profile_current(t->profile, &t->record.old_profile);
        if (r < 0 && r != -ENOENT)
                return r;
        if (!t->record.old_link)
                t->record.old_link = strdup("");
        if (!t->record.old_profile)
                t->record.old_profile = strdup("");
        if (!t->record.old_link || !t->record.old_profile)
                return -ENOMEM;
        r = find_default(t);
        return r < 0 ? r : find_highest_generation(t);
}

static bool any_leftovers(const RecordedState *state) {
        return state->leftovers.start.n > 0 || state->leftovers.restart.n > 0 ||
               state->leftovers.reload.n > 0;
}

/* Whether the profile and the boot menu lead to the new system, and that is known. */
static bool is_default(const Transaction *t) {
        return !t->default_is_guessed && strcmp(t->record.old_profile, transaction_kept(t)) == 0 &&
               strcmp(t->record.old_default, transaction_kept(t)) == 0;
}

/* Known to be the default, it need not be whole any more. */
static int check_menu(Transaction *t, bool *ret_damaged) {
        _cleanup_(toplevel_freep) Toplevel *kept = NULL;
        _cleanup_(menu_check_done) MenuCheck check = { 0 };
        InstalledMenuSource menu;
        int r;

        *ret_damaged = false;
        r = toplevel_open(transaction_kept(t), &kept, NULL);
        if (r >= 0) {
                menu = transaction_menu(t, kept);
                r = installed_menu_begin(&menu, &check);
        }
        *ret_damaged = r >= 0 && menu_check_finds_damage(&check);
        if (*ret_damaged)
                transaction_note(t, "it is the boot default, but its boot entry is damaged");
        return r == -ENOMEM ? r : 0;
}

static int find_what_is_missing(Transaction *t) {
        const RequestVerb verb = t->request->verb;
        int r;

        r = find_profile(t);
        if (r < 0)
                return r;

        t->activates = verb != REQUEST_BOOT;
        t->commits = verb != REQUEST_TEST;
        if (t->request->force || t->all_units || record_was_damaged(t->places->state))
                return 0;

        if (transaction_runs_already(t) && !any_managed_unit_failed(&t->way.state.inventory) &&
            !any_leftovers(&t->way.state))
                t->activates = false;
        if (!t->activates && t->commits && is_default(t)) {
                r = check_menu(t, &t->commits);
                if (r < 0)
                        return r;
        }
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
                r = profile_obtain(t->profile, transaction_kept(t), t->request->generation,
                                   /* any= */ t->request->verb == REQUEST_ROLLBACK, &t->generation,
                                   NULL);
        profile_unlock(t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot make a generation of the profile '%s/%s': %s. "
                                         "Nothing was changed.",
                                         t->places->profiles, t->request->profile, strerror(-r));
        return 0;
}

static int say_interrupted(sd_bus_error *reterr_error) {
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                 "Interrupted before activation. Nothing was changed.");
}

/*
 * A collector that works has looked for roots already, and may not know of ours: it is waited for.
 * One that begins later finds it. What it has taken by then is gone, and that is told.
 */
static int wait_for_collector(Transaction *t, sd_bus_error *reterr_error) {
        uint64_t deadline = clock_monotonic_usec() + COLLECTOR_LIMIT_USEC;
        _cleanup_close_ int fd = -EBADF;
        bool told = false;

        fd = open(t->places->collector, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        while (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
                if (t->interrupted())
                        return say_interrupted(reterr_error);
                if (clock_monotonic_usec() >= deadline)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                                 "A garbage collection has been under way for long "
                                                 "and could take '%s'. Nothing was changed.",
                                                 t->new->path);
                if (!told)
                        transaction_note(t, "waiting for a garbage collection to end");
                event_log_expect(t->log, 2 * COLLECTOR_LIMIT_USEC);
                told = true;
                (void) poll(NULL, 0, COLLECTOR_PAUSE_MSEC);
        }
        if (access(t->new->path, F_OK) >= 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "'%s' was taken by a garbage collection. Nothing was changed.",
                                 t->new->path);
}

/* From here on the garbage collector leaves it alone, and a power cut leaves all of its files. */
static int keep_candidate(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = transaction_set_root(t, "candidate", transaction_kept(t));
        if (r >= 0 && t->old) /* no other root may name it once the new one runs */
                r = transaction_set_root(t, "back", t->old->path);
        /* By the link that each boot makes: Nix follows it, and it is never behind. */
        if (r >= 0 && access(t->places->booted, F_OK) >= 0)
                r = transaction_set_root(t, "booted", t->places->booted);
        if (r >= 0 && text_after_prefix(t->record.engine, STORE_DIRECTORY "/"))
                r = transaction_set_root(t, "engine", t->record.engine);
        if (r >= 0) {
                r = wait_for_collector(t, reterr_error);
                if (r < 0)
                        return r;
                event_log_expect(t->log, SYNC_LIMIT_USEC);
                r = file_sync_filesystem(STORE_DIRECTORY);
        }
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot keep '%s' from being lost: %s. Nothing was changed.", t->new->path,
                        strerror(-r));
        return 0;
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

/* What the profile and the boot menu get must be the system that has this specialisation. */
static int check_kept(const Transaction *t, sd_bus_error *reterr_error) {
        const char *system = transaction_kept(t);
        _cleanup_(toplevel_freep) Toplevel *kept = NULL;
        _cleanup_free_ char *name = NULL;
        int r;

        if (strcmp(system, t->new->path) == 0)
                return 0;
        r = toplevel_open(system, &kept, reterr_error);
        if (r < 0)
                return r;
        r = strcmp(kept->path, system) == 0 ? specialisation_name(system, t->new->path, &name) :
                                              -ENOENT;
        if (r < 0 && r != -ENOMEM)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "'%s' is no specialisation of '%s'. Nothing was changed.",
                                         t->new->path, system);
        return r;
}

static int stage_open(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = toplevel_open(t->request->toplevel, &t->new, reterr_error);
        if (r >= 0)
                r = check_kept(t, reterr_error);
        if (r < 0)
                return r;
        r = transaction_read_settings(t, reterr_error);
        if (r < 0)
                return r;
        r = find_old(t, reterr_error);
        if (r < 0)
                return r;
        transaction_find_new_probes(t);
        r = manager_open(&t->manager, reterr_error);
        if (r < 0)
                return r;
        t->looked_usec = clock_monotonic_usec();
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

/* Checks, a collector and a slow disk take their time; what is planned is the way from now. */
static int look_again(Transaction *t, sd_bus_error *reterr_error) {
        int r = 0;

        if (clock_monotonic_usec() - t->looked_usec > LOOK_FRESH_USEC) {
                way_done(&t->way);
                r = transaction_look(t, t->old, t->new, &t->way, reterr_error);
        }
        return r < 0 ? r : t->all_units ? way_restore_stopped(&t->way, &t->record.stopped) : 0;
}

/* Whoever asked may have looked at a plan before; another one is not what they agreed to. */
static int agree_on_plan(Transaction *t, sd_bus_error *reterr_error) {
        const char *wanted = t->request->plan_digest;
        int r;

        r = look_again(t, reterr_error);
        if (r >= 0)
                r = transaction_plan(t, t->new, &t->way, reterr_error);
        if (r < 0 || !wanted || !*wanted || strcmp(wanted, t->way.plan->digest) == 0)
                return r;
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_REFUSED,
                "The plan is '%s' now and not '%s': what runs, what is wanted or what "
                "would be done has changed. Nothing was changed.",
                t->way.plan->digest, wanted);
}

/* Whoever looks for the record goes by path, and must find it to the end. */
static int check_record_stays(const Transaction *t, sd_bus_error *reterr_error) {
        const StateMountSource source = {
                .from = t->old ? t->old->path : NULL,
                .to = t->new->path,
                .inventory = &t->way.state.inventory,
                .plan = t->way.plan,
        };
        _cleanup_free_ char *refusal = NULL;
        int r;

        r = state_mount_refusal(&source, t->places->state, &refusal);
        if (r == STATE_MOUNT_NONE)
                return 0;
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot tell what '%s' mounts above '%s': %s. Nothing was changed.",
                        t->new->path, t->places->state, strerror(-r));
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED, "%s Nothing was changed.",
                                 refusal);
}

static int check_bus(const Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (live_check_bus(t->manager, t->way.plan, &error) >= 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED, "%s Nothing was changed.",
                                 error.message);
}

/* What this host goes back to has been its own before. */
static int check_identity(const Transaction *t, sd_bus_error *reterr_error) {
        if (t->request->force_host || t->request->verb == REQUEST_ROLLBACK)
                return 0;
        return identity_check(t->old, t->new, reterr_error);
}

/* Where links, roots and records are made, and where the installer puts kernels. */
static int check_room(const Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = room_check(t->places->roots, reterr_error);
        if (r >= 0)
                r = room_check(t->places->state, reterr_error);
        if (r >= 0 && t->commits)
                r = room_check(t->places->profiles, reterr_error);
        if (r >= 0 && t->commits && !t->request->no_check && !t->settings.boot_menu)
                r = room_check_boot(t->new, t->places->profiles, reterr_error);
        return r;
}

/* Somebody must look at why a system has failed before it is tried again. */
static int check_failed_before(const Transaction *t, sd_bus_error *reterr_error) {
        const char *name = strrchr(t->new->path, '/');
        _cleanup_free_ char *path = NULL;

        if (!t->request->unattended)
                return 0;
        if (text_printf(&path, "%s/failed%s", t->places->roots, name) < 0)
                return -ENOMEM;
        if (access(path, F_OK) < 0)
                return 0;
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_REFUSED,
                "'%s' has failed before and is not tried again unattended. Nothing was changed.",
                t->new->path);
}

static int fill_record(Transaction *t) {
        Record *record = &t->record;
        char text[SD_ID128_STRING_MAX] = "";
        sd_id128_t boot_id;

        if (sd_id128_get_boot(&boot_id) >= 0)
                (void) sd_id128_to_string(boot_id, text);
        record->lease_sec = LEASE_SEC;
        record->id = strdup(t->id);
        record->boot_id = strdup(text);
        record->engine = strdup(ENACT_ENGINE);
        record->from = strdup(t->old ? t->old->path : "");
        record->to = strdup(t->new->path);
        if (!record->id || !record->boot_id || !record->engine || !record->from || !record->to ||
            record_fill(record) < 0)
                return -ENOMEM;
        return request_copy(t->request, &record->request);
}

/* Where enact writes the menu it has the room for it, or not, before anything live is touched. A
 * first one takes the place of another writer's, and that is for the commit. */
static int stage_menu(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!t->settings.boot_menu)
                return 0;
        if (!transaction_can_stage_menu(t))
                return transaction_check_room_in_menu(t, reterr_error);
        t->record.staged_entry = true;
        r = transaction_begin_record(t, reterr_error);
        return r < 0 ? r : transaction_stage_menu(t, reterr_error);
}

static int open_record(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = engine_arm(t->manager, t->id, reterr_error);
        if (r >= 0)
                r = transaction_note_ground(t, reterr_error);
        if (r < 0)
                return r;
        r = t->all_units ? record_keep_previous(t->places->state) : 0;
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot keep the record of an interrupted switch in '%s': %s. "
                        "Nothing was changed.",
                        t->places->state, strerror(-r));
        return transaction_begin_record(t, reterr_error);
}

/* From here on somebody watches, and everybody can see what was begun. What could not be begun has
 * no ground: whoever comes next must not take away what is mounted there meanwhile. */
static int begin(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!state_directory_is_durable(t->places->state))
                transaction_note(t, "neither '" STATE_DIRECTORY "' nor '" STATE_DIRECTORY_VOLATILE
                                    "' outlives the power: a switch that it interrupts is not "
                                    "brought to an end at boot");
        r = fill_record(t);
        if (r < 0)
                return r;
        r = open_record(t, reterr_error);
        if (r < 0)
                transaction_forget_ground(t);
        return r;
}

/* All that can be refused is refused here; nothing live is touched. */
int stage_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = stage_open(t, reterr_error);
        if (r < 0)
                return r;
        tell_beginning(t);
        for (size_t i = 0; i < t->settings.notes.n; i++)
                transaction_note(t, t->settings.notes.items[i]);

        r = find_what_is_missing(t);
        if (r < 0)
                return r;
        if (t->nothing_to_do) {
                t->staged = true;
                return 0;
        }
        r = check_failed_before(t, reterr_error);
        if (r >= 0)
                r = check_identity(t, reterr_error);
        if (r >= 0)
                r = check_init_interface(t, reterr_error);
        if (r >= 0)
                r = trial_choose(t, reterr_error);
        if (r >= 0)
                r = check_room(t, reterr_error);
        if (r >= 0)
                r = begin(t, reterr_error);
        if (r >= 0)
                r = keep_candidate(t, reterr_error);
        if (r >= 0 && !t->request->no_check)
                r = run_pre_switch_checks(t, reterr_error);
        if (r >= 0 && t->activates)
                r = agree_on_plan(t, reterr_error);
        if (r >= 0 && t->activates)
                r = check_record_stays(t, reterr_error);
        if (r >= 0 && t->activates)
                r = check_bus(t, reterr_error);
        if (r >= 0 && t->activates)
                r = judge_take_before(t, reterr_error);
        if (r >= 0 && t->trial != MENU_TRIAL_NONE)
                r = judge_take_failing(t, reterr_error);
        if (r >= 0 && t->commits)
                r = make_generation(t, reterr_error);
        if (r >= 0 && t->commits)
                r = stage_menu(t, reterr_error);
        if (r < 0)
                return r;
        if (t->interrupted())
                return say_interrupted(reterr_error);
        t->staged = true;
        return 0;
}
