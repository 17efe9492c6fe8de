#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "manager.h"
#include "string-list.h"

/* What is told while jobs run; each may be NULL. */
typedef struct JobObserver {
        void (*on_start)(void *userdata, const char *job, const char *unit);
        void (*on_end)(void *userdata, const char *job, const char *unit, const char *result,
                       uint64_t duration_usec);
        void (*on_refused)(void *userdata, const char *job, const char *unit, const char *error);
        /* One that nobody asked for here, as of what a target brings along; or of somebody else. */
        void (*on_other_failed)(void *userdata, const char *unit);
        void (*on_wait)(void *userdata, const char *job, const char *unit, uint64_t since_usec,
                        uint64_t limit_usec);
        void *userdata;
} JobObserver;

/* One job for each of some units, all given to the manager at once. */
typedef struct Jobs {
        const char *verb; /* "start", "stop", "restart" or "reload" */
        const StringList *units;
        const JobObserver *observer;
        uint64_t limit_usec;       /* for each; 0: by the unit's own timeout */
        uint64_t limit_max_usec;   /* and that no longer than this; 0: however long it is */
        bool (*interrupted)(void); /* asked whether to cancel what has not ended; may be NULL */
} Jobs;

int jobs_run(Manager *manager, const Jobs *jobs, StringList *failed, sd_bus_error *reterr_error);
bool jobs_result_is_bad(const char *result);
