#pragma once

#include <stdio.h>

#include "plan.h"

void plan_print(const Plan *plan, FILE *out);
void plan_print_reasons(const PlanEntry *entry, FILE *out);
