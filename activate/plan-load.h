#pragma once

#include "inventory.h"
#include "plan.h"

/* What a plan is loaded from. */
typedef struct PlanSource {
        const char *from, *to; /* toplevels */
        const Inventory *inventory;
        bool live; /* compare with the systemd that runs, not with the one of @from */
} PlanSource;

int plan_load(const PlanSource *source, Plan **ret);
