#pragma once

#include "inventory.h"
#include "plan.h"
#include "string-list.h"
#include "unit-pair.h"
#include "unit-tree.h"

/* Units that matter to a plan though neither are they running nor did they change. */
int plan_related_wanted_sockets(const UnitTree *tree, const PlanInput *input, bool old,
                                StringList *edges);
int plan_related_needs(const UnitTree *old_tree, const UnitPair *pair, PlanNeeds *needs);
void plan_needs_done(PlanNeeds *needs);
