/*
 * What changed between two definitions of a unit, and what that change asks for. The rules are
 * NixOS' own; each is one row of a table or one branch here.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "unit-diff.h"

/* Keys of [Unit] that mean nothing to a unit that runs. */
static const char *const ignored_unit_keys[] = {
        "AllowIsolate",      "CollectMode",      "Description",      "Documentation",
        "IgnoreOnIsolate",   "OnFailure",        "OnFailureJobMode", "OnSuccess",
        "RefuseManualStart", "RefuseManualStop", "SourcePath",       "StopWhenUnneeded",
};

static bool is_key(const UnitKey *k, const char *section, const char *key) {
        return strcmp(k->section, section) == 0 && strcmp(k->key, key) == 0;
}

static bool is_ignored(const UnitKey *k) {
        if (strcmp(k->section, "Unit") != 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(ignored_unit_keys); i++)
                if (strcmp(k->key, ignored_unit_keys[i]) == 0)
                        return true;
        return false;
}

/* Set to nothing is as good as not there, for keys of which only a reload takes notice. */
static bool has_value(const UnitKey *key) {
        return key && *key->values.items[key->values.n - 1];
}

/* A key that is on one side only, or on both with other values. */
static UnitChange judge_key(const UnitKey *old, const UnitKey *new) {
        const UnitKey *k = new ? new : old;

        if (is_ignored(k))
                return UNIT_EQUAL;
        if (is_key(k, "Unit", "X-Reload-Triggers") || is_key(k, "Service", "ExecReload"))
                return has_value(new) ? UNIT_RELOAD : UNIT_EQUAL;
        if (is_key(k, "Mount", "Options") && old && new)
                return UNIT_RELOAD;
        return UNIT_RESTART;
}

static int add_difference(UnitDiff *diff, const UnitDifference *wanted) {
        UnitDifference *d;

        if (wanted->change == UNIT_EQUAL)
                return 0;

        if (diff->n_differences == diff->allocated) {
                size_t allocated = diff->allocated ? 2 * diff->allocated : 8;

                d = reallocarray(diff->differences, allocated, sizeof(*d));
                if (!d)
                        return -ENOMEM;
                diff->differences = d;
                diff->allocated = allocated;
        }
        diff->differences[diff->n_differences++] = *wanted;
        if (wanted->change > diff->change)
                diff->change = wanted->change;
        return 0;
}

static int add_section(UnitDiff *diff, const char *section) {
        return add_difference(diff,
                              &(UnitDifference){ .change = UNIT_RESTART, .section = section });
}

static int compare_keys(const UnitKey *a, const UnitKey *b) {
        int r = strcmp(a->section, b->section);

        return r != 0 ? r : strcmp(a->key, b->key);
}

static bool same_values(const UnitKey *old, const UnitKey *new) {
        if (!old || !new)
                return false;
        return string_list_equal(&old->values, &new->values);
}

/* Walks both sorted lists side by side. */
static int diff_keys(UnitDiff *diff, const UnitFile *old_file, const UnitFile *new_file) {
        size_t n_old, n_new, i = 0, j = 0;
        const UnitKey *olds = unit_file_keys(old_file, &n_old);
        const UnitKey *news = unit_file_keys(new_file, &n_new);

        while (i < n_old || j < n_new) {
                const UnitKey *old = i < n_old ? &olds[i] : NULL;
                const UnitKey *new = j < n_new ? &news[j] : NULL;
                int order = !old ? 1 : !new ? -1 : compare_keys(old, new), r;

                if (order < 0)
                        new = NULL;
                if (order > 0)
                        old = NULL;
                i += old != NULL;
                j += new != NULL;
                if (same_values(old, new))
                        continue;

                r = add_difference(diff, &(UnitDifference){
                                                 .change = judge_key(old, new),
                                                 .section = (new ? new : old)->section,
                                                 .key = (new ? new : old)->key,
                                                 .old = old,
                                                 .new = new,
                                         });
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Whether a section says something by coming or going that its keys do not say already. */
static bool section_matters(const UnitFile *file, const char *section, bool added, size_t n_added) {
        size_t n;
        const UnitKey *keys = unit_file_section_keys(file, section, &n);

        for (size_t i = 0; i < n; i++)
                if (judge_key(added ? NULL : &keys[i], added ? &keys[i] : NULL) == UNIT_RESTART)
                        return false;
        if (n > 0 || strcmp(section, "Unit") == 0)
                return n_added > 1;
        return true;
}

static int diff_sections(UnitDiff *diff, const UnitFile *old, const UnitFile *new) {
        const StringList *olds = unit_file_sections(old), *news = unit_file_sections(new);
        size_t n_added = 0;
        int r;

        for (size_t i = 0; i < news->n; i++)
                n_added += !unit_file_has_section(old, news->items[i]);

        for (size_t i = 0; i < news->n; i++) {
                if (unit_file_has_section(old, news->items[i]) ||
                    !section_matters(new, news->items[i], /* added= */ true, n_added))
                        continue;
                r = add_section(diff, news->items[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < olds->n; i++) {
                if (unit_file_has_section(new, olds->items[i]) ||
                    !section_matters(old, olds->items[i], /* added= */ false, 0))
                        continue;
                r = add_section(diff, olds->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * unit_diff_make() - compare two definitions of one unit
 * @diff: all zero before; filled here, and unit_diff_done() even after an error. It points into
 *        @old and @new.
 *
 * Values are compared as ordered lists. [Install] and links such as .wants/ are not part of it.
 * Source: the comparison of units in NixOS' switch-to-configuration.
 *
 * Return: 0 or -ENOMEM.
 */
int unit_diff_make(UnitDiff *diff, const UnitFile *old, const UnitFile *new) {
        int r;

        /* Of a file that nobody can read only its bytes can be judged, and no key of it. */
        if (!string_list_equal(unit_file_opaques(old), unit_file_opaques(new)))
                return add_difference(diff, &(UnitDifference){ .change = UNIT_RESTART });

        r = diff_keys(diff, old, new);
        if (r < 0)
                return r;

        return diff_sections(diff, old, new);
}

void unit_diff_done(UnitDiff *diff) {
        free(diff->differences);
        *diff = (UnitDiff){ 0 };
}
