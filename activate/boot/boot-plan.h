#pragma once

#include "boot-menu.h"
#include "boot-partition.h"
#include "macros.h"

#define BOOT_ALL_ENTRIES "nixos-*" /* as a default: the first of ours and NixOS' in the menu */

typedef enum BootStepKind {
        BOOT_STEP_REMOVE_ENTRY,
        BOOT_STEP_REMOVE_PAYLOAD,
        BOOT_STEP_REMOVE_LEFTOVER,
        BOOT_STEP_WRITE_PAYLOAD,
        BOOT_STEP_WRITE_ENTRY,
        BOOT_STEP_RENAME_ENTRY, /* it is to be counted, or no longer is */
        BOOT_STEP_SET_DEFAULT,
        BOOT_STEP_BARRIER, /* all before it is on the disk before anything after it begins */
        _BOOT_STEP_KIND_MAX,
} BootStepKind;

typedef struct BootStep {
        BootStepKind kind;
        char *path;               /* on the partition; of a default: what loader.conf is to say */
        const char *text;         /* of an entry: its bytes; of a renamed one: that name */
        const BootSource *source; /* of a payload */
        bool replaces;            /* the file is there, with other bytes */
} BootStep;

/* What turns the menu that is there into the one that is wanted. */
typedef struct BootPlan {
        BootStep *steps;
        size_t n;
        uint64_t needed_bytes; /* of what is written */
        uint64_t freed_bytes;  /* by what is removed before that */
        bool fits;
        StringList notes; /* for people: what is not done, and why */
} BootPlan;

int boot_plan_new(const MenuWish *wish, const BootListing *listing, BootMenu *menu,
                  const BootRoom *room, BootPlan *plan);
const char *boot_step_kind_to_string(BootStepKind kind);
void boot_plan_done(BootPlan *plan);
