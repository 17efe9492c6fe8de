#pragma once

#include <stdint.h>

#include "string-list.h"

/* A program of a system closure that is run to its end, its output handed on line by line or left
 * alone. */
typedef struct Program {
        const StringList *arguments;
        const char *const *environment; /* NULL: ours */
        uint64_t limit_usec;            /* then it is killed */
        void (*on_line)(void *userdata,
                        const char *line); /* NULL: it has our own input and outputs */
        void *userdata;
} Program;

int program_run(const Program *program, int *ret_status);
