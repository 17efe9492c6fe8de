/*
 * extlinux.conf: a keyword and its value a line, keywords in any case. U-Boot and syslinux read it.
 * Source: U-Boot's doc/README.pxe; the wiki of syslinux, "Config".
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "extlinux-conf.h"
#include "text.h"

#define BLANKS " \t\r"

/* Splits off the first word; what is left begins with the next one. */
static char *take_word(char **line) {
        char *word = *line + strspn(*line, BLANKS);
        char *behind = word + strcspn(word, BLANKS);

        *line = behind + strspn(behind, BLANKS);
        if (*behind)
                *behind = '\0';
        return word;
}

static int take_label(ListedMenu *menu, const char *value) {
        ListedEntry *entry;
        int r;

        r = listed_menu_add(menu, value, strlen(value), 0, &entry);
        return r < 0 ? r : text_replace(&entry->name, value);
}

/* Several are separated by commas. */
static int take_initrds(ListedEntry *entry, char *value) {
        char *rest;
        int r = 0;

        for (char *word = strtok_r(value, ",", &rest); r >= 0 && word;
             word = strtok_r(NULL, ",", &rest))
                r = string_list_add(&entry->initrds, word);
        return r;
}

/* "MENU LABEL text", "MENU DEFAULT"; others are decoration. */
static int take_menu(ListedMenu *menu, ListedEntry *entry, char *value) {
        const char *word = take_word(&value);

        if (entry && strcasecmp(word, "label") == 0)
                return text_replace(&entry->title, value);
        if (entry && strcasecmp(word, "default") == 0 && menu->defaults.n == 0)
                return string_list_add(&menu->defaults, entry->name);
        return 0;
}

static int take_of_entry(ListedEntry *entry, const char *key, char *value) {
        if (strcasecmp(key, "linux") == 0 || strcasecmp(key, "kernel") == 0)
                return text_replace(&entry->kernel, value);
        if (strcasecmp(key, "initrd") == 0)
                return take_initrds(entry, value);
        if (strcasecmp(key, "append") == 0)
                return text_replace(&entry->options, value);
        if (strcasecmp(key, "fdt") == 0 || strcasecmp(key, "devicetree") == 0)
                return text_replace(&entry->devicetree, value);
        if (strcasecmp(key, "fdtdir") == 0 || strcasecmp(key, "devicetreedir") == 0)
                return text_replace(&entry->devicetrees, value);
        return 0;
}

/* The first that says so is the default, wherever it stands. */
static int take_line(ListedMenu *menu, char *line) {
        ListedEntry *entry = menu->n > 0 ? &menu->entries[menu->n - 1] : NULL;
        const char *key = take_word(&line);

        if (!*key || *key == '#')
                return 0;
        if (strcasecmp(key, "label") == 0)
                return take_label(menu, line);
        if (strcasecmp(key, "default") == 0) {
                string_list_done(&menu->defaults);
                return string_list_add(&menu->defaults, line);
        }
        if (strcasecmp(key, "menu") == 0)
                return take_menu(menu, entry, line);
        return entry ? take_of_entry(entry, key, line) : 0;
}

/**
 * extlinux_conf_parse() - read what extlinux or U-Boot would show
 * @menu: all zero before; listed_menu_done() even after an error
 *
 * Return: 0, -EFBIG past LISTED_MENU_BYTES_MAX, -EBADMSG with a NUL byte in it, -E2BIG with too
 * many entries; -ENOMEM.
 */
int extlinux_conf_parse(const char *text, size_t n, ListedMenu *menu) {
        return listed_menu_read_lines(menu, text, n, take_line);
}

/**
 * extlinux_default_find() - the entry that is started if nobody touches the menu
 *
 * Without a default that is there, the first is.
 *
 * Return: 0 or LISTED_DEFAULT_NONE.
 */
int extlinux_default_find(const ListedMenu *menu, const ListedEntry **ret) {
        for (size_t i = 0; menu->defaults.n > 0 && i < menu->n; i++)
                if (strcmp(menu->entries[i].name, menu->defaults.items[0]) == 0) {
                        *ret = &menu->entries[i];
                        return 0;
                }
        if (menu->n == 0)
                return LISTED_DEFAULT_NONE;
        *ret = &menu->entries[0];
        return 0;
}
