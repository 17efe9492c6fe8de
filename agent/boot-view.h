#pragma once

#include <systemd/sd-bus.h>

#include "boot-partition.h"
#include "boot-systems.h"
#include "boot-verify.h"
#include "marks.h"

/* One entry of the menu, for people and programs. */
typedef struct BootRow {
        const MenuEntry *entry;
        char *toplevel; /* NULL: not known */
        char *profile;  /* NULL: the system's own, or not known */
        bool numbered;
        uint64_t generation;
        char *specialisation; /* or NULL */
        EntryState state;
        char *why; /* of one that is damaged */
        bool boots, booted;
        const char *judged; /* "good" or "failed"; NULL: by nobody yet, or not known */
} BootRow;

/* The boot menu of this machine. */
typedef struct BootView {
        BootPartitions partitions;
        BootListing listing;
        BootSystems systems;
        Marks marks; /* of this machine; none of a folder */
        LoaderVersion loader;
        char *variables[5]; /* one shot, default, preferred, last booted, selected; or NULL */
        char *conf_default, *conf_preferred;
        BootDefault next;
        BootRow *rows; /* as the menu shows them */
        size_t n_rows;
        BootRoom room;
} BootView;

int boot_view_read(const char *esp_path, const char *extended_path, BootView *view,
                   sd_bus_error *reterr_error);
int boot_view_problems(const BootView *view, const char *wanted, const char *booted,
                       StringList *problems);
void boot_view_done(BootView *view);
