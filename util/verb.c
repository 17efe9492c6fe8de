/*
 * Verbs: finding one and running it are apart, so a verb that fails is never called unknown. Help
 * reads the same table.
 */
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "verb.h"

#define EXIT_USAGE        2
#define NEAR_ENOUGH_EDITS 2U

/** verb_find() - the verb of that name in a table that ends with NULL, or NULL. */
const Verb *verb_find(const Verb *const verbs[], const char *name) {
        for (size_t i = 0; verbs[i]; i++)
                if (strcmp(verbs[i]->name, name) == 0)
                        return verbs[i];
        return NULL;
}

/** verb_print_help() - all verbs of a table, for people, to standard output. */
void verb_print_help(const Verb *const verbs[], const char *program) {
        printf("Usage: %s VERB [OPTIONS]\n\n", program);
        for (size_t i = 0; verbs[i]; i++)
                printf("  %-14s %-22s %s\n", verbs[i]->name, verbs[i]->synopsis, verbs[i]->help);
}

static void say_unknown(const Verb *const verbs[], const char *program, const char *name) {
        const Verb *nearest = NULL;
        size_t least = NEAR_ENOUGH_EDITS + 1;

        for (size_t i = 0; verbs[i]; i++) {
                size_t distance = text_distance(verbs[i]->name, name);

                if (distance < least) {
                        least = distance;
                        nearest = verbs[i];
                }
        }
        if (*name == '-') {
                fprintf(stderr,
                        "%s: options come after the verb, and '%s' is first. '%s --help' lists the verbs.\n",
                        program, name, program);
                return;
        }
        fprintf(stderr, "%s: there is no verb '%s'.", program, name);
        if (nearest)
                fprintf(stderr, " Did you mean '%s'?", nearest->name);
        fprintf(stderr, " '%s --help' lists them.\n", program);
}

/**
 * verb_dispatch() - run what the command line asks for
 * @verbs: ends with NULL
 * @argc, @argv: from the verb on
 *
 * Return: the exit code; 2 for an unknown verb.
 */
int verb_dispatch(const Verb *const verbs[], const char *program, int argc, char **argv) {
        const Verb *verb;

        verb = verb_find(verbs, argv[0]);
        if (!verb) {
                say_unknown(verbs, program, argv[0]);
                return EXIT_USAGE;
        }
        if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
                printf("Usage: %s %s %s\n\n%s.\n", program, verb->name, verb->synopsis, verb->help);
                return 0;
        }
        return verb->run(argc, argv);
}
