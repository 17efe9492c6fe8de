#pragma once

#include <systemd/sd-bus.h>

#include "inventory.h"
#include "manager.h"
#include "plan.h"
#include "scripts.h"
#include "string-list.h"

/* The live part of a switch: from one running system to another, in NixOS' order. */
typedef struct Activation {
        Scripts scripts; /* of the system that is activated; its log is told each step */
        const Plan *plan;
        Manager *manager;
        uint64_t job_limit_usec;   /* for each job; 0: by the unit's own timeout */
        StringList failed;         /* units whose job failed */
        sd_bus_error script_error; /* of the activation script */
} Activation;

int activation_run(Activation *activation, sd_bus_error *reterr_error);
void activation_done(Activation *activation);
