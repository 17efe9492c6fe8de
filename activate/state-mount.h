#pragma once

#include "inventory.h"
#include "plan.h"

enum { STATE_MOUNT_NONE = 1 }; /* answer: what lies at the directory stays there */

/* A switch that is planned. */
typedef struct StateMountSource {
        const char *from; /* toplevel; NULL if no system runs */
        const char *to;
        const Inventory *inventory;
        const Plan *plan;
} StateMountSource;

/* A unit that changes what is mounted at a directory or above it. */
typedef struct StateMount {
        char *unit;       /* of a mount or an automount */
        char *where;      /* its mount point */
        const char *fate; /* "started" */
} StateMount;

int state_mount_find(const StateMountSource *source, const char *directory, StateMount *ret);
int state_mount_refusal(const StateMountSource *source, const char *directory, char **ret_text);
void state_mount_done(StateMount *mount);
