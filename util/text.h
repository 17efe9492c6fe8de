#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"

const char *text_after_prefix(const char *text, const char *prefix);
bool text_has_suffix(const char *text, const char *suffix);
int text_replace(char **text, const char *by);
int text_printf(char **ret_text, const char *format, ...) _printf_(2, 3);
int text_to_unsigned(const char *text, uint64_t max, uint64_t *ret_number);
size_t text_distance(const char *a, const char *b);
char *text_strip(char *text);
char *text_to_utf8(const char *text);
bool text_is_utf8(const char *text);
void text_strip_controls(char *text);
