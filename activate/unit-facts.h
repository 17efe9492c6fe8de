#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "manager.h"
#include "string-list.h"

/* What a judge wants to know of one unit; texts are systemd's own words, "" where it has none. */
typedef struct UnitFacts {
        char *id;
        char *load, *active, *sub;
        char *result;
        char *type, *restart;      /* of a service */
        uint32_t restarts;         /* by systemd itself, since the service was last started */
        sd_id128_t invocation;     /* all zero: it has not run */
        bool condition_met;        /* at the last start */
        uint64_t condition_usec;   /* when that was looked at; 0: never. All of these: monotonic */
        uint64_t active_usec;      /* since when it is active */
        uint64_t start_usec;       /* since when it is not inactive */
        uint64_t start_limit_usec; /* how long it may take to start; UINT64_MAX: without end */
        bool has_job;
        StringList triggers;  /* units that start this one */
        StringList wanted_by; /* units that want or require it */
} UnitFacts;

typedef struct UnitFactsList {
        UnitFacts *items; /* ordered by id */
        size_t n;
} UnitFactsList;

typedef enum UnitFactsDepth {
        UNIT_FACTS_RESTARTS, /* only @restarts, of services */
        UNIT_FACTS_RUN,      /* that, the state and what a running service is watched by */
        UNIT_FACTS_ALL,
} UnitFactsDepth;

int unit_facts_read(Manager *manager, const StringList *units, UnitFactsDepth depth,
                    UnitFactsList *list);
const UnitFacts *unit_facts_find(const UnitFactsList *list, const char *id);
void unit_facts_list_done(UnitFactsList *list);
