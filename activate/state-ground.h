#pragma once

#include <systemd/sd-bus.h>

#include "string-list.h"

/* What was mounted along the way to the state directory when a switch began. */
typedef struct StateGround {
        char *directory;   /* absolute, without links; NULL: nobody looks */
        StringList mounts; /* their ids: that of "/", then one for each component */
} StateGround;

int state_ground_look(const char *directory, StateGround *ret);
int state_ground_write(const StateGround *ground, const char *file);
int state_ground_read(const char *file, StateGround *ret);
int state_ground_parse(const char *text, size_t n, StateGround *ret);
int state_ground_keep(const StateGround *ground, sd_bus_error *reterr_error);
void state_ground_done(StateGround *ground);
