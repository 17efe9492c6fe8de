/*
 * Unit files, by systemd's own grammar: comments only at the start of a line (also between the
 * lines of a continued value), a backslash at the end of a line joins it to the next with a blank,
 * an empty value forgets the earlier ones, and everything else in a value is text. A line that
 * assigns nothing is passed over. A file that is no such text, or has a heading without an end, is
 * kept as an opaque fingerprint: it can still be told apart from another one.
 *
 * Assignments are gathered as they come, as pointers into the text, and sorted once at the end, so
 * that a file of a million lines costs no more per line than one of ten.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "unit-file.h"

#define SECTION_IGNORED                                                                            \
        "Install" /* read by systemctl enable only, and what that does is NixOS' part */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* A line; a heading is one without a key. Its texts lie in UnitFile.texts. */
typedef struct Assignment {
        const char *section, *key, *value, *file;
        size_t sequence;
} Assignment;

struct UnitFile {
        StringList texts, names;
        Assignment *assignments;
        size_t n_assignments, allocated;
        StringList sections; /* ordered and unique; a section may have no key */
        UnitKey *keys;
        size_t n_keys;
        char **values; /* those of all keys, each key's followed by NULL */
        StringList opaques;
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
        if (file->n_assignments == file->allocated) {
                size_t allocated = file->allocated ? 2 * file->allocated : 32;
                Assignment *more = reallocarray(file->assignments, allocated, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                file->assignments = more;
                file->allocated = allocated;
        }

        file->assignments[file->n_assignments] = (Assignment){
                .section = section,
                .key = key,
                .value = value,
                .file = file->names.items[file->names.n - 1],
                .sequence = file->n_assignments,
        };
        file->n_assignments++;
        return 0;
}

/* Takes one whole logical line; sets *section at a heading. */
static int parse_line(UnitFile *file, char *line, const char **section) {
        char *equals, *key;

        line = text_strip(line);
        if (!*line)
                return 0;
        if (!text_is_utf8(line)) /* in a comment nobody minds */
                return -EBADMSG;

        if (*line == '[') {
                char *end = line + strlen(line) - 1;

                if (*end != ']')
                        return -EBADMSG;
                *end = '\0';
                *section = line + 1;
                if (strcmp(*section, SECTION_IGNORED) == 0)
                        return 0;
                return add_assignment(file, *section, NULL, NULL);
        }

        /* systemd complains of a line without a key, or without a value, and goes on behind it. */
        equals = strchr(line, '=');
        if (!equals || equals == line || !*section || strcmp(*section, SECTION_IGNORED) == 0)
                return 0;

        *equals = '\0';
        key = text_strip(line);
        return add_assignment(file, *section, key, text_strip(equals + 1));
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

/* Whether the next line belongs to this one: its last backslash is not itself escaped. */
static bool is_continued(const char *line, size_t n) {
        size_t n_backslashes = 0;

        while (n_backslashes < n && line[n - 1 - n_backslashes] == '\\')
                n_backslashes++;
        return n_backslashes % 2 == 1;
}

static int parse_text(UnitFile *file, char *text) {
        const char *section = NULL;
        char *line, *joined = NULL, *end = NULL;
        int r;

        while ((line = next_line(&text))) {
                size_t n;
                bool continued;

                line += strspn(line, " \t\r");
                if (*line == '#' || *line == ';')
                        continue;

                n = strlen(line);
                if (n > 0 && line[n - 1] == '\r')
                        line[--n] = '\0';
                continued = is_continued(line, n);
                if (continued)
                        line[n - 1] = ' ';

                /* What is joined fits into the room of what it was joined from. */
                if (!joined)
                        joined = end = line;
                if (end != line)
                        memmove(end, line, n + 1);
                end += n;
                if (continued)
                        continue;

                r = parse_line(file, TAKE_PTR(joined), &section);
                if (r < 0)
                        return r;
        }
        return joined ? parse_line(file, joined, &section) : 0;
}

/**
 * unit_file_parse() - read a unit file, or a drop-in on top of what was read before
 * @name: of that file, for people
 * @text: @n bytes as they lie in the file
 *
 * Source: systemd.syntax(7). On -EBADMSG what was read of this text stays; call
 * unit_file_add_opaque().
 *
 * Return: 0, -EBADMSG if it is no unit file (a NUL byte, other bytes than UTF-8 outside of
 * comments, a heading that does not end), -ENOMEM.
 */
int unit_file_parse(UnitFile *file, const char *name, const char *text, size_t n) {
        char *copy;
        int r;

        assert(!file->keys);

        if (memchr(text, '\0', n))
                return -EBADMSG;
        if (n >= strlen(BYTE_ORDER_MARK) && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
                text += strlen(BYTE_ORDER_MARK);
                n -= strlen(BYTE_ORDER_MARK);
        }
        copy = strndup(text, n);
        r = string_list_take(&file->texts, copy);
        if (r < 0)
                return r;
        r = string_list_add(&file->names, name);
        if (r < 0)
                return r;
        return parse_text(file, copy);
}

/**
 * unit_file_add_opaque() - remember something that could not be read as a unit file
 * @name:        of that file
 * @fingerprint: differs whenever its content does
 *
 * Return: 0 or -ENOMEM.
 */
int unit_file_add_opaque(UnitFile *file, const char *name, const char *fingerprint) {
        char *opaque;
        int r;

        r = text_printf(&opaque, "%s %s", name, fingerprint);
        return r < 0 ? r : string_list_take(&file->opaques, opaque);
}

/* A section's heading comes before its keys. */
static int compare_assignments(const void *a, const void *b) {
        const Assignment *x = a, *y = b;
        int r;

        /* Below one heading it is the same text. */
        r = x->section == y->section ? 0 : strcmp(x->section, y->section);
        if (r == 0 && x->key && y->key)
                r = strcmp(x->key, y->key);
        else if (r == 0)
                r = !!x->key - !!y->key;
        if (r == 0)
                r = x->sequence < y->sequence ? -1 : 1;
        return r;
}

static bool same_key(const Assignment *a, const Assignment *b) {
        return strcmp(a->section, b->section) == 0 &&
               (a->key == b->key || (a->key && b->key && strcmp(a->key, b->key) == 0));
}

/* All assignments of one key, in order; an empty one forgets those before it. One that nothing
 * follows is kept, since some keys (CapabilityBoundingSet=) say something by being empty. */
static char **gather_values(UnitKey *key, const Assignment *assignments, size_t n, char **values) {
        key->section = assignments[0].section;
        key->key = assignments[0].key;
        key->file = assignments[n - 1].file;
        key->values.items = values;

        for (size_t i = 0; i < n; i++) {
                if (key->values.n == 1 && !*values[0])
                        key->values.n = 0;
                if (!*assignments[i].value)
                        key->values.n = 0;
                values[key->values.n++] = (char *) assignments[i].value;
        }
        values[key->values.n] = NULL;
        return values + key->values.n + 1;
}

/**
 * unit_file_finish() - put the keys in order; before it nothing can be asked, after it nothing
 * added
 *
 * Return: 0 or -ENOMEM.
 */
int unit_file_finish(UnitFile *file) {
        Assignment *all = file->assignments;
        char **values;
        size_t n;

        assert(!file->keys);

        if (file->n_assignments == 0)
                return 0;
        qsort(all, file->n_assignments, sizeof(*all), compare_assignments);

        file->keys = calloc(file->n_assignments, sizeof(*file->keys));
        file->values = values = calloc(2 * file->n_assignments, sizeof(*values));
        if (!file->keys || !values)
                return -ENOMEM;

        for (size_t i = 0; i < file->n_assignments; i += n) {
                for (n = 1; i + n < file->n_assignments; n++)
                        if (!same_key(&all[i], &all[i + n]))
                                break;

                if (all[i].key)
                        values = gather_values(&file->keys[file->n_keys++], all + i, n, values);
                else if (string_list_add(&file->sections, all[i].section) < 0)
                        return -ENOMEM;
        }

        /* Each has become part of a key; there are many files, and more to read. */
        file->assignments = NULL;
        file->n_assignments = file->allocated = 0;
        free(all);
        return 0;
}

/** unit_file_opaques() - a text for each of its files that could not be read; owned by @file. */
const StringList *unit_file_opaques(const UnitFile *file) {
        return &file->opaques;
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

/** unit_file_section_keys() - the keys of one section, ordered; owned by @file. */
const UnitKey *unit_file_section_keys(const UnitFile *file, const char *section, size_t *ret_n) {
        size_t begin = section_bound(file, section, /* after= */ false);

        *ret_n = section_bound(file, section, /* after= */ true) - begin;
        return *ret_n > 0 ? file->keys + begin : NULL;
}

/** unit_file_keys() - all keys, ordered by section and key; owned by @file. */
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

/** unit_file_value() - the last value of a key, which is the one that counts for most; NULL if it
 * is absent or empty. */
const char *unit_file_value(const UnitFile *file, const char *section, const char *key) {
        const UnitKey *found = unit_file_find(file, section, key);
        const char *value = found ? found->values.items[found->values.n - 1] : "";

        return *value ? value : NULL;
}

/**
 * unit_file_boolean() - a yes-or-no key
 * @otherwise: the answer where the key is absent or empty
 *
 * NixOS' own keys ("X-…") are read as NixOS reads them: what is not exactly a word for yes is a no.
 * systemd's keys are read as systemd does, since it is systemd that would refuse a job.
 */
bool unit_file_boolean(const UnitFile *file, const char *section, const char *key, bool otherwise) {
        static const char *const yes[] = { "1", "yes", "true", "on", "y", "t" };
        const char *value = unit_file_value(file, section, key);
        bool ours = text_after_prefix(key, "X-");

        if (!value)
                return otherwise;
        for (size_t i = 0; i < ELEMENTSOF(yes) - (ours ? 2 : 0); i++)
                if ((ours ? strcmp : strcasecmp)(value, yes[i]) == 0)
                        return true;
        return false;
}

UnitFile *unit_file_free(UnitFile *file) {
        if (!file)
                return NULL;

        string_list_done(&file->texts);
        string_list_done(&file->names);
        string_list_done(&file->sections);
        string_list_done(&file->opaques);
        free(file->assignments);
        free(file->keys);
        free(file->values);
        free(file);
        return NULL;
}
