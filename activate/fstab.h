#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macros.h"

#define FSTAB_BYTES_MAX ((size_t) 1024 * 1024)

/* A line of fstab, its escapes taken off. */
typedef struct FstabEntry {
        char *unit; /* of a mount or a swap, as systemd names it */
        char *source, *target, *type;
        char *options; /* "" if there are none */
        size_t sequence;
} FstabEntry;

/* A table of file systems; both lists are ordered by unit, and of two lines for one the first
 * counts, as systemd has it. */
typedef struct Fstab {
        FstabEntry *mounts, *swaps;
        size_t n_mounts, n_swaps;
        size_t n_bad_lines;
} Fstab;

int fstab_parse(Fstab *fstab, const char *text, size_t n, int root_fd);
const FstabEntry *fstab_find_mount(const Fstab *fstab, const char *unit);
const FstabEntry *fstab_find_swap(const Fstab *fstab, const char *unit);
bool fstab_entry_is_automount(const FstabEntry *entry);
bool fstab_entry_same_option(const FstabEntry *a, const FstabEntry *b, const char *option);
bool fstab_entry_has_option(const FstabEntry *entry, const char *option);
int fstab_entry_mount_options(const FstabEntry *entry, char **ret_options);
int fstab_device_path(const char *source, char **ret_path);
void fstab_done(Fstab *fstab);
