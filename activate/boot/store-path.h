#pragma once

#include <stdbool.h>

bool store_path_is_valid(const char *path);
bool store_path_is_toplevel(const char *path);
