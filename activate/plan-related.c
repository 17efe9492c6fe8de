/*
 * What a plan must know of units that neither run nor changed: sockets that the new system adds to
 * services, and what a unit goes down with. Little of it is read, and only where it can matter.
 */
#include <errno.h>
#include <string.h>

#include "plan-related.h"
#include "text.h"
#include "unit-name.h"

#define NEEDS_MAX 1000U /* of one unit; systems have a handful */

/* Names that depend on the instance ("%i") are left out. */
static int add_words(const UnitFile *file, const char *section, const char *name,
                     StringList *needs) {
        const UnitKey *key = unit_file_find(file, section, name);
        int r = 0;

        for (size_t i = 0; key && i < key->values.n; i++) {
                _cleanup_free_ char *words = strdup(key->values.items[i]);
                char *rest;

                if (!words)
                        return -ENOMEM;
                for (char *word = strtok_r(words, " \t\n", &rest); r >= 0 && word;
                     word = strtok_r(NULL, " \t\n", &rest))
                        if (!strchr(word, '%') && !string_list_contains(needs, word))
                                r = string_list_add(needs, word);
        }
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
                r = add_words(file, "Unit", keys[i], &units);
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

static int add_needs(const UnitFile *file, StringList *needs) {
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
                r = add_words(file, keys[i].section, keys[i].key, needs);
        return r;
}

static int add_needs_of(const UnitTree *old_tree, const char *unit, StringList *needs) {
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        _cleanup_free_ char *directory = NULL;
        int r;

        r = text_printf(&directory, "%s.requires", unit);
        if (r >= 0)
                r = unit_tree_links(old_tree, directory, needs);
        if (r >= 0)
                r = unit_pair_load(&pair, unit, old_tree, old_tree);
        if (r >= 0)
                r = unit_pair_load_new(&pair, old_tree);
        return r < 0 || !pair.new.file ? r : add_needs(pair.new.file, needs);
}

/**
 * plan_related_needs() - all that a unit goes down with when that is stopped
 * @pair:  of the unit
 * @needs: all zero before; plan_needs_done() even after an error
 *
 * Return: 0 or -ENOMEM.
 */
int plan_related_needs(const UnitTree *old_tree, const UnitPair *pair, PlanNeeds *needs) {
        int r;

        needs->unit = strdup(pair->id);
        if (!needs->unit)
                return -ENOMEM;
        r = add_words(pair->new.file, "Unit", "BindsTo", &needs->bound);
        if (r >= 0)
                r = add_needs_of(old_tree, pair->id, &needs->needs);
        /* What it will be bound to may be down by then, by the old definitions. */
        for (size_t i = 0; r >= 0 && i < needs->bound.n; i++)
                r = add_needs_of(old_tree, needs->bound.items[i], &needs->needs);
        for (size_t i = 0; r >= 0 && i < needs->needs.n && i < NEEDS_MAX; i++)
                r = add_needs_of(old_tree, needs->needs.items[i], &needs->needs);
        return r;
}

void plan_needs_done(PlanNeeds *needs) {
        free(needs->unit);
        string_list_done(&needs->needs);
        string_list_done(&needs->bound);
}
