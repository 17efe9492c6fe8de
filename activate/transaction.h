#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "request.h"

/* Where a transaction works; tests give it other places. */
typedef struct TransactionPlaces {
        const char *state;    /* /var/lib/enact */
        const char *profiles; /* /nix/var/nix/profiles */
        const char *roots;    /* /nix/var/nix/gcroots/enact */
        const char *running;  /* /run/current-system */
        const char *nixos;    /* /run/nixos, with the lock that NixOS' own program takes */
} TransactionPlaces;

#define TRANSACTION_PLACES_HOST                                                                    \
        (TransactionPlaces) {                                                                      \
                .state = "/var/lib/enact", .profiles = "/nix/var/nix/profiles",                    \
                .roots = "/nix/var/nix/gcroots/enact", .running = "/run/current-system",           \
                .nixos = "/run/nixos"                                                              \
        }

int transaction_run(const char *id, const Request *request, const TransactionPlaces *places,
                    EventLog *log, bool (*interrupted)(void), char **ret_text,
                    sd_bus_error *reterr_error);
