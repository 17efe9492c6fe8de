/* What a menu has besides generations, as its system declares it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "menu-extra.h"

/**
 * menu_extras_take() - append one, which is the list's from then on
 *
 * Return: 0, -EEXIST if another one has its name, -E2BIG past MENU_EXTRAS_MAX, or -ENOMEM.
 */
int menu_extras_take(MenuExtras *extras, MenuExtra *extra) {
        MenuExtra *items;

        for (size_t i = 0; i < extras->n; i++)
                if (strcmp(extras->items[i].name, extra->name) == 0)
                        return -EEXIST;
        if (extras->n >= MENU_EXTRAS_MAX)
                return -E2BIG;
        items = reallocarray(extras->items, extras->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        extras->items = items;
        items[extras->n++] = *extra;
        *extra = (MenuExtra){ 0 };
        return 0;
}

void menu_extra_done(MenuExtra *extra) {
        free(extra->name);
        free(extra->title);
        free(extra->program);
        free(extra->options);
        free(extra->sort_key);
        *extra = (MenuExtra){ 0 };
}

void menu_extras_done(MenuExtras *extras) {
        for (size_t i = 0; i < extras->n; i++)
                menu_extra_done(&extras->items[i]);
        free(extras->items);
        *extras = (MenuExtras){ 0 };
}
