#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "inventory.h"
#include "macros.h"
#include "string-list.h"

/* systemd, asked over its private socket where that is allowed, else over the system bus. */
typedef struct Manager Manager;

/* What is told while jobs run; each may be NULL. */
typedef struct JobObserver {
        void (*on_start)(void *userdata, const char *job, const char *unit);
        void (*on_end)(void *userdata, const char *job, const char *unit, const char *result,
                       uint64_t duration_usec);
        void (*on_wait)(void *userdata, const char *job, const char *unit, uint64_t since_usec,
                        uint64_t limit_usec);
        void *userdata;
} JobObserver;

int manager_open(Manager **ret, sd_bus_error *reterr_error);
int manager_inventory(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error);
int manager_run_jobs(Manager *manager, const char *job, const StringList *units,
                     const JobObserver *observer, StringList *failed, sd_bus_error *reterr_error);
int manager_reset_failed(Manager *manager, sd_bus_error *reterr_error);
int manager_reload(Manager *manager, sd_bus_error *reterr_error);
int manager_reexecute(Manager *manager, sd_bus_error *reterr_error);
bool manager_unit_is_wanted(Manager *manager, const char *unit);
int manager_restarts_of(Manager *manager, const char *service, uint32_t *ret_restarts);
sd_bus *manager_bus(const Manager *manager);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);
