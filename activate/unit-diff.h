#pragma once

#include "unit-file.h"

/* What a change of a unit's definition asks for; the greater one wins. */
typedef enum UnitChange {
        UNIT_EQUAL,
        UNIT_RELOAD,
        UNIT_RESTART,
} UnitChange;

/* What differs, and what that asks for. A whole section has no key, bytes have no section either.
 */
typedef struct UnitDifference {
        UnitChange change;
        const char *section, *key;
        const UnitKey *old, *new; /* NULL: not there */
} UnitDifference;

typedef struct UnitDiff {
        UnitChange change;
        UnitDifference *differences; /* those that ask for something, by section and key */
        size_t n_differences, allocated;
} UnitDiff;

int unit_diff_make(UnitDiff *diff, const UnitFile *old, const UnitFile *new);
void unit_diff_done(UnitDiff *diff);
