/*
 * What a plan must know of units that neither run nor changed: sockets that the new system adds to
 * services, and what a unit goes down with. Little of it is read, and only where it can matter.
 */
#include <errno.h>
#include <string.h>

#include "plan-related.h"
#include "text.h"

#define NEEDS_MAX 1000U /* of one unit; systems have a handful */

static int find_active_targets(const Inventory *inventory, StringList *targets) {
        for (size_t i = 0; i < inventory->n; i++) {
                const InventoryUnit *unit = &inventory->units[i];

                if (!text_has_suffix(unit->id, ".target") || !inventory_unit_runs(unit))
                        continue;
                if (string_list_add(targets, unit->id) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static bool is_wanted(const UnitTree *tree, const StringList *targets, const char *unit) {
        for (size_t i = 0; i < targets->n; i++)
                if (unit_tree_wants(tree, targets->items[i], unit))
                        return true;
        return false;
}

/**
 * plan_related_new_sockets() - sockets that active targets want in the new system and did not in
 * the old one
 * @names: appended to, in order
 *
 * Return: 0 or -ENOMEM.
 */
int plan_related_new_sockets(const UnitTree *old_tree, const UnitTree *new_tree,
                             const Inventory *inventory, StringList *names) {
        _cleanup_(string_list_done) StringList targets = { 0 };
        struct stat st;
        int r;

        r = find_active_targets(inventory, &targets);
        for (size_t i = 0; r >= 0 && i < new_tree->sockets.n; i++) {
                const char *name = new_tree->sockets.items[i];

                if (inventory_unit_is_active(inventory_find(inventory, name)) ||
                    unit_tree_state(new_tree, name, &st) != UNIT_FILE_PRESENT ||
                    !is_wanted(new_tree, &targets, name))
                        continue;
                if (unit_tree_state(old_tree, name, &st) != UNIT_FILE_PRESENT ||
                    !is_wanted(old_tree, &targets, name))
                        r = string_list_add(names, name);
        }
        return r;
}

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
