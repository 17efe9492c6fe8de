#pragma once

#include <systemd/sd-bus.h>

#include "seen-menu.h"

#define MENU_CHECK_SUBJECTS 3U

enum { MENU_CHECK_UNTOLD = 1 }; /* answer: there is nothing by which it could be told */

/* What an installer is about to do. Paths of systems are store paths. */
typedef struct MenuCheckSource {
        MenuPlaces places;
        const char *toplevel;      /* that is to be the default */
        const char *booted, *good; /* to keep their entries; NULL: not known */
        const char *led_to[2];     /* one of these was the default before; NULL: not known */
        bool same_installer;       /* as the one that made it so */
} MenuCheckSource;

/* The menus as they were before an installer ran, and what is to become of them. */
typedef struct MenuCheck {
        MenuCheckSource source;
        char *texts[5]; /* of the source */
        MenuSubject subjects[MENU_CHECK_SUBJECTS];
        Bootspec specs[MENU_CHECK_SUBJECTS];
        size_t n_subjects;
        SeenMenus before;
} MenuCheck;

int menu_check_begin(const MenuCheckSource *source, MenuCheck *check);
int menu_check_end(MenuCheck *check, StringList *notes, sd_bus_error *reterr_error);
bool menu_check_finds_damage(const MenuCheck *check);
void menu_check_done(MenuCheck *check);
