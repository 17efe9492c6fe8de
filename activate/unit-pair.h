#pragma once

#include <stdbool.h>

#include "string-list.h"
#include "unit-file.h"
#include "unit-tree.h"

/* One side of a pair. */
typedef struct UnitDefinition {
        UnitFileState state;
        char *base;     /* name of the file that defines it: its own, or its template's */
        char *name;     /* by which systemd lists it: its own, if that is no other name of a unit */
        UnitFile *file; /* base and drop-ins; NULL where its content does not matter */
        char *service;  /* of a socket, its main name; NULL: it starts one for each connection */
        bool service_is_unknown; /* of a socket, by what its files say */
        bool is_meant; /* that very unit: by a file or drop-ins of its own, not only by a template
                        */
} UnitDefinition;

enum { UNIT_PAIR_SAME = 1 }; /* answer: the same files in both systems, and nothing to be read */

/* A unit as the old system defines it and as the new one does. */
typedef struct UnitPair {
        char *id;
        bool identical; /* the very same files on both sides; they were not opened */
        UnitDefinition old, new;
        StringList sockets;        /* of a service that changed: those that start it */
        StringList sockets_in_new; /* those of them that the new system defines */
        StringList wanted_by;      /* of a socket that is down: active targets */
        bool newly_wanted;         /* by them, or newly there */
        StringList notes;          /* files that could not be read, and why */
} UnitPair;

bool unit_pair_is_renamed(const UnitPair *pair);
int unit_pair_load(UnitPair *pair, const char *id, const UnitTree *old_tree,
                   const UnitTree *new_tree);
int unit_pair_load_changed(UnitPair *pair, const char *id, const UnitTree *old_tree,
                           const UnitTree *new_tree);
int unit_pair_add_words(StringList *list, const char *text, const char *id);
int unit_pair_load_new(UnitPair *pair, const UnitTree *new_tree);
void unit_pair_done(UnitPair *pair);
