#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "manager.h"

#define DEAD_MAN_PREFIX "enact-dead-man-" /* of its units' names */
#define BOOT_CHECK_UNIT "enact-boot-check.service"

int engine_unit(const char *id, char **ret_unit);
int engine_dead_man(const char *id, char **ret_unit);
int engine_start(Manager *manager, const char *id, const char *description, pid_t *ret_pid,
                 sd_bus_error *reterr_error);
int engine_arm(Manager *manager, const char *id, sd_bus_error *reterr_error);
int engine_pid(Manager *manager, const char *id, pid_t *ret_pid);
int engine_kill(Manager *manager, const char *id);
