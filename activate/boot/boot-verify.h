#pragma once

#include "boot-listing.h"
#include "bootspec.h"
#include "macros.h"

/* How an entry stands: whether what it names is there, and is what it must be. */
typedef enum EntryState {
        ENTRY_COMPLETE,   /* all of it is as it was made */
        ENTRY_UNVERIFIED, /* all of it is there; what it must hold is not known */
        ENTRY_DAMAGED,
        _ENTRY_STATE_MAX,
} EntryState;

const char *entry_state_to_string(EntryState state);
int boot_verify_file(int dir_fd, const char *path, const char *wanted, bool may_be_longer,
                     EntryState *ret_state, const char **ret_how);
int boot_verify_entry(int menu_fd, const BootListing *listing, const MenuEntry *entry,
                      const Bootspec *spec, EntryState *ret_state, char **ret_why);
