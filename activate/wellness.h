#pragma once

#include <stdbool.h>

#include "inventory.h"
#include "unit-facts.h"

/* How a unit is. All up to WELLNESS_MASKED is well. */
typedef enum Wellness {
        WELLNESS_ACTIVE,
        WELLNESS_FINISHED,  /* a oneshot that has done its work */
        WELLNESS_CONDITION, /* a condition of its own kept it from starting */
        WELLNESS_IDLE,      /* waits for its socket, path, timer, automount or bus name */
        WELLNESS_MASKED,
        WELLNESS_STARTING,   /* or stopping, or in a queue to do so */
        WELLNESS_RESTARTING, /* failed, and systemd is about to start it again */
        WELLNESS_ENDED,      /* inactive for no such reason */
        WELLNESS_MISSING,    /* there is no such unit */
        WELLNESS_FAILED,
        _WELLNESS_MAX,
} Wellness;

Wellness wellness_of(const UnitFacts *facts, const Inventory *now);
bool wellness_is_well(Wellness wellness);
const char *wellness_to_string(Wellness wellness);
