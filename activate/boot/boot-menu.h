#pragma once

#include <systemd/sd-bus.h>
#include <time.h>

#include "boot-listing.h"
#include "bootspec.h"
#include "macros.h"
#include "menu-extra.h"

/* One generation, as the menu sees it. */
typedef struct MenuSystem {
        const char *profile; /* NULL: the system's own */
        uint64_t number;
        time_t created; /* of its link */
        const char *toplevel;
        const Bootspec *spec; /* NULL: what it says cannot be read */
        bool is_protected;    /* booted, good, default, pinned, under way: never dropped */
} MenuSystem;

/* A file that is to be on the partition, whoever names it there. */
typedef struct BootSource {
        char *key;  /* its store path; with secrets: that, a newline and the program's */
        char *file; /* where its bytes are; NULL: at its store path */
        Digest digest;
} BootSource;

typedef struct BootSources {
        BootSource *items;
        size_t n;
} BootSources;

/* What the menu is to be. */
typedef struct MenuWish {
        const MenuSystem *systems;
        size_t n_systems;
        const MenuExtras *extras;     /* NULL: none */
        BootSources sources;          /* of all that is to be there */
        const char *distribution;     /* "NixOS" */
        const char *machine_id;       /* NULL: left out */
        size_t limit;                 /* generations of each profile; 0: all */
        const char *default_toplevel; /* NULL: loader.conf is left alone */
        const char *counted_toplevel; /* a new entry of it is tried so often; NULL: none is */
        unsigned tries;
        const char *blessed_toplevel;  /* its counted entry is counted no longer; NULL: none is */
        const char *one_shot_toplevel; /* boots next, once; NULL: none does */
        bool drops_one_shot;           /* and none that was chosen before does, either */
        bool only_checks;              /* whether there is room, and nothing is written */
        LoaderVersion version;
        const char *selected; /* the entry that was booted stays; NULL: not known */
} MenuWish;

/* One entry of that menu. */
typedef struct WantedEntry {
        const MenuSystem *system; /* NULL: it is no generation, and the next is set */
        const Bootspec *spec;
        const MenuExtra *extra;
        char *stem, *text;
        char *file;          /* the one that is there, or the one to be made */
        char *present_file;  /* the one that is there and is to have that name; or NULL */
        StringList payloads; /* their names in our folder */
        bool present;
        bool damaged; /* it is there, with other bytes */
        bool dropped; /* given up for room */
} WantedEntry;

typedef struct BootMenu {
        WantedEntry *entries; /* each profile's newest first */
        size_t n;
        StringList unreadable; /* toplevels: while there are any, nothing is deleted */
} BootMenu;

int boot_source_key(const Bootspec *spec, char **ret_key);
int boot_menu_sources(const MenuWish *wish, StringList *keys);
int boot_source_known(const BootListing *listing, const char *key, Digest *ret);
int boot_sources_take(BootSources *sources, BootSource *source);
const BootSource *boot_sources_find(const BootSources *sources, const char *key);
void boot_sources_done(BootSources *sources);
int boot_menu_build(const MenuWish *wish, const BootListing *listing, BootMenu *menu);
const WantedEntry *boot_menu_default(const BootMenu *menu, const char *toplevel);
void boot_menu_done(BootMenu *menu);
