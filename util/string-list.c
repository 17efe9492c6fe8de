/* String lists: values of a key, arguments of a command, names in order. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "string-list.h"
#include "text.h"

#define TYPO_DISTANCE_MAX 2U

/**
 * string_list_take() - append a string and own it
 * @item: from malloc(); freed here if there is no memory
 *
 * Return: 0 or -ENOMEM.
 */
int string_list_take(StringList *list, char *item) {
        assert(list);

        if (!item)
                return -ENOMEM;

        if (list->n + 1 >= list->allocated) {
                size_t allocated = list->allocated ? 2 * list->allocated : 4;
                char **items = reallocarray(list->items, allocated, sizeof(*items));

                if (!items) {
                        free(item);
                        return -ENOMEM;
                }
                list->items = items;
                list->allocated = allocated;
        }

        list->items[list->n++] = item;
        list->items[list->n] = NULL;
        return 0;
}

/** string_list_add() - append a copy of @item; 0 or -ENOMEM. */
int string_list_add(StringList *list, const char *item) {
        return string_list_take(list, strdup(item));
}

/** string_list_copy() - append a copy of each item of @from; 0 or -ENOMEM. */
int string_list_copy(StringList *list, const StringList *from) {
        for (size_t i = 0; i < from->n; i++) {
                int r = string_list_add(list, from->items[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

bool string_list_contains(const StringList *list, const char *item) {
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->items[i], item) == 0)
                        return true;
        return false;
}

static int compare_with_item(const void *text, const void *item) {
        return strcmp(text, *(char *const *) item);
}

/** string_list_has_sorted() - the same of a list in the order of string_list_sort() */
bool string_list_has_sorted(const StringList *list, const char *item) {
        return list->n > 0 &&
               bsearch(item, list->items, list->n, sizeof(*list->items), compare_with_item);
}

/**
 * string_list_first_edge() - of "name other" the first of a name, or whatever comes after it
 * @edges: in order
 */
size_t string_list_first_edge(const StringList *edges, const char *name) {
        size_t low = 0, high = edges->n, n = strlen(name);

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const char *edge = edges->items[middle];
                int order = strncmp(edge, name, n);

                if (order < 0 || (order == 0 && edge[n] < ' '))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/** string_list_edge_at() - the other of "name other" at @i, or NULL if that is of another name. */
const char *string_list_edge_at(const StringList *edges, const char *name, size_t i) {
        size_t n = strlen(name);

        if (i >= edges->n || strncmp(edges->items[i], name, n) != 0 || edges->items[i][n] != ' ')
                return NULL;
        return edges->items[i] + n + 1;
}

bool string_list_equal(const StringList *a, const StringList *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (strcmp(a->items[i], b->items[i]) != 0)
                        return false;
        return true;
}

static int compare_items(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/** string_list_sort() - order by bytes, whatever the locale. */
void string_list_sort(StringList *list) {
        if (list->n > 1)
                qsort(list->items, list->n, sizeof(*list->items), compare_items);
}

/** string_list_sort_unique() - the same, and each item once. */
void string_list_sort_unique(StringList *list) {
        size_t n = 0;

        if (list->n == 0)
                return;

        string_list_sort(list);
        for (size_t i = 0; i < list->n; i++) {
                if (n > 0 && strcmp(list->items[n - 1], list->items[i]) == 0)
                        free(list->items[i]);
                else
                        list->items[n++] = list->items[i];
        }
        list->items[n] = NULL;
        list->n = n;
}

/**
 * string_list_nearest() - the item that was meant by a mistyped word
 *
 * Of two equally near ones it is that of the same length.
 *
 * Return: NULL if none is near enough.
 */
const char *string_list_nearest(const StringList *list, const char *word) {
        size_t best = SIZE_MAX, length = strlen(word);
        const char *nearest = NULL;

        for (size_t i = 0; i < list->n; i++) {
                size_t distance = text_distance(list->items[i], word), n = strlen(list->items[i]);

                if (distance > TYPO_DISTANCE_MAX || distance >= length)
                        continue;
                distance = 256 * distance + (n > length ? n - length : length - n);
                if (distance < best) {
                        best = distance;
                        nearest = list->items[i];
                }
        }
        return nearest;
}

/**
 * string_list_join() - one text of all items
 * @ret_text: "" for the empty list; owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int string_list_join(const StringList *list, const char *separator, char **ret_text) {
        size_t length = 1;
        char *text, *end;

        for (size_t i = 0; i < list->n; i++)
                length += strlen(list->items[i]) + strlen(separator);

        text = end = malloc(length);
        if (!text)
                return -ENOMEM;

        *end = '\0';
        for (size_t i = 0; i < list->n; i++) {
                if (i > 0)
                        end = stpcpy(end, separator);
                end = stpcpy(end, list->items[i]);
        }

        *ret_text = text;
        return 0;
}

void string_list_done(StringList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->items[i]);
        free(list->items);
        *list = (StringList){ 0 };
}
