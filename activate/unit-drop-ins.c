/*
 * Drop-ins: which files add to the definition of a unit, and in which order they count. systemd
 * looks into the directories of all names of a unit, of its template, of what its name begins with
 * up to a dash ("foo-.service.d") and of its type ("service.d"). All files are put into the order
 * of their names, wherever they lie, and of those of one name only that in the most specific
 * directory counts.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "unit-drop-ins.h"
#include "unit-name.h"

#define DROP_INS_SUFFIX ".d"

typedef struct DropIn {
        char *path;
        const char *name; /* the end of @path */
        size_t rank;      /* of its directory: 0 is the most specific */
} DropIn;

typedef struct DropIns {
        DropIn *items;
        size_t n;
} DropIns;

static void drop_ins_done(DropIns *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->items[i].path);
        free(list->items);
}

static int add_directory(const UnitTree *tree, const char *stem, StringList *directories) {
        char *directory;
        int r;

        if (!unit_tree_has_drop_ins(tree, stem))
                return 0;
        r = text_printf(&directory, "%s" DROP_INS_SUFFIX, stem);
        return r < 0 ? r : string_list_take(directories, directory);
}

static int add_name(const UnitTree *tree, const char *name, StringList *directories) {
        _cleanup_free_ char *template = NULL;
        int r;

        r = add_directory(tree, name, directories);
        if (r >= 0)
                r = unit_name_template(name, &template);
        return r < 0 || !template ? r : add_directory(tree, template, directories);
}

/* "a-b@x.service": its own, then those of a-b@, a-@x and a-@. */
static int add_directories(const UnitTree *tree, const char *unit, StringList *directories) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = add_name(tree, unit, directories);
        if (r < 0 || !tree->has_prefixes)
                return r;
        r = unit_name_to_dash(unit, &name);
        while (r >= 0 && name) {
                char *shorter = NULL;

                r = add_name(tree, name, directories);
                if (r >= 0)
                        r = unit_name_to_dash(name, &shorter);
                free(name);
                name = shorter;
        }
        return r;
}

/* An instance is an instance of its template's other names, too. */
static int find_aliases(const UnitTree *tree, const char *unit, StringList *aliases) {
        _cleanup_(string_list_done) StringList templates = { 0 };
        _cleanup_free_ char *template = NULL;
        int r;

        r = unit_tree_aliases(tree, unit, aliases);
        if (r >= 0)
                r = unit_name_template(unit, &template);
        if (r >= 0 && template)
                r = unit_tree_aliases(tree, template, &templates);
        for (size_t i = 0; r >= 0 && i < templates.n; i++) {
                char *alias;

                r = unit_name_instance_of(templates.items[i], unit, &alias);
                if (r >= 0 && alias)
                        r = string_list_take(aliases, alias);
        }
        return r;
}

static int find_directories(const UnitTree *tree, const char *unit, StringList *directories) {
        _cleanup_(string_list_done) StringList aliases = { 0 };
        const char *type = strrchr(unit, '.');
        int r;

        r = add_directories(tree, unit, directories);
        if (r >= 0)
                r = find_aliases(tree, unit, &aliases);
        for (size_t i = 0; r >= 0 && i < aliases.n; i++)
                r = add_directories(tree, aliases.items[i], directories);
        if (r >= 0 && type)
                r = add_directory(tree, type + 1, directories);
        return r;
}

static int is_conf(const struct dirent *entry) {
        return entry->d_name[0] != '.' && text_has_suffix(entry->d_name, ".conf");
}

static int take_entries(DropIns *list, const char *directory, size_t rank, struct dirent **entries,
                        size_t n) {
        DropIn *items = reallocarray(list->items, list->n + n + 1, sizeof(*items));
        int r = 0;

        if (!items)
                return -ENOMEM;
        list->items = items;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                DropIn *item = &list->items[list->n];

                *item = (DropIn){ .rank = rank };
                r = text_printf(&item->path, "%s/%s", directory, entries[i]->d_name);
                if (r < 0)
                        break;
                item->name = item->path + strlen(directory) + 1;
                list->n++;
        }
        return r;
}

/* A plain file of that name is nothing; what cannot be read is told as such. */
static int list_directory(const UnitTree *tree, const char *directory, size_t rank, DropIns *list,
                          StringList *paths) {
        struct dirent **entries;
        int n, r;

        n = scandirat(tree->dir_fd, directory, &entries, is_conf, NULL);
        if (n < 0 && errno == ENOMEM)
                return -ENOMEM;
        if (n < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : string_list_add(paths, directory);

        r = take_entries(list, directory, rank, entries, (size_t) n);
        for (int i = 0; i < n; i++)
                free(entries[i]);
        free(entries);
        return r;
}

static int compare(const void *a, const void *b) {
        const DropIn *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* One that is masked, or leads nowhere, hides the others of its name all the same. */
static int take_visible(const UnitTree *tree, const DropIns *list, StringList *paths) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                if (i > 0 && strcmp(list->items[i - 1].name, list->items[i].name) == 0)
                        continue;
                if (unit_tree_drop_in_state(tree, list->items[i].path) == UNIT_FILE_PRESENT)
                        r = string_list_add(paths, list->items[i].path);
        }
        return r;
}

/**
 * unit_drop_ins_find() - the drop-ins that count for a unit
 * @paths: appended to, relative to the tree, in the order in which they count
 *
 * Source: systemd 252, of which a host scenario asks the order.
 *
 * Return: 0 or -ENOMEM.
 */
int unit_drop_ins_find(const UnitTree *tree, const char *unit, StringList *paths) {
        _cleanup_(string_list_done) StringList directories = { 0 };
        _cleanup_(drop_ins_done) DropIns list = { 0 };
        int r;

        r = find_directories(tree, unit, &directories);
        for (size_t i = 0; r >= 0 && i < directories.n; i++)
                r = list_directory(tree, directories.items[i], i, &list, paths);
        if (r < 0 || list.n == 0)
                return r;
        qsort(list.items, list.n, sizeof(*list.items), compare);
        return take_visible(tree, &list, paths);
}

/**
 * unit_drop_ins_any() - whether there is a directory in which a unit could have drop-ins
 *
 * It is asked of each unit, so it costs no system call; and of names that begin or end as others
 * do, and that few trees have, it is asked only where there are any.
 *
 * Return: whether, or -ENOMEM.
 */
int unit_drop_ins_any(const UnitTree *tree, const char *unit) {
        _cleanup_(string_list_done) StringList directories = { 0 };
        const char *type = strrchr(unit, '.');
        int r;

        if (!tree->has_prefixes && tree->aliases.n == 0 && !strchr(unit, '@'))
                return unit_tree_has_drop_ins(tree, unit) ||
                       (type && unit_tree_has_drop_ins(tree, type + 1));
        r = find_directories(tree, unit, &directories);
        return r < 0 ? r : directories.n > 0;
}
