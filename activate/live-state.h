#pragma once

#include <systemd/sd-bus.h>

#include "manager.h"
#include "plan.h"
#include "recorded-state.h"
#include "users.h"

/* Where to look for what a plan is made of. */
typedef struct LiveSource {
        const char *from, *to;       /* toplevels */
        const char *lists_directory; /* "/run/nixos" */
        bool all_users; /* else only the manager of whoever we are, if we are not root */
} LiveSource;

int live_state_read(Manager *manager, const LiveSource *source, RecordedState *state,
                    StringList *notes, sd_bus_error *reterr_error);
int live_ask_what_falls(Manager *manager, const Plan *plan, const Inventory *inventory,
                        StringList *takes_down);
int live_add_dependents(Manager *manager, const char *from, const char *to, RecordedState *state,
                        Plan *plan);
int live_add_lists(Manager *manager, const char *from, const char *to, const RecordedState *state,
                   const StringList *restart, const StringList *reload, Plan *plan);
int live_plan(Manager *manager, const LiveSource *source, RecordedState *state, Plan **ret,
              sd_bus_error *reterr_error);
int live_check_bus(const Manager *manager, const Plan *plan, sd_bus_error *reterr_error);
