#pragma once

#include <systemd/sd-bus.h>

#include "event.h"
#include "transaction.h"
#include "upkeep-request.h"

/* Where upkeep works; tests give it other places. */
typedef struct UpkeepPlaces {
        TransactionPlaces transaction;
        const char *booted; /* /run/booted-system */
        const char *store;  /* /nix/store */
} UpkeepPlaces;

int upkeep_run(const UpkeepRequest *request, const UpkeepPlaces *places, EventLog *log,
               char **ret_text, sd_bus_error *reterr_error);
int upkeep_trim(const char *profile, uint64_t keep, uid_t uid, const UpkeepPlaces *places,
                EventLog *log, sd_bus_error *reterr_error);
int upkeep_menu_is_written(const char *roots);
