#pragma once

#include <systemd/sd-bus.h>

#include "macros.h"
#include "wrapper.h"

#define STORE_DIRECTORY "/nix/store"

/* A NixOS system closure: the directory that its /run/current-system would name. */
typedef struct Toplevel {
        char *path; /* resolved: directly below the store, or a specialisation's own path there */
        Wrapper wrapper;
} Toplevel;

int toplevel_open(const char *path, Toplevel **ret, sd_bus_error *reterr_error);
int toplevel_open_units(const Toplevel *toplevel, int *ret_fd);
const char *toplevel_scripts(const Toplevel *toplevel);
int toplevel_sub_path(const Toplevel *toplevel, const char *name, char **ret_path);
int toplevel_read_line(const Toplevel *toplevel, const char *name, char **ret_line);
Toplevel *toplevel_free(Toplevel *toplevel);
DEFINE_CLEANUP(Toplevel *, toplevel_free);
