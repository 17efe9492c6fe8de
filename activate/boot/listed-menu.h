#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macros.h"
#include "string-list.h"

#define LISTED_MENU_BYTES_MAX   ((size_t) 4 * 1024 * 1024)
#define LISTED_MENU_ENTRIES_MAX 4096U

enum {
        LISTED_DEFAULT_UNTOLD = 1, /* answer: it depends on what cannot be seen here */
        LISTED_DEFAULT_NONE = 2,   /* answer: there is no entry that it could be */
};

/* One entry of a menu that lies in one file. What is not there is NULL. */
typedef struct ListedEntry {
        char *title;
        char *name;     /* what a default may call it beside its title: an id, a label */
        unsigned depth; /* how many groups it lies in */
        bool group;     /* it only holds those that follow it, one deeper */
        bool open;      /* of a group: they are shown at once */
        char *kernel;   /* as the file has it; NULL: it starts no Linux */
        StringList initrds;
        char *devicetree, *devicetrees; /* a file; a folder of them */
        char *options;                  /* the kernel's command line */
} ListedEntry;

/* The menu of a loader that has all of it in one file: GRUB, extlinux, limine. */
typedef struct ListedMenu {
        ListedEntry *entries; /* in the file's order */
        size_t n;
        StringList defaults; /* what it says of its default, each as it stands */
        bool remembers;      /* the last choice of whoever sat there is the next default */
        bool cut;            /* it ends in the middle of something */
} ListedMenu;

int listed_menu_add(ListedMenu *menu, const char *title, size_t n, unsigned depth,
                    ListedEntry **ret);
int listed_menu_read_lines(ListedMenu *menu, const char *text, size_t n,
                           int (*take_line)(ListedMenu *menu, char *line));
int listed_entry_toplevel(const ListedEntry *entry, char **ret_toplevel);
const ListedEntry *listed_menu_at(const ListedMenu *menu, const ListedEntry *group, size_t i);
const ListedEntry *listed_menu_named(const ListedMenu *menu, const ListedEntry *group,
                                     const char *name);
void listed_menu_done(ListedMenu *menu);
