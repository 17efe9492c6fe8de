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
#include <sys/stat.h>
#include <time.h>

#include "activation.h"
#include "clock.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "history.h"
#include "inventory.h"
#include "judge.h"
#include "manager.h"
#include "plan-load.h"
#include "profile.h"
#include "text.h"
#include "toplevel.h"
#include "transaction.h"

#define LOG_TAIL_LINES    10U
#define JUDGE_WINDOW_USEC (2 * USEC_PER_SEC)

typedef enum Phase {
        PHASE_STAGE,
        PHASE_ACTIVATE,
        PHASE_JUDGE,
        PHASE_COMMIT,
        PHASE_UNSTAGE,
        PHASE_ROLLBACK,
        PHASE_END,
        _PHASE_MAX,
} Phase;

/* A way from one system to another: what was planned, and which jobs failed on it. */
typedef struct Way {
        Plan *plan;
        StringList failed_jobs;
} Way;

typedef struct Transaction {
        const char *id;
        const Request *request;
        const TransactionPlaces *places;
        EventLog *log;
        bool (*interrupted)(void);

        int lock_fd, nixos_lock_fd;
        Toplevel *old, *new; /* @old is NULL if no system runs */
        Profile *profile;
        Manager *manager;
        Inventory before;
        Way way;                             /* forwards */
        uint64_t generation, old_generation; /* 0: none */
        bool generation_made;
        bool activates; /* whether there is anything to do to the running system */
        bool commits;   /* whether the profile and the boot default change */
        bool reboots;   /* only a reboot can take the new system */
        bool nothing_to_do;
        bool staged; /* the first phase was left well */
        uint64_t begun;
        sd_bus_error error;
} Transaction;

static int stage_enter(Transaction *t, sd_bus_error *reterr_error);
static int activate_enter(Transaction *t, sd_bus_error *reterr_error);
static int judge_enter(Transaction *t, sd_bus_error *reterr_error);
static int commit_enter(Transaction *t, sd_bus_error *reterr_error);
static int unstage_enter(Transaction *t, sd_bus_error *reterr_error);
static int rollback_enter(Transaction *t, sd_bus_error *reterr_error);

/* clang-format off */
static const struct {
        const char *name;
        int (*enter)(Transaction *t, sd_bus_error *reterr_error);
        Phase on_success, on_failure;
} phases[_PHASE_MAX] = {
        [PHASE_STAGE]    = { "stage",    stage_enter,    PHASE_ACTIVATE, PHASE_UNSTAGE  },
        [PHASE_ACTIVATE] = { "activate", activate_enter, PHASE_JUDGE,    PHASE_ROLLBACK },
        [PHASE_JUDGE]    = { "judge",    judge_enter,    PHASE_COMMIT,   PHASE_ROLLBACK },
        [PHASE_COMMIT]   = { "commit",   commit_enter,   PHASE_END,      PHASE_ROLLBACK },
        [PHASE_UNSTAGE]  = { "unstage",  unstage_enter,  PHASE_END,      PHASE_END      },
        [PHASE_ROLLBACK] = { "rollback", rollback_enter, PHASE_END,      PHASE_END      },
        [PHASE_END]      = { "end",      NULL,           PHASE_END,      PHASE_END      },
};
/* clang-format on */

static void note(Transaction *t, const char *text) {
        event_say(t->log, "note", "text", text);
}

/* Both locks, ours first. Who is in the way is named. */
static int take_lock(const char *path, int *ret_fd, sd_bus_error *reterr_error) {
        _cleanup_free_ char *command = NULL;
        pid_t pid;
        int r;

        r = file_lock(path, ret_fd);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot lock '%s': %s. Nothing was changed.", path,
                                         strerror(-r));
        if (r != LOCK_HELD)
                return 0;

        if (file_lock_holder(path, &pid, &command) < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                         "Another switch is under way: somebody holds '%s'. "
                                         "Nothing was changed.",
                                         path);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                 "Another switch is under way: process %d ('%s') holds '%s'. "
                                 "Nothing was changed.",
                                 pid, command, path);
}

static int make_directory(const char *parent, const char *name, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s%s%s", parent, *name ? "/" : "", name);
        if (r >= 0)
                r = file_make_directories(path, 0755);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot make the directory '%s': %s. Nothing was changed.",
                                         path ? path : parent, strerror(-r));
        return 0;
}

static int take_locks(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_free_ char *ours = NULL, *nixos = NULL;
        int r;

        r = make_directory(t->places->state, "history", reterr_error);
        if (r >= 0)
                r = make_directory(t->places->roots, "failed", reterr_error);
        if (r >= 0)
                r = make_directory(t->places->nixos, "", reterr_error);
        if (r < 0)
                return r;

        if (text_printf(&ours, "%s/lock", t->places->state) < 0 ||
            text_printf(&nixos, "%s/switch-to-configuration.lock", t->places->nixos) < 0)
                return -ENOMEM;
        r = take_lock(ours, &t->lock_fd, reterr_error);
        if (r < 0)
                return r;
        return take_lock(nixos, &t->nixos_lock_fd, reterr_error);
}

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

static bool runs_already(const Transaction *t) {
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
        _cleanup_free_ char *current = NULL;
        const RequestVerb verb = t->request->verb;
        int r;

        r = profile_current(t->profile, &current);
        if (r < 0 && r != -ENOENT)
                return r;

        t->activates = verb != REQUEST_BOOT;
        t->commits = verb != REQUEST_TEST;
        if (t->request->force)
                return 0;

        if (runs_already(t) && !any_managed_unit_failed(&t->before))
                t->activates = false;
        if (current && strcmp(current, t->new->path) == 0 &&
            (verb == REQUEST_BOOT ? true : !t->activates))
                t->commits = false;
        t->nothing_to_do = !t->activates && !t->commits;
        return 0;
}

/* The generation that is wanted: the named one, the current one if that is it, else the newest or a
 * new. */
static int find_generation(Transaction *t, bool *ret_made) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        int r;

        *ret_made = false;
        r = profile_list(t->profile, &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n; i++)
                if (list.items[i].current)
                        t->old_generation = list.items[i].number;

        for (size_t i = list.n; i > 0; i--) {
                const Generation *g = &list.items[i - 1];

                if (strcmp(g->target, t->new->path) != 0)
                        continue;
                if (g->current || g->number == t->request->generation ||
                    (t->request->verb == REQUEST_ROLLBACK && t->request->generation == 0)) {
                        t->generation = g->number;
                        return 0;
                }
        }
        return profile_add(t->profile, t->new->path, &t->generation, ret_made);
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
                r = find_generation(t, &t->generation_made);
        profile_unlock(t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot make a generation of the profile '%s/%s': %s. "
                                         "Nothing was changed.",
                                         t->places->profiles, t->request->profile, strerror(-r));
        return 0;
}

static int set_root(const Transaction *t, const char *name, const char *target) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", t->places->roots, name);
        if (r < 0)
                return r;
        return file_symlink(AT_FDCWD, target, path);
}

static void drop_root(const Transaction *t, const char *name) {
        _cleanup_free_ char *path = NULL;

        if (text_printf(&path, "%s/%s", t->places->roots, name) >= 0)
                (void) unlink(path);
}

/* From here on the garbage collector leaves it alone, and a power cut leaves all of its files. */
static int keep_candidate(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = set_root(t, "candidate", t->new->path);
        if (r >= 0)
                r = file_sync_filesystem(STORE_DIRECTORY);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot keep '%s' from being lost: %s. Nothing was changed.", t->new->path,
                        strerror(-r));
        return 0;
}

static const char *action_of(const Transaction *t) {
        return t->request->verb == REQUEST_ROLLBACK ? "switch"
                                                    : request_verb_to_string(t->request->verb);
}

static Activation activation_of(const Transaction *t, const Toplevel *to) {
        return (Activation){
                .to = to,
                .action = action_of(t),
                .manager = t->manager,
                .log = t->log,
                .install_bootloader = t->request->install_bootloader,
        };
}

static int run_pre_switch_checks(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Activation activation = activation_of(t, t->new);
        int r;

        r = activation_run_variable(&activation, "pre-switch check", "PRE_SWITCH_CHECK",
                                    t->activates ? activation.action : "boot", &error);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "%s. Nothing was changed.",
                                         error.message ? error.message : strerror(-r));
        return 0;
}

static int stage_open(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = take_locks(t, reterr_error);
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
        r = manager_inventory(t->manager, &t->before, reterr_error);
        if (r < 0)
                return r;
        r = profile_open(t->places->profiles, t->request->profile, &t->profile);
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

/* All that can be refused is refused here; nothing live is touched. */
static int stage_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = stage_open(t, reterr_error);
        if (r < 0)
                return r;
        tell_beginning(t);

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
        r = run_pre_switch_checks(t, reterr_error);
        if (r < 0)
                return r;
        if (t->commits) {
                r = make_generation(t, reterr_error);
                if (r < 0)
                        return r;
        }
        if (t->interrupted())
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Interrupted before activation. Nothing was changed.");
        t->staged = true;
        return 0;
}

static void tell_plan(Transaction *t, const Plan *plan) {
        cJSON *event = event_new("plan"), *object;

        if (!event || plan_to_json(plan, &object) < 0 ||
            !cJSON_AddItemToObject(event, "plan", object)) {
                cJSON_Delete(event);
                return;
        }
        event_emit(t->log, event);
}

static void way_done(Way *way) {
        plan_free(way->plan);
        string_list_done(&way->failed_jobs);
        *way = (Way){ 0 };
}

/* Plans the way from what runs to @to and goes it. */
static int go(Transaction *t, const Toplevel *from, const Toplevel *to, const Inventory *inventory,
              Way *way, sd_bus_error *reterr_error) {
        Activation activation = activation_of(t, to);
        const PlanSource source = {
                .from = from ? from->path : t->places->running,
                .to = to->path,
                .inventory = inventory,
                .live = true,
        };
        int r;

        r = plan_load(&source, &way->plan);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot plan the way from '%s' to '%s': %s", source.from,
                                         source.to, strerror(-r));
        tell_plan(t, way->plan);

        activation.plan = way->plan;
        r = activation_run(&activation, reterr_error);
        if (r >= 0)
                r = string_list_copy(&way->failed_jobs, &activation.failed);
        activation_done(&activation);
        return r;
}

static int activate_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!t->activates)
                return 0;
        r = go(t, t->old, t->new, &t->before, &t->way, reterr_error);
        if (r >= 0 && t->interrupted())
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The switch was told to stop");
        return r;
}

static void tell_bad_unit(Transaction *t, const Inventory *after, const char *id) {
        _cleanup_(string_list_done) StringList lines = { 0 };
        const InventoryUnit *unit = inventory_find(after, id);
        cJSON *event = event_new("unit-failed");

        event_add_text(event, "unit", id);
        event_add_text(event, "active", unit ? unit->active : "inactive");
        event_add_text(event, "sub", unit ? unit->sub : "");
        (void) judge_log_tail(id, LOG_TAIL_LINES, &lines);
        if (event)
                (void) json_add_strings(event, "log", &lines);
        event_emit(t->log, event);
}

static void tell_list(Transaction *t, const char *name, const StringList *units) {
        _cleanup_free_ char *text = NULL;
        cJSON *event;

        if (units->n == 0)
                return;
        event = event_new(name);
        if (event && string_list_join(units, ", ", &text) >= 0) {
                event_add_text(event, "text", text);
                (void) json_add_strings(event, "units", units);
        }
        event_emit(t->log, event);
}

/* Judges what runs now against what ran before; the sentence names the units. */
static int judge(Transaction *t, const Way *way, sd_bus_error *reterr_error) {
        const JudgeCase c = {
                .before = &t->before,
                .plan = way->plan,
                .failed_jobs = &way->failed_jobs,
                .window_usec = JUDGE_WINDOW_USEC,
        };
        _cleanup_(verdict_done) Verdict verdict = { 0 };
        _cleanup_free_ char *names = NULL;
        int r;

        r = judge_weigh(&c, t->manager, &verdict, reterr_error);
        if (r < 0)
                return r;
        tell_list(t, "started", &verdict.started);
        tell_list(t, "unrelated", &verdict.unrelated);
        if (verdict.bad.n == 0)
                return 0;

        for (size_t i = 0; i < verdict.bad.n; i++)
                tell_bad_unit(t, &verdict.after, verdict.bad.items[i]);
        r = string_list_join(&verdict.bad, ", ", &names);
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_UNITS_FAILED, "%s failed: %s",
                                 verdict.bad.n == 1 ? "A unit" : "Units", names);
}

static int judge_enter(Transaction *t, sd_bus_error *reterr_error) {
        if (!t->activates)
                return 0;
        return judge(t, &t->way, reterr_error);
}

static int install_boot_loader(Transaction *t, const Toplevel *toplevel,
                               sd_bus_error *reterr_error) {
        Activation activation = activation_of(t, toplevel);

        return activation_run_variable(&activation, "boot loader installer", "INSTALL_BOOTLOADER",
                                       NULL, reterr_error);
}

static int set_profile(Transaction *t, uint64_t generation, sd_bus_error *reterr_error) {
        int r;

        r = profile_lock(t->profile);
        if (r == 0)
                r = profile_set(t->profile, generation);
        else if (r == PROFILE_LOCKED)
                r = -EBUSY;
        profile_unlock(t->profile);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot set the profile '%s/%s' to generation %" PRIu64
                                         ": %s",
                                         t->places->profiles, t->request->profile, generation,
                                         strerror(-r));
        return 0;
}

static int commit_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!t->commits)
                return 0;

        r = install_boot_loader(t, t->new, reterr_error);
        if (r >= 0)
                r = set_profile(t, t->generation, reterr_error);
        if (r >= 0)
                return 0;

        note(t, "making the old system the boot default again");
        if (t->old_generation > 0 && set_profile(t, t->old_generation, NULL) < 0)
                note(t, "the profile could not be put back");
        if (t->old && install_boot_loader(t, t->old, NULL) < 0)
                note(t, "the boot loader installer of the old system failed, too");
        return r;
}

static void remove_generation(Transaction *t) {
        if (!t->generation_made)
                return;
        if (profile_lock(t->profile) == 0 && profile_remove(t->profile, t->generation) < 0)
                note(t, "the new generation's link could not be removed");
        profile_unlock(t->profile);
}

/* Nothing live was touched: take back what was staged. */
static int unstage_enter(Transaction *t, sd_bus_error *reterr_error) {
        remove_generation(t);
        if (t->nixos_lock_fd >= 0) /* without both locks the root is another one's */
                drop_root(t, "candidate");
        return 0;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* The failed system is kept for those who want to know why. */
static void keep_failed(Transaction *t) {
        _cleanup_free_ char *name = NULL;

        if (text_printf(&name, "failed/%s", base_name(t->new->path)) >= 0)
                (void) set_root(t, name, t->new->path);
}

/* Exchanges the error for one that says what holds now. */
static void conclude(Transaction *t, const char *name, const char *format, ...) {
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

static int go_back(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_(inventory_done) Inventory now = { 0 };
        _cleanup_(way_done) Way way = { 0 };
        int r;

        r = manager_inventory(t->manager, &now, reterr_error);
        if (r < 0)
                return r;
        r = go(t, t->new, t->old, &now, &way, reterr_error);
        if (r < 0)
                return r;
        return judge(t, &way, reterr_error);
}

/* Back to the recorded path: the same planning and activation as forwards, and judged as well. */
static int rollback_enter(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        keep_failed(t);
        if (t->request->no_rollback) {
                if (t->commits && t->activates)
                        (void) set_profile(t, t->generation, NULL);
                conclude(t, ENACT_ERROR_UNITS_FAILED,
                         "'%s' is active all the same (--no-rollback).", t->new->path);
                return 0;
        }

        r = t->activates ? go_back(t, &error) : 0;
        remove_generation(t);
        drop_root(t, "candidate");
        if (r < 0)
                conclude(t, ENACT_ERROR_ROLLBACK_FAILED,
                         "Going back to '%s' failed, too: %s. 'enact status' says what holds.",
                         t->old->path, error.message ? error.message : strerror(-r));
        else if (t->activates)
                conclude(t, ENACT_ERROR_ROLLED_BACK, "Rolled back: '%s' runs again.", t->old->path);
        else
                conclude(t, ENACT_ERROR_FAILED, "The running system was not touched.");
        return 0;
}

/* The open record: whoever finds it knows how far an interrupted transaction had come. */
static int write_record(const Transaction *t, Phase phase) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *line = NULL;
        int r;

        r = text_printf(&path, "%s/transaction.json", t->places->state);
        if (r < 0)
                return r;
        if (phase == PHASE_END)
                return unlink(path) < 0 && errno != ENOENT ? -errno : 0;

        object = cJSON_CreateObject();
        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "id", t->id) ||
            !cJSON_AddStringToObject(object, "verb", request_verb_to_string(t->request->verb)) ||
            !cJSON_AddStringToObject(object, "from", t->old ? t->old->path : "") ||
            !cJSON_AddStringToObject(object, "to", t->request->toplevel) ||
            !cJSON_AddStringToObject(object, "phase", phases[phase].name))
                return -ENOMEM;
        r = json_print(object, &line);
        return r < 0 ? r : file_write(AT_FDCWD, path, line, 0644);
}

/* Enters one phase and answers the next one. The first error stays; the later phases add what
 * holds. */
static Phase enter_phase(Transaction *t, Phase phase) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        /* While staging the locks are not held at first, and the record is not ours to write. */
        r = phase == PHASE_STAGE || phase == PHASE_UNSTAGE ? 0 : write_record(t, phase);
        if (r < 0)
                (void) sd_bus_error_setf(&error, ENACT_ERROR_FAILED,
                                         "Cannot write the record in '%s': %s", t->places->state,
                                         strerror(-r));
        if (r >= 0 || phase == PHASE_ROLLBACK) {
                event_say(t->log, "phase", "phase", phases[phase].name);
                r = phases[phase].enter(t, &error);
        }
        if (r >= 0)
                return t->nothing_to_do ? PHASE_END : phases[phase].on_success;

        if (!sd_bus_error_is_set(&error))
                (void) sd_bus_error_setf(&error, ENACT_ERROR_FAILED, "Phase '%s' failed: %s",
                                         phases[phase].name, strerror(-r));
        if (!sd_bus_error_is_set(&t->error))
                (void) sd_bus_error_move(&t->error, &error);
        return phases[phase].on_failure;
}

/* The system that runs in the end, said in one sentence. */
static int tell_success(const Transaction *t, char **ret_text) {
        const char *profile = t->request->profile;

        if (t->nothing_to_do)
                return text_printf(ret_text, "Nothing to do: '%s' %s.", t->new->path,
                                   t->request->verb == REQUEST_BOOT ? "is the boot default already"
                                   : t->request->verb == REQUEST_TEST
                                           ? "runs already"
                                           : "runs already and is the boot default");
        if (!t->commits)
                return text_printf(ret_text, "'%s' runs; the boot default stays.", t->new->path);
        if (!t->activates)
                return text_printf(ret_text,
                                   "'%s' is generation %" PRIu64 " of '%s' and the boot default%s.",
                                   t->new->path, t->generation, profile,
                                   runs_already(t) ? "; it ran already"
                                                   : "; it runs after a reboot");
        return text_printf(ret_text,
                           "'%s' runs; it is generation %" PRIu64 " of '%s' and the boot default.",
                           t->new->path, t->generation, profile);
}

static void write_history(Transaction *t, const char *text) {
        const HistoryEntry entry = {
                .id = (char *) t->id,
                .verb = (char *) request_verb_to_string(t->request->verb),
                .from = t->old ? t->old->path : (char *) "",
                .to = t->new->path,
                .begun = t->begun,
                .ended = (uint64_t) time(NULL),
                .uid = t->request->uid,
                .exit_code = (uint64_t) error_to_exit_code(&t->error),
                .text = (char *) text,
        };

        if (history_write(t->places->state, &entry) < 0)
                note(t, "the history entry could not be written");
}

static int finish(Transaction *t, char **ret_text) {
        int r;

        if (!sd_bus_error_is_set(&t->error)) {
                if (t->activates)
                        (void) set_root(t, "good", t->new->path);
                drop_root(t, "candidate");
                if (t->reboots)
                        (void) sd_bus_error_setf(
                                &t->error, ENACT_ERROR_NEEDS_REBOOT,
                                "'%s' has another init interface than the running system: "
                                "it is the boot default and takes effect after a reboot",
                                t->new->path);
        }
        r = tell_success(t, ret_text);
        if (r < 0)
                return r;
        if (t->staged && !t->nothing_to_do)
                write_history(t, t->error.message ? t->error.message : *ret_text);
        return 0;
}

static void transaction_done(Transaction *t) {
        manager_free(t->manager);
        profile_free(t->profile);
        toplevel_free(t->old);
        toplevel_free(t->new);
        inventory_done(&t->before);
        way_done(&t->way);
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
                .begun = (uint64_t) time(NULL),
        };
        int r = 0;

        for (Phase phase = PHASE_STAGE; phase != PHASE_END;)
                phase = enter_phase(&t, phase);

        if (t.staged)
                r = finish(&t, ret_text);
        if (t.nixos_lock_fd >= 0)
                (void) write_record(&t, PHASE_END);
        if (sd_bus_error_is_set(&t.error)) {
                r = -sd_bus_error_get_errno(&t.error);
                (void) sd_bus_error_move(reterr_error, &t.error);
        }
        transaction_done(&t);
        return r;
}
