#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macros.h"

/* Which systemd-boot it is, and with that how it reads entries and defaults. */
typedef struct LoaderVersion {
        char *text;     /* "systemd-boot 252.39-1~deb12u2"; NULL: not known */
        unsigned major; /* 0: not known, or another loader */
        unsigned minor;
} LoaderVersion;

int loader_version_parse(const char *text, LoaderVersion *version);
int loader_version_from_binary(const void *bytes, size_t n, LoaderVersion *version);
bool loader_version_counts(const LoaderVersion *version);
bool loader_version_hides_counters(const LoaderVersion *version);
bool loader_version_prefers(const LoaderVersion *version);
void loader_version_done(LoaderVersion *version);
