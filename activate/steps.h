#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "manager.h"
#include "plan.h"
#include "string-list.h"

/* Working off a plan with one manager. */
typedef struct Steps {
        EventLog *log;
        Manager *manager;
        Plan *plan;
        uint64_t job_limit_usec;     /* for each job; 0: by the unit's own timeout */
        uint64_t job_limit_max_usec; /* and that no longer than this; 0: however long it is */
        bool (*interrupted)(void);   /* asked whether to wait no longer; may be NULL */
        bool post_activation;        /* a further pass, and told as such */
        bool show_all;               /* tell also of what is hidden from people */
        bool sockets_are_up;         /* those to start have been started, before the others */
        StringList failed;           /* units whose job failed */
        StringList told;             /* units of which was told how they failed */
} Steps;

int steps_check_interrupt(const Steps *steps, sd_bus_error *reterr_error);
int steps_run_list(Steps *steps, PlanAction action, sd_bus_error *reterr_error);
int steps_run_units(Steps *steps, const char *job, const StringList *units,
                    sd_bus_error *reterr_error);
int steps_run_quietly(Steps *steps, const char *job, const StringList *units,
                      sd_bus_error *reterr_error);
int steps_bring_up(Steps *steps, const char *lists_directory, sd_bus_error *reterr_error);
void steps_done(Steps *steps);
