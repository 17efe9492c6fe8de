#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "macros.h"

enum { FLAKE_NONE = 1 }; /* answer: nobody has named a flake, and there is no usual one */

/* Which flake, and which configuration in it. */
typedef struct Flake {
        char *reference;      /* as Nix takes it, without a '#' */
        char *name;           /* of the configuration, unquoted */
        bool name_is_default; /* nobody gave one: it is the host's */
} Flake;

int flake_new(const char *argument, const char *host_name, Flake **ret, sd_bus_error *reterr_error);
Flake *flake_free(Flake *f);
int flake_find_default(const char *system_file, char **ret_argument, sd_bus_error *reterr_error);
int flake_check(const char *reference, sd_bus_error *reterr_error);
int flake_installable(const Flake *f, const char *set, const char *attribute,
                      char **ret_installable);
int flake_directory(const Flake *f, char **ret_directory, sd_bus_error *reterr_error);
int flake_hint(const Flake *f, char **ret_hint);

DEFINE_CLEANUP(Flake *, flake_free);
