/*
 * limine.conf: entries are lines with as many slashes as they lie deep, what they need follows as
 * "key: value", keys in any case.
 * Source: limine's CONFIG.md.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "limine-conf.h"
#include "text.h"

#define DEPTH_MAX 16U

/* "//+Title": two deep, and open. What holds another is a group. */
static int take_entry(ListedMenu *menu, const char *line) {
        size_t slashes = strspn(line, "/");
        const char *title = line + slashes;
        bool open = *title == '+';
        ListedEntry *entry;
        int r;

        if (slashes > DEPTH_MAX)
                return -E2BIG;
        title += open;
        title += strspn(title, " \t");
        r = listed_menu_add(menu, title, strlen(title), (unsigned) slashes - 1, &entry);
        if (r < 0)
                return r;
        entry->open = open;
        if (menu->n > 1 && menu->entries[menu->n - 2].depth < entry->depth)
                menu->entries[menu->n - 2].group = true;
        return 0;
}

static int take_global(ListedMenu *menu, const char *key, const char *value) {
        if (strcasecmp(key, "default_entry") == 0)
                return string_list_add(&menu->defaults, value);
        if (strcasecmp(key, "remember_last_entry") == 0)
                menu->remembers = strcasecmp(value, "yes") == 0;
        return 0;
}

static int take_of_entry(ListedEntry *entry, const char *key, const char *value) {
        if (strcasecmp(key, "kernel_path") == 0 || strcasecmp(key, "path") == 0)
                return text_replace(&entry->kernel, value);
        if (strcasecmp(key, "module_path") == 0)
                return string_list_add(&entry->initrds, value);
        if (strcasecmp(key, "cmdline") == 0 || strcasecmp(key, "kernel_cmdline") == 0)
                return text_replace(&entry->options, value);
        if (strcasecmp(key, "dtb_path") == 0)
                return text_replace(&entry->devicetree, value);
        return 0;
}

static int take_line(ListedMenu *menu, char *line) {
        char *colon;

        if (*line == '/')
                return take_entry(menu, line);
        colon = strchr(line, ':');
        if (*line == '#' || *line == '$' || !colon)
                return 0;
        *colon = '\0';
        return menu->n > 0 ? take_of_entry(&menu->entries[menu->n - 1], text_strip(line),
                                           text_strip(colon + 1)) :
                             take_global(menu, text_strip(line), text_strip(colon + 1));
}

/**
 * limine_conf_parse() - read what limine would show
 * @menu: all zero before; listed_menu_done() even after an error
 *
 * Return: 0, -EFBIG past LISTED_MENU_BYTES_MAX, -EBADMSG with a NUL byte in it, -E2BIG with too
 * many entries or too deep ones; -ENOMEM.
 */
int limine_conf_parse(const char *text, size_t n, ListedMenu *menu) {
        return listed_menu_read_lines(menu, text, n, take_line);
}

/* The one of that number among those that are shown at once. */
static const ListedEntry *find_shown(const ListedMenu *menu, uint64_t number) {
        unsigned hidden_below = DEPTH_MAX;

        for (size_t i = 0; i < menu->n; i++) {
                const ListedEntry *entry = &menu->entries[i];

                if (entry->depth > hidden_below)
                        continue;
                hidden_below = entry->group && !entry->open ? entry->depth : DEPTH_MAX;
                if (--number == 0)
                        return entry;
        }
        return NULL;
}

/**
 * limine_default_find() - the entry that limine starts if nobody touches the menu
 *
 * Return: 0, LISTED_DEFAULT_UNTOLD, LISTED_DEFAULT_NONE.
 */
int limine_default_find(const ListedMenu *menu, const ListedEntry **ret) {
        const ListedEntry *entry;
        uint64_t number = 1;

        if (menu->n == 0)
                return LISTED_DEFAULT_NONE;
        if (menu->remembers || menu->defaults.n > 1 ||
            (menu->defaults.n == 1 &&
             (text_to_unsigned(menu->defaults.items[0], LISTED_MENU_ENTRIES_MAX, &number) < 0 ||
              number == 0)))
                return LISTED_DEFAULT_UNTOLD;
        entry = find_shown(menu, number);
        if (!entry)
                return LISTED_DEFAULT_NONE;
        if (entry->group)
                return LISTED_DEFAULT_UNTOLD;
        *ret = entry;
        return 0;
}
