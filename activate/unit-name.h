#pragma once

#include <stdbool.h>

bool unit_name_is_valid(const char *name);
int unit_name_template(const char *name, char **ret_template);
int unit_name_with_suffix(const char *name, const char *suffix, char **ret_name);
int unit_name_from_path(const char *path, const char *suffix, char **ret_name);
