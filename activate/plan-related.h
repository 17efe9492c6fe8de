#pragma once

#include "inventory.h"
#include "plan.h"
#include "string-list.h"
#include "unit-pair.h"
#include "unit-tree.h"

/* Units that matter to a plan though neither are they running nor did they change. */
int plan_related_wanted_sockets(const UnitTree *tree, const PlanInput *input, bool old,
                                StringList *edges);
int plan_related_inventory_name(const UnitTree *new_tree, const PlanInput *input, const char *name,
                                char **ret_name);
int plan_related_needs(const UnitTree *old_tree, const UnitTree *new_tree, const PlanInput *input,
                       const PlanList *units, PlanNeeds **ret, size_t *ret_n);
PlanNeeds *plan_needs_find(PlanNeeds *needs, size_t n, const char *unit);
void plan_needs_free(PlanNeeds *needs, size_t n);
