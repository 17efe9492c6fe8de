#pragma once

#include <systemd/sd-bus.h>

#include "options.h"

int generations_diff(const Options *options, char *const words[], int n_words,
                     sd_bus_error *reterr_error);
