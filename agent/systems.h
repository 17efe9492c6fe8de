#pragma once

#include <systemd/sd-bus.h>

#include "history.h"
#include "macros.h"
#include "profile.h"

/* Which systems this host has: what runs, what was booted, and the generations of a profile. */
typedef struct Systems {
        char *running, *booted;  /* toplevels; NULL if there is none */
        char *current;           /* what the profile stands for */
        char *boot_default;      /* what the next boot takes, as far as that is known */
        bool default_is_guessed; /* by the profile; no installer is known to agree */
        GenerationList generations;
        History history;
} Systems;

int systems_read(const char *profile, Systems *systems, sd_bus_error *reterr_error);
void systems_done(Systems *systems);
