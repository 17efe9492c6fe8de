#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "request.h"
#include "run-directory.h"
#include "state-directory.h"

/* Where a transaction works. */
typedef struct TransactionPlaces {
        const char *state;     /* of state_directory() */
        const char *profiles;  /* /nix/var/nix/profiles */
        const char *roots;     /* /nix/var/nix/gcroots/enact */
        const char *collector; /* the lock that Nix' garbage collector holds while it works */
        const char *running;   /* /run/current-system */
        const char *booted;    /* /run/booted-system */
        const char *nixos;     /* /run/nixos, with the lock that NixOS' own program takes */
        const char *ground;    /* where is noted what the record stands on; NULL: nowhere */
        const char *root;      /* "/", below which boot partitions are; NULL: nobody looks there */
} TransactionPlaces;

#define TRANSACTION_PLACES_HOST                                                                    \
        (TransactionPlaces) {                                                                      \
                .state = state_directory(), .profiles = "/nix/var/nix/profiles",                   \
                .roots = "/nix/var/nix/gcroots/enact", .collector = "/nix/var/nix/gc.lock",        \
                .running = "/run/current-system", .booted = "/run/booted-system",                  \
                .nixos = "/run/nixos", .ground = RUN_GROUND, .root = "/"                           \
        }

enum {
        TRANSACTION_NONE = 1,     /* answer: there is nothing to recover */
        TRANSACTION_ON_TRIAL = 2, /* answer: it is for transaction_check_trial() */
};

int transaction_run(const char *id, const Request *request, const TransactionPlaces *places,
                    EventLog *log, bool (*interrupted)(void), char **ret_text,
                    sd_bus_error *reterr_error);
int transaction_recover(const char *id, const TransactionPlaces *places, EventLog *log,
                        uint64_t lock_limit_usec, char **ret_text, sd_bus_error *reterr_error);
int transaction_hand_over(const TransactionPlaces *places, char **ret_id,
                          sd_bus_error *reterr_error);
int transaction_check_trial(const char *id, const TransactionPlaces *places, EventLog *log,
                            bool (*interrupted)(void), uint64_t lock_limit_usec, char **ret_text,
                            sd_bus_error *reterr_error);
int transaction_find_trial(const TransactionPlaces *places, char **ret_id);
bool transaction_is_open(const char *id, const TransactionPlaces *places);
