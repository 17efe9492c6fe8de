/*
 * Which entry boots, and why: what systemd-boot would find, without a boot. Nothing is read here.
 * Source: systemd-boot(7), loader.conf(5), and the loader's own order of entries.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "boot-default.h"
#include "text.h"
#include "version-compare.h"

#define SAVED "@saved"

/* clang-format off */
static const struct {
        const char *name, *words;
} reasons[_BOOT_REASON_MAX] = {
        [BOOT_NOTHING]            = { "nothing",            "no entry can be started" },
        [BOOT_ONE_SHOT]           = { "one-shot",           "the variable LoaderEntryOneShot names it, once" },
        [BOOT_VARIABLE_PREFERRED] = { "variable-preferred", "the variable LoaderEntryPreferred names it" },
        [BOOT_VARIABLE_DEFAULT]   = { "variable-default",   "the variable LoaderEntryDefault names it" },
        [BOOT_CONF_PREFERRED]     = { "conf-preferred",     "'preferred' in loader.conf names it" },
        [BOOT_CONF_DEFAULT]       = { "conf-default",       "'default' in loader.conf names it" },
        [BOOT_SORT_ORDER]         = { "sort-order",         "it is the first in the menu" },
};
/* clang-format on */

const char *boot_reason_to_string(BootReason reason) {
        return reasons[reason].name;
}

const char *boot_reason_to_words(BootReason reason) {
        return reasons[reason].words;
}

/** menu_entry_id() - what that loader calls an entry; owned by the caller. 0 or -ENOMEM. */
int menu_entry_id(const MenuEntry *entry, const LoaderVersion *version, char **ret_id) {
        const char *dot = strrchr(entry->file, '.');
        char *id;
        int r;

        if (entry->name.counted && loader_version_hides_counters(version))
                r = text_printf(&id, "%s%s", entry->name.stem, dot ? dot : "");
        else
                r = text_printf(&id, "%s", entry->file);
        if (r < 0)
                return r;
        for (char *p = id; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        *ret_id = id;
        return 0;
}

static int compare_numbers(unsigned a, unsigned b) {
        return (a > b) - (a < b);
}

/* By what the entries say; 0 where neither says how it sorts. */
static int compare_sort_keys(const LoaderEntry *a, const LoaderEntry *b) {
        const char *machine_a = a->machine_id ? a->machine_id : "";
        const char *machine_b = b->machine_id ? b->machine_id : "";
        int r;

        if (!a->sort_key != !b->sort_key)
                return a->sort_key ? -1 : 1;
        if (!a->sort_key)
                return 0;
        r = strcmp(a->sort_key, b->sort_key);
        if (r == 0)
                r = strcmp(machine_a, machine_b);
        return r != 0 ? r : -version_compare(a->version, b->version);
}

static int compare_ids(const MenuEntry *a, const MenuEntry *b, const LoaderVersion *version) {
        _cleanup_free_ char *id_a = NULL, *id_b = NULL;

        if (menu_entry_id(a, version, &id_a) < 0 || menu_entry_id(b, version, &id_b) < 0)
                return strcmp(a->file, b->file);
        return -version_compare(id_a, id_b);
}

/** menu_entry_compare() - which of two entries stands further up: negative: @a, positive: @b. */
int menu_entry_compare(const MenuEntry *a, const MenuEntry *b, const LoaderVersion *version) {
        bool bad_a = entry_name_is_bad(&a->name), bad_b = entry_name_is_bad(&b->name);
        int r;

        if (bad_a != bad_b)
                return bad_a ? 1 : -1;
        r = compare_sort_keys(&a->entry, &b->entry);
        if (r == 0)
                r = compare_ids(a, b, version);
        if (r != 0 || !a->name.counted || !b->name.counted)
                return r;
        r = compare_numbers(b->name.left, a->name.left);
        return r != 0 ? r : compare_numbers(a->name.done, b->name.done);
}

/* The highest in the menu that the pattern names, and that is not to be passed over. */
static int find_match(const MenuEntry *entries, size_t n, const LoaderVersion *version,
                      const char *pattern, bool skip_bad, const MenuEntry **ret) {
        const MenuEntry *best = NULL;

        for (size_t i = 0; i < n; i++) {
                const MenuEntry *entry = &entries[i];
                _cleanup_free_ char *id = NULL;

                if (!entry->startable || (skip_bad && entry_name_is_bad(&entry->name)))
                        continue;
                if (pattern) {
                        if (menu_entry_id(entry, version, &id) < 0)
                                return -ENOMEM;
                        if (fnmatch(pattern, id, FNM_CASEFOLD | FNM_NOESCAPE) != 0)
                                continue;
                }
                if (!best || menu_entry_compare(entry, best, version) < 0)
                        best = entry;
        }
        *ret = best;
        return 0;
}

static bool has_unified(const MenuEntry *entries, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (entries[i].unified && entries[i].startable)
                        return true;
        return false;
}

/**
 * boot_default_find() - the entry that the next start boots if nobody touches the menu
 * @entries: in any order
 * @ret:     points into @entries and @wishes
 *
 * Return: 0 or -ENOMEM.
 */
int boot_default_find(const MenuEntry *entries, size_t n, const BootWishes *wishes,
                      BootDefault *ret) {
        bool prefers = loader_version_prefers(&wishes->version);
        const struct {
                BootReason reason;
                const char *pattern;
                bool skip_bad;
        } steps[] = {
                { BOOT_ONE_SHOT, wishes->one_shot, false },
                { BOOT_VARIABLE_PREFERRED, prefers ? wishes->variable_preferred : NULL, true },
                { BOOT_VARIABLE_DEFAULT, wishes->variable_default, false },
                { BOOT_CONF_PREFERRED, prefers ? wishes->conf_preferred : NULL, true },
                { BOOT_CONF_DEFAULT, wishes->conf_default, false },
        };

        *ret = (BootDefault){ .uncertain = has_unified(entries, n) };
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                const char *pattern = steps[i].pattern;
                int r;

                if (pattern && strcmp(pattern, SAVED) == 0)
                        pattern = wishes->last_booted;
                if (!pattern || !*pattern)
                        continue;
                r = find_match(entries, n, &wishes->version, pattern, steps[i].skip_bad,
                               &ret->entry);
                if (r < 0)
                        return r;
                if (!ret->entry)
                        continue;
                ret->reason = steps[i].reason;
                ret->pattern = pattern;
                ret->uncertain = ret->uncertain && strpbrk(pattern, "*?[");
                return 0;
        }
        ret->reason = BOOT_SORT_ORDER;
        if (find_match(entries, n, &wishes->version, NULL, false, &ret->entry) < 0)
                return -ENOMEM;
        if (!ret->entry)
                *ret = (BootDefault){ .reason = BOOT_NOTHING };
        return 0;
}

void menu_entry_done(MenuEntry *entry) {
        free(entry->file);
        entry_name_done(&entry->name);
        loader_entry_done(&entry->entry);
        *entry = (MenuEntry){ 0 };
}
