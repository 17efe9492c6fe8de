/* Names of units, as systemd forms them: types, instances of templates, and escaped paths. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
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
