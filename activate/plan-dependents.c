/*
 * Dependents: units that did not change and go down because something that they require, are bound
 * to or part of is stopped. A job that starts that again does not start them, so they would stay
 * down unless a target wants them. Those that ran are started again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan-build.h"
#include "plan-dependents.h"
#include "text.h"

/* All that goes down with some units, by their place in the inventory. */
typedef struct Fall {
        const Inventory *inventory;
        bool *down;
        size_t *units;
        size_t n;
} Fall;

static int fall_begin(Fall *fall, const Inventory *inventory) {
        *fall = (Fall){
                .inventory = inventory,
                .down = calloc(inventory->n + 1, sizeof(*fall->down)),
                .units = calloc(inventory->n + 1, sizeof(*fall->units)),
        };
        return fall->down && fall->units ? 0 : -ENOMEM;
}

static void fall_done(Fall *fall) {
        free(fall->down);
        free(fall->units);
}

static void fall_add(Fall *fall, const char *unit) {
        const InventoryUnit *there = inventory_find(fall->inventory, unit);
        size_t i;

        if (!there)
                return;
        i = (size_t) (there - fall->inventory->units);
        if (fall->down[i])
                return;
        fall->down[i] = true;
        fall->units[fall->n++] = i;
}

/* systemd goes on from unit to unit, whether they run or not. */
static void fall_through(Fall *fall, const StringList *takes_down) {
        for (size_t i = 0; i < fall->n; i++) {
                const char *unit = fall->inventory->units[fall->units[i]].id;

                for (size_t j = string_list_first_edge(takes_down, unit);; j++) {
                        const char *other = string_list_edge_at(takes_down, unit, j);

                        if (!other)
                                break;
                        fall_add(fall, other);
                }
        }
}

/* What is left as it is goes down all the same. */
static bool is_decided(const Plan *plan, const char *unit) {
        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                if (action != PLAN_SKIP && plan_find(plan, action, unit))
                        return true;
        return false;
}

/**
 * plan_dependents_find() - whose definitions plan_bring_back() has to know
 * @names: appended to; none if nothing goes down that nobody spoke of
 *
 * Return: 0 or -ENOMEM.
 */
int plan_dependents_find(const Plan *plan, const Inventory *inventory, const StringList *takes_down,
                         StringList *names) {
        const PlanList *stops = &plan->lists[PLAN_STOP];
        _cleanup_(fall_done) Fall fall = { 0 };
        size_t n_before = names->n;
        int r;

        r = fall_begin(&fall, inventory);
        for (size_t i = 0; r >= 0 && i < stops->n; i++)
                fall_add(&fall, stops->entries[i].unit);
        if (r >= 0)
                fall_through(&fall, takes_down);
        for (size_t i = 0; r >= 0 && i < fall.n; i++) {
                const InventoryUnit *unit = &inventory->units[fall.units[i]];

                /* Something that is about to end is not begun once more. */
                if (inventory_unit_goes_on(unit) &&
                    (!is_decided(plan, unit->id) || plan_find(plan, PLAN_RELOAD, unit->id)))
                        r = string_list_add(names, unit->id);
        }
        for (size_t i = 0; r >= 0 && names->n > n_before && i < stops->n; i++)
                r = string_list_add(names, stops->entries[i].unit);
        return r;
}

/* What is gone and has others started in its place. */
static int find_followed(const Plan *plan, StringList *followed) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->heirs.n; i++)
                r = string_list_add(followed, strchr(plan->heirs.items[i], ' ') + 1);
        string_list_sort(followed);
        return r;
}

/* Started again, by us or by its sockets, be it by another name. Targets are stopped just for what
 * goes down with them. */
static bool comes_back(const Plan *plan, const PlanInput *input, const StringList *followed,
                       const char *unit) {
        const UnitPair *pair = plan_find_pair(input, unit);

        if (text_has_suffix(unit, ".target"))
                return false;
        if (plan_find(plan, PLAN_START, unit) || string_list_has_sorted(followed, unit))
                return true;
        return pair && text_has_suffix(unit, ".service") && plan_gone_rule(pair) == PLAN_RULE_NONE;
}

/* A socket does not listen again beside its service, if that has not gone down with it. */
static const char *find_obstacle(const Fall *fall, const UnitPair *pair) {
        const char *service = pair->new.service;
        const InventoryUnit *there = service ? inventory_find(fall->inventory, service) : NULL;

        return inventory_unit_is_up(there) && !fall->down[there - fall->inventory->units] ?
                       there->id :
                       NULL;
}

static int bring_back(PlanBuild *build, const Fall *fall, const InventoryUnit *unit) {
        const UnitPair *pair = plan_find_pair(build->input, unit->id);
        const char *obstacle;

        if (!pair || is_decided(build->plan, unit->id) || !plan_is_managed(build->input, unit) ||
            plan_gone_rule(pair) != PLAN_RULE_NONE)
                return 0;
        obstacle = find_obstacle(fall, pair);
        if (obstacle)
                return plan_note(build, "'%s' goes down on the way, and cannot listen beside '%s'",
                                 unit->id, obstacle);
        if (plan_start_refusal(pair) == PLAN_RULE_NONE)
                plan_forget(build->plan, PLAN_SKIP, unit->id);
        return plan_start_again(build, unit->id, PLAN_RULE_COMES_BACK);
}

static int bring_all_back(PlanBuild *build, const Fall *fall, const Fall *stays) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < fall->n; i++)
                if (!stays->down[fall->units[i]])
                        r = bring_back(build, fall, &fall->inventory->units[fall->units[i]]);
        return r;
}

/* Nothing is left to be reloaded of what has gone down; no file need say why it does. */
static int replace_reloads(PlanBuild *build, const Fall *fall) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < fall->n; i++) {
                const InventoryUnit *unit = &fall->inventory->units[fall->units[i]];

                if (!plan_find(build->plan, PLAN_RELOAD, unit->id) ||
                    !plan_is_managed(build->input, unit))
                        continue;
                r = plan_start_again(build, unit->id, PLAN_RULE_GOES_DOWN);
                plan_forget(build->plan, PLAN_RELOAD, unit->id);
        }
        return r;
}

/**
 * plan_bring_back() - start again what goes down with a unit that is stopped and comes back
 * @input: as the plan was made of, with the units of plan_dependents_find() among those named
 *
 * What goes down with a unit that does not come back stays down: it could not be started, or is not
 * to run without it. What should be reloaded and goes down is started in any case.
 *
 * Return: 0, -ENOMEM, or -EIO if the digest cannot be made.
 */
int plan_bring_back(Plan *plan, const PlanInput *input, const StringList *takes_down) {
        PlanList added[_PLAN_ACTION_MAX] = { 0 };
        PlanBuild build = { .plan = plan, .lists = added, .input = input };
        const PlanList *stops = &plan->lists[PLAN_STOP];
        _cleanup_(fall_done) Fall back = { 0 }, stays = { 0 };
        _cleanup_(string_list_done) StringList followed = { 0 };
        int r, s;

        r = fall_begin(&back, input->inventory);
        if (r >= 0)
                r = find_followed(plan, &followed);
        if (r >= 0)
                r = fall_begin(&stays, input->inventory);
        for (size_t i = 0; r >= 0 && i < stops->n; i++) {
                const char *unit = stops->entries[i].unit;

                fall_add(comes_back(plan, input, &followed, unit) ? &back : &stays, unit);
        }
        if (r >= 0) {
                fall_through(&back, takes_down);
                fall_through(&stays, takes_down);
                r = bring_all_back(&build, &back, &stays);
                if (r >= 0)
                        r = replace_reloads(&build, &back);
                if (r >= 0)
                        r = replace_reloads(&build, &stays);
        }
        s = plan_take_lists(plan, added);
        plan_settle(plan);
        if (r >= 0)
                r = s;
        return r < 0 ? r : plan_make_digest(plan);
}
