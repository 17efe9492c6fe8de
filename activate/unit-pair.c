/*
 * One unit in two trees of unit files. Which files define it is decided here: its own or its
 * template's, and the drop-ins beside them. Files that are the very same on both sides are never
 * opened.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "text.h"
#include "unit-drop-ins.h"
#include "unit-name.h"
#include "unit-pair.h"

#define FINGERPRINT_BYTES_MAX ((size_t) 64 * 1024 * 1024)
#define FINGERPRINT_STEP      ((size_t) 64 * 1024)

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_ino != 0 && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool same_files(const UnitTree *old_tree, const StringList *olds, const UnitTree *new_tree,
                       const StringList *news) {
        if (olds->n != news->n)
                return false;

        for (size_t i = 0; i < olds->n; i++) {
                struct stat a, b;

                if (strcmp(olds->items[i], news->items[i]) != 0 ||
                    fstatat(old_tree->dir_fd, olds->items[i], &a, 0) < 0 ||
                    fstatat(new_tree->dir_fd, news->items[i], &b, 0) < 0 || !same_file(&a, &b))
                        return false;
        }
        return true;
}

/* Over the bytes as far as anybody wants to wait, and how many there are. */
static int hash_bytes(int fd, off_t size, char **ret) {
        unsigned char hash[crypto_hash_sha256_BYTES];
        char hex[2 * crypto_hash_sha256_BYTES + 1];
        _cleanup_free_ unsigned char *buffer = malloc(FINGERPRINT_STEP);
        crypto_hash_sha256_state state;
        size_t n = 0;

        if (!buffer)
                return -ENOMEM;

        crypto_hash_sha256_init(&state);
        while (n < FINGERPRINT_BYTES_MAX) {
                ssize_t k = read(fd, buffer, FINGERPRINT_STEP);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                crypto_hash_sha256_update(&state, buffer, (size_t) k);
                n += (size_t) k;
        }
        crypto_hash_sha256_final(&state, hash);
        return text_printf(ret, "%jd bytes, sha256 %s", (intmax_t) size,
                           sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
}

/* What tells an unreadable file from another one: its bytes, else what it is. */
static int fingerprint_of(int dir_fd, const char *path, char **ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *target = NULL;
        struct stat st;
        int r;

        if (fstatat(dir_fd, path, &st, 0) < 0) {
                r = -errno;
                if (file_readlink(dir_fd, path, &target) >= 0)
                        return text_printf(ret, "link to '%s': %s", target, strerror(-r));
                return text_printf(ret, "%s", strerror(-r));
        }
        if (!S_ISREG(st.st_mode))
                return text_printf(ret, "of type %o", st.st_mode & S_IFMT);

        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        r = fd < 0 ? -errno : hash_bytes(fd, st.st_size, ret);
        if (r < 0 && r != -ENOMEM)
                return text_printf(ret, "%s", strerror(-r));
        return r;
}

static int add_note(StringList *notes, const char *path, int cause) {
        char *note;
        int r;

        if (!text_is_utf8(path))
                path = "a file whose name is no text";
        r = text_printf(&note, "'%s' is no readable unit file (%s); judged by its bytes", path,
                        cause == -EBADMSG ? "syntax" : strerror(-cause));
        return r < 0 ? r : string_list_take(notes, note);
}

/* Reads one file on top of @file. Whatever is wrong with it becomes a note, never the end of a
 * switch. */
static int read_one(UnitFile *file, int dir_fd, const char *path, StringList *notes) {
        _cleanup_free_ char *text = NULL, *fingerprint = NULL;
        size_t n;
        int r, cause;

        cause = file_read(dir_fd, path, UNIT_FILE_BYTES_MAX, &text, &n);
        if (cause >= 0)
                cause = unit_file_parse(file, path, text, n);
        if (cause >= 0 || cause == -ENOMEM)
                return cause;

        r = fingerprint_of(dir_fd, path, &fingerprint);
        if (r >= 0)
                r = unit_file_add_opaque(file, path, fingerprint);
        if (r >= 0)
                r = add_note(notes, path, cause);
        return r;
}

static int find_service(UnitDefinition *definition, const UnitTree *tree, const char *id) {
        const char *named = unit_file_value(definition->file, "Socket", "Service");
        _cleanup_free_ char *service = NULL;
        int r;

        if (!text_has_suffix(id, ".socket") ||
            unit_file_boolean(definition->file, "Socket", "Accept", false))
                return 0;
        r = named ? unit_name_expand(named, id, &service) :
                    unit_name_with_suffix(id, ".service", &service);
        definition->service_is_unknown = r >= 0 && !service;
        return r < 0 || !service ? r : unit_tree_main_name(tree, service, &definition->service);
}

static int load_side(UnitDefinition *definition, const char *id, const UnitTree *tree,
                     const StringList *drop_ins, StringList *notes) {
        int r;

        r = unit_file_new(&definition->file);
        if (r >= 0 && definition->state == UNIT_FILE_PRESENT)
                r = read_one(definition->file, tree->dir_fd, definition->base, notes);
        for (size_t i = 0; r >= 0 && i < drop_ins->n; i++)
                r = read_one(definition->file, tree->dir_fd, drop_ins->items[i], notes);
        if (r >= 0)
                r = unit_file_finish(definition->file);
        return r < 0 ? r : find_service(definition, tree, id);
}

/**
 * unit_pair_add_words() - the units that a value names
 * @list: appended to, without those that the name of @id alone does not tell
 * @id:   whose value it is, for its specifiers
 *
 * Return: 0 or -ENOMEM.
 */
int unit_pair_add_words(StringList *list, const char *text, const char *id) {
        _cleanup_free_ char *words = strdup(text);
        char *rest;
        int r = 0;

        if (!words)
                return -ENOMEM;
        for (char *word = strtok_r(words, " \t\n", &rest); r >= 0 && word;
             word = strtok_r(NULL, " \t\n", &rest)) {
                char *name;

                r = unit_name_expand(word, id, &name);
                if (r >= 0 && name)
                        r = string_list_take(list, name);
        }
        return r;
}

/* "foo.service" -> "foo.socket", and so for instances of foo@.service. */
static int socket_of_same_name(const char *base, char **ret_socket) {
        size_t n = strlen(base) - strlen(".service");

        if (n > 0 && base[n - 1] == '@')
                n--;
        return text_printf(ret_socket, "%.*s.socket", (int) n, base);
}

static int find_socket(UnitPair *pair, char **name, const UnitTree *new_tree) {
        char *main_name;
        int r;

        r = unit_tree_main_name(new_tree, *name, &main_name);
        if (r < 0)
                return r;
        free(*name);
        *name = main_name;
        if (unit_tree_defines(new_tree, main_name) != UNIT_FILE_PRESENT)
                return 0;
        return string_list_add(&pair->sockets_in_new, main_name);
}

/* The sockets that could start a changed service: as it names them, else the one of its own name.
 */
static int find_sockets(UnitPair *pair, const UnitTree *new_tree) {
        const UnitKey *key = unit_file_find(pair->new.file, "Service", "Sockets");
        char *socket;
        int r = 0;

        if (!text_has_suffix(pair->id, ".service"))
                return 0;

        for (size_t i = 0; r >= 0 && key && i < key->values.n; i++)
                r = unit_pair_add_words(&pair->sockets, key->values.items[i], pair->id);
        if (r >= 0 && pair->sockets.n == 0) {
                r = socket_of_same_name(pair->new.base, &socket);
                if (r >= 0)
                        r = string_list_take(&pair->sockets, socket);
        }
        for (size_t i = 0; r >= 0 && i < pair->sockets.n; i++)
                r = find_socket(pair, &pair->sockets.items[i], new_tree);
        return r;
}

/* An instance without a file of its own has its template's. */
static int find_base(const UnitTree *tree, const char *id, UnitDefinition *definition,
                     struct stat *ret_st) {
        _cleanup_free_ char *template = NULL;
        int r = 0;

        definition->state = unit_tree_state(tree, id, ret_st);
        if (definition->state == UNIT_FILE_MISSING)
                r = unit_name_template(id, &template);
        if (r < 0)
                return r;
        if (template)
                definition->state = unit_tree_state(tree, template, ret_st);
        definition->base = template ? TAKE_PTR(template) : strdup(id);
        return definition->base ? 0 : -ENOMEM;
}

/* A target is read anyway, so what it resolves to may as well be looked at. */
static void take_same_link(UnitPair *pair, const UnitTree *new_tree) {
        struct stat st;

        pair->new.state = text_has_suffix(pair->id, ".target") ?
                                  unit_tree_state(new_tree, pair->id, &st) :
                                  UNIT_FILE_PRESENT;
        pair->old.state = pair->new.state;
}

static int take_own_name(UnitDefinition *definition, const char *id) {
        definition->name = strdup(id);
        return definition->name ? 0 : -ENOMEM;
}

static int take_own_base(UnitDefinition *definition, const char *id) {
        definition->base = strdup(id);
        return definition->base ? 0 : -ENOMEM;
}

static int find_bases(UnitPair *pair, const UnitTreeLinks *links, const UnitTree *old_tree,
                      const UnitTree *new_tree, bool *ret_same) {
        struct stat old_st, new_st;
        int r = 0;

        if (links->old_leads_away)
                r = take_own_name(&pair->old, pair->id);
        if (r >= 0 && links->new_leads_away)
                r = take_own_name(&pair->new, pair->id);
        if (r >= 0 && links->same) {
                take_same_link(pair, new_tree);
                *ret_same = pair->new.state == UNIT_FILE_PRESENT;
                r = take_own_base(&pair->old, pair->id);
                return r < 0 ? r : take_own_base(&pair->new, pair->id);
        }
        if (r >= 0)
                r = find_base(old_tree, pair->id, &pair->old, &old_st);
        if (r >= 0)
                r = find_base(new_tree, pair->id, &pair->new, &new_st);
        *ret_same = r >= 0 && pair->old.state == UNIT_FILE_PRESENT &&
                    pair->new.state == UNIT_FILE_PRESENT &&same_file(&old_st, &new_st);
        return r;
}

static bool has_own(const StringList *paths, const char *id) {
        for (size_t i = 0; i < paths->n; i++) {
                const char *rest = text_after_prefix(paths->items[i], id);

                if (rest && text_after_prefix(rest, ".d"))
                        return true;
        }
        return false;
}

/* A name that became another one of a unit has the drop-ins of all its names. */
static int find_drop_ins(const UnitPair *pair, UnitDefinition *definition, const UnitTree *tree,
                         StringList *paths) {
        int r = 0;

        if (!definition->name)
                r = unit_tree_main_name(tree, pair->id, &definition->name);
        if (r >= 0)
                r = unit_drop_ins_find(tree, definition->name, paths);
        definition->is_meant =
                definition->state == UNIT_FILE_PRESENT &&
                (strcmp(definition->base, pair->id) == 0 || has_own(paths, pair->id));
        return r;
}

/* Whether nothing at all differs, which is seen by two links alone. Of targets their own wishes
 * count all the same. */
static int is_untouched(const char *id, const UnitTreeLinks *links, const UnitTree *old_tree,
                        const UnitTree *new_tree) {
        int r;

        if (!links->same || text_has_suffix(id, ".target"))
                return false;
        r = unit_drop_ins_any(old_tree, id);
        if (r == 0)
                r = unit_drop_ins_any(new_tree, id);
        return r < 0 ? r : r == 0;
}

/** unit_pair_is_renamed() - whether the new system has it as another name of a unit. */
bool unit_pair_is_renamed(const UnitPair *pair) {
        if (pair->new.state != UNIT_FILE_PRESENT || strcmp(pair->old.name, pair->id) != 0)
                return false;
        return strcmp(pair->new.name, pair->id) != 0;
}

static int load(UnitPair *pair, const char *id, const UnitTreeLinks *links,
                const UnitTree *old_tree, const UnitTree *new_tree) {
        _cleanup_(string_list_done) StringList old_drop_ins = { 0 }, new_drop_ins = { 0 };
        bool same_base;
        int r;

        pair->id = strdup(id);
        if (!pair->id)
                return -ENOMEM;

        r = find_bases(pair, links, old_tree, new_tree, &same_base);
        if (r >= 0)
                r = find_drop_ins(pair, &pair->old, old_tree, &old_drop_ins);
        if (r >= 0)
                r = find_drop_ins(pair, &pair->new, new_tree, &new_drop_ins);
        if (r < 0)
                return r;

        pair->identical = same_base && same_files(old_tree, &old_drop_ins, new_tree, &new_drop_ins);

        /* Of identical units only a target's own wishes matter: it is started again each time; and
         * what is now another name of a unit may be in the way of that. */
        if (pair->identical)
                return text_has_suffix(id, ".target") || unit_pair_is_renamed(pair) ?
                               unit_pair_load_new(pair, new_tree) :
                               0;

        r = load_side(&pair->old, id, old_tree, &old_drop_ins, &pair->notes);
        return r < 0 ? r : unit_pair_load_new(pair, new_tree);
}

/**
 * unit_pair_load() - read what two systems say of one unit
 * @pair: all zero before; unit_pair_done() even after an error
 * @id:   the unit's main name
 *
 * Only drop-ins beside the unit file are looked at: those elsewhere are no part of a system.
 *
 * Return: 0 or -ENOMEM; a file that cannot be read is a note.
 */
int unit_pair_load(UnitPair *pair, const char *id, const UnitTree *old_tree,
                   const UnitTree *new_tree) {
        UnitTreeLinks links;

        unit_tree_compare_links(old_tree, new_tree, id, &links);
        return load(pair, id, &links, old_tree, new_tree);
}

/**
 * unit_pair_load_changed() - the same, unless nothing differs
 *
 * So it is with nearly all units, of which there are many: nothing is made of them.
 *
 * Return: 0, UNIT_PAIR_SAME, or -ENOMEM.
 */
int unit_pair_load_changed(UnitPair *pair, const char *id, const UnitTree *old_tree,
                           const UnitTree *new_tree) {
        UnitTreeLinks links;
        int r;

        unit_tree_compare_links(old_tree, new_tree, id, &links);
        r = is_untouched(id, &links, old_tree, new_tree);
        if (r != 0)
                return r < 0 ? r : UNIT_PAIR_SAME;
        r = load(pair, id, &links, old_tree, new_tree);
        return r < 0 ? r : pair->identical && !pair->new.file ? UNIT_PAIR_SAME : 0;
}

/**
 * unit_pair_load_new() - read the new definition, where unit_pair_load() saw no need to
 *
 * Return: 0 or -ENOMEM.
 */
int unit_pair_load_new(UnitPair *pair, const UnitTree *new_tree) {
        _cleanup_(string_list_done) StringList drop_ins = { 0 };
        int r;

        if (pair->new.file || pair->new.state != UNIT_FILE_PRESENT)
                return 0;

        r = find_drop_ins(pair, &pair->new, new_tree, &drop_ins);
        if (r >= 0)
                r = load_side(&pair->new, pair->id, new_tree, &drop_ins, &pair->notes);
        if (r < 0)
                return r;
        return find_sockets(pair, new_tree);
}

static void definition_done(UnitDefinition *definition) {
        free(definition->base);
        free(definition->name);
        free(definition->service);
        unit_file_free(definition->file);
}

void unit_pair_done(UnitPair *pair) {
        free(pair->id);
        definition_done(&pair->old);
        definition_done(&pair->new);
        string_list_done(&pair->sockets);
        string_list_done(&pair->sockets_in_new);
        string_list_done(&pair->wanted_by);
        string_list_done(&pair->notes);
        *pair = (UnitPair){ 0 };
}
