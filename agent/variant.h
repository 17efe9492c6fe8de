#pragma once

#include <systemd/sd-bus.h>

#include "display.h"
#include "options.h"

int variant_choose(const Options *options, const char *system, const Display *display,
                   char **ret_path, sd_bus_error *reterr_error);
int variant_base(const char *profile, const char *path, char **ret_system, char **ret_name);
