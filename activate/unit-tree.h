#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "string-list.h"

/* What stands at a unit's place in a tree of unit files. */
typedef enum UnitFileState {
        UNIT_FILE_MISSING, /* nothing, or a link to nowhere */
        UNIT_FILE_MASKED,  /* resolves to /dev/null, or is empty: systemd takes both for a mask */
        UNIT_FILE_PRESENT, /* something, be it unreadable */
} UnitFileState;

/* A directory of unit files, listed once: few units have drop-ins, and of the others that is known.
 */
typedef struct UnitTree {
        int dir_fd;         /* -EBADF: there is none */
        StringList stems;   /* those that have a directory of drop-ins; ordered */
        bool has_prefixes;  /* some of these are for all names that begin so: "foo-.service" */
        StringList wants;   /* directories of links beside targets, as "a.target.wants"; ordered */
        StringList aliases; /* "main-name alias": links to others that have drop-ins; ordered */
} UnitTree;

/* What two trees link one name to, be it missing or no link there. */
typedef struct UnitTreeLinks {
        bool same;                           /* to one place, and to no unit and no mask */
        bool old_leads_away, new_leads_away; /* to a file elsewhere: the name is no other unit's */
} UnitTreeLinks;

#define UNIT_TREE_EMPTY                                                                            \
        { .dir_fd = -EBADF }

int unit_tree_open(UnitTree *tree, const char *path);
UnitFileState unit_tree_state(const UnitTree *tree, const char *name, struct stat *ret_st);
void unit_tree_compare_links(const UnitTree *old, const UnitTree *new, const char *name,
                             UnitTreeLinks *ret);
UnitFileState unit_tree_defines(const UnitTree *tree, const char *unit);
int unit_tree_main_name(const UnitTree *tree, const char *name, char **ret_name);
int unit_tree_links(const UnitTree *tree, const char *directory, StringList *names);
bool unit_tree_has_drop_ins(const UnitTree *tree, const char *stem);
UnitFileState unit_tree_drop_in_state(const UnitTree *tree, const char *path);
int unit_tree_all_aliases(const UnitTree *tree, StringList *aliases);
int unit_tree_aliases(const UnitTree *tree, const char *name, StringList *aliases);
void unit_tree_done(UnitTree *tree);
