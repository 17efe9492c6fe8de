#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "string-list.h"

/* A program of a system closure that is run to its end, its output handed on line by line or copied
 * to ours. */
typedef struct Program {
        const StringList *arguments;
        const char *const *environment;                    /* NULL: ours */
        bool (*interrupted)(void *userdata);               /* whether to end it; may be NULL */
        uint64_t pause_usec;                               /* between two times of asking */
        uint64_t grace_usec;                               /* it may still take after that */
        uint64_t limit_usec;                               /* then it is killed */
        void (*on_line)(void *userdata, const char *line); /* NULL: copied to our outputs */
        void *userdata;
} Program;

int program_run(const Program *program, int *ret_status);
