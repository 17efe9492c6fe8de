#pragma once

#include <systemd/sd-bus.h>

#include "options.h"

int generations_list(const Options *options, sd_bus_error *reterr_error);
int generations_list_foreign(const Options *options, sd_bus_error *reterr_error);
