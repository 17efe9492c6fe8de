#pragma once

#include <sys/types.h>

#include "macros.h"

enum { UNDER_WAY_NOTHING = 1 }; /* answer: nobody holds a lock */

/* Whoever works on this host now. */
typedef struct UnderWay {
        pid_t pid;
        char *command;
        char *id; /* of the switch that an engine carries out; NULL: it is something else */
} UnderWay;

int under_way_find(const char *state, const char *nixos, UnderWay *ret);
int under_way_id(const char *command, char **ret_id);
void under_way_done(UnderWay *under_way);
