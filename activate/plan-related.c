/*
 * What a plan must know of units that neither run nor changed: sockets that the new system adds to
 * services, and what a unit goes down with. Little of it is read, and only where it can matter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan-names.h"
#include "plan-related.h"
#include "text.h"
#include "unit-name.h"

static int add_words(const UnitFile *file, const char *unit, const char *section, const char *name,
                     StringList *needs) {
        const UnitKey *key = unit_file_find(file, section, name);
        int r = 0;

        for (size_t i = 0; r >= 0 && key && i < key->values.n; i++)
                r = unit_pair_add_words(needs, key->values.items[i], unit);
        return r;
}

static int add_edge(const UnitTree *tree, const char *unit, const char *target, StringList *edges) {
        _cleanup_free_ char *socket = NULL;
        char *edge;
        int r;

        if (!text_has_suffix(unit, ".socket"))
                return 0;
        r = unit_tree_main_name(tree, unit, &socket);
        if (r >= 0)
                r = text_printf(&edge, "%s %s", socket, target);
        return r < 0 ? r : string_list_take(edges, edge);
}

static int add_edges(const UnitTree *tree, const StringList *units, const char *target,
                     StringList *edges) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < units->n; i++)
                r = add_edge(tree, units->items[i], target, edges);
        return r;
}

/* "a.target.wants": the target may have that as another name. */
static int add_links(const UnitTree *tree, const Inventory *inventory, const char *directory,
                     StringList *edges) {
        _cleanup_(string_list_done) StringList units = { 0 };
        _cleanup_free_ char *name = NULL, *target = NULL;
        int r;

        r = unit_name_with_suffix(directory, "", &name);
        if (r >= 0)
                r = unit_tree_main_name(tree, name, &target);
        if (r < 0 || !inventory_unit_runs(inventory_find(inventory, target)))
                return r;
        r = unit_tree_links(tree, directory, &units);
        return r < 0 ? r : add_edges(tree, &units, target, edges);
}

static int add_words_of(const UnitTree *tree, const UnitFile *file, const char *target,
                        StringList *edges) {
        static const char *const keys[] = { "BindsTo", "Requires", "Upholds", "Wants" };
        _cleanup_(string_list_done) StringList units = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(keys); i++)
                r = add_words(file, target, "Unit", keys[i], &units);
        return r < 0 ? r : add_edges(tree, &units, target, edges);
}

/**
 * plan_related_wanted_sockets() - which sockets active targets want in one of two systems
 * @input: with the targets among its pairs
 * @old:   in the old one; @tree is that of the system
 * @edges: appended to: "socket target", in order, each once
 *
 * Return: 0 or -ENOMEM.
 */
int plan_related_wanted_sockets(const UnitTree *tree, const PlanInput *input, bool old,
                                StringList *edges) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < tree->wants.n; i++)
                r = add_links(tree, input->inventory, tree->wants.items[i], edges);
        for (size_t i = 0; r >= 0 && i < input->n_pairs; i++) {
                const UnitPair *pair = &input->pairs[i];

                if (!text_has_suffix(pair->id, ".target") ||
                    !inventory_unit_runs(inventory_find(input->inventory, pair->id)))
                        continue;
                r = add_words_of(tree, old && pair->old.file ? pair->old.file : pair->new.file,
                                 pair->id, edges);
        }
        string_list_sort_unique(edges);
        return r;
}

static int add_needs(const UnitFile *file, const char *unit, StringList *needs) {
        static const struct {
                const char *section, *key;
        } keys[] = {
                { "Unit", "BindsTo" },
                { "Unit", "PartOf" },
                { "Unit", "Requires" },
                { "Unit", "Requisite" },
                { "Unit", "StopPropagatedFrom" },
                { "Service", "Slice" },
                { "Socket", "Slice" },
                { "Mount", "Slice" },
                { "Swap", "Slice" },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(keys); i++)
                r = add_words(file, unit, keys[i].section, keys[i].key, needs);
        return r;
}

/* By their main names: those that are stopped are named so. */
static int add_needs_of(const UnitTree *old_tree, const char *unit, StringList *needs) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        _cleanup_free_ char *directory = NULL;
        int r;

        r = text_printf(&directory, "%s.requires", unit);
        if (r >= 0)
                r = unit_tree_links(old_tree, directory, &names);
        if (r >= 0)
                r = unit_pair_load(&pair, unit, old_tree, old_tree);
        if (r >= 0)
                r = unit_pair_load_new(&pair, old_tree);
        if (r >= 0 && pair.new.file)
                r = add_needs(pair.new.file, unit, &names);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                char *main;

                r = unit_tree_main_name(old_tree, names.items[i], &main);
                if (r >= 0)
                        r = string_list_take(needs, main);
        }
        string_list_sort_unique(needs);
        return r;
}

/**
 * plan_related_inventory_name() - by which name the inventory has a unit
 * @name:     that, or another name that the new system gives it
 * @ret_name: owned by the caller; @name itself where nothing else is known
 *
 * Return: 0 or -ENOMEM.
 */
int plan_related_inventory_name(const UnitTree *new_tree, const PlanInput *input, const char *name,
                                char **ret_name) {
        _cleanup_free_ char *known = NULL;
        int r;

        r = unit_tree_main_name(new_tree, name, &known);
        if (r >= 0)
                r = plan_names_running(input->renamed, input->inventory, &known);
        if (r >= 0)
                *ret_name = TAKE_PTR(known);
        return r;
}

static int add_bound(const UnitTree *new_tree, const PlanInput *input, const UnitPair *pair,
                     StringList *bound) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = add_words(pair->new.file, pair->id, "Unit", "BindsTo", &names);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                char *name;

                r = plan_related_inventory_name(new_tree, input, names.items[i], &name);
                if (r >= 0)
                        r = string_list_take(bound, name);
        }
        return r;
}

/* Units whose needs are known, ordered by name up to @n_ordered, and those to be looked at next. */
typedef struct Search {
        const UnitTree *old_tree;
        PlanNeeds *items;
        size_t n, allocated, n_ordered;
        StringList next;
} Search;

static int compare_needs(const void *a, const void *b) {
        return strcmp(((const PlanNeeds *) a)->unit, ((const PlanNeeds *) b)->unit);
}

/** plan_needs_find() - those of a unit, or NULL; @needs are ordered by name. */
PlanNeeds *plan_needs_find(PlanNeeds *needs, size_t n, const char *unit) {
        const PlanNeeds wanted = { .unit = (char *) unit };

        return n == 0 ? NULL : bsearch(&wanted, needs, n, sizeof(*needs), compare_needs);
}

static int search_unit(Search *search, const char *unit, PlanNeeds **ret) {
        PlanNeeds *needs;
        int r;

        if (search->n == search->allocated) {
                size_t wanted = search->allocated ? 2 * search->allocated : 16;
                PlanNeeds *items = reallocarray(search->items, wanted, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                search->items = items;
                search->allocated = wanted;
        }
        needs = &search->items[search->n];
        *needs = (PlanNeeds){ .unit = strdup(unit) };
        if (!needs->unit)
                return -ENOMEM;
        search->n++;
        r = add_needs_of(search->old_tree, unit, &needs->needs);
        if (r >= 0)
                r = string_list_copy(&search->next, &needs->needs);
        *ret = needs;
        return r;
}

static void search_order(Search *search) {
        if (search->n > search->n_ordered)
                qsort(search->items, search->n, sizeof(*search->items), compare_needs);
        search->n_ordered = search->n;
}

/* One step farther from where it began: what is known already is not read once more. */
static int search_step(Search *search) {
        _cleanup_(string_list_done) StringList units = search->next;
        int r = 0;

        search->next = (StringList){ 0 };
        string_list_sort_unique(&units);
        for (size_t i = 0; r >= 0 && i < units.n; i++) {
                PlanNeeds *needs;

                if (!plan_needs_find(search->items, search->n_ordered, units.items[i]))
                        r = search_unit(search, units.items[i], &needs);
        }
        search_order(search);
        return r;
}

/**
 * plan_related_needs() - all that some units go down with when that is stopped
 * @units: to be reloaded, in order; looked at where the input has a pair of it
 * @ret:   of them and of all that they need, however far away, ordered by name; owned by the
 *         caller, for plan_needs_free()
 *
 * Return: 0 or -ENOMEM.
 */
int plan_related_needs(const UnitTree *old_tree, const UnitTree *new_tree, const PlanInput *input,
                       const PlanList *units, PlanNeeds **ret, size_t *ret_n) {
        Search search = { .old_tree = old_tree };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < units->n; i++) {
                const UnitPair *pair = plan_find_pair(input, units->entries[i].unit);
                PlanNeeds *needs;

                if (!pair) /* mounts of fstab are no units of ours */
                        continue;
                r = search_unit(&search, pair->id, &needs);
                if (r >= 0)
                        r = add_bound(new_tree, input, pair, &needs->bound);
                /* What it will be bound to may be down by then, by the old definitions. */
                if (r >= 0)
                        r = string_list_copy(&search.next, &needs->bound);
        }
        search_order(&search);
        while (r >= 0 && search.next.n > 0)
                r = search_step(&search);
        string_list_done(&search.next);
        if (r < 0) {
                plan_needs_free(search.items, search.n);
                return r;
        }
        *ret = search.items;
        *ret_n = search.n;
        return 0;
}

void plan_needs_free(PlanNeeds *needs, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(needs[i].unit);
                string_list_done(&needs[i].needs);
                string_list_done(&needs[i].bound);
        }
        free(needs);
}
