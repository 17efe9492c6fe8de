#pragma once

#include <stddef.h>

#include "macros.h"
#include "string-list.h"

#define WRAPPER_BYTES_MAX ((size_t) 64 * 1024)

/* The variables that a system's switch-to-configuration wrapper sets: names and values side by
 * side. */
typedef struct Wrapper {
        StringList names, values;
} Wrapper;

int wrapper_parse(const char *text, size_t n, Wrapper *wrapper);
const char *wrapper_get(const Wrapper *wrapper, const char *name);
void wrapper_done(Wrapper *wrapper);
