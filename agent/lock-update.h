#pragma once

#include <systemd/sd-bus.h>

#include "display.h"
#include "flake.h"
#include "lock-file.h"

/* What an update of flake.lock has come to. */
typedef struct LockUpdate {
        char *directory; /* of the flake */
        LockFile before, after;
} LockUpdate;

int lock_update(const Flake *flake, const StringList *inputs, const StringList *options,
                Display *display, LockUpdate *update, sd_bus_error *reterr_error);
void lock_update_print(const LockUpdate *update, FILE *f);
int lock_update_to_json(const LockUpdate *update, cJSON **ret_object);
void lock_update_done(LockUpdate *update);
