#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "macros.h"
#include "string-list.h"

#define BOOTSPEC_NAME               "boot.json"
#define BOOTSPEC_BYTES_MAX          ((size_t) 1024 * 1024)
#define BOOTSPEC_SPECIALISATION_MAX 256U

enum { BOOTSPEC_ABSENT = 1 }; /* answer: the system is older than such documents */

/* What a boot loader is to be told about one system, or one specialisation of it. */
typedef struct Bootspec Bootspec;
struct Bootspec {
        char *specialisation; /* its name; NULL: the system itself */
        char *system, *label;
        char *toplevel, *init, *kernel; /* store paths */
        char *initrd, *initrd_secrets;  /* the same, or NULL */
        StringList kernel_params;       /* without init= */
        char *sort_key;                 /* "nixos" where it says nothing */
        char *devicetree;               /* store path, or NULL */
        StringList extra_initrds;       /* on the boot partition, relative to its root */
        StringList unknown;             /* extensions that belong to somebody else: their names */
        Bootspec *specialisations;      /* in the order of their names; have none themselves */
        size_t n_specialisations;
        bool synthesised; /* from the system's files, since it has no document */
};

int bootspec_parse(const char *text, size_t n, const char *toplevel, Bootspec *spec,
                   sd_bus_error *reterr_error);
int bootspec_read(int toplevel_fd, const char *toplevel, Bootspec *spec,
                  sd_bus_error *reterr_error);
int bootspec_synthesise(int toplevel_fd, const char *toplevel, Bootspec *spec,
                        sd_bus_error *reterr_error);
int bootspec_obtain(int toplevel_fd, const char *toplevel, Bootspec *spec,
                    sd_bus_error *reterr_error);
void bootspec_done(Bootspec *spec);
