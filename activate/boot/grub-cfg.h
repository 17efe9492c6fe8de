#pragma once

#include "listed-menu.h"

#define GRUB_ENVIRONMENT_BYTES_MAX ((size_t) 64 * 1024)

int grub_cfg_parse(const char *text, size_t n, ListedMenu *menu);
int grub_environment_get(const char *text, size_t n, const char *key, char **ret_value);
int grub_default_find(const ListedMenu *menu, const char *saved, const ListedEntry **ret);
