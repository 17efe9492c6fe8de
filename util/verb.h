#pragma once

#include "macros.h"

/* One word of a program's command line. Tables of them end with NULL. */
typedef struct Verb {
        const char *name, *synopsis, *help;
        const char *words;     /* that it takes first, apart by blanks; NULL: none */
        const char *completes; /* what kind its further words are of; NULL: none that is known */
        unsigned options;      /* groups of the program's options that it takes */
        int (*run)(int argc, char **argv); /* argv[0] is the name; answers the exit code */
} Verb;

const Verb *verb_find(const Verb *const verbs[], const char *name);
int verb_dispatch(const Verb *const verbs[], const char *program, int argc, char **argv);
void verb_print_help(const Verb *const verbs[], const char *program);
