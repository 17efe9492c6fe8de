/*
 * Activation: what is live is touched here and nowhere else. The order is NixOS' own, since
 * activation scripts and units depend on it; what is different is that a failing script or unit is
 * an error here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "activation.h"
#include "automount-hold.h"
#include "clock.h"
#include "error.h"
#include "live-state.h"
#include "plan-load.h"
#include "text.h"
#include "unit-lists.h"
#include "unit-report.h"
#include "user-session.h"
#include "users.h"

#define SYSINIT_REACTIVATION "sysinit-reactivation.target"
#define SWAPOFF_LIMIT_USEC   (60 * 60 * USEC_PER_SEC)
#define USER_JOB_LIMIT_USEC  (10 * 60 * USEC_PER_SEC) /* a user says how long units may take */
#define USER_JOBS_MAX        6                        /* phases of which each may last so long */
#define USER_WORDS_MAX       30U /* units whose journal is read, a second each at most */
#define USER_SILENCE_USEC    (10 * 60 * USEC_PER_SEC) /* of who waits for a job, it is seconds */

/* An otherwise empty target of NixOS, for what must run again early in each switch. */
static int run_sysinit_reactivation(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 };
        _cleanup_close_ int units_fd = -EBADF;
        int r;

        r = toplevel_open_units(a->scripts.of, &units_fd);
        if (r < 0 || faccessat(units_fd, SYSINIT_REACTIVATION, F_OK, 0) < 0)
                return 0;
        r = string_list_add(&units, SYSINIT_REACTIVATION);
        if (r < 0)
                return r;
        event_say(a->steps.log, "sysinit", NULL, NULL);
        return steps_run_quietly(&a->steps, "restart", &units, reterr_error);
}

/* Before the manager reads it, and so before a target asks for them. */
static int hold_automounts(Activation *a, sd_bus_error *reterr_error) {
        const StringList *hold = &a->steps.plan->hold;

        for (size_t i = 0; i < hold->n; i++) {
                int r = automount_hold(AUTOMOUNT_HOLD_DIRECTORY, hold->items[i]);

                if (r >= 0)
                        continue;
                if (a->goes_back) {
                        event_say(a->steps.log, "note", "text",
                                  "an automount point over what is mounted cannot be held back");
                        continue;
                }
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot hold back '%s', whose place is mounted, in '%s': "
                                         "%s",
                                         hold->items[i], AUTOMOUNT_HOLD_DIRECTORY, strerror(-r));
        }
        return 0;
}

static int renew_manager(Activation *a, sd_bus_error *reterr_error) {
        int r;

        if (a->steps.plan->reexec) {
                event_say(a->steps.log, "reexecute", "text", "restarting systemd");
                r = manager_reexecute(a->steps.manager, reterr_error);
                if (r < 0)
                        return r;
        }
        r = manager_reset_failed(a->steps.manager, reterr_error);
        if (r < 0)
                return r;
        return manager_reload(a->steps.manager, reterr_error);
}

static PlanSource source_of(const Activation *a, const Inventory *inventory) {
        return (PlanSource){
                .from = a->from,
                .to = a->scripts.of->path,
                .inventory = inventory,
                .live = true,
        };
}

/* By their device and at once, not as units: those have too many other names. */
static void stop_swapping(Activation *a) {
        for (size_t i = 0; i < a->steps.plan->swapoff.n; i++) {
                const char *device = a->steps.plan->swapoff.items[i];
                cJSON *event;

                event_say(a->steps.log, "swapoff", "text", device);
                event_log_expect(a->steps.log, SWAPOFF_LIMIT_USEC);
                if (swapoff(device) >= 0)
                        continue;
                event = event_new("swapoff-failed");
                event_add_text(event, "text", device);
                event_add_text(event, "error", strerror(errno));
                event_emit(a->steps.log, event);
        }
}

static void tell_notes(Activation *a, const StringList *notes, size_t from) {
        for (size_t i = from; i < notes->n; i++)
                event_say(a->steps.log, "note", "text", notes->items[i]);
}

/* What an interrupted run leaves to do. Before anything is stopped that must be possible; later, or
 * on the way back, the rest is better done than remembered. */
static int remember_plan(Activation *a, bool begun) {
        int r = unit_lists_write_plan(a->lists_directory, a->steps.plan);

        if (r >= 0 || (!a->goes_back && !begun))
                return r;
        event_say(a->steps.log, "note", "text",
                  a->goes_back ?
                          "the lists of units cannot be written; the old system is brought back "
                          "without" :
                          "the lists of units cannot be written; the switch goes on without");
        return 0;
}

/* What only the script knows is lost with a list that cannot be read: it has not done all that it
 * had to. */
static void condemn_unreadable(Activation *a, const StringList *notes) {
        for (size_t i = 0; i < notes->n; i++) {
                if (a->goes_back || sd_bus_error_is_set(&a->script_error))
                        continue;
                event_say(a->steps.log, "script-failed", "text", notes->items[i]);
                (void) sd_bus_error_setf(&a->script_error, ENACT_ERROR_FAILED,
                                         "What the activation script wants is lost: %s",
                                         notes->items[i]);
        }
}

/* Lists that the activation script has left: what only it can know. */
static int take_activation_lists(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList restart = { 0 }, reload = { 0 }, notes = { 0 };
        size_t n_notes = a->steps.plan->notes.n;
        int r;

        r = unit_lists_read(a->lists_directory, LIST_ACTIVATION_RESTART, &restart, &notes);
        if (r >= 0)
                r = unit_lists_read(a->lists_directory, LIST_ACTIVATION_RELOAD, &reload, &notes);
        if (r >= 0 && (restart.n > 0 || reload.n > 0)) {
                event_say(a->steps.log, "activation-lists", NULL, NULL);
                r = live_add_lists(a->steps.manager, a->from, a->scripts.of->path, a->state,
                                   &restart, &reload, a->steps.plan);
        }
        unit_lists_remove(a->lists_directory, LIST_ACTIVATION_RESTART);
        unit_lists_remove(a->lists_directory, LIST_ACTIVATION_RELOAD);
        if (r < 0) {
                event_say(
                        a->steps.log, "note", "text",
                        "what the activation script lists cannot be planned, and counts as failed");
                r = string_list_copy(&a->steps.failed, &restart);
                if (r >= 0)
                        r = string_list_copy(&a->steps.failed, &reload);
                if (r < 0)
                        return r;
        }
        tell_notes(a, &notes, 0);
        condemn_unreadable(a, &notes);
        tell_notes(a, &a->steps.plan->notes, n_notes);
        return remember_plan(a, /* begun= */ true);
}

/* What was to be reloaded may have gone down with something that it requires. */
static int replace_inactive_reloads(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(inventory_done) Inventory now = { 0 };
        const PlanSource source = source_of(a, &now);
        int r;

        if (a->steps.plan->lists[PLAN_RELOAD].n == 0)
                return 0;
        r = manager_check(a->steps.manager, reterr_error);
        if (r >= 0)
                r = manager_units(a->steps.manager, &now, reterr_error);
        return r < 0 ? r : plan_load_inactive_reloads(&source, a->steps.plan);
}

/* Only what is known to come from there; texts of a foreign process are shown, never obeyed. */
static void on_user_event(const User *user, const cJSON *event, void *userdata) {
        static const char *const known[] = {
                "job",     "job-done",    "jobs",         "jobs-after", "note", "plan",
                "refused", "unit-failed", "units-failed", "skip",       "wait",
        };
        const char *name = json_string(event, "event");
        Activation *a = userdata;
        cJSON *copy;

        if (strcmp(name, "units-failed") == 0 &&
            !string_list_contains(&a->failed_users, user->name))
                (void) string_list_add(&a->failed_users, user->name);
        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                if (strcmp(known[i], name) != 0)
                        continue;
                copy = cJSON_Duplicate(event, /* recurse= */ true);
                event_add_text(copy, "user", user->name);
                if (copy && strcmp(name, "unit-failed") == 0 && a->n_user_words++ < USER_WORDS_MAX)
                        unit_report_add_words(copy, user->uid);
                event_emit(a->steps.log, copy);
                event_log_expect(a->steps.log, 2 * USER_SILENCE_USEC);
        }
}

static void tell_user_failed(Activation *a, const char *user, const char *why) {
        cJSON *event = event_new("user-failed");

        event_add_text(event, "user", user);
        event_add_text(event, "text", why);
        event_emit(a->steps.log, event);
}

/* Who has logged out meanwhile has nothing any more that could have failed. */
static bool is_gone(const User *user) {
        return access(user->runtime_directory, F_OK) < 0 && errno == ENOENT;
}

static void on_user_failure(const User *user, const char *why, void *userdata) {
        Activation *a = userdata;

        tell_user_failed(a, user->name, why);
        if (!is_gone(user) && !string_list_contains(&a->failed_users, user->name))
                (void) string_list_add(&a->failed_users, user->name);
}

/* In the user's process. */
static int work_for_user(const User *user, EventLog *log, void *userdata) {
        const Activation *a = userdata;
        const UserSwitch request = {
                .from = a->from,
                .to = a->scripts.of->path,
                .job_limit_usec = a->steps.job_limit_usec,
                .job_limit_max_usec = USER_JOB_LIMIT_USEC,
                .interrupted = a->steps.interrupted,
        };

        return user_session_activate(user, &request, log);
}

/* Whoever was there before may have logged out meanwhile, which is nobody's failure, or their
 * manager was taken down by the switch itself. */
static void tell_vanished(Activation *a, const UserList *users) {
        for (size_t i = 0; i < a->state->n_users; i++) {
                const RecordedUser *before = &a->state->users[i];
                bool found = false;

                for (size_t j = 0; j < users->n; j++)
                        found = found || users->items[j].uid == before->uid;
                if (!found)
                        tell_user_failed(a, before->name,
                                         "its service manager has ended during the switch");
        }
}

static bool could_be_asked(const RecordedState *state, uid_t uid) {
        for (size_t i = 0; i < state->n_users; i++)
                if (state->users[i].uid == uid)
                        return true;
        return false;
}

static bool was_there(const RecordedState *state, uid_t uid) {
        _cleanup_free_ char *unit = NULL;

        return text_printf(&unit, "user@%u.service", (unsigned) uid) >= 0 &&
               inventory_unit_runs(inventory_find(&state->inventory, unit));
}

/* Whoever's manager did not answer before the switch is not waited for again; whoever came since
 * is taken along. */
static void begin_users(Activation *a, UserList *users) {
        size_t n = 0;

        for (size_t i = 0; i < users->n; i++) {
                User *user = &users->items[i];

                if (could_be_asked(a->state, user->uid) || !was_there(a->state, user->uid)) {
                        event_say(a->steps.log, "user", "user", user->name);
                        users->items[n++] = *user;
                        continue;
                }
                on_user_failure(user, "its service manager did not answer before the switch", a);
                user_done(user);
        }
        users->n = n;
}

/* Longer than the jobs of a session, so that it can do the rest when one of them does not end. */
static uint64_t users_limit(const Activation *a) {
        uint64_t job = a->steps.job_limit_usec;

        return USER_JOBS_MAX * (job > USER_JOB_LIMIT_USEC ? job : USER_JOB_LIMIT_USEC);
}

/* All at the same time, when the system's own units run again. */
static int bring_users(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        _cleanup_(inventory_done) Inventory now = { 0 };
        _cleanup_(users_done) UserList users = { 0 };
        const UsersWork work = {
                .users = &users,
                .work = work_for_user,
                .on_event = on_user_event,
                .on_failure = on_user_failure,
                .userdata = a,
                .limit_usec = users_limit(a),
                .silence_usec = USER_SILENCE_USEC,
                .interrupted = a->steps.interrupted,
        };
        int r;

        r = manager_check(a->steps.manager, reterr_error);
        if (r >= 0)
                r = manager_units(a->steps.manager, &now, reterr_error);
        if (r >= 0)
                r = users_find(&now, &users, &notes);
        if (r < 0)
                return r;
        for (size_t i = 0; i < notes.n; i++)
                event_say(a->steps.log, "note", "text", notes.items[i]);
        tell_vanished(a, &users);
        begin_users(a, &users);
        event_log_expect(a->steps.log, 2 * USER_SILENCE_USEC);
        r = users_work(&work);
        return r < 0 ? r : steps_check_interrupt(&a->steps, reterr_error);
}

static bool runs(Activation *a, const char *unit) {
        _cleanup_free_ char *active = NULL;

        return manager_unit_text(a->steps.manager, unit, SYSTEMD_UNIT, "ActiveState", &active) >=
                       0 &&
               (strcmp(active, "active") == 0 || strcmp(active, "activating") == 0);
}

/* A timer or a dependency may have started what was stopped, by its old definition; then starting
 * it again would change nothing. */
static int stop_what_came_back(Activation *a, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 };
        const PlanList *stopped = &a->steps.plan->lists[PLAN_STOP];

        for (size_t i = 0; i < stopped->n; i++) {
                const char *unit = stopped->entries[i].unit;

                if (!plan_find(a->steps.plan, PLAN_START, unit) || !runs(a, unit))
                        continue;
                if (string_list_add(&units, unit) < 0)
                        return -ENOMEM;
        }
        return steps_run_units(&a->steps, "stop", &units, reterr_error);
}

/* A script that hides the record of the very switch that runs it has failed, whatever it says. On
 * the way back, where nothing better is left to be done, that is told. */
static void keep_ground(Activation *a) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (!a->ground || state_ground_keep(a->ground, &error) >= 0)
                return;
        event_say(a->steps.log, a->goes_back ? "note" : "script-failed", "text", error.message);
        if (!a->goes_back && !sd_bus_error_is_set(&a->script_error))
                (void) sd_bus_error_move(&a->script_error, &error);
}

static int after_script(Activation *a, sd_bus_error *reterr_error) {
        int r;

        r = take_activation_lists(a, reterr_error);
        if (r >= 0)
                r = stop_what_came_back(a, reterr_error);
        if (r >= 0)
                r = hold_automounts(a, reterr_error);
        if (r >= 0)
                r = renew_manager(a, reterr_error);
        if (r >= 0)
                r = run_sysinit_reactivation(a, reterr_error);
        if (r >= 0)
                r = replace_inactive_reloads(a, reterr_error);
        if (r >= 0)
                r = steps_bring_up(&a->steps, a->lists_directory, reterr_error);
        return r < 0 ? r : bring_users(a, reterr_error);
}

/**
 * activation_run() - make @to the running system
 *
 * Units whose job fails are in @failed, what an activation script failed with is in @script_error;
 * that alone is no error here, the caller weighs it. The units are brought up all the same, so that
 * what was stopped runs again. After an error the host is between two systems, and the caller must
 * bring it to one of them.
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int activation_run(Activation *a, sd_bus_error *reterr_error) {
        int r;

        stop_swapping(a);
        r = remember_plan(a, /* begun= */ false);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot write the lists of units in '%s': %s",
                                         a->lists_directory, strerror(-r));
        r = steps_run_list(&a->steps, PLAN_STOP, reterr_error);
        if (r >= 0)
                r = steps_run_list(&a->steps, PLAN_SKIP, reterr_error);
        if (r < 0)
                return r;

        event_say(a->steps.log, "script", "text", "activate");
        r = scripts_run_activation(&a->scripts, "activate", &a->script_error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                event_say(a->steps.log, "script-failed", "text", a->script_error.message);
        keep_ground(a);
        event_say(a->scripts.log, "script-done", NULL, NULL);
        r = steps_check_interrupt(&a->steps, reterr_error);
        if (r >= 0) /* the script may have had it execute itself anew */
                r = manager_check(a->steps.manager, reterr_error);
        return r < 0 ? r : after_script(a, reterr_error);
}

void activation_done(Activation *a) {
        steps_done(&a->steps);
        string_list_done(&a->failed_users);
        sd_bus_error_free(&a->script_error);
}
