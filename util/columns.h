#pragma once

#include <stddef.h>

size_t columns_of(const char *text);
size_t columns_fit(const char *text, size_t max, size_t *ret_columns);
