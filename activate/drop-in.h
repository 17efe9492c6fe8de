#pragma once

#include "toplevel.h"

/* What NixOS calls bin/switch-to-configuration: one action on the system that its wrapper
 * describes. */
typedef struct DropIn {
        const char *program; /* for messages */
        const char *action;  /* "check", "switch", "boot", "test" or "dry-activate" */
        Toplevel *new;       /* from the wrapper's variables */
} DropIn;

int drop_in_from_environment(DropIn *drop_in);
int drop_in_run(const DropIn *drop_in);
void drop_in_done(DropIn *drop_in);
