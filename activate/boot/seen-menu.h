#pragma once

#include <sodium.h>

#include "boot-default.h"
#include "boot-verify.h"
#include "bootspec.h"
#include "macros.h"

/* Whose menu it is, by the files that it is made of. */
typedef enum MenuKind {
        MENU_SYSTEMD_BOOT,
        MENU_GRUB,
        MENU_EXTLINUX,
        MENU_LIMINE,
        _MENU_KIND_MAX,
} MenuKind;

/* A system that is looked for in a menu. */
typedef struct MenuSubject {
        const char *toplevel;
        const Bootspec *spec; /* NULL: what it says cannot be read */
} MenuSubject;

/* How a menu has it: its best entry. */
typedef struct SeenSystem {
        bool listed;
        EntryState state;
        char *why; /* of one that is damaged */
} SeenSystem;

/* What the next start takes if nobody touches the menu. */
typedef enum MenuLead {
        MENU_LEAD_UNTOLD,  /* that depends on what is not seen here */
        MENU_LEAD_NOTHING, /* no entry can be started */
        MENU_LEAD_OTHER,   /* no NixOS system: somebody's own entry */
        MENU_LEAD_SYSTEM,
} MenuLead;

/* A boot menu as it lies there. */
typedef struct SeenMenu {
        MenuKind kind;
        char *path;  /* of the file, or of the folder of its files: for people */
        int fd;      /* the folder that it lies in; its partition's root, if it has one */
        int conf_fd; /* where loader.conf is, of systemd-boot's; else -EBADF */
        unsigned char sign[crypto_hash_sha256_BYTES]; /* of its text */
        size_t n_entries;
        bool vague;          /* there are entries of which it cannot be told what they boot */
        SeenSystem *systems; /* beside the subjects */
        size_t n_systems;
        MenuLead lead;
        BootReason reason; /* of systemd-boot's */
        char *lead_entry;  /* its name, for people; NULL: none */
        char *leads_to;    /* of MENU_LEAD_SYSTEM */
        EntryState lead_state;
        char *lead_why;
        StringList leftovers; /* half-written files: paths below the folder */
        StringList files;     /* of the menu, and what the first subject's entries need */
} SeenMenu;

typedef struct SeenMenus {
        SeenMenu *items;
        size_t n;
        StringList unread; /* those that are there and cannot be read, each a sentence */
} SeenMenus;

/* Where to look. */
typedef struct MenuPlaces {
        const char *root; /* below which boot partitions are mounted: "/" */
        int variables_fd; /* EFI variables; -EBADF: none here */
} MenuPlaces;

const char *menu_kind_to_words(MenuKind kind);
int seen_menus_read(const MenuPlaces *places, const MenuSubject *subjects, size_t n_subjects,
                    SeenMenus *menus);
void seen_menus_done(SeenMenus *menus);

int seen_menu_begin(SeenMenu *menu, MenuKind kind, int fd, const char *path, size_t n_systems);
int seen_menu_take_state(SeenSystem *system, EntryState state, char *why);
int seen_menu_find_leftovers(SeenMenu *menu, const char *folder);
int seen_menu_read_listed(SeenMenu *menu, const char *file, const MenuSubject *subjects);
int seen_menu_read_systemd_boot(SeenMenu *menu, int variables_fd, const MenuSubject *subjects);
