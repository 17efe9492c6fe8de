#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manager.h"

#define JOB_LIMIT_SEC_MAX ((uint64_t) 7 * 24 * 3600) /* that somebody may ask for */

/* What systemd counts while it starts, stops or reloads a unit: a timeout anew for each command,
 * and for each other thing that it waits for. */
typedef struct JobTimes {
        uint64_t start_usec, stop_usec, abort_usec; /* timeouts; UINT64_MAX: without end */
        unsigned n_start, n_stop, n_reload;         /* of which a reload passes that of a start */
        unsigned n_abort;                           /* in a stop, too */
        bool extends;                               /* a service may ask for more time */
} JobTimes;

uint64_t job_limit(const char *verb, const JobTimes *times);
uint64_t job_limit_of(Manager *manager, const char *unit, const char *verb);
