#pragma once

#include "event.h"
#include "manager.h"

void unit_report_failure(EventLog *log, Manager *manager, const char *unit);
