#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "loader-entry.h"
#include "loader-version.h"
#include "macros.h"

/* One entry of the menu, as the loader would find it. */
typedef struct MenuEntry {
        char *file; /* in loader/entries, or in EFI/Linux */
        EntryName name;
        LoaderEntry entry;
        bool unified;   /* a unified kernel image: how it sorts is written inside it */
        bool startable; /* the loader shows it: it names a kernel, and that is there */
        bool intact;    /* of ours: its bytes are those that its name was made of */
} MenuEntry;

/* What decides, but for the entries; what is not set is NULL. */
typedef struct BootWishes {
        const char *one_shot, *variable_default, *variable_preferred, *last_booted;
        const char *conf_preferred, *conf_default;
        LoaderVersion version;
} BootWishes;

typedef enum BootReason {
        BOOT_NOTHING, /* no entry can be started */
        BOOT_ONE_SHOT,
        BOOT_VARIABLE_PREFERRED,
        BOOT_VARIABLE_DEFAULT,
        BOOT_CONF_PREFERRED,
        BOOT_CONF_DEFAULT,
        BOOT_SORT_ORDER,
        _BOOT_REASON_MAX,
} BootReason;

typedef struct BootDefault {
        const MenuEntry *entry; /* NULL: nothing boots */
        BootReason reason;
        const char *pattern; /* what named it, or NULL */
        bool uncertain;      /* a unified kernel image may come before it */
} BootDefault;

const char *boot_reason_to_string(BootReason reason);
const char *boot_reason_to_words(BootReason reason);
int menu_entry_id(const MenuEntry *entry, const LoaderVersion *version, char **ret_id);
int menu_entry_compare(const MenuEntry *a, const MenuEntry *b, const LoaderVersion *version);
int boot_default_find(const MenuEntry *entries, size_t n, const BootWishes *wishes,
                      BootDefault *ret);
void menu_entry_done(MenuEntry *entry);
