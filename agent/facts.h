#pragma once

#include <stdbool.h>

#include "macros.h"
#include "string-list.h"

/* What a toplevel says of itself; NULL for what it does not say. */
typedef struct Facts {
        bool there;     /* false: it is not in the store (any more) */
        char *version;  /* its label, "24.11.20241231.abcdef0" */
        char *kernel;   /* "6.6.69" */
        char *revision; /* of the configuration, if that was told when it was built */
        StringList specialisations;
} Facts;

int facts_read(const char *toplevel, Facts *facts);
void facts_done(Facts *facts);
