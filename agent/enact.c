/* enact: what a person types. */
#include <stdio.h>
#include <string.h>

#include "complete.h"
#include "config.h"
#include "file.h"
#include "help.h"
#include "verbs.h"

static bool is_help(const char *word) {
        return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv) {
        const Verb *verb = NULL;

        if (file_open_standard() < 0)
                return 1;
        if (argc < 2) {
                fprintf(stderr, "enact: a verb is missing; see 'enact --help'.\n");
                return 2;
        }
        if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
                verb = argc > 2 ? verb_find(enact_verbs, argv[2]) : NULL;
                if (verb)
                        help_print_verb(verb, stdout);
                else
                        help_print(enact_verbs, stdout);
                return 0;
        }
        if (strcmp(argv[1], "--version") == 0) {
                puts("enact " ENACT_VERSION);
                return 0;
        }
        if (strcmp(argv[1], "--complete") == 0) /* asked by the shells' completions */
                return complete_run(argc - 2, argv + 2);
        verb = verb_find(enact_verbs, argv[1]);
        if (verb && argc > 2 && is_help(argv[2])) {
                help_print_verb(verb, stdout);
                return 0;
        }
        return verb_dispatch(enact_verbs, "enact", argc - 1, argv + 1);
}
