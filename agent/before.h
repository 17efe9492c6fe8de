#pragma once

#include <stdio.h>
#include <systemd/sd-bus.h>

#include "json.h"
#include "plan-load.h"
#include "string-list.h"

/* Units that an activation script wants to have restarted or reloaded. */
typedef struct DryLists {
        StringList restart, reload;
} DryLists;

int before_find_running(char **ret_running, sd_bus_error *reterr_error);
int before_make_plan(const char *running, const char *toplevel, const DryLists *lists, Plan **ret,
                     sd_bus_error *reterr_error);
void before_print_packages(const char *running, const char *toplevel, FILE *f);
void before_print_units(const char *running, const char *toplevel, const Plan *plan, FILE *f);
void before_add_packages(const char *running, const char *toplevel, cJSON *object);
void dry_lists_done(DryLists *lists);
