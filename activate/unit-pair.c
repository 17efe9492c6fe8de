/*
 * One unit in two trees of unit files. Which files define it is decided here: its own or its
 * template's, and the drop-ins beside them. Files that are the very same on both sides are never
 * opened.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "file.h"
#include "text.h"
#include "unit-pair.h"

static bool is_dev_null(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static UnitFileState state_of(int dir_fd, const char *path, struct stat *ret_st) {
        if (dir_fd < 0 || fstatat(dir_fd, path, ret_st, 0) < 0)
                return UNIT_FILE_MISSING;
        return is_dev_null(ret_st) ? UNIT_FILE_MASKED : UNIT_FILE_PRESENT;
}

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* "foo@bar.baz.service" -> "foo@.service"; NULL in *ret if @id is no instance of anything. */
static int template_of(const char *id, char **ret) {
        const char *at = strchr(id, '@'), *suffix = strrchr(id, '.');

        *ret = NULL;
        if (!at || !suffix || suffix < at || suffix == at + 1)
                return 0;
        return text_printf(ret, "%.*s%s", (int) (at + 1 - id), id, suffix);
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_conf(const struct dirent *entry) {
        return entry->d_name[0] != '.' && text_has_suffix(entry->d_name, ".conf");
}

/* Paths of the drop-ins of @name that count (not masked), in the order in which they are read. */
static int list_drop_ins(int dir_fd, const char *name, StringList *paths) {
        _cleanup_free_ char *dir = NULL;
        struct dirent **entries;
        int n, r;

        if (dir_fd < 0)
                return 0;
        r = text_printf(&dir, "%s.d", name);
        if (r < 0)
                return r;

        n = scandirat(dir_fd, dir, &entries, is_conf, compare_names);
        if (n < 0)
                return errno == ENOMEM ? -ENOMEM : 0;

        r = 0;
        for (int i = 0; i < n; i++) {
                struct stat st;
                char *path;

                if (r >= 0)
                        r = text_printf(&path, "%s/%s", dir, entries[i]->d_name);
                if (r >= 0) {
                        if (state_of(dir_fd, path, &st) == UNIT_FILE_PRESENT)
                                r = string_list_take(paths, path);
                        else
                                free(path);
                }
                free(entries[i]);
        }
        free(entries);
        return r;
}

static bool same_files(int old_fd, const StringList *olds, int new_fd, const StringList *news) {
        if (olds->n != news->n)
                return false;

        for (size_t i = 0; i < olds->n; i++) {
                struct stat a, b;

                if (strcmp(olds->items[i], news->items[i]) != 0)
                        return false;
                if (state_of(old_fd, olds->items[i], &a) == UNIT_FILE_MISSING ||
                    state_of(new_fd, news->items[i], &b) == UNIT_FILE_MISSING || !same_file(&a, &b))
                        return false;
        }
        return true;
}

/* What tells an unreadable file from another one: for one in the store, which file it is. */
static int fingerprint_of(int dir_fd, const char *path, char **ret) {
        struct stat st = { 0 };

        if (fstatat(dir_fd, path, &st, 0) < 0)
                return text_printf(ret, "unreadable");
        return text_printf(ret, "file %jx:%jx of %jd bytes, %jd.%09ld", (uintmax_t) st.st_dev,
                           (uintmax_t) st.st_ino, (intmax_t) st.st_size,
                           (intmax_t) st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* Reads one file on top of @file. Whatever is wrong with it becomes a note, never the end of a
 * switch. */
static int read_one(UnitFile *file, int dir_fd, const char *path, StringList *notes) {
        _cleanup_free_ char *text = NULL;
        char *note, *fingerprint;
        size_t n;
        int r, cause;

        cause = file_read(dir_fd, path, UNIT_FILE_BYTES_MAX, &text, &n);
        if (cause == -ENOMEM)
                return cause;
        if (cause >= 0) {
                cause = unit_file_parse(file, text, n);
                if (cause != -EBADMSG)
                        return cause;
        }

        if (text && !memchr(text, '\0', n)) /* readable text: its bytes are what it is judged by */
                fingerprint = TAKE_PTR(text);
        else {
                r = fingerprint_of(dir_fd, path, &fingerprint);
                if (r < 0)
                        return r;
        }
        r = unit_file_add_opaque(file, fingerprint);
        free(fingerprint);
        if (r < 0)
                return r;

        r = text_printf(&note, "'%s' is no readable unit file (%s); judged by its bytes", path,
                        cause == -EBADMSG ? "syntax" : strerror(-cause));
        return r < 0 ? r : string_list_take(notes, note);
}

static int load_side(UnitDefinition *definition, int dir_fd, const char *base,
                     const StringList *drop_ins, StringList *notes) {
        int r;

        r = unit_file_new(&definition->file);
        if (r < 0)
                return r;
        if (definition->state == UNIT_FILE_PRESENT) {
                r = read_one(definition->file, dir_fd, base, notes);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < drop_ins->n; i++) {
                r = read_one(definition->file, dir_fd, drop_ins->items[i], notes);
                if (r < 0)
                        return r;
        }
        return unit_file_finish(definition->file);
}

/* The sockets that could start a changed service: as it names them, else the one of its own name.
 */
static int find_sockets(UnitPair *pair, int new_fd) {
        const UnitKey *key;
        int r = 0;

        if (!pair->new.file || !text_has_suffix(pair->id, ".service"))
                return 0;

        key = unit_file_find(pair->new.file, "Service", "Sockets");
        for (size_t i = 0; key && i < key->values.n; i++) {
                _cleanup_free_ char *words = strdup(key->values.items[i]);
                char *rest;

                if (!words)
                        return -ENOMEM;
                for (char *word = strtok_r(words, " \t\n", &rest); word;
                     word = strtok_r(NULL, " \t\n", &rest)) {
                        r = string_list_add(&pair->sockets, word);
                        if (r < 0)
                                return r;
                }
        }
        if (pair->sockets.n == 0) {
                size_t n = strlen(pair->base) - strlen(".service");
                char *name;

                if (n > 0 && pair->base[n - 1] == '@')
                        n--;
                r = text_printf(&name, "%.*s.socket", (int) n, pair->base);
                if (r >= 0)
                        r = string_list_take(&pair->sockets, name);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < pair->sockets.n; i++) {
                struct stat st;

                if (state_of(new_fd, pair->sockets.items[i], &st) != UNIT_FILE_PRESENT)
                        continue;
                r = string_list_add(&pair->sockets_in_new, pair->sockets.items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The base file on both sides; an instance without a file of its own has its template's. */
static int find_base(UnitPair *pair, int old_fd, int new_fd, bool *ret_identical) {
        struct stat old_st, new_st;
        _cleanup_free_ char *template = NULL;
        int r;

        pair->base = strdup(pair->id);
        if (!pair->base)
                return -ENOMEM;
        pair->old.state = state_of(old_fd, pair->base, &old_st);
        pair->new.state = state_of(new_fd, pair->base, &new_st);

        r = template_of(pair->id, &template);
        if (r < 0)
                return r;
        if (template && pair->old.state == UNIT_FILE_MISSING &&
            pair->new.state == UNIT_FILE_MISSING) {
                free(pair->base);
                pair->base = TAKE_PTR(template);
                pair->old.state = state_of(old_fd, pair->base, &old_st);
                pair->new.state = state_of(new_fd, pair->base, &new_st);
        }

        *ret_identical = pair->old.state == UNIT_FILE_PRESENT &&
                         pair->new.state == UNIT_FILE_PRESENT &&same_file(&old_st, &new_st);
        return 0;
}

static int find_drop_ins(const UnitPair *pair, UnitDefinition *definition, int dir_fd,
                         StringList *paths) {
        size_t n_base;
        int r;

        r = list_drop_ins(dir_fd, pair->base, paths);
        if (r < 0 || strcmp(pair->base, pair->id) == 0)
                return r;

        n_base = paths->n;
        r = list_drop_ins(dir_fd, pair->id, paths);
        definition->has_drop_ins = paths->n > n_base;
        return r;
}

static int load_with_drop_ins(UnitPair *pair, int old_fd, const StringList *old_drop_ins,
                              int new_fd, const StringList *new_drop_ins) {
        int r;

        /* Of identical units only a target's own wishes matter: it is started again each time. */
        if (pair->identical && !text_has_suffix(pair->id, ".target"))
                return 0;

        if (!pair->identical) {
                r = load_side(&pair->old, old_fd, pair->base, old_drop_ins, &pair->notes);
                if (r < 0)
                        return r;
        }
        if (pair->new.state != UNIT_FILE_PRESENT)
                return 0;
        r = load_side(&pair->new, new_fd, pair->base, new_drop_ins, &pair->notes);
        if (r < 0)
                return r;
        return find_sockets(pair, new_fd);
}

/**
 * unit_pair_load() - read what two systems say of one unit
 * @pair:   all zero before; unit_pair_done() even after an error
 * @id:     the unit's main name
 * @old_fd: directory of unit files of the old system, or -EBADF
 * @new_fd: the same for the new one
 *
 * Only directories beside the unit file are looked at, as NixOS makes them.
 *
 * Return: 0 or -ENOMEM; a file that cannot be read is a note.
 */
int unit_pair_load(UnitPair *pair, const char *id, int old_fd, int new_fd) {
        _cleanup_(string_list_done) StringList old_drop_ins = { 0 }, new_drop_ins = { 0 };
        bool same_base;
        int r;

        pair->id = strdup(id);
        if (!pair->id)
                return -ENOMEM;

        r = find_base(pair, old_fd, new_fd, &same_base);
        if (r < 0)
                return r;
        r = find_drop_ins(pair, &pair->old, old_fd, &old_drop_ins);
        if (r < 0)
                return r;
        r = find_drop_ins(pair, &pair->new, new_fd, &new_drop_ins);
        if (r < 0)
                return r;

        pair->identical = same_base && same_files(old_fd, &old_drop_ins, new_fd, &new_drop_ins);
        return load_with_drop_ins(pair, old_fd, &old_drop_ins, new_fd, &new_drop_ins);
}

void unit_pair_done(UnitPair *pair) {
        free(pair->id);
        free(pair->base);
        unit_file_free(pair->old.file);
        unit_file_free(pair->new.file);
        string_list_done(&pair->sockets);
        string_list_done(&pair->sockets_in_new);
        string_list_done(&pair->notes);
        *pair = (UnitPair){ 0 };
}
