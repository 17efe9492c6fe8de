/* Names of units, as systemd forms them: types, instances of templates, and escaped paths. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "text.h"
#include "unit-name.h"

#define UNIT_NAME_MAX        255U
#define UNIT_NAME_CHARACTERS ":-_.\\@"

static bool is_plain(char c) {
        return isascii((unsigned char) c) && isalnum((unsigned char) c);
}

/**
 * unit_name_is_valid() - whether a job could be asked for a unit of that name
 *
 * A template alone ("foo@.service") can't have one. Source: unit_name_is_valid() of systemd.
 */
bool unit_name_is_valid(const char *name) {
        static const char *const types[] = { ".automount", ".device",  ".mount", ".path",
                                             ".scope",     ".service", ".slice", ".socket",
                                             ".swap",      ".target",  ".timer" };
        const char *suffix = strrchr(name, '.'), *at = strchr(name, '@');

        if (!suffix || suffix == name || strlen(name) > UNIT_NAME_MAX)
                return false;
        if (at && (at == name || suffix <= at + 1))
                return false;
        for (const char *p = name; *p; p++)
                if (!is_plain(*p) && !strchr(UNIT_NAME_CHARACTERS, *p))
                        return false;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (strcmp(suffix, types[i]) == 0)
                        return true;
        return false;
}

/**
 * unit_name_template() - "foo@bar.baz.service" -> "foo@.service"
 * @ret_template: NULL if @name is no instance of anything; owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int unit_name_template(const char *name, char **ret_template) {
        const char *at = strchr(name, '@'), *suffix = strrchr(name, '.');

        *ret_template = NULL;
        if (!at || !suffix || suffix < at || suffix == at + 1)
                return 0;
        return text_printf(ret_template, "%.*s%s", (int) (at + 1 - name), name, suffix);
}

/**
 * unit_name_instance_of() - "bar@.service" as the instance that "foo@x.service" is of its template
 * @ret_name: "bar@x.service", or NULL if @template is none; owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int unit_name_instance_of(const char *template, const char *instance, char **ret_name) {
        const char *at = strchr(template, '@'), *from = strchr(instance, '@'),
                   *suffix = strrchr(instance, '.');

        *ret_name = NULL;
        if (!at || at[1] != '.' || !from || !suffix || suffix < from)
                return 0;
        return text_printf(ret_name, "%.*s%.*s%s", (int) (at - template), template,
                           (int) (suffix - from), from, at + 1);
}

/* "x" of "foo@x.service", with its length; of a template nothing, and NULL where there is none. */
static const char *instance_of(const char *name, size_t *ret_n) {
        const char *at = strchr(name, '@'), *suffix = strrchr(name, '.');

        *ret_n = at && suffix > at ? (size_t) (suffix - at - 1) : 0;
        return at ? at + 1 : NULL;
}

/**
 * unit_name_may_be() - whether systemd takes one name for another name of the same unit
 *
 * Both are of a type that may have several, and are the same instance or none. Source:
 * unit_type_may_alias() and unit_add_name() of systemd.
 */
bool unit_name_may_be(const char *name, const char *other) {
        static const char *const types[] = { ".path", ".service", ".socket", ".target", ".timer" };
        const char *suffix = strrchr(name, '.'), *a, *b;
        bool may = false;
        size_t n, m;

        for (size_t i = 0; suffix && i < ELEMENTSOF(types); i++)
                may = may || strcmp(suffix, types[i]) == 0;
        a = instance_of(name, &n);
        b = instance_of(other, &m);
        return may && text_has_suffix(other, suffix) && !a == !b && n == m &&
               (n == 0 || memcmp(a, b, n) == 0);
}

/**
 * unit_name_to_dash() - "a-b-c@x.service" -> "a-b-@x.service" -> "a-@x.service"
 * @ret_name: NULL if there is no dash to go back to; owned by the caller
 *
 * systemd reads the drop-ins of these names for the unit, too.
 *
 * Return: 0 or -ENOMEM.
 */
int unit_name_to_dash(const char *name, char **ret_name) {
        const char *at = strchr(name, '@'), *rest = at ? at : strrchr(name, '.');
        size_t n = rest ? (size_t) (rest - name) : 0;

        *ret_name = NULL;
        if (n > 0 && name[n - 1] == '-')
                n--;
        while (n > 0 && name[n - 1] != '-')
                n--;
        if (n <= 1) /* a dash in front is part of the name */
                return 0;
        return text_printf(ret_name, "%.*s%s", (int) n, name, rest);
}

/** unit_name_with_suffix() - "foo.service", ".socket" -> "foo.socket"; 0 or -ENOMEM. */
int unit_name_with_suffix(const char *name, const char *suffix, char **ret_name) {
        const char *dot = strrchr(name, '.');
        size_t n = dot ? (size_t) (dot - name) : strlen(name);

        return text_printf(ret_name, "%.*s%s", (int) n, name, suffix);
}

/* Part of a name, and its length. */
typedef struct Part {
        const char *text;
        size_t n;
} Part;

/* From behind the last dash, as "%j" has it. */
static Part last_of(Part prefix) {
        for (size_t n = prefix.n; n > 0; n--)
                if (prefix.text[n - 1] == '-')
                        return (Part){ prefix.text + n, prefix.n - n };
        return prefix;
}

/* What a specifier stands for, as far as the unit's name tells; else its text is NULL. */
static Part part_of(char specifier, const char *unit) {
        const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');
        const char *suffix = dot ? dot : unit + strlen(unit);
        const Part prefix = { unit, (size_t) ((at && at < suffix ? at : suffix) - unit) };
        const Part none = { NULL, 0 };
        Part part = none;

        switch (specifier) {
        case '%':
                return (Part){ "%", 1 };
        case 'n':
                return (Part){ unit, strlen(unit) };
        case 'N':
                return (Part){ unit, (size_t) (suffix - unit) };
        case 'p':
                return prefix;
        case 'j':
                return last_of(prefix);
        case 'i':
        case 'I':
                part = at && at < suffix ? (Part){ at + 1, (size_t) (suffix - at - 1) } :
                                           (Part){ suffix, 0 };
                break;
        case 'P':
                part = prefix;
                break;
        case 'J':
                part = last_of(prefix);
                break;
        default:
                return none;
        }
        /* Without the escapes, which is the same where there are none. */
        if (specifier != 'i' && part.n > 0 &&
            (memchr(part.text, '-', part.n) || memchr(part.text, '\\', part.n)))
                return none;
        return part;
}

/**
 * unit_name_expand() - a name of a unit as it stands in a unit file, with its specifiers
 * @unit:     whose file it is; of a template the instance
 * @ret_text: NULL if there is a specifier that the unit's name does not tell; owned by the caller
 *
 * Source: systemd.unit(5), "Specifiers".
 *
 * Return: 0 or -ENOMEM.
 */
int unit_name_expand(const char *text, const char *unit, char **ret_text) {
        _cleanup_free_ char *done = NULL;
        size_t n = 0;

        *ret_text = NULL;
        for (const char *p = text; *p;) {
                Part part = { p, strcspn(p, "%") };
                char *more;

                if (part.n == 0)
                        part = part_of(p[1], unit);
                if (!part.text)
                        return 0;
                p += *p == '%' ? 2 : part.n;
                more = realloc(done, n + part.n + 1);
                if (!more)
                        return -ENOMEM;
                done = more;
                memcpy(done + n, part.text, part.n);
                n += part.n;
                done[n] = '\0';
        }
        *ret_text = done ? TAKE_PTR(done) : strdup("");
        return *ret_text ? 0 : -ENOMEM;
}

static char *escape_character(char *end, char c) {
        static const char hexadecimal[] = "0123456789abcdef";

        *end++ = '\\';
        *end++ = 'x';
        *end++ = hexadecimal[(unsigned char) c >> 4];
        *end++ = hexadecimal[(unsigned char) c & 15];
        return end;
}

/* One part of a path; a dot is plain but where the name would begin with it. */
static char *escape_part(char *end, const char *part, size_t n, bool first) {
        for (size_t i = 0; i < n; i++) {
                char c = part[i];

                if (is_plain(c) || c == ':' || c == '_' || (c == '.' && !(first && i == 0)))
                        *end++ = c;
                else
                        end = escape_character(end, c);
        }
        return end;
}

/**
 * unit_name_from_path() - the unit that stands for a path: "/mnt/my data", ".mount" ->
 * "mnt-my\x20data.mount"
 * @path: absolute; slashes too many and "." do no harm
 *
 * Source: systemd.unit(5), "String escaping for inclusion in unit names".
 *
 * Return: 0, -EINVAL if ".." is part of it, which no unit stands for, or -ENOMEM.
 */
int unit_name_from_path(const char *path, const char *suffix, char **ret_name) {
        _cleanup_free_ char *escaped = malloc(4 * strlen(path) + 2);
        char *end = escaped;
        size_t n;

        if (!escaped)
                return -ENOMEM;

        for (const char *p = path + strspn(path, "/"); *p; p += n, p += strspn(p, "/")) {
                n = strcspn(p, "/");
                if (n == 1 && *p == '.')
                        continue;
                if (n == 2 && strncmp(p, "..", n) == 0)
                        return -EINVAL;
                if (end > escaped)
                        *end++ = '-';
                end = escape_part(end, p, n, end == escaped);
        }
        if (end == escaped)
                *end++ = '-'; /* the root directory */
        *end = '\0';
        return text_printf(ret_name, "%s%s", escaped, suffix);
}

static int digit_of(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/**
 * unit_name_to_path() - the path that a mount, automount or swap unit stands for
 * @ret_path: absolute; owned by the caller
 *
 * Return: 0, -EINVAL for a name that no path has, or -ENOMEM.
 */
int unit_name_to_path(const char *name, char **ret_path) {
        const char *suffix = strrchr(name, '.');
        _cleanup_free_ char *path = malloc(strlen(name) + 2);
        char *end = path;

        if (!path)
                return -ENOMEM;
        if (!suffix || suffix == name)
                return -EINVAL;

        *end++ = '/';
        for (const char *p = name; p < suffix; p++) {
                int high, low;

                if (*p != '\\') {
                        *end++ = *p == '-' ? '/' : *p;
                        continue;
                }
                high = p[1] == 'x' ? digit_of(p[2]) : -1;
                low = high >= 0 ? digit_of(p[3]) : -1;
                if (low < 0 || (high == 0 && low == 0))
                        return -EINVAL;
                *end++ = (char) (16 * high + low);
                p += strlen("xNN");
        }
        if (strncmp(name, "-.", 2) == 0)
                end = path + 1; /* the root directory */
        *end = '\0';
        *ret_path = TAKE_PTR(path);
        return 0;
}
