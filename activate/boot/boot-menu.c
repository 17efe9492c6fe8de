/*
 * The menu that is wanted: an entry for each generation and each of its specialisations, with bytes
 * that come from what never changes, so that the same generation has the same entry on every run.
 * What could change is recorded in the entry itself, in comments that loaders pass over: the day on
 * which the generation was made, and from which store path each file beside it was taken. Nothing
 * is read or written here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot-menu.h"
#include "text.h"
#include "toplevel.h"

#define SYSTEM_PROFILE_WORD "system"
#define EXTRA_SORT_PREFIX   "o_" /* as NixOS has it: behind "nixos" */
#define DATE_SIZE           sizeof("-9223372036854775808-12-31")

/** boot_source_key() - what tells the initrd of a system from others; 0 or -ENOMEM. */
int boot_source_key(const Bootspec *spec, char **ret_key) {
        if (!spec->initrd_secrets)
                return text_printf(ret_key, "%s", spec->initrd);
        return text_printf(ret_key, "%s\n%s", spec->initrd, spec->initrd_secrets);
}

const BootSource *boot_sources_find(const BootSources *sources, const char *key) {
        for (size_t i = 0; i < sources->n; i++)
                if (strcmp(sources->items[i].key, key) == 0)
                        return &sources->items[i];
        return NULL;
}

/** boot_sources_take() - append one, which is the list's from then on; 0 or -ENOMEM. */
int boot_sources_take(BootSources *sources, BootSource *source) {
        BootSource *items = reallocarray(sources->items, sources->n + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        sources->items = items;
        items[sources->n++] = *source;
        *source = (BootSource){ 0 };
        return 0;
}

void boot_sources_done(BootSources *sources) {
        for (size_t i = 0; i < sources->n; i++) {
                free(sources->items[i].key);
                free(sources->items[i].file);
        }
        free(sources->items);
        *sources = (BootSources){ 0 };
}

static bool same_profile(const char *a, const char *b) {
        return strcmp(a ? a : SYSTEM_PROFILE_WORD, b ? b : SYSTEM_PROFILE_WORD) == 0;
}

/* Among the newest of its profile, or never to be missed. */
static bool is_wanted(const MenuSystem *systems, size_t n, size_t limit, size_t i) {
        size_t newer = 0;

        if (limit == 0 || systems[i].is_protected)
                return true;
        for (size_t j = 0; j < n; j++)
                if (same_profile(systems[j].profile, systems[i].profile) &&
                    systems[j].number > systems[i].number)
                        newer++;
        return newer < limit;
}

static int add_key(StringList *keys, const char *key) {
        return !key || string_list_contains(keys, key) ? 0 : string_list_add(keys, key);
}

static int add_keys(StringList *keys, const Bootspec *spec) {
        _cleanup_free_ char *initrd = NULL;
        int r = 0;

        if (spec->initrd)
                r = boot_source_key(spec, &initrd);
        if (r >= 0)
                r = add_key(keys, spec->kernel);
        if (r >= 0)
                r = add_key(keys, initrd);
        if (r >= 0)
                r = add_key(keys, spec->devicetree);
        for (size_t i = 0; r >= 0 && i < spec->n_specialisations; i++)
                r = add_keys(keys, &spec->specialisations[i]);
        return r;
}

/** boot_menu_sources() - which files that menu needs, each once; 0 or -ENOMEM. */
int boot_menu_sources(const MenuWish *wish, StringList *keys) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < wish->n_systems; i++)
                if (wish->systems[i].spec &&
                    is_wanted(wish->systems, wish->n_systems, wish->limit, i))
                        r = add_keys(keys, wish->systems[i].spec);
        for (size_t i = 0; r >= 0 && wish->extras && i < wish->extras->n; i++)
                r = add_key(keys, wish->extras->items[i].program);
        return r;
}

/* "source HEX SIZE PATH" */
static bool is_note_of_source(const char *note, const char *key, Digest *ret) {
        const char *text = text_after_prefix(note, "source "), *end;
        _cleanup_free_ char *digits = NULL;

        if (!text || strnlen(text, DIGEST_DIGITS + 1) <= DIGEST_DIGITS ||
            sodium_hex2bin(ret->bytes, DIGEST_BYTES, text, DIGEST_DIGITS, NULL, NULL, NULL) < 0 ||
            text[DIGEST_DIGITS] != ' ')
                return false;
        text += DIGEST_DIGITS + 1;
        end = strchr(text, ' ');
        digits = end ? strndup(text, (size_t) (end - text)) : NULL;
        return digits && text_to_unsigned(digits, UINT64_MAX, &ret->size) >= 0 &&
               strcmp(end + 1, key) == 0;
}

/**
 * boot_source_known() - what an entry of ours says about the bytes of a store path
 *
 * The store does not change, and the entry is intact; an initrd with secrets is never known, since
 * those can change.
 *
 * Return: 0 or -ENOENT.
 */
int boot_source_known(const BootListing *listing, const char *key, Digest *ret) {
        if (strchr(key, '\n'))
                return -ENOENT;
        for (size_t i = 0; i < listing->n_entries; i++) {
                const MenuEntry *entry = &listing->entries[i];

                if (!entry_name_is_ours(&entry->name) || !entry->intact)
                        continue;
                for (size_t j = 0; j < entry->entry.notes.n; j++)
                        if (is_note_of_source(entry->entry.notes.items[j], key, ret))
                                return 0;
        }
        return -ENOENT;
}

/* "generation PROFILE NUMBER SPECIALISATION DATE", all but the date. */
static int print_identity(const MenuSystem *system, const Bootspec *spec, char **ret_text) {
        _cleanup_free_ char *profile = NULL, *specialisation = NULL;
        int r;

        r = loader_entry_encode(system->profile ? system->profile : SYSTEM_PROFILE_WORD, &profile);
        if (r >= 0)
                r = loader_entry_encode(spec->specialisation ? spec->specialisation : "",
                                        &specialisation);
        return r < 0 ? r :
                       text_printf(ret_text, "%s %ju %s%s ", profile, (uintmax_t) system->number,
                                   spec->specialisation ? "=" : "-", specialisation);
}

/* The day that an entry of the same generation has recorded; else that of its link. */
static int find_date(const BootListing *listing, const MenuSystem *system, const Bootspec *spec,
                     const char *identity, char **ret_date) {
        char date[DATE_SIZE];
        struct tm tm;

        for (size_t i = 0; i < listing->n_entries; i++) {
                const MenuEntry *entry = &listing->entries[i];
                const char *note = loader_entry_note(&entry->entry, "generation");
                const char *behind = note ? text_after_prefix(note, identity) : NULL;
                _cleanup_free_ char *toplevel = NULL;

                if (!behind || entry->name.style != ENTRY_ENACT || !entry->intact ||
                    loader_entry_toplevel(&entry->entry, &toplevel) < 0 ||
                    strcmp(toplevel, spec->toplevel) != 0)
                        continue;
                return text_printf(ret_date, "%s", behind);
        }
        if (!gmtime_r(&system->created, &tm) || strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0)
                return text_printf(ret_date, "an unknown day");
        return text_printf(ret_date, "%s", date);
}

static int print_title(const MenuWish *wish, const MenuSystem *system, const Bootspec *spec,
                       char **ret_title) {
        bool profile = !same_profile(system->profile, NULL), special = spec->specialisation;

        return text_printf(ret_title, "%s%s%s%s%s%s%s", wish->distribution, profile ? " [" : "",
                           profile ? system->profile : "", profile ? "]" : "", special ? " (" : "",
                           special ? spec->specialisation : "", special ? ")" : "");
}

/* One file beside the entry: a line that names it, and a note of where it came from. */
static int add_payload(const MenuWish *wish, const char *key, LoaderEntry *entry,
                       WantedEntry *wanted, char **ret_path) {
        const BootSource *source = boot_sources_find(&wish->sources, key);
        _cleanup_free_ char *name = NULL, *note = NULL;
        int r;

        if (!source)
                return -ENOENT;
        r = payload_name_print(&source->digest, &name);
        if (r >= 0)
                r = text_printf(ret_path, "/" BOOT_PAYLOADS_FOLDER "/%s", name);
        if (r >= 0 && !strchr(key, '\n')) {
                r = text_printf(&note, "source %.*s %ju %s", (int) DIGEST_DIGITS, name,
                                (uintmax_t) source->digest.size, key);
                if (r >= 0)
                        r = string_list_take(&entry->notes, TAKE_PTR(note));
        }
        if (r >= 0 && !string_list_contains(&wanted->payloads, name))
                r = string_list_take(&wanted->payloads, TAKE_PTR(name));
        return r;
}

static int add_initrds(const MenuWish *wish, LoaderEntry *entry, WantedEntry *wanted) {
        const Bootspec *spec = wanted->spec;
        char *path;
        int r = 0;

        if (spec->initrd) {
                _cleanup_free_ char *key = NULL;

                r = boot_source_key(spec, &key);
                if (r >= 0)
                        r = add_payload(wish, key, entry, wanted, &path);
                if (r >= 0)
                        r = string_list_take(&entry->initrds, path);
        }
        for (size_t i = 0; r >= 0 && i < spec->extra_initrds.n; i++) {
                r = text_printf(&path, "/%s", spec->extra_initrds.items[i]);
                if (r >= 0)
                        r = string_list_take(&entry->initrds, path);
        }
        return r;
}

static int print_options(const Bootspec *spec, char **ret_options) {
        _cleanup_free_ char *parameters = NULL;
        int r;

        r = string_list_join(&spec->kernel_params, " ", &parameters);
        return r < 0 ? r :
                       text_printf(ret_options, "init=%s%s%s", spec->init, *parameters ? " " : "",
                                   parameters);
}

static int copy_text(const char *text, char **ret_copy) {
        return text ? text_printf(ret_copy, "%s", text) : 0;
}

static int add_generation(const MenuWish *wish, const BootListing *listing, LoaderEntry *entry,
                          const WantedEntry *wanted) {
        _cleanup_free_ char *identity = NULL, *date = NULL;
        char *note;
        int r;

        r = print_identity(wanted->system, wanted->spec, &identity);
        if (r >= 0)
                r = find_date(listing, wanted->system, wanted->spec, identity, &date);
        if (r >= 0)
                r = text_printf(&note, "generation %s%s", identity, date);
        if (r >= 0)
                r = string_list_take(&entry->notes, note);
        if (r >= 0)
                r = print_title(wish, wanted->system, wanted->spec, &entry->title);
        /* "~" sorts below nothing: where the first in the menu boots, that is the system itself. */
        return r < 0 ? r :
                       text_printf(&entry->version, "Generation %ju %s, built on %s%s%s",
                                   (uintmax_t) wanted->system->number, wanted->spec->label, date,
                                   wanted->spec->specialisation ? "~" : "",
                                   wanted->spec->specialisation ? wanted->spec->specialisation :
                                                                  "");
}

static int print_entry(const MenuWish *wish, const BootListing *listing, WantedEntry *wanted) {
        _cleanup_(loader_entry_done) LoaderEntry entry = { 0 };
        const Bootspec *spec = wanted->spec;
        int r;

        r = add_generation(wish, listing, &entry, wanted);
        if (r >= 0)
                r = copy_text(spec->sort_key, &entry.sort_key);
        if (r >= 0)
                r = copy_text(wish->machine_id, &entry.machine_id);
        if (r >= 0)
                r = add_payload(wish, spec->kernel, &entry, wanted, &entry.kernel);
        if (r >= 0)
                r = add_initrds(wish, &entry, wanted);
        if (r >= 0 && spec->devicetree)
                r = add_payload(wish, spec->devicetree, &entry, wanted, &entry.devicetree);
        if (r >= 0)
                r = print_options(spec, &entry.options);
        if (r >= 0)
                r = loader_entry_print(&entry, &wanted->text);
        return r < 0 ? r : loader_entry_stem(wanted->text, false, &wanted->stem);
}

static int print_extra(const MenuWish *wish, const MenuExtra *extra, WantedEntry *wanted) {
        _cleanup_(loader_entry_done) LoaderEntry entry = { 0 };
        char *note;
        int r;

        r = text_printf(&note, "extra %s", extra->name);
        if (r >= 0)
                r = string_list_take(&entry.notes, note);
        if (r >= 0)
                r = copy_text(extra->title, &entry.title);
        if (r >= 0)
                r = text_printf(&entry.sort_key, "%s%s", extra->sort_key ? "" : EXTRA_SORT_PREFIX,
                                extra->sort_key ? extra->sort_key : extra->name);
        if (r >= 0)
                r = add_payload(wish, extra->program, &entry, wanted, &entry.efi);
        if (r >= 0)
                r = copy_text(extra->options, &entry.options);
        if (r >= 0)
                r = loader_entry_print(&entry, &wanted->text);
        return r < 0 ? r : loader_entry_stem(wanted->text, true, &wanted->stem);
}

/* The file that is there already keeps its counter: that is how its trial stands. A plain one
 * comes before a counted one beside it. */
static const MenuEntry *find_present(const BootListing *listing, const char *stem) {
        const MenuEntry *found = NULL;

        for (size_t i = 0; i < listing->n_entries; i++) {
                const MenuEntry *entry = &listing->entries[i];

                if (entry->unified || strcmp(entry->name.stem, stem) != 0)
                        continue;
                if (!found || !entry->name.counted)
                        found = entry;
        }
        return found;
}

static bool is_of(const WantedEntry *wanted, const char *toplevel) {
        return toplevel && wanted->system && strcmp(toplevel, wanted->system->toplevel) == 0;
}

static int find_file(const MenuWish *wish, const BootListing *listing, WantedEntry *wanted) {
        const MenuEntry *present = find_present(listing, wanted->stem);
        bool counted = wish->tries > 0 && loader_version_counts(&wish->version) &&
                       is_of(wanted, wish->counted_toplevel);
        int r;

        if (!present)
                return entry_name_print(wanted->stem, counted, wish->tries, 0, &wanted->file);
        wanted->present = true;
        wanted->damaged = !present->intact;
        if (present->name.counted ? !is_of(wanted, wish->blessed_toplevel) : !counted)
                return copy_text(present->file, &wanted->file);
        r = copy_text(present->file, &wanted->present_file);
        return r < 0 ? r :
                       entry_name_print(wanted->stem, !present->name.counted, wish->tries, 0,
                                        &wanted->file);
}

static int grow(BootMenu *menu, WantedEntry **ret) {
        WantedEntry *entries = reallocarray(menu->entries, menu->n + 1, sizeof(*entries));

        if (!entries)
                return -ENOMEM;
        menu->entries = entries;
        *ret = &entries[menu->n++];
        **ret = (WantedEntry){ 0 };
        return 0;
}

static int add_wanted(const MenuWish *wish, const BootListing *listing, const MenuSystem *system,
                      const Bootspec *spec, BootMenu *menu) {
        WantedEntry *wanted;
        int r;

        r = grow(menu, &wanted);
        if (r < 0)
                return r;
        wanted->system = system;
        wanted->spec = spec;
        r = print_entry(wish, listing, wanted);
        return r < 0 ? r : find_file(wish, listing, wanted);
}

static void remove_last(BootMenu *menu, size_t n) {
        while (menu->n > n) {
                WantedEntry *entry = &menu->entries[--menu->n];

                free(entry->stem);
                free(entry->text);
                free(entry->file);
                free(entry->present_file);
                string_list_done(&entry->payloads);
        }
}

static int add_extra(const MenuWish *wish, const BootListing *listing, const MenuExtra *extra,
                     BootMenu *menu) {
        size_t n = menu->n;
        WantedEntry *wanted;
        int r;

        r = grow(menu, &wanted);
        if (r < 0)
                return r;
        wanted->extra = extra;
        r = print_extra(wish, extra, wanted);
        if (r >= 0)
                r = find_file(wish, listing, wanted);
        if (r != -ENOENT && r != -EINVAL)
                return r;
        remove_last(menu, n);
        return string_list_add(&menu->unreadable, extra->program);
}

/* One whose files cannot be had is as one that cannot be read. */
static int add_system(const MenuWish *wish, const BootListing *listing, const MenuSystem *system,
                      BootMenu *menu) {
        size_t n = menu->n;
        int r = -ENOENT;

        if (system->spec) {
                r = add_wanted(wish, listing, system, system->spec, menu);
                for (size_t i = 0; r >= 0 && i < system->spec->n_specialisations; i++)
                        r = add_wanted(wish, listing, system, &system->spec->specialisations[i],
                                       menu);
        }
        if (r != -ENOENT && r != -EINVAL)
                return r;
        remove_last(menu, n);
        return string_list_add(&menu->unreadable, system->toplevel);
}

/* Each profile by itself, ours first; the newest first; last what is no generation. */
static int compare_wanted(const void *a, const void *b) {
        const WantedEntry *x = a, *y = b;
        int r;

        if (!x->system || !y->system)
                return x->system ? -1 : y->system ? 1 : strcmp(x->extra->name, y->extra->name);
        if (!same_profile(x->system->profile, y->system->profile)) {
                if (same_profile(x->system->profile, NULL) ||
                    same_profile(y->system->profile, NULL))
                        return same_profile(x->system->profile, NULL) ? -1 : 1;
                return strcmp(x->system->profile, y->system->profile);
        }
        r = (x->system->number < y->system->number) - (x->system->number > y->system->number);
        if (r != 0)
                return r;
        return strcmp(x->spec->specialisation ? x->spec->specialisation : "",
                      y->spec->specialisation ? y->spec->specialisation : "");
}

/**
 * boot_menu_build() - the menu that is wanted, and which of it is there
 * @menu: all zero before; points into @wish; boot_menu_done() even after an error
 *
 * Return: 0 or -ENOMEM.
 */
int boot_menu_build(const MenuWish *wish, const BootListing *listing, BootMenu *menu) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < wish->n_systems; i++) {
                if (!wish->systems[i].spec)
                        r = string_list_add(&menu->unreadable, wish->systems[i].toplevel);
                else if (is_wanted(wish->systems, wish->n_systems, wish->limit, i))
                        r = add_system(wish, listing, &wish->systems[i], menu);
        }
        for (size_t i = 0; r >= 0 && wish->extras && i < wish->extras->n; i++)
                r = add_extra(wish, listing, &wish->extras->items[i], menu);
        if (menu->n > 1)
                qsort(menu->entries, menu->n, sizeof(*menu->entries), compare_wanted);
        return r;
}

/** boot_menu_default() - the entry of a system itself, of its highest number; NULL: it has none. */
const WantedEntry *boot_menu_default(const BootMenu *menu, const char *toplevel) {
        for (size_t i = 0; i < menu->n; i++)
                if (menu->entries[i].system && !menu->entries[i].spec->specialisation &&
                    !menu->entries[i].dropped &&
                    strcmp(menu->entries[i].system->toplevel, toplevel) == 0)
                        return &menu->entries[i];
        return NULL;
}

void boot_menu_done(BootMenu *menu) {
        remove_last(menu, 0);
        free(menu->entries);
        string_list_done(&menu->unreadable);
        *menu = (BootMenu){ 0 };
}
