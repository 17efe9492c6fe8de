#pragma once

#include <stdbool.h>

#include "event.h"

void working_set_up_signals(void);
bool working_is_interrupted(void);
int working_tell_end(EventLog *log, const char *id, int r, sd_bus_error *error, const char *text);
