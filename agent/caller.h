#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "macros.h"

/* Somebody who has become root to call us (`sudo enact`), while we work in their name. */
typedef struct Caller Caller;

int caller_step_down(const char *directory, Caller **ret, sd_bus_error *reterr_error);
Caller *caller_step_up(Caller *caller);
DEFINE_CLEANUP(Caller *, caller_step_up);
