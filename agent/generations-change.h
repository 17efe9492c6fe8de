#pragma once

#include <systemd/sd-bus.h>

#include "display.h"
#include "options.h"
#include "upkeep-request.h"

int generations_change(UpkeepVerb verb, const Options *options, char *const words[], int n_words,
                       Display *display, sd_bus_error *reterr_error);
