#pragma once

#include <systemd/sd-bus.h>

#include "inventory.h"
#include "manager.h"
#include "plan.h"
#include "recorded-state.h"
#include "scripts.h"
#include "string-list.h"

/* The live part of a switch: from one running system to another, in NixOS' order. */
typedef struct Activation {
        Scripts scripts; /* of the system that is activated; its log is told each step */
        const char *from;
        const char *lists_directory; /* "/run/nixos" */
        const RecordedState *state;  /* what ran before */
        Plan *plan;                  /* grows by what is found out on the way */
        Manager *manager;
        uint64_t job_limit_usec;   /* for each job; 0: by the unit's own timeout */
        bool post_activation;      /* a further pass, and told as such */
        StringList failed;         /* units whose job failed */
        StringList failed_users;   /* whose session could not follow, or has failed units */
        sd_bus_error script_error; /* of the activation script */
} Activation;

int activation_run(Activation *activation, sd_bus_error *reterr_error);
int activation_run_list(Activation *activation, PlanAction action, sd_bus_error *reterr_error);
int activation_run_units(Activation *activation, const char *job, const StringList *units,
                         sd_bus_error *reterr_error);
void activation_done(Activation *activation);
