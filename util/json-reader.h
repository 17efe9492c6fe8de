#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

enum { JSON_READER_MORE = 1 }; /* answer: a member or element follows */

/* A place in a JSON text. */
typedef struct JsonReader {
        char *at, *end;
        bool opened; /* nothing of the innermost object or array was read yet */
} JsonReader;

int json_reader_begin(JsonReader *reader, char *text, size_t n);
int json_reader_open(JsonReader *reader, char bracket);
int json_reader_next(JsonReader *reader, char bracket);
int json_reader_key(JsonReader *reader, const char **ret_key);
int json_reader_text(JsonReader *reader, const char **ret_text);
int json_reader_value(JsonReader *reader, cJSON **ret_value);
int json_reader_end(JsonReader *reader);
