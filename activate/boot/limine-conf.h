#pragma once

#include "listed-menu.h"

int limine_conf_parse(const char *text, size_t n, ListedMenu *menu);
int limine_default_find(const ListedMenu *menu, const ListedEntry **ret);
