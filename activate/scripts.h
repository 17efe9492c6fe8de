#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "manager.h"
#include "string-list.h"
#include "toplevel.h"

/* How the programs of a closure are run. */
typedef struct Scripts {
        const Toplevel *of;
        const char *action; /* NIXOS_ACTION */
        EventLog *log;      /* told what they print */
        bool install_bootloader;
        bool (*interrupted)(void); /* asked whether to end a program; may be NULL */
        uint64_t grace_usec;       /* which it may still take */
        Manager *manager; /* a host that goes down ends it as well; may be NULL: it does not */
        bool in_place;    /* with our own environment, input and output */
} Scripts;

int scripts_run(const Scripts *scripts, const char *what, const StringList *arguments,
                sd_bus_error *reterr_error);
int scripts_run_variable(const Scripts *scripts, const char *what, const char *variable,
                         const char *last_argument, sd_bus_error *reterr_error);
int scripts_run_activation(const Scripts *scripts, const char *name, sd_bus_error *reterr_error);
