/*
 * Units that somebody listed: a switch that was interrupted before, or the activation script of
 * this one. A name on such a list may be out of date or no unit at all; then it is a note.
 */
#include <errno.h>
#include <string.h>

#include "plan-build.h"
#include "plan-listed.h"
#include "plan-related.h"
#include "text.h"
#include "unit-name.h"

#define UNIT_NAME_SHOWN 80 /* characters of a name that is none, for people */

static bool will_exist(const PlanBuild *build, const char *unit) {
        const PlanInput *input = build->input;
        const InventoryUnit *there = inventory_find(input->inventory, unit);
        const UnitPair *pair = plan_find_pair(input, unit);

        if (pair && pair->new.state != UNIT_FILE_MISSING)
                return pair->new.state == UNIT_FILE_PRESENT;
        if (plan_is_in_fstab(input, unit))
                return true;
        /* Defined elsewhere: by a generator, at run time, by the machine's own systemd. */
        return inventory_unit_is_active(there) && !plan_is_managed(input, there);
}

/* Whether a listed name is a unit that can be worked with; if not, that is said. */
static int check_name(PlanBuild *build, const char *unit, const char *list, bool *ret_good) {
        *ret_good = false;
        if (!*unit)
                return 0; /* a blank line is no unit */
        if (!unit_name_is_valid(unit))
                return plan_note(build, "%s: '%.*s' is no name of a unit; left out", list,
                                 text_is_utf8(unit) ? UNIT_NAME_SHOWN : 0, unit);
        if (!will_exist(build, unit))
                return plan_note(build, "%s: the new system has no '%s'; left out", list, unit);
        *ret_good = true;
        return 0;
}

static int on_left_over_start(PlanBuild *build, const char *unit) {
        const UnitPair *pair = plan_find_pair(build->input, unit);

        /* systemd would refuse it, too. */
        if (pair && plan_start_refusal(pair) == PLAN_RULE_REFUSES_START)
                return 0;
        return plan_decide(build, PLAN_START, unit, NULL, PLAN_RULE_LEFT_OVER);
}

static int on_left_over_restart(PlanBuild *build, const char *unit) {
        return plan_decide(build, PLAN_RESTART, unit, NULL, PLAN_RULE_LEFT_OVER);
}

/* No system defines it: what is to be known of it only its manager can say. */
static int reload_from_elsewhere(PlanBuild *build, const char *unit, const PlanCause *cause) {
        const StringList *cannot = build->input->cannot_reload;

        if (cannot && string_list_has_sorted(cannot, unit))
                return plan_decide(build, PLAN_RESTART, unit, cause, PLAN_RULE_NO_RELOAD);
        return plan_decide(build, PLAN_RELOAD, unit, cause, PLAN_RULE_NONE);
}

static int on_left_over_reload(PlanBuild *build, const char *unit) {
        const UnitPair *pair = plan_find_pair(build->input, unit);
        const PlanCause cause = { .pair = pair, .rule = PLAN_RULE_LEFT_OVER };

        if (!inventory_unit_runs(inventory_find(build->input->inventory, unit))) {
                if (pair && plan_start_refusal(pair) != PLAN_RULE_NONE)
                        return 0;
                return plan_decide(build, PLAN_START, unit, &cause, PLAN_RULE_INACTIVE);
        }
        if (!pair || pair->new.state != UNIT_FILE_PRESENT)
                return reload_from_elsewhere(build, unit, &cause);
        return plan_build_reload(build, &cause);
}

/** plan_build_leftovers() - what an interrupted switch did not come to; 0 or -ENOMEM. */
int plan_build_leftovers(PlanBuild *build, const PlanLeftovers *leftovers) {
        const struct {
                const StringList *names;
                int (*on_unit)(PlanBuild *build, const char *unit);
        } lists[] = {
                { &leftovers->start, on_left_over_start },
                { &leftovers->restart, on_left_over_restart },
                { &leftovers->reload, on_left_over_reload },
        };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (size_t j = 0; j < lists[i].names->n; j++) {
                        const char *unit = lists[i].names->items[j];
                        bool good;
                        int r;

                        r = check_name(build, unit, "left over", &good);
                        if (r >= 0 && good)
                                r = lists[i].on_unit(build, unit);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int on_listed_restart(PlanBuild *build, const char *unit) {
        const UnitPair *pair = plan_find_pair(build->input, unit);
        const PlanCause cause = { .pair = pair, .rule = PLAN_RULE_RESTART_LIST };

        if (!inventory_unit_is_active(inventory_find(build->input->inventory, unit)))
                return plan_decide(build, PLAN_START, unit, &cause, PLAN_RULE_NONE);
        if (!pair || pair->new.state != UNIT_FILE_PRESENT)
                return plan_decide(build, PLAN_RESTART, unit, &cause, PLAN_RULE_NONE);
        return plan_build_restart(build, &cause);
}

static int on_listed_reload(PlanBuild *build, const char *unit) {
        const UnitPair *pair = plan_find_pair(build->input, unit);
        const PlanCause cause = { .pair = pair, .rule = PLAN_RULE_RELOAD_LIST };

        if (!inventory_unit_is_active(inventory_find(build->input->inventory, unit)) ||
            plan_find(build->plan, PLAN_STOP, unit) || plan_find(build->plan, PLAN_RESTART, unit))
                return 0;
        if (!pair || pair->new.state != UNIT_FILE_PRESENT)
                return reload_from_elsewhere(build, unit, &cause);
        return plan_build_reload(build, &cause);
}

static int finish(Plan *plan, PlanList *added, int so_far) {
        int r = plan_take_lists(plan, added);

        plan_settle(plan);
        return so_far < 0 ? so_far : r;
}

static int add_list(Plan *plan, const PlanInput *input, const StringList *names, const char *list,
                    int (*on_unit)(PlanBuild *build, const char *unit)) {
        PlanList added[_PLAN_ACTION_MAX] = { 0 };
        PlanBuild build = { .plan = plan, .lists = added, .input = input, .late = true };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < names->n; i++) {
                bool good;

                r = check_name(&build, names->items[i], list, &good);
                if (r >= 0 && good)
                        r = on_unit(&build, names->items[i]);
        }
        return finish(plan, added, r);
}

/**
 * plan_add_restart_list() - take in what the activation script wants restarted
 * @plan:  of which the stop phase is over
 * @input: as the plan was made of, with the units of the list among those named
 *
 * Return: 0 or -ENOMEM.
 */
int plan_add_restart_list(Plan *plan, const PlanInput *input, const StringList *names) {
        return add_list(plan, input, names, "restart list of the activation script",
                        on_listed_restart);
}

/** plan_add_reload_list() - the same for what it wants reloaded; call it second. */
int plan_add_reload_list(Plan *plan, const PlanInput *input, const StringList *names) {
        return add_list(plan, input, names, "reload list of the activation script",
                        on_listed_reload);
}

/* Mostly it went down with something that it requires. */
static int replace_inactive(PlanBuild *build, const char *unit) {
        const UnitPair *pair = plan_find_pair(build->input, unit);

        if (!pair || pair->new.state != UNIT_FILE_PRESENT)
                return 0;
        if (plan_start_refusal(pair) != PLAN_RULE_NONE)
                return 0;
        return plan_decide(build, PLAN_START, unit, NULL, PLAN_RULE_INACTIVE);
}

/**
 * plan_replace_inactive_reloads() - start what should be reloaded but runs no more
 * @input: its inventory is of now, and the units to reload are among those named
 *
 * Return: 0 or -ENOMEM.
 */
int plan_replace_inactive_reloads(Plan *plan, const PlanInput *input) {
        PlanList added[_PLAN_ACTION_MAX] = { 0 };
        PlanBuild build = { .plan = plan, .lists = added, .input = input, .late = true };
        PlanList *reloads = &plan->lists[PLAN_RELOAD];
        int r = 0;

        for (size_t i = reloads->n; r >= 0 && i > 0; i--) {
                const char *unit = reloads->entries[i - 1].unit;

                if (inventory_unit_runs(inventory_find(input->inventory, unit)))
                        continue;
                r = replace_inactive(&build, unit);
                plan_forget(plan, PLAN_RELOAD, unit);
        }
        return finish(plan, added, r);
}

/* A device is there by each of its names. */
static bool is_there(const InventoryUnit *unit) {
        InventoryUnit itself;

        if (!unit)
                return false;
        itself = *unit;
        itself.following = "";
        return inventory_unit_runs(&itself);
}

/* Because of what is stopped itself, or is not there to be bound to. */
static bool goes_down_at_once(const Plan *plan, const PlanInput *input, const PlanNeeds *one) {
        for (size_t i = 0; i < one->needs.n; i++)
                if (plan_find(plan, PLAN_STOP, one->needs.items[i]))
                        return true;
        for (size_t i = 0; i < one->bound.n; i++)
                if (plan_find(plan, PLAN_STOP, one->bound.items[i]) ||
                    !is_there(inventory_find(input->inventory, one->bound.items[i])))
                        return true;
        return false;
}

/* "what is needed, what needs it" */
static int find_edges(const PlanNeeds *needs, size_t n, StringList *edges) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                const StringList *lists[] = { &needs[i].needs, &needs[i].bound };

                for (size_t j = 0; j < ELEMENTSOF(lists); j++)
                        for (size_t k = 0; r >= 0 && k < lists[j]->n; k++) {
                                char *edge;

                                r = text_printf(&edge, "%s %s", lists[j]->items[k], needs[i].unit);
                                if (r >= 0)
                                        r = string_list_take(edges, edge);
                        }
        }
        string_list_sort(edges);
        return r;
}

/* From unit to unit, each looked at once: there may be thousands, one behind the other. */
static int find_what_goes_down(const Plan *plan, const PlanInput *input, PlanNeeds *needs,
                               size_t n) {
        _cleanup_free_ PlanNeeds **queue = calloc(n + 1, sizeof(PlanNeeds *));
        _cleanup_(string_list_done) StringList edges = { 0 };
        size_t n_queue = 0;
        int r;

        if (!queue)
                return -ENOMEM;
        r = find_edges(needs, n, &edges);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (goes_down_at_once(plan, input, &needs[i])) {
                        needs[i].goes_down = true;
                        queue[n_queue++] = &needs[i];
                }
        for (size_t i = 0; r >= 0 && i < n_queue; i++) {
                const char *unit = queue[i]->unit, *other;
                size_t j = string_list_first_edge(&edges, unit);

                while ((other = string_list_edge_at(&edges, unit, j++))) {
                        PlanNeeds *one = plan_needs_find(needs, n, other);

                        if (!one || one->goes_down)
                                continue;
                        one->goes_down = true;
                        queue[n_queue++] = one;
                }
        }
        return r;
}

/* systemd keeps no service active that has ended, when the new definition does not ask for it. */
static bool ends_by_itself(const PlanInput *input, const char *unit) {
        const InventoryUnit *there = inventory_find(input->inventory, unit);
        const UnitPair *pair = plan_find_pair(input, unit);

        return there && pair && strcmp(there->sub, "exited") == 0 &&
               text_has_suffix(unit, ".service") &&
               !unit_file_boolean(pair->new.file, "Service", "RemainAfterExit", false);
}

/* It is started again when the new definitions are there, unless that is for a person to do. */
/** plan_start_again() - what will have gone down by then; 0 or -ENOMEM. */
int plan_start_again(PlanBuild *build, const char *unit, PlanRule rule) {
        const UnitPair *pair = plan_find_pair(build->input, unit);

        if (pair && plan_start_refusal(pair) != PLAN_RULE_NONE)
                return plan_note(build, "'%s' goes down on the way, and %s", unit,
                                 plan_rule_to_text(plan_start_refusal(pair)));
        return plan_decide(build, PLAN_START, unit, NULL, rule);
}

/**
 * plan_forecast_reloads() - start what should be reloaded and will not run by then
 * @input: as the plan was made of
 * @needs: of the units that should be reloaded, and of all that these need, ordered by name
 *
 * Return: 0, -ENOMEM, or -EIO if the digest cannot be made.
 */
int plan_forecast_reloads(Plan *plan, const PlanInput *input, PlanNeeds *needs, size_t n) {
        PlanList added[_PLAN_ACTION_MAX] = { 0 };
        PlanBuild build = { .plan = plan, .lists = added, .input = input };
        int r;

        r = find_what_goes_down(plan, input, needs, n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                PlanRule rule = needs[i].goes_down                   ? PLAN_RULE_GOES_DOWN :
                                ends_by_itself(input, needs[i].unit) ? PLAN_RULE_ENDED :
                                                                       PLAN_RULE_NONE;

                if (rule == PLAN_RULE_NONE || !plan_find_pair(input, needs[i].unit) ||
                    !plan_find(plan, PLAN_RELOAD, needs[i].unit))
                        continue;
                r = plan_start_again(&build, needs[i].unit, rule);
                plan_forget(plan, PLAN_RELOAD, needs[i].unit);
        }
        r = finish(plan, added, r);
        return r < 0 ? r : plan_make_digest(plan);
}

static int build_moved(PlanBuild *build, const char *unit) {
        const InventoryUnit *now = inventory_find(build->input->inventory, unit);
        const UnitPair *pair = plan_find_pair(build->input, unit);
        const PlanCause cause = { .pair = pair, .rule = PLAN_RULE_MOVED };

        if (!pair || pair->new.state != UNIT_FILE_PRESENT)
                return 0;
        if (!inventory_unit_is_active(now)) {
                PlanRule refused = plan_start_refusal(pair);

                if (refused != PLAN_RULE_NONE)
                        return plan_decide(build, PLAN_SKIP, unit, &cause, refused);
                return plan_decide(build, PLAN_START, unit, &cause, PLAN_RULE_NONE);
        }
        if (!plan_is_managed(build->input, now))
                return 0; /* something else still defines it */
        return plan_build_restart(build, &cause);
}

/**
 * plan_new_migration() - what happens to a user's units that the system defines from now on
 * @input:  its inventory is of now, after the manager was reloaded
 * @before: the user's plan; its targets are started once more
 * @ret:    owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int plan_new_migration(const PlanInput *input, const Plan *before, Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = calloc(1, sizeof(*plan));
        PlanBuild build = { .plan = plan, .input = input, .late = true, .moving = true };
        const PlanList *starts = &before->lists[PLAN_START];
        int r;

        if (!plan)
                return -ENOMEM;
        build.lists = plan->lists;
        plan->uid = before->uid;
        plan->user = strdup(before->user);
        if (!plan->user)
                return -ENOMEM;

        for (size_t i = 0; i < before->migrate.n; i++) {
                r = build_moved(&build, before->migrate.items[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; before->migrate.n > 0 && i < starts->n; i++) {
                if (!text_has_suffix(starts->entries[i].unit, ".target"))
                        continue;
                r = plan_decide(&build, PLAN_START, starts->entries[i].unit, NULL,
                                PLAN_RULE_TARGET);
                if (r < 0)
                        return r;
        }

        plan_settle(plan);
        *ret = TAKE_PTR(plan);
        return 0;
}
