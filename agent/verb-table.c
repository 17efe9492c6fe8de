/* The one table of verbs: what is run, helped with, documented and completed. */
#include <stddef.h>

#include "verbs.h"

const Verb *const enact_verbs[] = {
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
