#pragma once

#include <systemd/sd-bus.h>

#include "toplevel.h"

int identity_check(const Toplevel *old, const Toplevel *new, sd_bus_error *reterr_error);
