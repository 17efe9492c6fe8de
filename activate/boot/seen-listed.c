/*
 * A menu that lies in one file (GRUB's, extlinux', limine's), seen with the files that its entries
 * name. Where those lie is said in the loader's own terms, of which only the usual ones are
 * followed: for all others it cannot be told whether they are there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "digest.h"
#include "extlinux-conf.h"
#include "file.h"
#include "grub-cfg.h"
#include "limine-conf.h"
#include "seen-menu.h"
#include "text.h"
#include "toplevel.h"

#define ENVIRONMENT "grub/grubenv"
#define LIMINE_BOOT "boot():"
#define STORE_BASE  "/store" /* what it ends with wherever it is mounted */

enum {
        PLACE_BELOW = 0,   /* a path below the menu's folder */
        PLACE_STORE = 1,   /* answer: the loader reads it from the store, and it is the right one */
        PLACE_UNKNOWN = 2, /* answer: nobody can tell from here */
};

/* One entry that is held to its system. */
typedef struct Check {
        const SeenMenu *menu;
        const ListedEntry *entry;
        const Bootspec *spec;
        EntryState state;
        char *why;
        StringList files;
} Check;

static bool is_there(int fd, const char *path) {
        struct stat st;

        return fstatat(fd, path, &st, 0) >= 0;
}

/* GRUB reads the store itself where it can: "/@/nix/store/HASH-linux/bzImage", say. */
static bool is_of_store(const char *path, const char *wanted) {
        return wanted && text_after_prefix(wanted, STORE_DIRECTORY "/") &&
               text_has_suffix(path, wanted + strlen(STORE_DIRECTORY) - strlen(STORE_BASE));
}

/* Without "." and "..", which must not lead out; @path is changed. */
static int simplify(char *path, char **ret_path) {
        _cleanup_(string_list_done) StringList parts = { 0 };
        char *rest;
        int r = 0;

        for (char *part = strtok_r(path, "/", &rest); r >= 0 && part;
             part = strtok_r(NULL, "/", &rest)) {
                if (strcmp(part, ".") == 0)
                        continue;
                if (strcmp(part, "..") != 0)
                        r = string_list_add(&parts, part);
                else if (parts.n == 0)
                        return PLACE_UNKNOWN;
                else {
                        free(parts.items[--parts.n]);
                        parts.items[parts.n] = NULL;
                }
        }
        if (r >= 0 && parts.n == 0)
                return PLACE_UNKNOWN;
        return r < 0 ? r : string_list_join(&parts, "/", ret_path);
}

/* On a partition of its own, or in a folder of a larger one: the part that is NixOS' own is the
 * same. */
static int place_absolute(int fd, const char *path, const char *marker, char **ret_path) {
        _cleanup_free_ char *copy = strdup(path);
        const char *tail = strstr(path, marker);
        int r;

        if (!copy)
                return -ENOMEM;
        r = simplify(copy, ret_path);
        if (r != 0 || is_there(fd, *ret_path))
                return r;
        free(*ret_path);
        *ret_path = NULL;
        if (!tail)
                return PLACE_UNKNOWN;
        free(copy);
        copy = strdup(tail);
        return copy ? simplify(copy, ret_path) : -ENOMEM;
}

static int place_grub(int fd, const char *value, const char *wanted, char **ret_path) {
        if (*value == '(') {
                value = strchr(value, ')');
                if (!value)
                        return PLACE_UNKNOWN;
                value++;
        }
        if (is_of_store(value, wanted))
                return PLACE_STORE;
        return place_absolute(fd, value, "/kernels/", ret_path);
}

static int place_extlinux(int fd, const char *value, _unused_ const char *wanted, char **ret_path) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (*value == '/')
                return place_absolute(fd, value, "/nixos/", ret_path);
        r = text_printf(&path, "extlinux/%s", value);
        return r < 0 ? r : simplify(path, ret_path);
}

static int place_limine(_unused_ int fd, const char *value, _unused_ const char *wanted,
                        char **ret_path) {
        const char *path = text_after_prefix(value, LIMINE_BOOT);
        _cleanup_free_ char *copy = NULL;

        if (!path || strstr(path, "${"))
                return PLACE_UNKNOWN;
        copy = strndup(path, strcspn(path, "#")); /* a hash of it follows */
        return copy ? simplify(copy, ret_path) : -ENOMEM;
}

/* clang-format off */
static const struct {
        int (*place)(int fd, const char *value, const char *wanted, char **ret_path);
        int (*parse)(const char *text, size_t n, ListedMenu *menu);
        const char *leftovers[2]; /* folders to look for them in */
} kinds[_MENU_KIND_MAX] = {
        [MENU_GRUB]     = { place_grub,     grub_cfg_parse,      { "grub", "kernels" }           },
        [MENU_EXTLINUX] = { place_extlinux, extlinux_conf_parse, { "extlinux", "nixos" }         },
        [MENU_LIMINE]   = { place_limine,   limine_conf_parse,   { "limine", "limine/kernels" }  },
};
/* clang-format on */

static int damaged(Check *check, const char *what, const char *how) {
        if (check->state == ENTRY_DAMAGED)
                return 0;
        check->state = ENTRY_DAMAGED;
        return text_printf(&check->why, "%s%s%s%s", what ? "'" : "it", what ? what : "",
                           what ? "' " : " ", how);
}

static void unverified(Check *check) {
        if (check->state == ENTRY_COMPLETE)
                check->state = ENTRY_UNVERIFIED;
}

static int check_file(Check *check, const char *value, const char *wanted, bool may_be_longer) {
        _cleanup_free_ char *path = NULL;
        const char *how = NULL;
        EntryState state;
        int r;

        r = kinds[check->menu->kind].place(check->menu->fd, value, wanted, &path);
        if (r == PLACE_UNKNOWN)
                unverified(check);
        if (r != PLACE_BELOW)
                return r < 0 ? r : 0;
        r = boot_verify_file(check->menu->fd, path, wanted, may_be_longer, &state, &how);
        if (r < 0)
                return r;
        if (state == ENTRY_DAMAGED)
                return damaged(check, path, how);
        if (state == ENTRY_UNVERIFIED)
                unverified(check);
        return string_list_add(&check->files, path);
}

static int check_folder(Check *check, const char *value) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = kinds[check->menu->kind].place(check->menu->fd, value, NULL, &path);
        if (r != PLACE_BELOW)
                return r < 0 ? r : 0;
        return is_there(check->menu->fd, path) ? 0 : damaged(check, path, "is missing");
}

static int check_entry(Check *check) {
        const ListedEntry *entry = check->entry;
        const Bootspec *spec = check->spec;
        int r = 0;

        if (!entry->kernel)
                return damaged(check, NULL, "names no kernel");
        if (spec && spec->initrd && entry->initrds.n == 0)
                return damaged(check, NULL, "names no initrd");
        r = check_file(check, entry->kernel, spec ? spec->kernel : NULL, false);
        for (size_t i = 0; r >= 0 && i < entry->initrds.n; i++)
                r = check_file(check, entry->initrds.items[i], spec && i == 0 ? spec->initrd : NULL,
                               spec && spec->initrd_secrets);
        if (r >= 0 && entry->devicetree)
                r = check_file(check, entry->devicetree, NULL, false);
        if (r >= 0 && entry->devicetrees)
                r = check_folder(check, entry->devicetrees);
        return r;
}

static void check_done(Check *check) {
        free(check->why);
        string_list_done(&check->files);
}

static int take_lead(SeenMenu *menu, Check *check, char **toplevel) {
        menu->lead_state = check->state;
        menu->lead_why = TAKE_PTR(check->why);
        menu->lead = *toplevel ? MENU_LEAD_SYSTEM : MENU_LEAD_OTHER;
        menu->leads_to = TAKE_PTR(*toplevel);
        menu->lead_entry = strdup(check->entry->title);
        return menu->lead_entry ? 0 : -ENOMEM;
}

static int find_subject(const SeenMenu *menu, const MenuSubject *subjects, const char *toplevel) {
        for (size_t i = 0; toplevel && i < menu->n_systems; i++)
                if (strcmp(subjects[i].toplevel, toplevel) == 0)
                        return (int) i;
        return -1;
}

static int see_entry(SeenMenu *menu, const ListedEntry *entry, const MenuSubject *subjects,
                     const ListedEntry *lead) {
        _cleanup_(check_done) Check check = { .menu = menu, .entry = entry };
        _cleanup_free_ char *toplevel = NULL, *why = NULL;
        int r, i;

        if (entry->group)
                return 0;
        menu->n_entries++;
        r = listed_entry_toplevel(entry, &toplevel);
        i = find_subject(menu, subjects, toplevel);
        if (r == -ENOMEM || (i < 0 && entry != lead))
                return r == -ENOMEM ? r : 0;
        check.spec = i >= 0 ? subjects[i].spec : NULL;
        r = toplevel ? check_entry(&check) : 0;
        if (r >= 0 && i >= 0 && check.why)
                r = text_printf(&why, "%s", check.why);
        if (r >= 0 && i >= 0)
                r = seen_menu_take_state(&menu->systems[i], check.state, TAKE_PTR(why));
        if (r >= 0 && i == 0)
                r = string_list_copy(&menu->files, &check.files);
        return r < 0 || entry != lead ? r : take_lead(menu, &check, &toplevel);
}

static int find_grub_default(const SeenMenu *menu, const ListedMenu *listed,
                             const ListedEntry **ret) {
        _cleanup_free_ char *text = NULL, *saved = NULL;
        size_t n;
        int r;

        r = file_read(menu->fd, ENVIRONMENT, GRUB_ENVIRONMENT_BYTES_MAX, &text, &n);
        if (r >= 0)
                r = grub_environment_get(text, n, "saved_entry", &saved);
        return r == -ENOMEM ? r : grub_default_find(listed, saved, ret);
}

static int find_lead(SeenMenu *menu, const ListedMenu *listed, const ListedEntry **ret) {
        int r;

        if (menu->kind == MENU_GRUB)
                r = find_grub_default(menu, listed, ret);
        else if (menu->kind == MENU_EXTLINUX)
                r = extlinux_default_find(listed, ret);
        else
                r = limine_default_find(listed, ret);
        menu->lead = r == LISTED_DEFAULT_NONE ? MENU_LEAD_NOTHING : MENU_LEAD_UNTOLD;
        return r < 0 ? r : 0;
}

/**
 * seen_menu_read_listed() - read it, and look at what it names
 * @file: below the menu's folder
 *
 * Return: 0, an errno of reading the file, an error of its parser, -ENOMEM.
 */
int seen_menu_read_listed(SeenMenu *menu, const char *file, const MenuSubject *subjects) {
        _cleanup_(listed_menu_done) ListedMenu listed = { 0 };
        _cleanup_free_ char *text = NULL;
        const ListedEntry *lead = NULL;
        size_t n;
        int r;

        r = file_read(menu->fd, file, LISTED_MENU_BYTES_MAX, &text, &n);
        if (r < 0)
                return r;
        (void) crypto_hash_sha256(menu->sign, (const unsigned char *) text, n);
        r = kinds[menu->kind].parse(text, n, &listed);
        if (r >= 0)
                r = find_lead(menu, &listed, &lead);
        for (size_t i = 0; r >= 0 && i < listed.n; i++)
                r = see_entry(menu, &listed.entries[i], subjects, lead);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(kinds[0].leftovers); i++)
                r = seen_menu_find_leftovers(menu, kinds[menu->kind].leftovers[i]);
        return r < 0 ? r : string_list_add(&menu->files, file);
}
