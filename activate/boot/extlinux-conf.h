#pragma once

#include "listed-menu.h"

int extlinux_conf_parse(const char *text, size_t n, ListedMenu *menu);
int extlinux_default_find(const ListedMenu *menu, const ListedEntry **ret);
