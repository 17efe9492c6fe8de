#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "inventory.h"
#include "macros.h"
#include "string-list.h"

/* systemd, asked over its private socket where that is allowed, else over the system bus. */
typedef struct Manager Manager;

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD_NAME ".Manager"
#define SYSTEMD_UNIT    SYSTEMD_NAME ".Unit"
#define SYSTEMD_SERVICE SYSTEMD_NAME ".Service"
#define SYSTEMD_JOB     SYSTEMD_NAME ".Job"

int manager_open(Manager **ret, sd_bus_error *reterr_error);
int manager_open_user(const char *runtime_directory, Manager **ret, sd_bus_error *reterr_error);
int manager_units(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error);
int manager_inventory(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error);
int manager_reset_failed(Manager *manager, sd_bus_error *reterr_error);
int manager_reload(Manager *manager, sd_bus_error *reterr_error);
int manager_reexecute(Manager *manager, sd_bus_error *reterr_error);
int manager_reboot(Manager *manager, sd_bus_error *reterr_error);
bool manager_is_disconnect(int r);
bool manager_is_users(const Manager *manager);
const char *manager_bus_name(const Manager *manager);
bool manager_is_stopping(Manager *manager);
int manager_environment(Manager *manager, const char *name, char **ret_value);
int manager_interface_of(const char *unit, char **ret_interface);
int manager_unit_text(Manager *manager, const char *unit, const char *interface,
                      const char *property, char **ret_text);
int manager_unit_state(Manager *manager, const char *unit, uint64_t limit_usec, char **ret_active);
int manager_unit_timeout(Manager *manager, const char *unit, const char *property,
                         uint64_t *ret_usec);
int manager_unit_begun(Manager *manager, const char *unit, uint64_t *ret_usec);
int manager_unit_result(Manager *manager, const char *unit, char **ret_result);
bool manager_unit_is_wanted(Manager *manager, const char *unit);
int manager_cannot_reload(Manager *manager, const Inventory *inventory, const StringList *units,
                          StringList *found);
int manager_takes_down(Manager *manager, const char *unit, StringList *edges);
int manager_main_pid_of(Manager *manager, const char *service, uint32_t *ret_pid);
int manager_exit_status_of(Manager *manager, const char *service, int32_t *ret_status);
void manager_settle(Manager *manager);
int manager_restarts_of(Manager *manager, const char *service, uint32_t *ret_restarts);
sd_bus *manager_bus(const Manager *manager);
int manager_reconnect(Manager *manager);
int manager_check(Manager *manager, sd_bus_error *reterr_error);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);
