#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "macros.h"

typedef struct EarlierSystem {
        char *toplevel;
        char *system;        /* that @toplevel is a specialisation of; NULL: it is none */
        uint64_t generation; /* 0: of none */
} EarlierSystem;

int earlier_system_find(const char *profile, const char *word, EarlierSystem *earlier,
                        sd_bus_error *reterr_error);
void earlier_system_done(EarlierSystem *earlier);
