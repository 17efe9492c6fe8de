#pragma once

#include "inventory.h"
#include "plan.h"
#include "string-list.h"
#include "unit-tree.h"

/* Units that get another name; lists are of "name other", in order. */
int plan_names_find_renamed(const PlanInput *input, StringList *renamed);
int plan_names_running(const StringList *renamed, const Inventory *inventory, char **name);
int plan_names_find_heirs(const PlanInput *input, const UnitTree *old_tree,
                          const UnitTree *new_tree, StringList *heirs_of);
