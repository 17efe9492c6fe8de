/*
 * The judge: whether a switch is good. A unit counts against it if it is not well now and was well
 * before; what had failed already, or has nothing to do with the switch, condemns nothing.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "engine.h"
#include "judge.h"
#include "text.h"

static bool is_well(const InventoryUnit *unit) {
        return !unit ||
               (strcmp(unit->active, "failed") != 0 && strcmp(unit->sub, "auto-restart") != 0);
}

/**
 * judge_units() - which units are not well now and were well before, or whose job failed
 * @after:    taken when all jobs had ended
 * @suspects: filled in order, each once
 *
 * Return: 0 or -ENOMEM.
 */
int judge_units(const JudgeCase *c, const Inventory *after, StringList *suspects) {
        int r;

        for (size_t i = 0; i < c->failed_jobs->n; i++) {
                const char *id = c->failed_jobs->items[i];

                if (!is_well(inventory_find(c->before, id)) && !is_well(inventory_find(after, id)))
                        continue;
                r = string_list_add(suspects, id);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];

                if (is_well(unit) || !is_well(inventory_find(c->before, unit->id)))
                        continue;
                r = string_list_add(suspects, unit->id);
                if (r < 0)
                        return r;
        }
        string_list_sort_unique(suspects);
        return 0;
}

/* Kinds that come and go by themselves, and our own. */
static bool is_of_interest(const InventoryUnit *unit) {
        static const char *const dull[] = { ".device", ".scope", ".slice", ".target" };

        for (size_t i = 0; i < ELEMENTSOF(dull); i++)
                if (text_has_suffix(unit->id, dull[i]))
                        return false;
        return !text_after_prefix(unit->id, DEAD_MAN_PREFIX) && inventory_unit_runs(unit);
}

/**
 * judge_started() - which units run now and did not before, in order of names
 *
 * Return: 0 or -ENOMEM.
 */
int judge_started(const Inventory *before, const Inventory *after, StringList *started) {
        for (size_t i = 0; i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];
                int r;

                if (!is_of_interest(unit) ||
                    inventory_unit_is_active(inventory_find(before, unit->id)))
                        continue;
                r = string_list_add(started, unit->id);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool plan_touches(const Plan *plan, const char *unit) {
        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                if (action != PLAN_SKIP && plan_find(plan, action, unit))
                        return true;
        return false;
}

/* What the switch neither touched nor its configuration wants condemns nothing. */
static bool concerns(const JudgeCase *c, Manager *manager, const char *unit) {
        return string_list_contains(c->failed_jobs, unit) || plan_touches(c->plan, unit) ||
               manager_unit_is_wanted(manager, unit);
}

/* A service that ended and was started again by systemd since we started it looks well at times. */
static int add_restart_loops(const JudgeCase *c, Manager *manager, Verdict *verdict) {
        for (size_t i = 0; i < verdict->after.n; i++) {
                const char *id = verdict->after.units[i].id;
                uint32_t restarts;
                int r;

                if (!text_has_suffix(id, ".service") ||
                    (!plan_find(c->plan, PLAN_START, id) && !plan_find(c->plan, PLAN_RESTART, id) &&
                     !string_list_contains(&verdict->started, id)))
                        continue;
                if (manager_restarts_of(manager, id, &restarts) < 0 || restarts == 0)
                        continue;
                r = string_list_add(&verdict->bad, id);
                if (r < 0)
                        return r;
        }
        string_list_sort_unique(&verdict->bad);
        return 0;
}

static int sort_out(const JudgeCase *c, Manager *manager, Verdict *verdict) {
        _cleanup_(string_list_done) StringList suspects = { 0 };
        int r;

        r = judge_units(c, &verdict->after, &suspects);
        if (r >= 0)
                r = judge_started(c->before, &verdict->after, &verdict->started);
        for (size_t i = 0; r >= 0 && i < suspects.n; i++)
                r = string_list_add(concerns(c, manager, suspects.items[i]) ? &verdict->bad :
                                                                              &verdict->unrelated,
                                    suspects.items[i]);
        return r < 0 ? r : add_restart_loops(c, manager, verdict);
}

static int look(const JudgeCase *c, Manager *manager, Verdict *verdict,
                sd_bus_error *reterr_error) {
        int r;

        verdict_done(verdict);
        r = manager_units(manager, &verdict->after, reterr_error);
        return r < 0 ? r : sort_out(c, manager, verdict);
}

/**
 * judge_weigh() - watch the units for a while and decide which condemn the switch
 * @verdict: all zero before; verdict_done() even after an error
 *
 * What is bad at once is not watched any longer, and where nothing was started there is nothing to
 * watch.
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int judge_weigh(const JudgeCase *c, Manager *manager, Verdict *verdict,
                sd_bus_error *reterr_error) {
        int r;

        r = look(c, manager, verdict, reterr_error);
        if (r < 0 || verdict->bad.n > 0 || (verdict->started.n == 0 && plan_is_empty(c->plan)))
                return r;

        (void) poll(NULL, 0, (int) (c->window_usec / USEC_PER_MSEC));
        return look(c, manager, verdict, reterr_error);
}

/* In the drop-in's sense: failed, or about to be started again after a failure. */
static bool has_failed(Manager *manager, const InventoryUnit *unit) {
        int32_t status;

        if (strcmp(unit->active, "failed") == 0)
                return true;
        return text_has_suffix(unit->id, ".service") &&
               text_after_prefix(unit->sub, "auto-restart") &&
               manager_exit_status_of(manager, unit->id, &status) >= 0 && status != 0;
}

/**
 * judge_report() - what NixOS' own program says in the end: new units and failed ones, whoever
 * caused it
 *
 * Return: 0 or -ENOMEM.
 */
int judge_report(const Inventory *before, const Inventory *after, Manager *manager,
                 StringList *started, StringList *failed) {
        for (size_t i = 0; i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];
                int r = 0;

                if (!inventory_unit_is_active(unit))
                        continue;
                if (has_failed(manager, unit))
                        r = string_list_add(failed, unit->id);
                else if (!inventory_unit_is_active(inventory_find(before, unit->id)) &&
                         !text_has_suffix(unit->id, ".scope"))
                        r = string_list_add(started, unit->id);
                if (r < 0)
                        return r;
        }
        return 0;
}

void verdict_done(Verdict *verdict) {
        inventory_done(&verdict->after);
        string_list_done(&verdict->bad);
        string_list_done(&verdict->unrelated);
        string_list_done(&verdict->started);
}
