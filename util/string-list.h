#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macros.h"

/* An ordered list of owned strings; all zero is the empty list. With items in it, a NULL follows
 * the last. */
typedef struct StringList {
        char **items;
        size_t n;
        size_t allocated;
} StringList;

int string_list_add(StringList *list, const char *item);
int string_list_take(StringList *list, char *item);
int string_list_copy(StringList *list, const StringList *from);
bool string_list_contains(const StringList *list, const char *item);
size_t string_list_first_edge(const StringList *edges, const char *name);
const char *string_list_edge_at(const StringList *edges, const char *name, size_t i);
bool string_list_has_sorted(const StringList *list, const char *item);
bool string_list_equal(const StringList *a, const StringList *b);
void string_list_sort(StringList *list);
void string_list_sort_unique(StringList *list);
const char *string_list_nearest(const StringList *list, const char *word);
int string_list_join(const StringList *list, const char *separator, char **ret_text);
void string_list_done(StringList *list);
