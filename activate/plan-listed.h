#pragma once

#include "plan.h"

/* What is decided on the way, by lists of names that nobody could know before. */
int plan_add_restart_list(Plan *plan, const PlanInput *input, const StringList *names);
int plan_add_reload_list(Plan *plan, const PlanInput *input, const StringList *names);
int plan_replace_inactive_reloads(Plan *plan, const PlanInput *input);
int plan_new_migration(const PlanInput *input, const Plan *before, Plan **ret);
