#pragma once

#include "event.h"
#include "manager.h"
#include "string-list.h"

int unit_report_log(const char *unit, size_t n_lines, StringList *lines);
void unit_report_failure(EventLog *log, Manager *manager, const char *unit);
