#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "manager.h"

int engine_start(Manager *manager, const char *id, const char *description, pid_t *ret_pid,
                 sd_bus_error *reterr_error);
