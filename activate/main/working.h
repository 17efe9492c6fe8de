#pragma once

#include <stdbool.h>

#include "event.h"

void working_set_up_signals(void);
bool working_is_interrupted(void);
int working_tell_end(EventLog *log, const char *id, int r, sd_bus_error *error, const char *text);
void working_find_record(void);
bool working_is_for_another_engine(char **ret_engine);
void working_let_other_engine_recover(EventLog *log);
bool working_unit_is_active(const char *unit);
