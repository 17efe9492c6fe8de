/* enact-activate: the engine. A person meets it through enact; systemd, root helpers and tests call
 * it. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "file.h"
#include "verbs.h"

static const Verb *const verbs[] = { &verb_plan,
                                     &verb_run,
                                     &verb_serve,
                                     &verb_dead_man,
                                     &verb_recover,
                                     &verb_boot_check,
                                     &verb_install_boot_menu,
                                     NULL };

int main(int argc, char **argv) {
        if (file_open_standard() < 0)
                return 1;
        if (argc < 2) {
                fprintf(stderr,
                        "enact-activate: a verb is missing; see 'enact-activate --help'.\n");
                return 2;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
                verb_print_help(verbs, "enact-activate");
                return 0;
        }
        if (strcmp(argv[1], "--version") == 0) {
                puts("enact-activate " ENACT_VERSION);
                return 0;
        }
        return verb_dispatch(verbs, "enact-activate", argc - 1, argv + 1);
}
