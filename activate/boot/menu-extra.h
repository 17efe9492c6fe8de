#pragma once

#include <stddef.h>

#include "macros.h"

#define MENU_EXTRAS_MAX 32U

/* A program in the menu that is no generation, as a memory test. */
typedef struct MenuExtra {
        char *name, *title;
        char *program;  /* store path: what the firmware starts */
        char *options;  /* NULL: none */
        char *sort_key; /* NULL: below all generations */
} MenuExtra;

typedef struct MenuExtras {
        MenuExtra *items;
        size_t n;
} MenuExtras;

int menu_extras_take(MenuExtras *extras, MenuExtra *extra);
void menu_extra_done(MenuExtra *extra);
void menu_extras_done(MenuExtras *extras);
