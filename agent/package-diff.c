/*
 * Packages: store paths by name and version, as Nix' own diff-closures takes them apart. Two
 * closures differ in a package if they have other versions of it or it grew by more than a little.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "package-diff.h"
#include "text.h"

#define BYTES_TOLD_MIN 8192 /* growth of less is what each new build brings */

typedef struct Part {
        char *name, *version;
        uint64_t bytes;
        bool is_new;
} Part;

typedef struct Parts {
        Part *items;
        size_t n;
} Parts;

/* "2.38-66-bin" -> "2.38-66": the last word is an output of the same package. */
static void strip_output(char *version) {
        char *dash = strrchr(version, '-');

        if (dash && dash[1] && strspn(dash + 1, "abcdefghijklmnopqrstuvwxyz") == strlen(dash + 1))
                *dash = '\0';
}

/**
 * package_split() - "/nix/store/HASH-glibc-2.38-66-bin" -> "glibc", "2.38-66"
 * @ret_version: "" if there is none; both owned by the caller
 *
 * The version begins at the first dash that no letter follows.
 *
 * Return: 0 or -ENOMEM.
 */
int package_split(const char *path, char **ret_name, char **ret_version) {
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        const char *name = strchr(base, '-'), *p;
        _cleanup_free_ char *first = NULL, *version = NULL;

        name = name ? name + 1 : base;
        for (p = name; *p; p++)
                if (p > name && *p == '-' && p[1] && !isalpha((unsigned char) p[1]))
                        break;
        first = strndup(name, (size_t) (p - name));
        version = strdup(*p ? p + 1 : "");
        if (!first || !version)
                return -ENOMEM;
        strip_output(version);

        *ret_name = TAKE_PTR(first);
        *ret_version = TAKE_PTR(version);
        return 0;
}

static int compare_parts(const void *a, const void *b) {
        const Part *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : strcmp(x->version, y->version);
}

static int add_parts(Parts *parts, const Closure *closure, bool is_new) {
        Part *items = reallocarray(parts->items, parts->n + closure->n + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        parts->items = items;
        for (size_t i = 0; i < closure->n; i++) {
                Part *part = &items[parts->n];
                int r;

                *part = (Part){ .bytes = closure->paths[i].bytes, .is_new = is_new };
                r = package_split(closure->paths[i].path, &part->name, &part->version);
                if (r < 0)
                        return r;
                parts->n++;
        }
        return 0;
}

static void parts_done(Parts *parts) {
        for (size_t i = 0; i < parts->n; i++) {
                free(parts->items[i].name);
                free(parts->items[i].version);
        }
        free(parts->items);
}

/* The parts of one version, which are next to one another: whether only one side has any. */
static int add_version(PackageChange *change, const Part *parts, size_t n) {
        bool in_old = false, in_new = false;

        for (size_t i = 0; i < n; i++) {
                in_old = in_old || !parts[i].is_new;
                in_new = in_new || parts[i].is_new;
        }
        if (in_old == in_new)
                return 0;
        return string_list_add(in_new ? &change->new : &change->old, parts[0].version);
}

static void change_done(PackageChange *change) {
        free(change->name);
        string_list_done(&change->old);
        string_list_done(&change->new);
        *change = (PackageChange){ 0 };
}

/* All parts of one name. */
static int make_change(const Part *parts, size_t n, PackageChange *change) {
        int r = 0;

        change->name = strdup(parts[0].name);
        if (!change->name)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                change->bytes +=
                        parts[i].is_new ? (int64_t) parts[i].bytes : -(int64_t) parts[i].bytes;
        for (size_t i = 0, end; r >= 0 && i < n; i = end) {
                for (end = i + 1; end < n && strcmp(parts[end].version, parts[i].version) == 0;)
                        end++;
                r = add_version(change, parts + i, end - i);
        }
        return r;
}

/* Texts of a configuration have no version, and there are hundreds: only those that matter. */
static bool is_worth_telling(const PackageChange *change) {
        bool grew = change->bytes > BYTES_TOLD_MIN || change->bytes < -BYTES_TOLD_MIN;

        for (size_t i = 0; i < change->old.n; i++)
                if (*change->old.items[i])
                        return true;
        for (size_t i = 0; i < change->new.n; i++)
                if (*change->new.items[i])
                        return true;
        return grew;
}

/**
 * package_diff_make() - which packages differ between two closures
 * @diff: all zero before; package_diff_done() even after an error
 *
 * Return: 0 or -ENOMEM.
 */
int package_diff_make(const Closure *old, const Closure *new, PackageDiff *diff) {
        _cleanup_(parts_done) Parts parts = { 0 };
        int r;

        r = add_parts(&parts, old, /* is_new= */ false);
        if (r >= 0)
                r = add_parts(&parts, new, /* is_new= */ true);
        if (r < 0)
                return r;
        if (parts.n > 0)
                qsort(parts.items, parts.n, sizeof(*parts.items), compare_parts);

        diff->changes = calloc(parts.n + 1, sizeof(*diff->changes));
        if (!diff->changes)
                return -ENOMEM;
        for (size_t i = 0, end; r >= 0 && i < parts.n; i = end) {
                PackageChange *change = &diff->changes[diff->n];

                for (end = i + 1;
                     end < parts.n && strcmp(parts.items[end].name, parts.items[i].name) == 0;)
                        end++;
                r = make_change(parts.items + i, end - i, change);
                if (r >= 0 && is_worth_telling(change))
                        diff->n++;
                else
                        change_done(change);
        }
        return r;
}

void package_diff_done(PackageDiff *diff) {
        for (size_t i = 0; i < diff->n; i++)
                change_done(&diff->changes[i]);
        free(diff->changes);
        *diff = (PackageDiff){ 0 };
}
