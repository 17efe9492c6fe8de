#pragma once

#include "verb.h"

extern const Verb *const enact_verbs[]; /* ends with NULL */

extern const Verb verb_build;
extern const Verb verb_dry_build;
extern const Verb verb_dry_run;
extern const Verb verb_switch;
extern const Verb verb_boot;
extern const Verb verb_test;
extern const Verb verb_dry_activate;
extern const Verb verb_plan;
extern const Verb verb_rollback;
extern const Verb verb_generations;
extern const Verb verb_list_generations;
extern const Verb verb_boot_menu;
extern const Verb verb_status;
extern const Verb verb_log;
extern const Verb verb_confirm;
extern const Verb verb_cancel;
extern const Verb verb_update;
extern const Verb verb_clean;
extern const Verb verb_build_vm;
extern const Verb verb_build_vm_with_bootloader;
extern const Verb verb_build_image;
extern const Verb verb_repl;
extern const Verb verb_edit;
