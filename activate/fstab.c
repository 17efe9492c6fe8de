/*
 * /etc/fstab, read by libmount: what is a comment, how blanks are escaped and what may stand in a
 * value is its knowledge. Mount points and devices are known by the units that systemd makes of
 * them.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <libmount.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fstab.h"
#include "path-walk.h"
#include "text.h"
#include "unit-name.h"

/* libmount guesses from the first line whether it reads fstab or a table of the kernel's, and a
 * line that starts with two numbers would mislead it. This one settles that. */
#define FIRST_LINE "none /-/first none defaults 0 0\n"

typedef struct libmnt_table MountTable;

static MountTable *mount_table_unref(MountTable *table) {
        mnt_unref_table(table);
        return NULL;
}
DEFINE_CLEANUP(MountTable *, mount_table_unref);

static FILE *stream_close(FILE *stream) {
        (void) fclose(stream);
        return NULL;
}
DEFINE_CLEANUP(FILE *, stream_close);

/* A line that is none is passed over, as mount(8) does; the caller is told how many there were. */
static int on_bad_line(MountTable *table, const char *filename, int line) {
        Fstab *fstab = mnt_table_get_userdata(table);

        fstab->n_bad_lines++;
        return 1;
}

/* As udev writes names into links: what is not plain becomes \xNN. */
static int encode_for_udev(const char *value, char **ret) {
        _cleanup_free_ char *encoded = malloc(4 * strlen(value) + 1);
        char *end = encoded;

        if (!encoded)
                return -ENOMEM;
        for (const char *p = value; *p; p++) {
                unsigned char c = (unsigned char) *p;

                if (c >= 0x80 || isalnum(c) || strchr("#+-.:=@_", c))
                        *end++ = *p;
                else
                        end += sprintf(end, "\\x%02x", c);
        }
        *end = '\0';
        *ret = TAKE_PTR(encoded);
        return 0;
}

/**
 * fstab_device_path() - where udev has the device that a source names
 * @source: a path, or a tag such as UUID=…
 *
 * Return: 0 or -ENOMEM.
 */
int fstab_device_path(const char *source, char **ret_path) {
        static const struct {
                const char *tag, *directory;
        } tags[] = {
                { "UUID=", "/dev/disk/by-uuid" },
                { "LABEL=", "/dev/disk/by-label" },
                { "PARTUUID=", "/dev/disk/by-partuuid" },
                { "PARTLABEL=", "/dev/disk/by-partlabel" },
        };

        for (size_t i = 0; i < ELEMENTSOF(tags); i++) {
                const char *value = text_after_prefix(source, tags[i].tag);
                _cleanup_free_ char *plain = NULL, *encoded = NULL;
                int r;

                if (!value)
                        continue;
                plain = *value == '"' ? strndup(value + 1, strcspn(value + 1, "\"")) :
                                        strdup(value);
                if (!plain)
                        return -ENOMEM;
                r = encode_for_udev(plain, &encoded);
                return r < 0 ? r : text_printf(ret_path, "%s/%s", tags[i].directory, encoded);
        }
        *ret_path = strdup(source);
        return *ret_path ? 0 : -ENOMEM;
}

static int copy_text(const char *text, char **ret) {
        *ret = strdup(text ? text : "");
        return *ret ? 0 : -ENOMEM;
}

static void entry_done(FstabEntry *entry) {
        free(entry->unit);
        free(entry->source);
        free(entry->target);
        free(entry->type);
        free(entry->options);
}

/* Where it will be mounted. What cannot be followed is taken as it is written. */
static int find_place(const char *target, int root_fd, char **ret_place) {
        if (root_fd >= 0 && path_walk(root_fd, target, ret_place) >= 0)
                return 0;
        return copy_text(target, ret_place);
}

static int fill_entry(FstabEntry *entry, struct libmnt_fs *fs, bool swap, int root_fd) {
        _cleanup_free_ char *where = NULL;
        int r;

        r = copy_text(mnt_fs_get_source(fs), &entry->source);
        if (r >= 0)
                r = copy_text(mnt_fs_get_target(fs), &entry->target);
        if (r >= 0)
                r = copy_text(mnt_fs_get_fstype(fs), &entry->type);
        if (r >= 0)
                r = copy_text(mnt_fs_get_options(fs), &entry->options);
        if (r >= 0)
                r = swap ? fstab_device_path(entry->source, &where) :
                           find_place(entry->target, root_fd, &where);
        if (r < 0)
                return r;
        return unit_name_from_path(where, swap ? ".swap" : ".mount", &entry->unit);
}

/* Neither what is no mount, nor bytes that nobody could print. */
static bool is_of_interest(struct libmnt_fs *fs, bool swap) {
        const char *source = mnt_fs_get_source(fs), *target = mnt_fs_get_target(fs);
        const char *options = mnt_fs_get_options(fs), *type = mnt_fs_get_fstype(fs);

        if (!source || !text_is_utf8(source) || (options && !text_is_utf8(options)) ||
            (type && !text_is_utf8(type)))
                return false;
        return swap || (target && *target == '/' && text_is_utf8(target));
}

static int add_entry(Fstab *fstab, struct libmnt_fs *fs, size_t sequence, int root_fd) {
        bool swap = mnt_fs_is_swaparea(fs) == 1;
        FstabEntry *entries = swap ? fstab->swaps : fstab->mounts;
        size_t *n = swap ? &fstab->n_swaps : &fstab->n_mounts;
        FstabEntry entry = { .sequence = sequence };
        int r;

        if (!is_of_interest(fs, swap))
                return 0;
        r = fill_entry(&entry, fs, swap, root_fd);
        if (r >= 0) {
                entries[(*n)++] = entry;
                return 0;
        }
        entry_done(&entry);
        return r == -EINVAL ? 0 : r; /* systemd makes no unit of it either */
}

static int add_all(Fstab *fstab, MountTable *table, int root_fd) {
        struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r = 0;

        if (!iter)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && mnt_table_next_fs(table, iter, &fs) == 0; i++)
                if (i > 0) /* the first line was put there by us */
                        r = add_entry(fstab, fs, i, root_fd);
        mnt_free_iter(iter);
        return r;
}

static int compare_units(const void *a, const void *b) {
        return strcmp(((const FstabEntry *) a)->unit, ((const FstabEntry *) b)->unit);
}

static int compare_entries(const void *a, const void *b) {
        const FstabEntry *x = a, *y = b;
        int r = compare_units(x, y);

        return r != 0 ? r : x->sequence < y->sequence ? -1 : 1;
}

/* Orders them and keeps the first of each name. */
static size_t order(FstabEntry *entries, size_t n) {
        size_t n_kept = 0;

        if (n > 1)
                qsort(entries, n, sizeof(*entries), compare_entries);
        for (size_t i = 0; i < n; i++) {
                if (n_kept > 0 && compare_units(&entries[n_kept - 1], &entries[i]) == 0)
                        entry_done(&entries[i]);
                else
                        entries[n_kept++] = entries[i];
        }
        return n_kept;
}

static int collect(Fstab *fstab, MountTable *table, int root_fd) {
        size_t n = (size_t) mnt_table_get_nents(table);
        int r;

        fstab->mounts = calloc(n + 1, sizeof(*fstab->mounts));
        fstab->swaps = calloc(n + 1, sizeof(*fstab->swaps));
        if (!fstab->mounts || !fstab->swaps)
                return -ENOMEM;

        r = add_all(fstab, table, root_fd);
        if (r < 0)
                return r;
        fstab->n_mounts = order(fstab->mounts, fstab->n_mounts);
        fstab->n_swaps = order(fstab->swaps, fstab->n_swaps);
        return 0;
}

/**
 * fstab_parse() - read a table of file systems
 * @fstab: all zero before; fstab_done() even after an error
 * @text:  @n bytes of it
 * @root_fd: where links on the way to a mount point are followed; -EBADF: nowhere
 *
 * Source: fstab(5); systemd-fstab-generator for the names of the units. Lines that are none are
 * counted and passed over.
 *
 * Return: 0, -EBADMSG if it holds a NUL byte, -ENOMEM.
 */
int fstab_parse(Fstab *fstab, const char *text, size_t n, int root_fd) {
        _cleanup_(mount_table_unrefp) MountTable *table = mnt_new_table();
        _cleanup_(stream_closep) FILE *stream = NULL;
        _cleanup_free_ char *all = NULL;
        int r;

        if (memchr(text, '\0', n))
                return -EBADMSG;
        r = text_printf(&all, FIRST_LINE "%.*s\n", (int) n, text);
        if (r < 0)
                return r;
        stream = fmemopen(all, strlen(all), "r");
        if (!table || !stream)
                return -ENOMEM;

        (void) mnt_table_set_userdata(table, fstab);
        (void) mnt_table_set_parser_errcb(table, on_bad_line);
        r = mnt_table_parse_stream(table, stream, "fstab");
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        return collect(fstab, table, root_fd);
}

static const FstabEntry *find(const FstabEntry *entries, size_t n, const char *unit) {
        const FstabEntry wanted = { .unit = (char *) unit };

        return n > 0 ? bsearch(&wanted, entries, n, sizeof(wanted), compare_units) : NULL;
}

/** fstab_find_mount() - the entry whose mount unit that is, or NULL. */
const FstabEntry *fstab_find_mount(const Fstab *fstab, const char *unit) {
        return find(fstab->mounts, fstab->n_mounts, unit);
}

/** fstab_find_swap() - the same for a swap unit. */
const FstabEntry *fstab_find_swap(const Fstab *fstab, const char *unit) {
        return find(fstab->swaps, fstab->n_swaps, unit);
}

/* Cuts the next option off *rest; a comma inside quotes belongs to the option. */
static bool next_option(const char **rest, const char **ret_option, size_t *ret_n) {
        const char *p = *rest;
        bool quoted = false;

        if (!*p)
                return false;
        for (; *p && (quoted || *p != ','); p++)
                if (*p == '"')
                        quoted = !quoted;
        *ret_option = *rest;
        *ret_n = (size_t) (p - *rest);
        *rest = *p ? p + 1 : p;
        return true;
}

/* The last of that name, with its value if it has one; NULL if there is none. */
static const char *find_option(const FstabEntry *entry, const char *option, size_t *ret_n) {
        const char *rest = entry->options, *o, *found = NULL;
        size_t n, wanted = strlen(option);

        *ret_n = 0;
        while (next_option(&rest, &o, &n))
                if (n >= wanted && strncmp(o, option, wanted) == 0 &&
                    (n == wanted || o[wanted] == '=')) {
                        found = o;
                        *ret_n = n;
                }
        return found;
}

/** fstab_entry_has_option() - whether it has that option, with or without a value. */
bool fstab_entry_has_option(const FstabEntry *entry, const char *option) {
        size_t n;

        return find_option(entry, option, &n);
}

/** fstab_entry_same_option() - whether both have it with the same value, or neither has it. */
bool fstab_entry_same_option(const FstabEntry *a, const FstabEntry *b, const char *option) {
        size_t n, m;
        const char *x = find_option(a, option, &n), *y = find_option(b, option, &m);

        return !x == !y && n == m && (!x || strncmp(x, y, n) == 0);
}

/**
 * fstab_entry_is_automount() - whether systemd makes an automount point of it
 *
 * Source: systemd.mount(5) and systemd-fstab-generator, which has none for the root directory.
 */
bool fstab_entry_is_automount(const FstabEntry *entry) {
        return strcmp(entry->unit, "-.mount") != 0 &&
               (fstab_entry_has_option(entry, "x-systemd.automount") ||
                fstab_entry_has_option(entry, "comment=systemd.automount"));
}

/* Options for those who read fstab; a file system that is mounted never hears of them. */
static bool is_for_readers(const char *option, size_t n) {
        static const char *const words[] = { "_netdev", "auto", "fail", "noauto", "nofail" };

        if (n > 2 && strncasecmp(option, "x-", 2) == 0)
                return true;
        if (n >= 8 && strncmp(option, "comment=", 8) == 0)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (n == strlen(words[i]) && strncmp(option, words[i], n) == 0)
                        return true;
        return false;
}

/**
 * fstab_entry_mount_options() - its options without those that say only when and how to mount it
 * @ret_options: "defaults" is nothing; owned by the caller
 *
 * Source: systemd.mount(5), "fstab"; mount(8).
 *
 * Return: 0 or -ENOMEM.
 */
int fstab_entry_mount_options(const FstabEntry *entry, char **ret_options) {
        const char *rest = entry->options, *option;
        char *options = malloc(strlen(rest) + 1), *end = options;
        size_t n;

        if (!options)
                return -ENOMEM;
        while (next_option(&rest, &option, &n)) {
                if (n == 0 || is_for_readers(option, n) ||
                    (n == strlen("defaults") && strncmp(option, "defaults", n) == 0))
                        continue;
                if (end > options)
                        *end++ = ',';
                end = mempcpy(end, option, n);
        }
        *end = '\0';
        *ret_options = options;
        return 0;
}

void fstab_done(Fstab *fstab) {
        for (size_t i = 0; i < fstab->n_mounts; i++)
                entry_done(&fstab->mounts[i]);
        for (size_t i = 0; i < fstab->n_swaps; i++)
                entry_done(&fstab->swaps[i]);
        free(fstab->mounts);
        free(fstab->swaps);
        *fstab = (Fstab){ 0 };
}
