/*
 * Versions in the order that boot loaders have them. Source: UAPI version format specification;
 * `systemd-analyze compare-versions` answers the same.
 */
#include <stddef.h>
#include <string.h>

#include "version-compare.h"

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int sign(int number) {
        return (number > 0) - (number < 0);
}

static int compare_sizes(size_t a, size_t b) {
        return (a > b) - (a < b);
}

/* Any length, so never as a number. A number, were it zero, is more than none. */
static int compare_digits(const char **a, const char **b) {
        size_t n = strspn(*a, DIGITS), k = strspn(*b, DIGITS), zeros_a, zeros_b;
        int r;

        if (n == 0 || k == 0)
                return compare_sizes(n > 0, k > 0);
        zeros_a = strspn(*a, "0");
        zeros_b = strspn(*b, "0");
        r = compare_sizes(n - zeros_a, k - zeros_b);
        if (r == 0)
                r = sign(strncmp(*a + zeros_a, *b + zeros_b, n - zeros_a));
        *a += n;
        *b += k;
        return r;
}

static int compare_letters(const char **a, const char **b) {
        size_t n = strspn(*a, LETTERS), k = strspn(*b, LETTERS);
        int r = sign(strncmp(*a, *b, n < k ? n : k));

        if (r == 0)
                r = compare_sizes(n, k);
        *a += n;
        *b += k;
        return r;
}

/* One that is there on one side only makes that side the lower. */
static int compare_mark(const char **a, const char **b, char mark) {
        int r = (**b == mark) - (**a == mark);

        if (r == 0 && **a == mark) {
                (*a)++;
                (*b)++;
        }
        return r;
}

/* From where both stand to behind the next letters or digits. */
static int compare_next(const char **a, const char **b) {
        static const char marks[] = { '-', '^', '.' };

        for (size_t i = 0; i < sizeof(marks); i++) {
                int r = compare_mark(a, b, marks[i]);

                if (r != 0)
                        return r;
        }
        if (strspn(*a, DIGITS) > 0 || strspn(*b, DIGITS) > 0)
                return compare_digits(a, b);
        return compare_letters(a, b);
}

/**
 * version_compare() - which of two versions is the later
 *
 * Return: negative, 0 or positive, as strcmp(3) does. NULL is as "".
 */
int version_compare(const char *a, const char *b) {
        a = a ? a : "";
        b = b ? b : "";
        for (;;) {
                int r;

                a += strcspn(a, DIGITS LETTERS "-.~^");
                b += strcspn(b, DIGITS LETTERS "-.~^");
                r = compare_mark(&a, &b, '~');
                if (r != 0)
                        return r;
                if (!*a || !*b)
                        return (*a != '\0') - (*b != '\0');
                r = compare_next(&a, &b);
                if (r != 0)
                        return r;
        }
}
