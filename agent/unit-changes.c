/*
 * Unit changes: which unit files differ between two systems, whatever runs. By the same comparison
 * as a switch's plan, so what asks for nothing there is no change here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "text.h"
#include "unit-changes.h"
#include "unit-diff.h"
#include "unit-name.h"
#include "unit-pair.h"
#include "unit-tree.h"

static int add(UnitChanges *changes, const char *unit, bool user, const char *how,
               UnitChangeEntry **ret) {
        UnitChangeEntry *items = reallocarray(changes->items, changes->n + 1, sizeof(*items));
        char *copy;

        if (!items)
                return -ENOMEM;
        changes->items = items;
        copy = strdup(unit);
        if (!copy)
                return -ENOMEM;
        items[changes->n] = (UnitChangeEntry){ .unit = copy, .user = user, .how = how };
        *ret = &items[changes->n++];
        return 0;
}

/* A template is no unit, but a file like one. */
static bool is_unit_file(const char *name) {
        const char *at = strstr(name, "@.");
        _cleanup_free_ char *instance = NULL;

        if (!at)
                return unit_name_is_valid(name);
        return text_printf(&instance, "%.*s@x%s", (int) (at - name), name, at + 1) >= 0 &&
               unit_name_is_valid(instance);
}

/* Another name of a unit beside it, which is listed itself. */
static bool is_alias(const UnitTree *tree, const char *name) {
        _cleanup_free_ char *target = NULL;

        return file_readlink(tree->dir_fd, name, &target) >= 0 && !strchr(target, '/');
}

/* Also units that only have drop-ins there. */
static int list_names(const UnitTree *tree, StringList *names) {
        _cleanup_(string_list_done) StringList all = { 0 };
        int r;

        if (tree->dir_fd < 0)
                return 0;
        r = file_list(tree->dir_fd, ".", &all);
        if (r >= 0)
                r = string_list_copy(&all, &tree->stems);
        for (size_t i = 0; r >= 0 && i < all.n; i++)
                if (is_unit_file(all.items[i]) && !is_alias(tree, all.items[i]))
                        r = string_list_add(names, all.items[i]);
        return r;
}

static int add_keys(const UnitDiff *diff, StringList *keys) {
        for (size_t i = 0; i < diff->n_differences; i++) {
                const UnitDifference *d = &diff->differences[i];
                char *key;
                int r;

                if (!d->section) /* bytes that are no unit file */
                        continue;
                r = text_printf(&key, "%s%s%s", d->section, d->key ? "/" : "",
                                d->key ? d->key : "");
                if (r >= 0)
                        r = string_list_take(keys, key);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_files(const UnitPair *pair, bool user, UnitChanges *changes) {
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };
        UnitChangeEntry *entry;
        int r;

        if (!pair->old.file || !pair->new.file)
                return 0;
        r = unit_diff_make(&diff, pair->old.file, pair->new.file);
        if (r < 0 || diff.change == UNIT_EQUAL)
                return r;
        r = add(changes, pair->id, user, "changed", &entry);
        return r < 0 ? r : add_keys(&diff, &entry->keys);
}

static int compare_unit(const char *name, const UnitTree *old, const UnitTree *new, bool user,
                        UnitChanges *changes) {
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        UnitChangeEntry *entry;
        const char *how;
        int r;

        r = unit_pair_load(&pair, name, old, new);
        if (r < 0 || pair.identical)
                return r;
        if (pair.old.state == pair.new.state)
                return pair.old.state == UNIT_FILE_PRESENT ? compare_files(&pair, user, changes) :
                                                             0;
        how = pair.old.state == UNIT_FILE_MISSING ? "added" :
              pair.new.state == UNIT_FILE_MISSING ? "removed" :
              pair.new.state == UNIT_FILE_MASKED  ? "masked" :
                                                    "unmasked";
        return add(changes, name, user, how, &entry);
}

/* A system without such a directory has no unit of that kind. */
static int open_tree(UnitTree *tree, const char *toplevel, const char *directory) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s%s", toplevel, directory);
        if (r >= 0)
                r = unit_tree_open(tree, path);
        return r == -ENOENT ? 0 : r;
}

static int compare_trees(const char *old, const char *new, const char *directory, bool user,
                         UnitChanges *changes) {
        _cleanup_(unit_tree_done) UnitTree old_tree = UNIT_TREE_EMPTY, new_tree = UNIT_TREE_EMPTY;
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = open_tree(&old_tree, old, directory);
        if (r >= 0)
                r = open_tree(&new_tree, new, directory);
        if (r >= 0)
                r = list_names(&old_tree, &names);
        if (r >= 0)
                r = list_names(&new_tree, &names);
        if (r < 0)
                return r;
        string_list_sort_unique(&names);
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                r = compare_unit(names.items[i], &old_tree, &new_tree, user, changes);
        return r;
}

/**
 * unit_changes_read() - compare the unit files of two systems
 * @old, @new: toplevels
 * @changes:   all zero before; unit_changes_done() even after an error
 *
 * Return: 0, -ENOMEM, or an errno of openat(2).
 */
int unit_changes_read(const char *old, const char *new, UnitChanges *changes) {
        int r;

        r = compare_trees(old, new, "/etc/systemd/system", /* user= */ false, changes);
        if (r >= 0)
                r = compare_trees(old, new, "/etc/systemd/user", /* user= */ true, changes);
        return r;
}

void unit_changes_done(UnitChanges *changes) {
        for (size_t i = 0; i < changes->n; i++) {
                free(changes->items[i].unit);
                string_list_done(&changes->items[i].keys);
        }
        free(changes->items);
        *changes = (UnitChanges){ 0 };
}
