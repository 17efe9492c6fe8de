#pragma once

#include "closure.h"
#include "string-list.h"

/* A package that two closures have differently. */
typedef struct PackageChange {
        char *name;
        StringList old, new; /* versions that only one of them has; "" is none */
        int64_t bytes;       /* how much it grew */
} PackageChange;

typedef struct PackageDiff {
        PackageChange *changes; /* by name */
        size_t n;
} PackageDiff;

int package_split(const char *path, char **ret_name, char **ret_version);
int package_diff_make(const Closure *old, const Closure *new, PackageDiff *diff);
void package_diff_done(PackageDiff *diff);
