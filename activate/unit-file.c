/*
 * Unit files, by systemd's own grammar: comments only at the start of a line (also between the
 * lines of a continued value), a backslash at the end of a line joins it to the next with a blank,
 * an empty value forgets the earlier ones, and everything else in a value is text. A file that is
 * no such text is kept as an opaque fingerprint: it can still be told apart from another one.
 *
 * Assignments are gathered as they come and sorted once at the end, so that a file of a million
 * lines costs no more per line than one of ten.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "text.h"
#include "unit-file.h"

#define SECTION_IGNORED                                                                            \
        "Install" /* read by systemctl enable only, and what that does is NixOS' part */

typedef struct Assignment {
        char *section, *key, *value;
        size_t sequence;
} Assignment;

struct UnitFile {
        Assignment *assignments;
        size_t n_assignments, allocated;
        StringList sections; /* sorted and unique when finished; a section may have no key */
        UnitKey *keys;
        size_t n_keys;
        bool opaque;
};

/** unit_file_new() - an empty one, for unit_file_parse() and then unit_file_finish(); 0 or -ENOMEM.
 */
int unit_file_new(UnitFile **ret) {
        UnitFile *file = calloc(1, sizeof(*file));

        if (!file)
                return -ENOMEM;
        *ret = file;
        return 0;
}

static int add_assignment(UnitFile *file, const char *section, const char *key, const char *value) {
        Assignment *a;

        if (file->n_assignments == file->allocated) {
                size_t allocated = file->allocated ? 2 * file->allocated : 32;

                a = reallocarray(file->assignments, allocated, sizeof(*a));
                if (!a)
                        return -ENOMEM;
                file->assignments = a;
                file->allocated = allocated;
        }

        a = &file->assignments[file->n_assignments];
        *a = (Assignment){
                .section = strdup(section),
                .key = strdup(key),
                .value = strdup(value),
                .sequence = file->n_assignments++,
        };
        return a->section && a->key && a->value ? 0 : -ENOMEM;
}

/* Takes one whole logical line; sets *section at a heading. */
static int parse_line(UnitFile *file, char *line, char **section) {
        char *equals, *end;
        int r;

        line = text_strip(line);
        if (!*line)
                return 0;

        if (*line == '[') {
                end = strrchr(line, ']');
                if (!end || end[1])
                        return -EBADMSG;
                *end = '\0';
                free(*section);
                *section = strdup(line + 1);
                if (!*section)
                        return -ENOMEM;
                if (strcmp(*section, SECTION_IGNORED) == 0)
                        return 0;
                return string_list_add(&file->sections, *section);
        }

        equals = strchr(line, '=');
        if (!equals)
                return -EBADMSG;
        if (!*section || strcmp(*section, SECTION_IGNORED) == 0)
                return 0;

        *equals = '\0';
        r = add_assignment(file, *section, text_strip(line), text_strip(equals + 1));
        return r;
}

/* Cuts the next physical line off *rest, without its newline; NULL at the end. */
static char *next_line(char **rest) {
        char *line = *rest, *end;

        if (!*line)
                return NULL;
        end = strchr(line, '\n');
        if (end) {
                *end = '\0';
                *rest = end + 1;
        } else
                *rest = line + strlen(line);
        return line;
}

static bool is_comment(const char *line) {
        line += strspn(line, " \t\r");
        return *line == '#' || *line == ';';
}

static int parse_text(UnitFile *file, char *text) {
        _cleanup_free_ char *section = NULL;
        char *line, *joined = NULL, *end = NULL;
        int r;

        while ((line = next_line(&text))) {
                size_t n;
                bool continues;

                if (is_comment(line))
                        continue;

                n = strlen(line);
                if (n > 0 && line[n - 1] == '\r')
                        line[--n] = '\0';
                continues = n > 0 && line[n - 1] == '\\';
                if (continues)
                        line[n - 1] = ' ';

                /* What is joined fits into the room of what it was joined from. */
                if (!joined)
                        joined = end = line;
                if (end != line)
                        memmove(end, line, n + 1);
                end += n;
                if (continues)
                        continue;

                r = parse_line(file, TAKE_PTR(joined), &section);
                if (r < 0)
                        return r;
        }
        return joined ? parse_line(file, joined, &section) : 0;
}

/**
 * unit_file_parse() - read a unit file, or a drop-in on top of what was read before
 * @text: @n bytes as they lie in the file
 *
 * Source: systemd.syntax(7). On -EBADMSG what was read of this text stays; call
 * unit_file_add_opaque().
 *
 * Return: 0, -EBADMSG if it is no unit file (a NUL byte, a line that is neither heading nor
 * assignment).
 */
int unit_file_parse(UnitFile *file, const char *text, size_t n) {
        _cleanup_free_ char *copy = NULL;

        assert(!file->keys);

        if (memchr(text, '\0', n))
                return -EBADMSG;
        copy = strndup(text, n);
        if (!copy)
                return -ENOMEM;

        return parse_text(file, copy);
}

/**
 * unit_file_add_opaque() - remember something that could not be read as a unit file
 * @fingerprint: differs whenever its content may differ
 *
 * Return: 0 or -ENOMEM.
 */
int unit_file_add_opaque(UnitFile *file, const char *fingerprint) {
        int r;

        file->opaque = true;
        r = string_list_add(&file->sections, "");
        if (r < 0)
                return r;
        return add_assignment(file, "", "", fingerprint);
}

static int compare_assignments(const void *a, const void *b) {
        const Assignment *x = a, *y = b;
        int r;

        r = strcmp(x->section, y->section);
        if (r == 0)
                r = strcmp(x->key, y->key);
        if (r == 0)
                r = x->sequence < y->sequence ? -1 : 1;
        return r;
}

/* All assignments of one key, in order; an empty one forgets those before it. */
static int gather_values(UnitKey *key, Assignment *assignments, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r;

                if (!*assignments[i].value) {
                        string_list_done(&key->values);
                        continue;
                }
                r = string_list_take(&key->values, TAKE_PTR(assignments[i].value));
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * unit_file_finish() - put the keys in order; before it nothing can be asked, after it nothing
 * added
 *
 * Return: 0 or -ENOMEM.
 */
int unit_file_finish(UnitFile *file) {
        Assignment *all = file->assignments;
        size_t n;

        assert(!file->keys);

        string_list_sort_unique(&file->sections);
        if (file->n_assignments == 0)
                return 0;
        qsort(all, file->n_assignments, sizeof(*all), compare_assignments);

        file->keys = calloc(file->n_assignments, sizeof(*file->keys));
        if (!file->keys)
                return -ENOMEM;

        for (size_t i = 0; i < file->n_assignments; i += n) {
                UnitKey *key = &file->keys[file->n_keys];
                int r;

                for (n = 1; i + n < file->n_assignments; n++)
                        if (strcmp(all[i].section, all[i + n].section) != 0 ||
                            strcmp(all[i].key, all[i + n].key) != 0)
                                break;

                r = gather_values(key, all + i, n);
                if (r < 0)
                        return r;
                if (key->values.n == 0)
                        continue;
                key->section = all[i].section;
                key->key = all[i].key;
                file->n_keys++;
        }
        return 0;
}

/** unit_file_is_opaque() - whether a part of it could not be read as a unit file. */
bool unit_file_is_opaque(const UnitFile *file) {
        return file->opaque;
}

static int compare_with_key(const void *name, const void *key) {
        const UnitKey *wanted = name, *there = key;
        int r = strcmp(wanted->section, there->section);

        return r != 0 ? r : strcmp(wanted->key, there->key);
}

static int compare_with_text(const void *text, const void *item) {
        return strcmp(text, *(char *const *) item);
}

/** unit_file_has_section() - whether there is such a heading, be it empty; not for Install. */
bool unit_file_has_section(const UnitFile *file, const char *section) {
        const StringList *sections = &file->sections;

        return sections->n > 0 && bsearch(section, sections->items, sections->n,
                                          sizeof(*sections->items), compare_with_text);
}

/* How many keys stand before @section, or with @after set, before whatever follows it. */
static size_t section_bound(const UnitFile *file, const char *section, bool after) {
        size_t low = 0, high = file->n_keys;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(file->keys[middle].section, section);

                if (order < 0 || (after && order == 0))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/** unit_file_section_keys() - the keys with values of one section, ordered; owned by @file. */
const UnitKey *unit_file_section_keys(const UnitFile *file, const char *section, size_t *ret_n) {
        size_t begin = section_bound(file, section, /* after= */ false);

        *ret_n = section_bound(file, section, /* after= */ true) - begin;
        return *ret_n > 0 ? file->keys + begin : NULL;
}

/** unit_file_keys() - all keys with values, ordered by section and key; owned by @file. */
const UnitKey *unit_file_keys(const UnitFile *file, size_t *ret_n) {
        *ret_n = file->n_keys;
        return file->keys;
}

/** unit_file_sections() - all headings but Install, ordered and unique; owned by @file. */
const StringList *unit_file_sections(const UnitFile *file) {
        return &file->sections;
}

/** unit_file_find() - the values of one key, or NULL if it has none. */
const UnitKey *unit_file_find(const UnitFile *file, const char *section, const char *key) {
        const UnitKey wanted = { .section = section, .key = key };

        if (!file || file->n_keys == 0)
                return NULL;
        return bsearch(&wanted, file->keys, file->n_keys, sizeof(wanted), compare_with_key);
}

/**
 * unit_file_boolean() - a yes-or-no key
 * @otherwise: the answer where the key is absent
 *
 * The last value counts. As NixOS reads it: what is not exactly a word for yes is a no.
 */
bool unit_file_boolean(const UnitFile *file, const char *section, const char *key, bool otherwise) {
        static const char *const yes[] = { "1", "yes", "true", "on" };
        const UnitKey *found = unit_file_find(file, section, key);

        if (!found)
                return otherwise;
        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (strcmp(found->values.items[found->values.n - 1], yes[i]) == 0)
                        return true;
        return false;
}

UnitFile *unit_file_free(UnitFile *file) {
        if (!file)
                return NULL;

        for (size_t i = 0; i < file->n_assignments; i++) {
                free(file->assignments[i].section);
                free(file->assignments[i].key);
                free(file->assignments[i].value);
        }
        /* The last slot may belong to a key that was being gathered when memory ran out. */
        for (size_t i = 0; file->keys && i < file->n_assignments; i++)
                string_list_done(&file->keys[i].values);
        free(file->assignments);
        free(file->keys);
        string_list_done(&file->sections);
        free(file);
        return NULL;
}
