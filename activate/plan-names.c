/*
 * Units that get another name. systemd knows a unit by one name and by others that are links to it.
 * Where the new system makes a running unit's name one of those, systemd has it go on by its new
 * name when it reads the definitions anew; where the name that it is known by is gone, it ends, and
 * what the new system has by its other names is started in its place: a name that was up is up
 * afterwards.
 */
#include <errno.h>
#include <string.h>

#include "plan-build.h"
#include "plan-names.h"
#include "text.h"
#include "unit-name.h"

static const char *first_other(const StringList *edges, const char *name) {
        return edges ? string_list_edge_at(edges, name, string_list_first_edge(edges, name)) : NULL;
}

static int add_edge(const char *name, const char *other, StringList *edges) {
        char *edge;
        int r;

        r = text_printf(&edge, "%s %s", name, other);
        return r < 0 ? r : string_list_take(edges, edge);
}

/**
 * plan_names_find_renamed() - which of the running units get another name
 * @input:   with its pairs
 * @renamed: appended to, "name old-name", in order
 *
 * Return: 0 or -ENOMEM.
 */
int plan_names_find_renamed(const PlanInput *input, StringList *renamed) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < input->n_pairs; i++)
                if (unit_pair_is_renamed(&input->pairs[i]) &&
                    inventory_unit_is_up(inventory_find(input->inventory, input->pairs[i].id)))
                        r = add_edge(input->pairs[i].new.name, input->pairs[i].id, renamed);
        string_list_sort(renamed);
        return r;
}

/**
 * plan_names_running() - by which name a unit of the new system runs now
 * @name:     as the new system has it; replaced
 * @inventory, @renamed: of the running system
 *
 * Return: 0 or -ENOMEM.
 */
int plan_names_running(const StringList *renamed, const Inventory *inventory, char **name) {
        const char *old = *name ? first_other(renamed, *name) : NULL;

        if (!old || inventory_unit_is_active(inventory_find(inventory, *name)))
                return 0;
        return text_replace(name, old);
}

/* By its main name: what is a link in the new system, too, is one unit with what it leads to. */
static int add_heir(const UnitTree *new_tree, const Inventory *inventory, const char *unit,
                    const char *alias, StringList *heirs_of) {
        _cleanup_free_ char *name = NULL;
        int r;

        if (unit_tree_defines(new_tree, alias) != UNIT_FILE_PRESENT)
                return 0;
        r = unit_tree_main_name(new_tree, alias, &name);
        if (r < 0 || inventory_unit_is_active(inventory_find(inventory, name)))
                return r;
        return add_edge(unit, name, heirs_of);
}

static int add_heirs(const StringList *aliases, const UnitTree *new_tree,
                     const Inventory *inventory, const char *unit, StringList *heirs_of) {
        _cleanup_free_ char *template = NULL;
        const char *alias;
        int r = 0;

        for (size_t i = string_list_first_edge(aliases, unit); r >= 0; i++) {
                alias = string_list_edge_at(aliases, unit, i);
                if (!alias)
                        break;
                r = add_heir(new_tree, inventory, unit, alias, heirs_of);
        }
        if (r >= 0)
                r = unit_name_template(unit, &template);
        for (size_t i = template ? string_list_first_edge(aliases, template) : 0;
             r >= 0 && template; i++) {
                _cleanup_free_ char *instance = NULL;

                alias = string_list_edge_at(aliases, template, i);
                if (!alias)
                        break;
                r = unit_name_instance_of(alias, unit, &instance);
                if (r >= 0 && instance)
                        r = add_heir(new_tree, inventory, unit, instance, heirs_of);
        }
        return r;
}

/**
 * plan_names_find_heirs() - what the new system has by the other names of units that are gone
 * @input:    with its pairs
 * @heirs_of: appended to, "old-name name", in order, each once
 *
 * The links of the old tree are read only where something is gone.
 *
 * Return: 0, -ENOMEM, or an errno of openat(2).
 */
int plan_names_find_heirs(const PlanInput *input, const UnitTree *old_tree,
                          const UnitTree *new_tree, StringList *heirs_of) {
        _cleanup_(string_list_done) StringList aliases = { 0 };
        bool read = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < input->n_pairs; i++) {
                if (plan_gone_rule(&input->pairs[i]) == PLAN_RULE_NONE)
                        continue;
                if (!read)
                        r = unit_tree_all_aliases(old_tree, &aliases);
                read = true;
                if (r >= 0)
                        r = add_heirs(&aliases, new_tree, input->inventory, input->pairs[i].id,
                                      heirs_of);
        }
        string_list_sort_unique(heirs_of);
        return r;
}

/** plan_is_merged() - whether a running unit's name becomes one of another that runs, too: systemd
 * cannot make one of two, and lets both go on. */
bool plan_is_merged(const PlanInput *input, const UnitPair *pair) {
        const char *first;

        if (!unit_pair_is_renamed(pair))
                return false;
        first = first_other(input->renamed, pair->new.name);
        return inventory_unit_is_up(inventory_find(input->inventory, pair->new.name)) ||
               (first && strcmp(first, pair->id) != 0);
}

/**
 * plan_find_heir() - what takes the place of a unit that is gone
 * @i: 0 for the first; counted on
 */
const char *plan_find_heir(const PlanInput *input, const char *unit, size_t *i) {
        return input->heirs_of ?
                       string_list_edge_at(input->heirs_of, unit,
                                           string_list_first_edge(input->heirs_of, unit) + (*i)++) :
                       NULL;
}

static int start_heir(PlanBuild *build, const char *unit, const char *heir) {
        const UnitPair *pair = plan_find_pair(build->input, heir);
        bool by_sockets = pair && plan_is_left_to_sockets(build->input, pair);
        int r;

        if (pair && !by_sockets && plan_start_refusal(pair) != PLAN_RULE_NONE)
                return plan_note(build, "'%s' has run as '%s', which is gone, and %s", heir, unit,
                                 plan_rule_to_text(plan_start_refusal(pair)));
        r = add_edge(heir, unit, &build->plan->heirs);
        return r < 0 || by_sockets ? r :
                                     plan_decide(build, PLAN_START, heir, NULL, PLAN_RULE_RENAMED);
}

static int start_heirs(PlanBuild *build) {
        const PlanList *stops = &build->plan->lists[PLAN_STOP];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < stops->n; i++) {
                const char *unit = stops->entries[i].unit, *heir;
                size_t n = 0;

                while (r >= 0 && (heir = plan_find_heir(build->input, unit, &n)))
                        r = start_heir(build, unit, heir);
        }
        return r;
}

static int note_renamed(PlanBuild *build) {
        const StringList *renamed = build->input->renamed;
        int r = 0;

        for (size_t i = 0; r >= 0 && renamed && i < renamed->n; i++) {
                const char *edge = renamed->items[i], *old = strchr(edge, ' ') + 1;
                const UnitPair *pair = plan_find_pair(build->input, old);

                if (!pair || plan_is_merged(build->input, pair))
                        continue;
                r = string_list_add(&build->plan->renamed, edge);
                if (r >= 0)
                        r = plan_note(build, "'%s' is '%s' from now on", old, pair->new.name);
        }
        return r;
}

/**
 * plan_build_names() - when it is known what stops: what goes on by another name
 *
 * Return: 0 or -ENOMEM.
 */
int plan_build_names(Plan *plan, const PlanInput *input) {
        PlanList added[_PLAN_ACTION_MAX] = { 0 };
        PlanBuild build = { .plan = plan, .lists = added, .input = input };
        int r, s;

        r = note_renamed(&build);
        if (r >= 0)
                r = start_heirs(&build);
        string_list_sort(&plan->heirs);
        s = plan_take_lists(plan, added);
        plan_settle(plan);
        return r < 0 ? r : s;
}

/** plan_old_name() - the name by which a unit ran before the switch: nearly always its own. */
const char *plan_old_name(const Plan *plan, const char *unit) {
        const char *old = first_other(&plan->renamed, unit);

        if (!old)
                old = first_other(&plan->heirs, unit);
        return old ? old : unit;
}
