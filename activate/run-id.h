#pragma once

#include <time.h>

int run_id_make(const char *last, const struct timespec *now, char **ret_id);
