/*
 * What NixOS writes nowhere but into the wrapper script around switch-to-configuration: which boot
 * loader installer, which checks, which systemd belong to a system. The reader is strict: a line
 * that it does not know makes the whole script unreadable, so that no half-understood value is ever
 * run.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "text.h"
#include "wrapper.h"

static bool is_name(const char *name, size_t n) {
        if (n == 0 || isdigit((unsigned char) name[0]))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && name[i] != '_')
                        return false;
        return true;
}

/* Takes the quotes off '…' with '\'' for a quote inside; -EBADMSG if @quoted is anything else. */
static int unquote(const char *quoted, char **ret_value) {
        _cleanup_free_ char *value = malloc(strlen(quoted) + 1);
        char *end = value;
        const char *p = quoted;

        if (!value)
                return -ENOMEM;
        if (*p++ != '\'')
                return -EBADMSG;

        for (;;) {
                const char *after;

                if (*p == '\0')
                        return -EBADMSG;
                if (*p != '\'') {
                        *end++ = *p++;
                        continue;
                }
                after = text_after_prefix(p, "'\\''");
                if (!after)
                        break;
                *end++ = '\'';
                p = after;
        }
        if (p[1] != '\0')
                return -EBADMSG;

        *end = '\0';
        *ret_value = TAKE_PTR(value);
        return 0;
}

static int parse_export(Wrapper *wrapper, const char *assignment) {
        const char *equals = strchr(assignment, '=');
        char *value;
        int r;

        if (!equals || !is_name(assignment, (size_t) (equals - assignment)))
                return -EBADMSG;

        r = unquote(equals + 1, &value);
        if (r < 0)
                return r;
        r = string_list_take(&wrapper->values, value);
        if (r < 0)
                return r;
        return string_list_take(&wrapper->names,
                                strndup(assignment, (size_t) (equals - assignment)));
}

/**
 * wrapper_parse() - read the wrapper script of a system
 * @text:    @n bytes of it
 * @wrapper: all zero before; wrapper_done() even after an error
 *
 * Known are: comments and the line of the interpreter, blank lines, `export NAME='…'`, and the
 * closing `exec`. Source: makeWrapper of nixpkgs.
 *
 * Return: 0, -EBADMSG if it is anything else, -EFBIG past WRAPPER_BYTES_MAX, -ENOMEM.
 */
int wrapper_parse(const char *text, size_t n, Wrapper *wrapper) {
        _cleanup_free_ char *copy = NULL;
        char *rest;

        if (n > WRAPPER_BYTES_MAX)
                return -EFBIG;
        if (n < 2 || memchr(text, '\0', n) || strncmp(text, "#!", 2) != 0)
                return -EBADMSG;
        copy = strndup(text, n);
        if (!copy)
                return -ENOMEM;

        for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                const char *assignment;
                int r;

                line = text_strip(line);
                if (*line == '\0' || *line == '#')
                        continue;
                if (text_after_prefix(line, "exec "))
                        return 0;
                assignment = text_after_prefix(line, "export ");
                if (!assignment)
                        return -EBADMSG;
                r = parse_export(wrapper, assignment);
                if (r < 0)
                        return r;
        }
        return -EBADMSG;
}

/** wrapper_get() - the value of a variable, or NULL; the last one counts, as in a shell. */
const char *wrapper_get(const Wrapper *wrapper, const char *name) {
        for (size_t i = wrapper->names.n; i > 0; i--)
                if (strcmp(wrapper->names.items[i - 1], name) == 0)
                        return wrapper->values.items[i - 1];
        return NULL;
}

void wrapper_done(Wrapper *wrapper) {
        string_list_done(&wrapper->names);
        string_list_done(&wrapper->values);
}
