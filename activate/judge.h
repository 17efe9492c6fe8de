#pragma once

#include <systemd/sd-bus.h>

#include "inventory.h"
#include "string-list.h"

int judge_units(const Inventory *before, const Inventory *after, const StringList *failed_jobs,
                StringList *bad);
int judge_log_tail(const char *unit, size_t n_lines, StringList *lines);
