#pragma once

#include "inventory.h"
#include "plan.h"
#include "string-list.h"

/* Units that did not change and go down all the same, with what they require. What takes down what
 * is told as systemd knows it: texts "unit other", in order, where the other goes down with the
 * unit. */
int plan_dependents_find(const Plan *plan, const Inventory *inventory, const StringList *takes_down,
                         StringList *names);
int plan_bring_back(Plan *plan, const PlanInput *input, const StringList *takes_down);
