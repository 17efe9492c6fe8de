#pragma once

#include "string-list.h"
#include "unit-tree.h"

int unit_drop_ins_find(const UnitTree *tree, const char *unit, StringList *paths);
int unit_drop_ins_any(const UnitTree *tree, const char *unit);
