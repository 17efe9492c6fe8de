#pragma once

#include "string-list.h"

int specialisation_list(const char *system, StringList *names);
int specialisation_path(const char *system, const char *name, char **ret_path);
int specialisation_name(const char *system, const char *path, char **ret_name);
