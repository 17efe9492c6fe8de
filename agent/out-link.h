#pragma once

#include <systemd/sd-bus.h>

#include "macros.h"

/* A private link for the result of a build: it keeps the result from being collected. */
typedef struct OutLink {
        char *directory;
        char *path;  /* in it; made by Nix */
        int lock_fd; /* of the directory: its owner is alive */
} OutLink;

int out_link_make(OutLink **ret, sd_bus_error *reterr_error);
OutLink *out_link_free(OutLink *link);
DEFINE_CLEANUP(OutLink *, out_link_free);
