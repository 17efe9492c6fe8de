#pragma once

#include <systemd/sd-bus.h>

#include "recorded-state.h"
#include "scripts.h"
#include "state-ground.h"
#include "steps.h"
#include "string-list.h"

/* The live part of a switch: from one running system to another, in NixOS' order. */
typedef struct Activation {
        Scripts scripts; /* of the system that is activated */
        Steps steps;     /* its plan grows by what is found out on the way */
        const char *from;
        const char *lists_directory; /* "/run/nixos" */
        const RecordedState *state;  /* what ran before */
        bool goes_back;              /* what can be done without is no reason to stop half-way */
        const StateGround *ground;   /* of the record; NULL: there is none */
        unsigned n_user_words;       /* how often the journal was read for users' units */
        StringList failed_users;     /* whose session could not follow, or has failed units */
        sd_bus_error script_error;   /* of the activation script */
} Activation;

int activation_run(Activation *activation, sd_bus_error *reterr_error);
void activation_done(Activation *activation);
