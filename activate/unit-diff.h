#pragma once

#include "string-list.h"
#include "unit-file.h"

/* What a change of a unit's definition asks for; the greater one wins. */
typedef enum UnitChange {
        UNIT_EQUAL,
        UNIT_RELOAD,
        UNIT_RESTART,
} UnitChange;

/* One key that differs, and what that asks for; a whole section has no key. */
typedef struct UnitDifference {
        UnitChange change;
        char *section, *key;
        StringList old, new;
} UnitDifference;

typedef struct UnitDiff {
        UnitChange change;
        UnitDifference *differences; /* those that ask for something, by section and key */
        size_t n_differences;
} UnitDiff;

int unit_diff_make(UnitDiff *diff, const UnitFile *old, const UnitFile *new);
void unit_diff_done(UnitDiff *diff);
