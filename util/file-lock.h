#pragma once

#include <sys/types.h>

#include "macros.h"

enum { LOCK_HELD = 1 }; /* answer: somebody else has it */

int file_lock(const char *path, int *ret_fd);
int file_lock_holder(const char *path, pid_t *ret_pid, char **ret_command);
