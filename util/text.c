/* Text: the few questions about strings that several places ask. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define TEXT_DISTANCE_MAX 128U /* longer texts are never a typo of one another */

/** text_after_prefix() - what follows @prefix in @text, or NULL if it does not start so. */
const char *text_after_prefix(const char *text, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

bool text_has_suffix(const char *text, const char *suffix) {
        size_t n = strlen(text), k = strlen(suffix);

        return n >= k && strcmp(text + n - k, suffix) == 0;
}

/**
 * text_printf() - a formatted text of its own
 * @ret_text: owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int text_printf(char **ret_text, const char *format, ...) {
        va_list ap;
        char *text;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;

        *ret_text = text;
        return 0;
}

/**
 * text_to_unsigned() - read a decimal number that fills the whole text
 * @max: largest number accepted
 *
 * No sign, no blanks, no other base.
 *
 * Return: 0, -EINVAL if it is no number, -ERANGE above @max.
 */
int text_to_unsigned(const char *text, uint64_t max, uint64_t *ret_number) {
        uint64_t number = 0;

        if (!*text)
                return -EINVAL;

        for (const char *p = text; *p; p++) {
                unsigned digit = (unsigned) (*p - '0');

                if (*p < '0' || *p > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(number, (uint64_t) 10, &number) ||
                    __builtin_add_overflow(number, (uint64_t) digit, &number) || number > max)
                        return -ERANGE;
        }

        *ret_number = number;
        return 0;
}

/**
 * text_distance() - how many single-letter edits lie between two names
 *
 * For suggestions ("did you mean"). Source: Levenshtein's distance.
 *
 * Return: the distance, or SIZE_MAX if either is longer than a name ever is.
 */
size_t text_distance(const char *a, const char *b) {
        size_t n = strlen(a), k = strlen(b), row[TEXT_DISTANCE_MAX + 1];

        if (n > TEXT_DISTANCE_MAX || k > TEXT_DISTANCE_MAX)
                return SIZE_MAX;

        for (size_t j = 0; j <= k; j++)
                row[j] = j;

        for (size_t i = 1; i <= n; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= k; j++) {
                        size_t best = diagonal + (a[i - 1] != b[j - 1]);

                        diagonal = row[j];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (row[j - 1] + 1 < best)
                                best = row[j - 1] + 1;
                        row[j] = best;
                }
        }
        return row[k];
}

/** text_replace() - a copy of @by in place of what @text had, which may be NULL; 0 or -ENOMEM. */
int text_replace(char **text, const char *by) {
        char *copy = strdup(by);

        if (!copy)
                return -ENOMEM;
        free(*text);
        *text = copy;
        return 0;
}

/** text_strip() - cut blanks off both ends, in place; answers the new start. */
char *text_strip(char *text) {
        char *end;

        while (isspace((unsigned char) *text))
                text++;
        end = text + strlen(text);
        while (end > text && isspace((unsigned char) end[-1]))
                end--;
        *end = '\0';
        return text;
}

/* How many bytes the character at @p has, or 0 if it is none. */
static size_t utf8_length(const unsigned char *p) {
        size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

        if (p[0] > 0xf4)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;

        /* Longer than needed, half of a pair, or past the last character. */
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;
        return n;
}

/** text_is_utf8() - whether all of @text is UTF-8, so that it may stand in JSON. */
bool text_is_utf8(const char *text) {
        const unsigned char *p = (const unsigned char *) text;

        while (*p) {
                size_t n = *p < 0x80 ? 1 : utf8_length(p); /* most text is ASCII */

                if (n == 0)
                        return false;
                p += n;
        }
        return true;
}

/* After the ESC of a terminal's control sequence: the first byte behind the sequence. */
static const char *skip_escape(const char *p) {
        if (*p == '[') {
                p += 1 + strspn(p + 1, "0123456789;:<=>? !\"#$%&'()*+,-./");
                return *p ? p + 1 : p;
        }
        if (*p == ']') {
                while (*p && *p != '\a' && *p != '\033')
                        p++;
                return *p == '\a' ? p + 1 : p;
        }
        return *p ? p + 1 : p;
}

/**
 * text_strip_controls() - leave what a log file should hold, in place
 *
 * No colours, no control characters (those that UTF-8 has beyond ASCII neither), the last state of
 * a line that was redrawn.
 */
void text_strip_controls(char *text) {
        const char *from = text;
        char *to = text, *line = text;

        while (*from) {
                unsigned char c = (unsigned char) *from++;

                if (c == '\033')
                        from = skip_escape(from);
                else if (c == 0xc2 && (unsigned char) *from >= 0x80 && (unsigned char) *from < 0xa0)
                        from++;
                else if (c == '\r' && *from && *from != '\n')
                        to = line;
                else if (c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f)) {
                        *to++ = (char) c;
                        if (c == '\n')
                                line = to;
                }
        }
        *to = '\0';
}

/** text_to_utf8() - a copy with question marks for what is no UTF-8; NULL without memory. */
char *text_to_utf8(const char *text) {
        char *copy = strdup(text);

        if (!copy)
                return NULL;
        for (unsigned char *p = (unsigned char *) copy; *p;) {
                size_t n = utf8_length(p);

                if (n == 0)
                        *p++ = '?';
                else
                        p += n;
        }
        return copy;
}
