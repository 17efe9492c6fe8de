#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "macros.h"

typedef struct ClosurePath {
        char *path;
        uint64_t bytes; /* of the unpacked files */
} ClosurePath;

/* All store paths that a system needs. */
typedef struct Closure {
        ClosurePath *paths;
        size_t n;
} Closure;

int closure_parse(const char *text, Closure *closure);
int closure_read(const char *toplevel, Closure *closure, sd_bus_error *reterr_error);
uint64_t closure_bytes(const Closure *closure);
void closure_done(Closure *closure);
