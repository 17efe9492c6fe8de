#pragma once

#include "json.h"
#include "options.h"
#include "reboot.h"
#include "systems.h"

/* How this host stands, read without root. */
typedef struct Status {
        Systems systems;
        cJSON *open;           /* the record of a transaction that has not ended; NULL: none */
        bool under_way;        /* an engine holds the lock */
        bool damaged;          /* a record that nobody can read stands, or was set aside */
        bool other_boot;       /* the record is of another boot: a reboot interrupted it */
        const char *trial;     /* the next boot tries this system; of @open, NULL: none */
        uint64_t confirm_sec;  /* left for `enact confirm`; 0: nothing waits for it */
        RebootReasons reboot;  /* why the boot default needs one */
        RebootReasons missing; /* what the running system lacks until one, where it is another */
        StringList failed_systems;
        StringList failed_units;
} Status;

int status_read(const Options *options, Status *status, sd_bus_error *reterr_error);
const HistoryEntry *status_last(const Status *status);
const HistoryEntry *status_last_failed(const Status *status);
void status_done(Status *status);
