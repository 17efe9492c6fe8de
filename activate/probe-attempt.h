#pragma once

/* One attempt of a probe: shared by probe-run.c, which makes them, and by the files that know how.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "manager.h"
#include "probe.h"

#define PROBE_TEXT_MAX 2048U /* bytes that are kept of an answer */

typedef enum AttemptState {
        ATTEMPT_RUNS,
        ATTEMPT_OK,
        ATTEMPT_FAILED,
} AttemptState;

typedef struct Attempt {
        const Probe *probe;
        Manager *manager;
        const char *network_program, *toplevel;
        AttemptState state;
        char *text; /* the answer, once it does not run any more */

        pid_t pid; /* of the program that asks; 0: none */
        int pid_fd, output_fd;
        char output[PROBE_TEXT_MAX]; /* the end of what it printed */
        size_t n_output;
} Attempt;

void attempt_end(Attempt *attempt, bool ok, const char *format, ...) _printf_(3, 4);
void attempt_start_program(Attempt *attempt);
void attempt_read_program(Attempt *attempt);
void attempt_drop_program(Attempt *attempt);
void attempt_ask_systemd(Attempt *attempt);
