/*
 * grub.cfg, as far as it says what there is to boot: it is a shell script, and nothing of it is run
 * here. Words, quotes and blocks are read by GRUB's rules; entries, their kernels and what the
 * variable "default" is set to are taken from that. A script that ends in the middle is read as far
 * as it goes.
 * Source: GRUB's manual, "Writing full configuration files directly" and "Shell-like scripting".
 */
#include <errno.h>
#include <string.h>

#include "grub-cfg.h"
#include "text.h"

#define BLOCKS_MAX 32U
#define WORDS_MAX  4096U
#define INDEX_MAX  ((uint64_t) LISTED_MENU_ENTRIES_MAX)
#define BLANKS     " \t\r"

#define NO_ENTRY   SIZE_MAX /* a block that is none: a function's, say */

typedef enum Token {
        TOKEN_END,
        TOKEN_WORD,
        TOKEN_BREAK, /* of a statement */
        TOKEN_OPEN,
        TOKEN_CLOSE,
} Token;

/* One script on its way. */
typedef struct Reader {
        const char *at, *end;
        char *word; /* room for the longest one there can be */
        StringList statement;
        size_t blocks[BLOCKS_MAX]; /* entries, by their number in the menu */
        size_t n_blocks;
        ListedMenu *menu;
} Reader;

static void reader_done(Reader *reader) {
        free(reader->word);
        string_list_done(&reader->statement);
}

/* Up to the closing quote; a backslash counts in double quotes only, and there before few. */
static size_t read_quoted(Reader *reader, char quote, size_t n) {
        while (reader->at < reader->end && *reader->at != quote) {
                if (quote == '"' && *reader->at == '\\' && reader->at + 1 < reader->end &&
                    strchr("\\\"$", reader->at[1]) && reader->at[1])
                        reader->at++;
                reader->word[n++] = *reader->at++;
        }
        if (reader->at < reader->end)
                reader->at++;
        else
                reader->menu->cut = true;
        return n;
}

static Token read_word(Reader *reader) {
        const char *from = reader->at;
        size_t n = 0;

        while (reader->at < reader->end && !strchr(BLANKS "\n;", *reader->at)) {
                char c = *reader->at++;

                if (c == '\'' || c == '"')
                        n = read_quoted(reader, c, n);
                else if (c == '\\' && reader->at < reader->end) {
                        if (*reader->at != '\n') /* else the line goes on */
                                reader->word[n++] = *reader->at;
                        reader->at++;
                } else
                        reader->word[n++] = c;
        }
        reader->word[n] = '\0';
        if (reader->at - from == 1 && (*from == '{' || *from == '}'))
                return *from == '{' ? TOKEN_OPEN : TOKEN_CLOSE;
        return TOKEN_WORD;
}

/* A line that goes on is a blank. */
static void skip_blanks(Reader *reader) {
        while (reader->at < reader->end) {
                if (strchr(BLANKS, *reader->at))
                        reader->at++;
                else if (*reader->at == '\\' && reader->end - reader->at > 1 &&
                         reader->at[1] == '\n')
                        reader->at += 2;
                else
                        return;
        }
}

static Token next(Reader *reader) {
        for (;;) {
                skip_blanks(reader);
                if (reader->at >= reader->end)
                        return TOKEN_END;
                if (*reader->at == '#') {
                        const char *line =
                                memchr(reader->at, '\n', (size_t) (reader->end - reader->at));

                        reader->at = line ? line : reader->end;
                        continue;
                }
                if (*reader->at == '\n' || *reader->at == ';') {
                        reader->at++;
                        return TOKEN_BREAK;
                }
                return read_word(reader);
        }
}

static ListedEntry *current(Reader *reader) {
        for (size_t i = reader->n_blocks; i > 0; i--)
                if (reader->blocks[i - 1] != NO_ENTRY)
                        return &reader->menu->entries[reader->blocks[i - 1]];
        return NULL;
}

static unsigned depth_of(const Reader *reader) {
        unsigned depth = 0;

        for (size_t i = 0; i < reader->n_blocks; i++)
                depth += reader->blocks[i] != NO_ENTRY;
        return depth;
}

static int join(const StringList *words, size_t from, char **ret_text) {
        const StringList rest = { .items = words->items + from,
                                  .n = words->n > from ? words->n - from : 0 };

        return string_list_join(&rest, " ", ret_text);
}

/* The first of several branches counts. */
static int take_kernel(ListedEntry *entry, const StringList *words, size_t at) {
        if (entry->kernel || at + 1 >= words->n)
                return 0;
        entry->kernel = strdup(words->items[at + 1]);
        if (!entry->kernel)
                return -ENOMEM;
        return join(words, at + 2, &entry->options);
}

static int take_initrds(ListedEntry *entry, const StringList *words, size_t at) {
        int r = 0;

        for (size_t i = at + 1; r >= 0 && i < words->n; i++)
                r = string_list_add(&entry->initrds, words->items[i]);
        return r;
}

/* Under a hypervisor both are modules: the kernel comes first. */
static int take_module(ListedEntry *entry, const StringList *words, size_t at) {
        return entry->kernel ? take_initrds(entry, words, at) : take_kernel(entry, words, at);
}

static int take_devicetree(ListedEntry *entry, const StringList *words, size_t at) {
        if (entry->devicetree || at + 1 >= words->n)
                return 0;
        entry->devicetree = strdup(words->items[at + 1]);
        return entry->devicetree ? 0 : -ENOMEM;
}

/* clang-format off */
static const struct {
        const char *name;
        int (*take)(ListedEntry *entry, const StringList *words, size_t at);
} commands[] = {
        { "linux",      take_kernel     },
        { "linux16",    take_kernel     },
        { "linuxefi",   take_kernel     },
        { "initrd",     take_initrds    },
        { "initrd16",   take_initrds    },
        { "initrdefi",  take_initrds    },
        { "module",     take_module     },
        { "module2",    take_module     },
        { "devicetree", take_devicetree },
};
/* clang-format on */

static bool is_word_before(const char *word) {
        return strcmp(word, "then") == 0 || strcmp(word, "else") == 0 || strcmp(word, "do") == 0;
}

static int take_default(Reader *reader, const char *word) {
        const char *value = text_after_prefix(word, "default=");

        return value ? string_list_add(&reader->menu->defaults, value) : 0;
}

static int end_statement(Reader *reader) {
        StringList *words = &reader->statement;
        ListedEntry *entry = current(reader);
        size_t at = 0;
        int r = 0;

        while (at < words->n && is_word_before(words->items[at]))
                at++;
        if (at < words->n && !entry) {
                at += strcmp(words->items[at], "set") == 0;
                if (at < words->n)
                        r = take_default(reader, words->items[at]);
        } else if (at < words->n && !entry->group)
                for (size_t i = 0; r >= 0 && i < ELEMENTSOF(commands); i++)
                        if (strcmp(commands[i].name, words->items[at]) == 0)
                                r = commands[i].take(entry, words, at);
        string_list_done(words);
        return r;
}

static int find_id(const StringList *words, ListedEntry *entry) {
        for (size_t i = 2; i < words->n; i++) {
                const char *id = text_after_prefix(words->items[i], "--id=");

                if (!id && strcmp(words->items[i], "--id") == 0 && i + 1 < words->n)
                        id = words->items[i + 1];
                if (!id)
                        continue;
                entry->name = strdup(id);
                return entry->name ? 0 : -ENOMEM;
        }
        return 0;
}

static int open_block(Reader *reader) {
        StringList *words = &reader->statement;
        size_t block = NO_ENTRY;
        ListedEntry *entry;
        bool group;
        int r = 0;

        if (reader->n_blocks >= BLOCKS_MAX)
                return -E2BIG;
        group = words->n > 1 && strcmp(words->items[0], "submenu") == 0;
        if (group || (words->n > 1 && strcmp(words->items[0], "menuentry") == 0)) {
                block = reader->menu->n;
                r = listed_menu_add(reader->menu, words->items[1], strlen(words->items[1]),
                                    depth_of(reader), &entry);
                if (r >= 0) {
                        entry->group = group;
                        r = find_id(words, entry);
                }
        }
        reader->blocks[reader->n_blocks++] = block;
        string_list_done(words);
        return r;
}

static int take(Reader *reader, Token token) {
        int r;

        switch (token) {
        case TOKEN_WORD:
                if (reader->statement.n >= WORDS_MAX)
                        return -E2BIG;
                return string_list_add(&reader->statement, reader->word);
        case TOKEN_OPEN:
                return open_block(reader);
        case TOKEN_CLOSE:
                r = end_statement(reader);
                if (reader->n_blocks > 0)
                        reader->n_blocks--;
                return r;
        case TOKEN_BREAK:
        case TOKEN_END:
                break;
        }
        return end_statement(reader);
}

/**
 * grub_cfg_parse() - read what GRUB would show
 * @menu: all zero before; listed_menu_done() even after an error
 *
 * Return: 0, -EFBIG past LISTED_MENU_BYTES_MAX, -EBADMSG with a NUL byte in it, -E2BIG with too
 * many entries, words or blocks; -ENOMEM.
 */
int grub_cfg_parse(const char *text, size_t n, ListedMenu *menu) {
        _cleanup_(reader_done) Reader reader = { .at = text, .end = text + n, .menu = menu };
        Token token;
        int r;

        if (n > LISTED_MENU_BYTES_MAX)
                return -EFBIG;
        if (memchr(text, '\0', n))
                return -EBADMSG;
        reader.word = malloc(n + 1);
        if (!reader.word)
                return -ENOMEM;
        do {
                token = next(&reader);
                r = take(&reader, token);
        } while (r >= 0 && token != TOKEN_END);
        menu->cut = menu->cut || reader.n_blocks > 0;
        return r;
}

/**
 * grub_environment_get() - a variable of grubenv
 * @ret_value: owned by the caller
 *
 * Return: 0, -ENOENT, -ENOMEM.
 */
int grub_environment_get(const char *text, size_t n, const char *key, char **ret_value) {
        const char *end = text + n;

        while (text < end) {
                const char *line = memchr(text, '\n', (size_t) (end - text));
                size_t length = (size_t) ((line ? line : end) - text), k = strlen(key);

                if (length > k && memcmp(text, key, k) == 0 && text[k] == '=') {
                        *ret_value = strndup(text + k + 1, length - k - 1);
                        return *ret_value ? 0 : -ENOMEM;
                }
                text += length + 1;
        }
        return -ENOENT;
}

/* One step of "1>NixOS - Configuration 3": a number or a title; ">>" in a title is ">". */
static int take_step(const char **path, char **ret_step) {
        char *step = malloc(strlen(*path) + 1);
        size_t n = 0;

        if (!step)
                return -ENOMEM;
        while (**path && (**path != '>' || (*path)[1] == '>')) {
                *path += **path == '>';
                step[n++] = *(*path)++;
        }
        *path += **path == '>';
        step[n] = '\0';
        *ret_step = step;
        return 0;
}

static int find_by_path(const ListedMenu *menu, const char *path, const ListedEntry **ret) {
        const ListedEntry *entry = NULL;

        do {
                _cleanup_free_ char *step = NULL;
                uint64_t number;
                int r;

                r = take_step(&path, &step);
                if (r < 0)
                        return r;
                entry = text_to_unsigned(step, INDEX_MAX, &number) >= 0 ?
                                listed_menu_at(menu, entry, (size_t) number) :
                                listed_menu_named(menu, entry, step);
        } while (entry && entry->group && *path);
        if (!entry || *path)
                return LISTED_DEFAULT_NONE;
        if (entry->group) /* what it shows inside, nobody has said */
                return LISTED_DEFAULT_UNTOLD;
        *ret = entry;
        return 0;
}

/* Of what the script sets it to, the one that is no variable; there must not be two. */
static int find_literal(const ListedMenu *menu, const char **ret_literal, bool *ret_saved) {
        const char *literal = NULL;

        for (size_t i = 0; i < menu->defaults.n; i++) {
                const char *value = menu->defaults.items[i];

                if (strstr(value, "saved_entry"))
                        *ret_saved = true;
                else if (strstr(value, "next_entry"))
                        continue; /* for one start */
                else if (strchr(value, '$') || (literal && strcmp(literal, value) != 0))
                        return LISTED_DEFAULT_UNTOLD;
                else
                        literal = value;
        }
        *ret_literal = literal;
        return 0;
}

/**
 * grub_default_find() - the entry that GRUB starts if nobody touches the menu
 * @saved: the variable saved_entry of its environment, or NULL
 * @ret:   of the menu
 *
 * One that is chosen for a single start ("next_entry") is not looked at.
 *
 * Return: 0, LISTED_DEFAULT_UNTOLD, LISTED_DEFAULT_NONE, -ENOMEM.
 */
int grub_default_find(const ListedMenu *menu, const char *saved, const ListedEntry **ret) {
        const char *literal = NULL;
        bool uses_saved = false;
        int r;

        r = find_literal(menu, &literal, &uses_saved);
        if (r != 0)
                return r;
        if (uses_saved && saved && *saved) {
                r = find_by_path(menu, saved, ret);
                return r == LISTED_DEFAULT_NONE ? LISTED_DEFAULT_UNTOLD : r;
        }
        return find_by_path(menu, literal && *literal ? literal : "0", ret);
}
