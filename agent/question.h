#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

bool question_can_be_asked(void);
int question_ask(const char *text, bool *ret_yes, sd_bus_error *reterr_error);
