#pragma once

#include <stdbool.h>

#include "string-list.h"
#include "unit-file.h"

/* What stands at a unit's place in a tree of unit files. */
typedef enum UnitFileState {
        UNIT_FILE_MISSING, /* nothing, or a link to nowhere */
        UNIT_FILE_MASKED,  /* resolves to /dev/null */
        UNIT_FILE_PRESENT,
} UnitFileState;

/* One side of a pair. */
typedef struct UnitDefinition {
        UnitFileState state;
        UnitFile *file;    /* base and drop-ins; NULL where its content does not matter */
        bool has_drop_ins; /* an instance's own */
} UnitDefinition;

/* A running unit as the old system defines it and as the new one does. */
typedef struct UnitPair {
        char *id;
        char *base;     /* name of the file that defines it: @id, or its template */
        bool identical; /* the very same files on both sides; they were not opened */
        UnitDefinition old, new;
        StringList sockets; /* of a changed service: those that start it, as far as NEW has them
                               named */
        StringList sockets_in_new;
        StringList notes; /* files that could not be read, and why */
} UnitPair;

int unit_pair_load(UnitPair *pair, const char *id, int old_fd, int new_fd);
void unit_pair_done(UnitPair *pair);
