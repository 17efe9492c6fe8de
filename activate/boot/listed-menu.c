/*
 * A boot menu that lies in one file, whatever its grammar: groups and entries in the order in which
 * people see them. The parsers fill it, each its own grammar; what is asked of it is the same.
 */
#include <errno.h>
#include <string.h>

#include "listed-menu.h"
#include "loader-entry.h"
#include "text.h"

/**
 * listed_menu_add() - one more entry
 * @title: @n bytes of it
 * @ret:   of the menu, until the next is added
 *
 * Return: 0, -E2BIG past LISTED_MENU_ENTRIES_MAX, -ENOMEM.
 */
int listed_menu_add(ListedMenu *menu, const char *title, size_t n, unsigned depth,
                    ListedEntry **ret) {
        ListedEntry *entries, *entry;

        if (menu->n >= LISTED_MENU_ENTRIES_MAX)
                return -E2BIG;
        entries = reallocarray(menu->entries, menu->n + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        menu->entries = entries;
        entry = &entries[menu->n];
        *entry = (ListedEntry){ .title = strndup(title, n), .depth = depth };
        if (!entry->title)
                return -ENOMEM;
        menu->n++;
        *ret = entry;
        return 0;
}

/**
 * listed_menu_read_lines() - hand each line of a file to whoever knows its grammar
 * @take_line: gets it without the blanks at both ends, and may write to it; a negative answer ends
 *             the reading
 *
 * Return: 0, -EFBIG past LISTED_MENU_BYTES_MAX, -EBADMSG with a NUL byte in it, -ENOMEM, or what
 * @take_line answered.
 */
int listed_menu_read_lines(ListedMenu *menu, const char *text, size_t n,
                           int (*take_line)(ListedMenu *menu, char *line)) {
        const char *end = text + n;
        int r = 0;

        if (n > LISTED_MENU_BYTES_MAX)
                return -EFBIG;
        if (memchr(text, '\0', n))
                return -EBADMSG;
        while (r >= 0 && text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t length = (size_t) ((newline ? newline : end) - text);
                _cleanup_free_ char *line = strndup(text, length);

                if (!line)
                        return -ENOMEM;
                r = take_line(menu, text_strip(line));
                text += length + 1;
        }
        return r;
}

/** listed_entry_toplevel() - as loader_entry_toplevel(). */
int listed_entry_toplevel(const ListedEntry *entry, char **ret_toplevel) {
        const LoaderEntry as_entry = { .options = entry->options };

        return loader_entry_toplevel(&as_entry, ret_toplevel);
}

/* The next one of the same group, from @i on; @n if there is none. */
static size_t next_in_group(const ListedMenu *menu, size_t i, unsigned depth) {
        while (i < menu->n && menu->entries[i].depth > depth)
                i++;
        return i < menu->n && menu->entries[i].depth == depth ? i : menu->n;
}

static size_t first_in_group(const ListedMenu *menu, const ListedEntry *group, unsigned *depth) {
        *depth = group ? group->depth + 1 : 0;
        return next_in_group(menu, group ? (size_t) (group - menu->entries) + 1 : 0, *depth);
}

/** listed_menu_at() - the entry number @i of a group (NULL: of the menu itself), from 0; or NULL.
 */
const ListedEntry *listed_menu_at(const ListedMenu *menu, const ListedEntry *group, size_t i) {
        unsigned depth;
        size_t at = first_in_group(menu, group, &depth);

        while (at < menu->n && i-- > 0)
                at = next_in_group(menu, at + 1, depth);
        return at < menu->n ? &menu->entries[at] : NULL;
}

/** listed_menu_named() - the first entry of a group that has that title or name, or NULL. */
const ListedEntry *listed_menu_named(const ListedMenu *menu, const ListedEntry *group,
                                     const char *name) {
        unsigned depth;

        for (size_t at = first_in_group(menu, group, &depth); at < menu->n;
             at = next_in_group(menu, at + 1, depth)) {
                const ListedEntry *entry = &menu->entries[at];

                if (strcmp(entry->title, name) == 0 ||
                    (entry->name && strcmp(entry->name, name) == 0))
                        return entry;
        }
        return NULL;
}

static void entry_done(ListedEntry *entry) {
        free(entry->title);
        free(entry->name);
        free(entry->kernel);
        string_list_done(&entry->initrds);
        free(entry->devicetree);
        free(entry->devicetrees);
        free(entry->options);
}

void listed_menu_done(ListedMenu *menu) {
        for (size_t i = 0; i < menu->n; i++)
                entry_done(&menu->entries[i]);
        free(menu->entries);
        string_list_done(&menu->defaults);
        *menu = (ListedMenu){ 0 };
}
