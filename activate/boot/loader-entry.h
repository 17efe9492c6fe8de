#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"
#include "string-list.h"

#define LOADER_ENTRY_BYTES_MAX ((size_t) 64 * 1024)
#define LOADER_ENTRY_SUFFIX    ".conf"
#define LOADER_ENTRY_DIGITS    10U /* of our own names */

enum { LOADER_ENTRY_UNSEEN = 1 }; /* answer: the loader passes over files of such names */

/* Whose file a boot entry is, by its name. */
typedef enum EntryStyle {
        ENTRY_FOREIGN,
        ENTRY_ENACT,          /* nixos-<10 hex digits> */
        ENTRY_ENACT_EXTRA,    /* enact-<10 hex digits>: no generation */
        ENTRY_NIXOS_NUMBERED, /* nixos[-<profile>]-generation-<N>[-specialisation-<s>] */
        ENTRY_NIXOS_HASHED,   /* nixos-<64 hex digits> */
} EntryStyle;

/* What the name of an entry file says: <stem>[+<left>[-<done>]].conf */
typedef struct EntryName {
        char *stem;
        bool counted;
        unsigned left, done; /* tries; none left: it is bad */
        EntryStyle style;
        char *profile;        /* of numbered ones; NULL: the system's */
        uint64_t generation;  /* of numbered ones */
        char *specialisation; /* of numbered ones, or NULL */
} EntryName;

int entry_name_parse(const char *file, EntryName *name);
int entry_name_print(const char *stem, bool counted, unsigned left, unsigned done, char **ret_file);
bool entry_name_is_ours(const EntryName *name);
bool entry_name_is_bad(const EntryName *name);
void entry_name_done(EntryName *name);

/* A boot entry of type 1. What is not there is NULL. */
typedef struct LoaderEntry {
        char *title, *sort_key, *version, *machine_id, *architecture;
        char *kernel, *efi, *devicetree; /* absolute on the entry's partition */
        StringList initrds;
        char *options;    /* all of its lines, joined by blanks */
        StringList notes; /* what follows "#enact " in comments: for us, unseen by loaders */
} LoaderEntry;

int loader_entry_parse(const char *text, size_t n, LoaderEntry *entry);
int loader_entry_print(const LoaderEntry *entry, char **ret_text);
int loader_entry_stem(const char *text, bool extra, char **ret_stem);
int loader_entry_toplevel(const LoaderEntry *entry, char **ret_toplevel);
const char *loader_entry_note(const LoaderEntry *entry, const char *key);
void loader_entry_done(LoaderEntry *entry);

int loader_entry_encode(const char *text, char **ret_encoded);
int loader_entry_decode(const char *encoded, char **ret_text);
