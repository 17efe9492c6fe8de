#pragma once

#include <stdbool.h>

bool unit_name_is_valid(const char *name);
int unit_name_template(const char *name, char **ret_template);
int unit_name_instance_of(const char *template, const char *instance, char **ret_name);
bool unit_name_may_be(const char *name, const char *other);
int unit_name_to_dash(const char *name, char **ret_name);
int unit_name_with_suffix(const char *name, const char *suffix, char **ret_name);
int unit_name_expand(const char *text, const char *unit, char **ret_text);
int unit_name_from_path(const char *path, const char *suffix, char **ret_name);
int unit_name_to_path(const char *name, char **ret_path);
