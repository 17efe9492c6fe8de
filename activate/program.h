#pragma once

#include <stdint.h>

#include "string-list.h"

/* A program of a system closure that is run to its end, its output handed on line by line. */
typedef struct Program {
        const StringList *arguments;
        const char *const *environment;
        uint64_t limit_usec; /* then it is killed, with all it started in its process group */
        void (*on_line)(void *userdata, const char *line);
        void *userdata;
} Program;

int program_run(const Program *program, int *ret_status);
