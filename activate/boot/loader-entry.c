/*
 * Boot entries of type 1: what their names and their lines say. Entries of others are read as
 * loosely as the loader reads them; our own are printed in one way only, since the name is made
 * of the bytes. Source: Boot Loader Specification; systemd-boot; NixOS' builders.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "loader-entry.h"
#include "store-path.h"
#include "text.h"

#define OUR_PREFIX    "nixos-"
#define EXTRA_PREFIX  "enact-" /* no default of "nixos-*" leads there */
#define NOTE_PREFIX   "#enact "
#define HASHED_DIGITS ((size_t) 64)
#define NAME_MAX_LOW  255U

static bool has_suffix_of_any_case(const char *text, const char *suffix) {
        size_t n = strlen(text), k = strlen(suffix);

        return n > k && strcasecmp(text + n - k, suffix) == 0;
}

static int read_count(const char *digits, size_t n, unsigned *ret_count) {
        _cleanup_free_ char *text = strndup(digits, n);
        uint64_t number;
        int r;

        if (!text)
                return -ENOMEM;
        r = text_to_unsigned(text, INT_MAX, &number);
        if (r >= 0)
                *ret_count = (unsigned) number;
        return r;
}

/* What stands behind the last plus; anything but counters belongs to the stem. */
static int split_counters(EntryName *name) {
        char *plus = strrchr(name->stem, '+'), *dash;
        unsigned left = 0, done = 0;
        int r;

        if (!plus || plus == name->stem)
                return 0;
        dash = strchr(plus, '-');
        r = read_count(plus + 1, dash ? (size_t) (dash - plus) - 1 : strlen(plus + 1), &left);
        if (r >= 0 && dash)
                r = read_count(dash + 1, strlen(dash + 1), &done);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        *plus = '\0';
        name->counted = true;
        name->left = left;
        name->done = done;
        return 0;
}

static bool is_hex(const char *text, size_t n) {
        return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

/* "nixos-generation-3", "nixos-work-generation-3-specialisation-x": the last "-generation-" that a
 * number follows, since a profile may be called so. */
static int read_numbered(EntryName *name) {
        const char *behind = text_after_prefix(name->stem, "nixos"), *at = NULL, *digits, *rest;
        size_t n;
        int r;

        for (const char *p = behind; p && (p = strstr(p, "-generation-")); p++)
                if (isdigit((unsigned char) p[strlen("-generation-")]))
                        at = p;
        if (!at || (at > behind && *behind != '-') || at == behind + 1)
                return 0;
        digits = at + strlen("-generation-");
        n = strspn(digits, "0123456789");
        rest = text_after_prefix(digits + n, "-specialisation-");
        if (digits[n] != '\0' && (!rest || !*rest))
                return 0;

        {
                _cleanup_free_ char *number = strndup(digits, n);

                if (!number)
                        return -ENOMEM;
                r = text_to_unsigned(number, UINT64_MAX, &name->generation);
                if (r < 0)
                        return 0;
        }
        if (at > behind) {
                name->profile = strndup(behind + 1, (size_t) (at - behind) - 1);
                if (!name->profile)
                        return -ENOMEM;
        }
        if (rest) {
                name->specialisation = strdup(rest);
                if (!name->specialisation)
                        return -ENOMEM;
        }
        name->style = ENTRY_NIXOS_NUMBERED;
        return 0;
}

static int find_style(EntryName *name) {
        const char *behind = text_after_prefix(name->stem, OUR_PREFIX);
        const char *extra = text_after_prefix(name->stem, EXTRA_PREFIX);

        if (extra && is_hex(extra, LOADER_ENTRY_DIGITS))
                name->style = ENTRY_ENACT_EXTRA;
        else if (behind && is_hex(behind, LOADER_ENTRY_DIGITS))
                name->style = ENTRY_ENACT;
        else if (behind && is_hex(behind, HASHED_DIGITS))
                name->style = ENTRY_NIXOS_HASHED;
        else
                return read_numbered(name);
        return 0;
}

/**
 * entry_name_parse() - what the name of a file in loader/entries says
 * @name: all zero before; entry_name_done() even after an error
 *
 * Return: 0, LOADER_ENTRY_UNSEEN for what no loader takes for an entry, or -ENOMEM.
 */
int entry_name_parse(const char *file, EntryName *name) {
        int r;

        if (*file == '.' || strncasecmp(file, "auto-", 5) == 0 || strlen(file) > NAME_MAX_LOW ||
            !has_suffix_of_any_case(file, LOADER_ENTRY_SUFFIX))
                return LOADER_ENTRY_UNSEEN;
        name->stem = strndup(file, strlen(file) - strlen(LOADER_ENTRY_SUFFIX));
        if (!name->stem)
                return -ENOMEM;
        r = split_counters(name);
        return r < 0 ? r : find_style(name);
}

/** entry_name_print() - the file of an entry; 0, -EINVAL if a loader would stumble over it. */
int entry_name_print(const char *stem, bool counted, unsigned left, unsigned done,
                     char **ret_file) {
        _cleanup_free_ char *file = NULL;
        int r;

        for (const char *p = stem; *p; p++)
                if (!isascii((unsigned char) *p) ||
                    (!isalnum((unsigned char) *p) && !strchr("+-_.", *p)))
                        return -EINVAL;
        if (counted)
                r = text_printf(&file, "%s+%u-%u" LOADER_ENTRY_SUFFIX, stem, left, done);
        else
                r = text_printf(&file, "%s" LOADER_ENTRY_SUFFIX, stem);
        if (r < 0)
                return r;
        if (!*stem || *stem == '.' || strlen(file) > NAME_MAX_LOW)
                return -EINVAL;
        *ret_file = TAKE_PTR(file);
        return 0;
}

/** entry_name_is_ours() - whether its name is made of its bytes. */
bool entry_name_is_ours(const EntryName *name) {
        return name->style == ENTRY_ENACT || name->style == ENTRY_ENACT_EXTRA;
}

/** entry_name_is_bad() - whether all its tries are used up. */
bool entry_name_is_bad(const EntryName *name) {
        return name->counted && name->left == 0;
}

void entry_name_done(EntryName *name) {
        free(name->stem);
        free(name->profile);
        free(name->specialisation);
        *name = (EntryName){ 0 };
}

static int add_options(LoaderEntry *entry, const char *value) {
        char *joined;
        int r;

        if (!entry->options)
                return text_replace(&entry->options, value);
        r = text_printf(&joined, "%s %s", entry->options, value);
        if (r < 0)
                return r;
        free(entry->options);
        entry->options = joined;
        return 0;
}

static int take_line(LoaderEntry *entry, const char *key, const char *value) {
        const struct {
                const char *key;
                char **field;
        } fields[] = {
                { "title", &entry->title },
                { "sort-key", &entry->sort_key },
                { "version", &entry->version },
                { "machine-id", &entry->machine_id },
                { "architecture", &entry->architecture },
                { "linux", &entry->kernel },
                { "efi", &entry->efi },
                { "devicetree", &entry->devicetree },
        };

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (strcmp(fields[i].key, key) == 0)
                        return text_replace(fields[i].field, value);
        if (strcmp(key, "initrd") == 0)
                return string_list_add(&entry->initrds, value);
        return strcmp(key, "options") == 0 ? add_options(entry, value) : 0;
}

static int parse_line(LoaderEntry *entry, char *line) {
        const char *note = text_after_prefix(line, NOTE_PREFIX);
        char *value;

        if (note)
                return string_list_add(&entry->notes, note);
        line = text_strip(line);
        value = line + strcspn(line, " \t");
        if (*line == '#' || !*value)
                return 0;
        *value = '\0';
        return take_line(entry, line, text_strip(value + 1));
}

/**
 * loader_entry_parse() - what an entry file says
 * @text:  @n bytes of it
 * @entry: all zero before; loader_entry_done() even after an error
 *
 * Unknown lines are passed over, as loaders do.
 *
 * Return: 0, -EFBIG past LOADER_ENTRY_BYTES_MAX, -EBADMSG with a NUL in it, -ENOMEM.
 */
int loader_entry_parse(const char *text, size_t n, LoaderEntry *entry) {
        _cleanup_free_ char *copy = NULL;
        char *rest;

        if (n > LOADER_ENTRY_BYTES_MAX)
                return -EFBIG;
        if (memchr(text, '\0', n))
                return -EBADMSG;
        copy = strndup(text, n);
        if (!copy)
                return -ENOMEM;

        for (char *line = strtok_r(copy, "\r\n", &rest); line;
             line = strtok_r(NULL, "\r\n", &rest)) {
                int r = parse_line(entry, line);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_line(StringList *lines, const char *key, const char *value) {
        char *line;
        int r;

        if (!value)
                return 0;
        if (strpbrk(value, "\r\n"))
                return -EINVAL;
        r = text_printf(&line, "%s %s\n", key, value);
        return r < 0 ? r : string_list_take(lines, line);
}

/**
 * loader_entry_print() - the bytes of an entry file
 *
 * Return: 0, -EINVAL if a line would end early, or -ENOMEM.
 */
int loader_entry_print(const LoaderEntry *entry, char **ret_text) {
        _cleanup_(string_list_done) StringList lines = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < entry->notes.n; i++)
                r = add_line(&lines, "#enact", entry->notes.items[i]);
        if (r >= 0)
                r = add_line(&lines, "title", entry->title);
        if (r >= 0)
                r = add_line(&lines, "sort-key", entry->sort_key);
        if (r >= 0)
                r = add_line(&lines, "version", entry->version);
        if (r >= 0)
                r = add_line(&lines, "machine-id", entry->machine_id);
        if (r >= 0)
                r = add_line(&lines, "architecture", entry->architecture);
        if (r >= 0)
                r = add_line(&lines, "linux", entry->kernel);
        if (r >= 0)
                r = add_line(&lines, "efi", entry->efi);
        for (size_t i = 0; r >= 0 && i < entry->initrds.n; i++)
                r = add_line(&lines, "initrd", entry->initrds.items[i]);
        if (r >= 0)
                r = add_line(&lines, "devicetree", entry->devicetree);
        if (r >= 0)
                r = add_line(&lines, "options", entry->options);
        return r < 0 ? r : string_list_join(&lines, "", ret_text);
}

/**
 * loader_entry_stem() - what one of our entries with these bytes is called
 * @extra: it is no generation
 *
 * Return: 0 or -ENOMEM.
 */
int loader_entry_stem(const char *text, bool extra, char **ret_stem) {
        unsigned char hash[crypto_hash_sha256_BYTES];
        char digits[2 * sizeof(hash) + 1];

        (void) crypto_hash_sha256(hash, (const unsigned char *) text, strlen(text));
        sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
        return text_printf(ret_stem, "%s%.*s", extra ? EXTRA_PREFIX : OUR_PREFIX,
                           (int) LOADER_ENTRY_DIGITS, digits);
}

/**
 * loader_entry_toplevel() - the system that an entry boots, by its init=
 * @ret_toplevel: owned by the caller
 *
 * Return: 0, -ENOENT if it has none or more than one, or one that lies in no toplevel; -ENOMEM.
 */
int loader_entry_toplevel(const LoaderEntry *entry, char **ret_toplevel) {
        _cleanup_free_ char *options = NULL, *toplevel = NULL;
        char *rest, *slash;

        if (!entry->options)
                return -ENOENT;
        options = strdup(entry->options);
        if (!options)
                return -ENOMEM;
        for (char *word = strtok_r(options, " \t", &rest); word;
             word = strtok_r(NULL, " \t", &rest)) {
                const char *init = text_after_prefix(word, "init=");

                if (!init)
                        continue;
                if (toplevel)
                        return -ENOENT;
                toplevel = strdup(init);
                if (!toplevel)
                        return -ENOMEM;
        }
        slash = toplevel ? strrchr(toplevel, '/') : NULL;
        if (!slash)
                return -ENOENT;
        *slash = '\0';
        if (!store_path_is_toplevel(toplevel))
                return -ENOENT;
        *ret_toplevel = TAKE_PTR(toplevel);
        return 0;
}

/** loader_entry_note() - what a comment of ours says behind @key, or NULL; part of @entry. */
const char *loader_entry_note(const LoaderEntry *entry, const char *key) {
        for (size_t i = 0; i < entry->notes.n; i++) {
                const char *behind = text_after_prefix(entry->notes.items[i], key);

                if (behind && *behind == ' ')
                        return behind + 1;
        }
        return NULL;
}

void loader_entry_done(LoaderEntry *entry) {
        free(entry->title);
        free(entry->sort_key);
        free(entry->version);
        free(entry->machine_id);
        free(entry->architecture);
        free(entry->kernel);
        free(entry->efi);
        free(entry->devicetree);
        string_list_done(&entry->initrds);
        free(entry->options);
        string_list_done(&entry->notes);
        *entry = (LoaderEntry){ 0 };
}

static bool stands_for_itself(char c) {
        return isascii((unsigned char) c) && (isalnum((unsigned char) c) || strchr("-_.", c));
}

/** loader_entry_encode() - any text as one word of a name; 0 or -ENOMEM. */
int loader_entry_encode(const char *text, char **ret_encoded) {
        char *encoded = malloc(3 * strlen(text) + 1), *end = encoded;

        if (!encoded)
                return -ENOMEM;
        for (const char *p = text; *p; p++) {
                if (stands_for_itself(*p)) {
                        *end++ = *p;
                        continue;
                }
                *end++ = '+';
                (void) sodium_bin2hex(end, 3, (const unsigned char *) p, 1);
                end += 2;
        }
        *end = '\0';
        *ret_encoded = encoded;
        return 0;
}

/** loader_entry_decode() - the way back; 0, -EBADMSG if nothing is encoded so, -ENOMEM. */
int loader_entry_decode(const char *encoded, char **ret_text) {
        _cleanup_free_ char *text = malloc(strlen(encoded) + 1);
        char *end = text;

        if (!text)
                return -ENOMEM;
        for (const char *p = encoded; *p; p++) {
                unsigned char byte;

                if (stands_for_itself(*p)) {
                        *end++ = *p;
                        continue;
                }
                if (*p != '+' || strnlen(p, 3) < 3 ||
                    sodium_hex2bin(&byte, 1, p + 1, 2, NULL, NULL, NULL) < 0 || byte == 0)
                        return -EBADMSG;
                *end++ = (char) byte;
                p += 2;
        }
        *end = '\0';
        *ret_text = TAKE_PTR(text);
        return 0;
}
