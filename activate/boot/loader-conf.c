/*
 * loader.conf: settings of the loader, of which enact changes one and keeps all others as they
 * are, also those that it does not know. Source: loader.conf(5).
 */
#include <errno.h>
#include <string.h>

#include "loader-conf.h"
#include "text.h"

/**
 * loader_conf_parse() - read the lines of a loader.conf
 * @conf: all zero before; loader_conf_done() even after an error
 *
 * Return: 0, -EFBIG past LOADER_CONF_BYTES_MAX, -EBADMSG with a NUL in it, -ENOMEM.
 */
int loader_conf_parse(const char *text, size_t n, LoaderConf *conf) {
        const char *end = text + n;

        if (n > LOADER_CONF_BYTES_MAX)
                return -EFBIG;
        if (memchr(text, '\0', n))
                return -EBADMSG;
        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t length = (size_t) ((newline ? newline : end) - text);
                int r;

                r = string_list_take(&conf->lines, strndup(text, length));
                if (r < 0)
                        return r;
                text += length + 1;
        }
        return 0;
}

/* Where the value of @key begins in a line that sets it; NULL in others. */
static const char *value_in(const char *line, const char *key) {
        const char *behind;

        behind = text_after_prefix(line + strspn(line, " \t\r"), key);
        if (!behind || (*behind != ' ' && *behind != '\t'))
                return NULL;
        behind += strspn(behind, " \t\r");
        return *behind ? behind : NULL;
}

/**
 * loader_conf_get() - the value of a key
 * @ret_value: owned by the caller
 *
 * The last line counts, as for the loader.
 *
 * Return: 0, -ENOENT if no line sets it, -ENOMEM.
 */
int loader_conf_get(const LoaderConf *conf, const char *key, char **ret_value) {
        for (size_t i = conf->lines.n; i > 0; i--) {
                const char *value = value_in(conf->lines.items[i - 1], key);
                char *copy;

                if (!value)
                        continue;
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
                memmove(copy, text_strip(copy), strlen(text_strip(copy)) + 1);
                *ret_value = copy;
                return 0;
        }
        return -ENOENT;
}

static void remove_line(LoaderConf *conf, size_t i) {
        free(conf->lines.items[i]);
        memmove(conf->lines.items + i, conf->lines.items + i + 1,
                (conf->lines.n - i) * sizeof(*conf->lines.items));
        conf->lines.n--;
}

/**
 * loader_conf_set() - have exactly one line set @key, or none
 * @value: NULL: none
 *
 * The line keeps its place; a new one goes to the end.
 *
 * Return: 0, -EINVAL for a value that is not one line of text, -ENOMEM.
 */
int loader_conf_set(LoaderConf *conf, const char *key, const char *value) {
        char *line = NULL;
        int r;

        if (value && (!*value || strpbrk(value, "\r\n")))
                return -EINVAL;
        if (value) {
                r = text_printf(&line, "%s %s", key, value);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < conf->lines.n;) {
                if (!value_in(conf->lines.items[i], key)) {
                        i++;
                        continue;
                }
                if (!line) {
                        remove_line(conf, i);
                        continue;
                }
                free(conf->lines.items[i]);
                conf->lines.items[i++] = TAKE_PTR(line);
        }
        return line ? string_list_take(&conf->lines, line) : 0;
}

/** loader_conf_print() - all lines, each with its end; owned by the caller. 0 or -ENOMEM. */
int loader_conf_print(const LoaderConf *conf, char **ret_text) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = string_list_join(&conf->lines, "\n", &text);
        return r < 0 ? r : text_printf(ret_text, "%s%s", text, conf->lines.n > 0 ? "\n" : "");
}

void loader_conf_done(LoaderConf *conf) {
        string_list_done(&conf->lines);
}
