#pragma once

#include <systemd/sd-bus.h>

#include "event.h"
#include "inventory.h"
#include "manager.h"
#include "plan.h"
#include "string-list.h"
#include "toplevel.h"

/* The live part of a switch: from one running system to another, in NixOS' order. */
typedef struct Activation {
        const Toplevel *to;
        const Plan *plan;
        const char *action; /* NIXOS_ACTION for the programs of the closure */
        Manager *manager;
        EventLog *log;
        bool install_bootloader;
        uint64_t job_limit_usec; /* for each job; 0: by the unit's own timeout */
        StringList failed;       /* units whose job failed */
} Activation;

int activation_run(Activation *activation, sd_bus_error *reterr_error);
int activation_run_program(Activation *activation, const char *what, const StringList *arguments,
                           sd_bus_error *reterr_error);
int activation_run_script(Activation *activation, const char *name, sd_bus_error *reterr_error);
int activation_run_variable(Activation *activation, const char *what, const char *variable,
                            const char *last_argument, sd_bus_error *reterr_error);
void activation_done(Activation *activation);
