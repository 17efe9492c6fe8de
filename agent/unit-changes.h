#pragma once

#include "string-list.h"

/* A unit that two systems define differently. */
typedef struct UnitChangeEntry {
        char *unit;
        bool user;       /* of the users' managers */
        const char *how; /* "added", "removed", "changed", "masked", "unmasked" */
        StringList keys; /* "Service/ExecStart"; of a changed one */
} UnitChangeEntry;

typedef struct UnitChanges {
        UnitChangeEntry *items; /* the system's first, each by name */
        size_t n;
} UnitChanges;

int unit_changes_read(const char *old, const char *new, UnitChanges *changes);
void unit_changes_done(UnitChanges *changes);
