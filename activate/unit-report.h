#pragma once

#include <sys/types.h>

#include "event.h"
#include "manager.h"

void unit_report_failure(EventLog *log, Manager *manager, const char *unit);
void unit_report_add_words(cJSON *event, uid_t uid);
