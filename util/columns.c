/*
 * How wide a text is on a terminal. Terminals differ about emoji and symbols; here these count as
 * wide, since a line that is thought too wide loses a column, and one that is thought too narrow
 * wraps. The locale is not asked: without one the C library knows no width beyond ASCII.
 */
#include <stdint.h>

#include "columns.h"
#include "macros.h"

typedef struct Range {
        uint32_t first, last;
} Range;

/* Sorted. */
static const Range zero[] = {
        { 0x0300, 0x036f },   { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
        { 0x064b, 0x065f },   { 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x206f },
        { 0x20d0, 0x20ff },   { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
        { 0xe0000, 0xe01ef },
};
static const Range wide[] = {
        { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },   { 0x23e9, 0x23f3 },
        { 0x25fd, 0x25fe },   { 0x2600, 0x27bf },   { 0x2b00, 0x2bff },   { 0x2e80, 0x303e },
        { 0x3041, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
        { 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
        { 0x16fe0, 0x18aff }, { 0x1aff0, 0x1b2ff }, { 0x1f000, 0x1faff }, { 0x20000, 0x3fffd },
};

static int is_in(const Range *ranges, size_t n, uint32_t c) {
        for (size_t i = 0; i < n && ranges[i].first <= c; i++)
                if (c <= ranges[i].last)
                        return 1;
        return 0;
}

/* The character at @text and how many bytes it takes; a byte that begins none is one by itself. */
static size_t decode(const unsigned char *text, uint32_t *ret) {
        size_t n = *text < 0xc0 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf8 ? 4 : 1;
        uint32_t c = n == 1 ? *text : *text & (0xffU >> (n + 1));

        for (size_t i = 1; i < n; i++) {
                if ((text[i] & 0xc0) != 0x80) {
                        *ret = *text;
                        return 1;
                }
                c = c << 6 | (text[i] & 0x3fU);
        }
        *ret = c;
        return n;
}

static size_t width_of(uint32_t c) {
        if (c < 0x300)
                return 1;
        return is_in(zero, ELEMENTSOF(zero), c) ? 0 : is_in(wide, ELEMENTSOF(wide), c) ? 2 : 1;
}

/**
 * columns_fit() - how many bytes of a text fit on so many columns
 * @text:        UTF-8 without control characters; no character is cut
 * @ret_columns: how many of them it takes; may be NULL
 */
size_t columns_fit(const char *text, size_t max, size_t *ret_columns) {
        const unsigned char *p = (const unsigned char *) text;
        size_t columns = 0;

        while (*p) {
                uint32_t c;
                size_t n = decode(p, &c);

                if (width_of(c) > max - columns)
                        break;
                columns += width_of(c);
                p += n;
        }
        if (ret_columns)
                *ret_columns = columns;
        return (size_t) (p - (const unsigned char *) text);
}

/** columns_of() - how many columns a text takes. */
size_t columns_of(const char *text) {
        size_t columns;

        (void) columns_fit(text, SIZE_MAX, &columns);
        return columns;
}
