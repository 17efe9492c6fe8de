#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "macros.h"
#include "string-list.h"

DEFINE_CLEANUP(cJSON *, cJSON_Delete);

bool json_is_too_deep(const char *text, size_t n);
int json_parse(const char *text, size_t n, cJSON **ret_object);
const char *json_string(const cJSON *object, const char *key);
int json_boolean(const cJSON *object, const char *key, bool *ret);
int json_number(const cJSON *object, const char *key, uint64_t max, uint64_t *ret_number);
int json_add_strings(cJSON *object, const char *key, const StringList *list);
int json_read_strings(const cJSON *object, const char *key, StringList *list);
int json_print(const cJSON *object, char **ret_line);
