/*
 * Activation: the way from one running system to another, gone forwards by a switch
 * and backwards by a rollback.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "judge.h"
#include "live-state.h"
#include "plan-load.h"
#include "text.h"
#include "transaction-phases.h"

/* Most scripts that are under way end by themselves. On the way back there is only one reason to
 * cut them short: the host goes down, and what boots next is whole without them. */
#define SCRIPT_GRACE_USEC   (10 * USEC_PER_SEC)
#define SHUTDOWN_GRACE_USEC (60 * USEC_PER_SEC)

static const char *action_of(const Transaction *t) {
        return t->request->verb == REQUEST_ROLLBACK ? "switch" :
                                                      request_verb_to_string(t->request->verb);
}

Scripts transaction_scripts(const Transaction *t, const Toplevel *of) {
        return (Scripts){
                .of = of,
                .action = action_of(t),
                .log = t->log,
                .install_bootloader = t->request->install_bootloader,
        };
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

void way_done(Way *way) {
        recorded_state_done(&way->state);
        plan_free(way->plan);
        string_list_done(&way->failed_jobs);
        string_list_done(&way->told);
        *way = (Way){ 0 };
}

/* Looks at what runs now: the beginning of a way from @from to @to. */
int transaction_look(Transaction *t, const Toplevel *from, const Toplevel *to, Way *way,
                     sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        const LiveSource source = {
                .from = from ? from->path : t->places->running,
                .to = to->path,
                .lists_directory = t->places->nixos,
                .all_users = true,
        };
        int r;

        way->from = source.from;
        r = manager_check(t->manager, reterr_error);
        if (r >= 0)
                r = live_state_read(t->manager, &source, &way->state, &notes, reterr_error);
        /* On a way back they speak of the very switch that is taken back. */
        for (size_t i = 0; r >= 0 && way == &t->way && i < notes.n; i++)
                transaction_note(t, notes.items[i]);
        return r;
}

/* Plans the way from what was seen to @to. */
int transaction_plan(Transaction *t, const Toplevel *to, Way *way, sd_bus_error *reterr_error) {
        int r;

        r = plan_load_state(way->from, to->path, &way->state, /* live= */ true, &way->plan);
        if (r >= 0)
                r = live_add_dependents(t->manager, way->from, to->path, &way->state, way->plan);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot plan the way from '%s' to '%s': %s", way->from,
                                         to->path, strerror(-r));
        tell_plan(t, way->plan);
        return 0;
}

/* A script may have left off early and called that well. */
static int check_running(const Transaction *t, const Toplevel *to, sd_bus_error *reterr_error) {
        _cleanup_free_ char *running = NULL;

        if (file_realpath(t->places->running, &running) >= 0 &&
            (strcmp(running, to->path) == 0 || strcmp(running, toplevel_scripts(to)) == 0))
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                 "The activation script of '%s' ended well, but '%s' leads to '%s'",
                                 to->path, t->places->running, running ? running : "nothing");
}

/* Goes the way that was planned; only forwards it can be told to stop. */
static int go(Transaction *t, const Toplevel *to, Way *way, sd_bus_error *reterr_error) {
        bool (*interrupted)(void) = way == &t->way ? t->interrupted : NULL;
        Activation activation = {
                .scripts = transaction_scripts(t, to),
                .from = way->from,
                .lists_directory = t->places->nixos,
                .state = &way->state,
                .goes_back = way != &t->way,
                .ground = &t->ground,
                .steps = {
                        .log = t->log,
                        .manager = t->manager,
                        .plan = way->plan,
                        .job_limit_usec = transaction_job_limit_usec(t),
                        .interrupted = interrupted,
                },
        };
        int r;

        activation.scripts.interrupted = interrupted;
        activation.scripts.grace_usec = interrupted ? SCRIPT_GRACE_USEC : SHUTDOWN_GRACE_USEC;
        activation.scripts.manager = interrupted ? NULL : t->manager;

        r = activation_run(&activation, reterr_error);
        way->gone = r >= 0;
        if (r >= 0)
                r = string_list_copy(&way->failed_jobs, &activation.steps.failed);
        if (r >= 0)
                r = string_list_copy(&way->told, &activation.steps.told);
        if (r >= 0 && sd_bus_error_is_set(&activation.script_error))
                r = sd_bus_error_copy(reterr_error, &activation.script_error);
        else if (r >= 0)
                r = check_running(t, to, reterr_error);
        activation_done(&activation);
        return r;
}

int activate_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!t->activates)
                return 0;
        t->touched = true;
        r = go(t, t->new, &t->way, reterr_error);
        t->activated = t->way.gone && check_running(t, t->new, NULL) >= 0;
        return r;
}

/* What ran and goes down on the way is to run again on the way back, also where no target wants it.
 */
static int note_stopped(Transaction *t) {
        int r = 0;

        for (int action = 0; t->way.plan && action < _PLAN_ACTION_MAX; action++) {
                const PlanList *list = &t->way.plan->lists[action];

                for (size_t i = 0; r >= 0 && i < list->n; i++)
                        if (inventory_unit_runs(
                                    inventory_find(&t->way.state.inventory, list->entries[i].unit)))
                                r = string_list_add(&t->record.stopped, list->entries[i].unit);
        }
        string_list_sort_unique(&t->record.stopped);
        return r;
}

/* What had failed before condemns nothing, whoever comes to judge. */
static int note_failing(Transaction *t) {
        const Inventory *before = &t->way.state.inventory;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < before->n; i++)
                if (judge_before(&before->units[i], NULL, 0, 0) == BEFORE_FAILED)
                        r = string_list_add(&t->record.failing, before->units[i].id);
        string_list_sort_unique(&t->record.failing);
        return r;
}

/** transaction_note_before() - keep in the record how the units were, as far as a way back needs
 * it. 0 or -ENOMEM. */
int transaction_note_before(Transaction *t) {
        int r;

        r = note_stopped(t);
        return r < 0 ? r : note_failing(t);
}

/*
 * Found anew by whoever recovers, the units are as the interrupted switch has left them. For the
 * judge they are put back to what they were before it.
 */
static int take_back_to_before(const Record *record, Inventory *found) {
        _cleanup_(string_list_done) StringList missing = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < record->stopped.n; i++)
                if (!inventory_find(found, record->stopped.items[i]))
                        r = string_list_add(&missing, record->stopped.items[i]);
        for (size_t i = 0; r >= 0 && i < missing.n; i++)
                r = inventory_add(found, missing.items[i], "active", "running", "", "");
        inventory_sort(found);
        for (size_t i = 0; i < found->n; i++) {
                InventoryUnit *unit = &found->units[i];

                if (string_list_contains(&record->failing, unit->id)) {
                        unit->active = unit->sub = (char *) "failed";
                } else if (string_list_contains(&record->stopped, unit->id)) {
                        unit->active = (char *) "active";
                        unit->sub = (char *) "running";
                } else if (judge_before(unit, NULL, 0, 0) == BEFORE_FAILED) {
                        unit->active = (char *) "inactive";
                        unit->sub = (char *) "dead";
                }
        }
        return r;
}

/** way_restore_stopped() - what was stopped on an earlier way is started on this one. 0 or -ENOMEM.
 */
int way_restore_stopped(Way *back, const StringList *stopped) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < stopped->n; i++)
                if (!inventory_unit_runs(inventory_find(&back->state.inventory, stopped->items[i])))
                        r = string_list_add(&back->state.leftovers.start, stopped->items[i]);
        return r;
}

static int prepare_way(Transaction *t, const Toplevel *from, const Toplevel *to, Way *way,
                       sd_bus_error *reterr_error) {
        int r;

        r = transaction_look(t, from, to, way, reterr_error);
        if (r >= 0)
                r = way_restore_stopped(way, &t->record.stopped);
        return r < 0 ? r : transaction_plan(t, to, way, reterr_error);
}

/**
 * transaction_bring() - from whatever runs now to one of the two systems: the way back, or forwards
 * again; judged as well
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int transaction_bring(Transaction *t, const Toplevel *from, const Toplevel *to,
                      sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(way_done) Way way = { 0 };
        int r;

        r = transaction_note_before(t);
        if (r < 0)
                return r;
        /* What cannot be read once may be read the next time; without a plan there is no way. */
        r = prepare_way(t, from, to, &way, &error);
        if (r < 0) {
                way_done(&way);
                r = prepare_way(t, from, to, &way, reterr_error);
        }
        if (r >= 0)
                r = go(t, to, &way, reterr_error);
        if (r >= 0 && t->recovers)
                r = take_back_to_before(&t->record, &way.state.inventory);
        return r < 0 ? r : transaction_judge(t, &way, reterr_error);
}
