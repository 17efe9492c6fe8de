/* enact: what a person types. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "file.h"
#include "verbs.h"

static const Verb *const verbs[] = {
        &verb_switch,
        &verb_test,
        &verb_boot,
        &verb_build,
        &verb_plan,
        &verb_dry_activate,
        &verb_dry_build,
        &verb_dry_run,
        &verb_rollback,
        &verb_generations,
        &verb_list_generations,
        &verb_clean,
        &verb_update,
        &verb_status,
        &verb_log,
        &verb_confirm,
        &verb_cancel,
        &verb_boot_menu,
        &verb_repl,
        &verb_edit,
        &verb_build_vm,
        &verb_build_vm_with_bootloader,
        &verb_build_image,
        NULL,
};

int main(int argc, char **argv) {
        if (file_open_standard() < 0)
                return 1;
        if (argc < 2) {
                fprintf(stderr, "enact: a verb is missing; see 'enact --help'.\n");
                return 2;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
            strcmp(argv[1], "help") == 0) {
                verb_print_help(verbs, "enact");
                return 0;
        }
        if (strcmp(argv[1], "--version") == 0) {
                puts("enact " ENACT_VERSION);
                return 0;
        }
        return verb_dispatch(verbs, "enact", argc - 1, argv + 1);
}
