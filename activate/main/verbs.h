#pragma once

#include "verb.h"

extern const Verb verb_boot_check;
extern const Verb verb_dead_man;
extern const Verb verb_install_boot_menu;
extern const Verb verb_plan;
extern const Verb verb_recover;
extern const Verb verb_run;
extern const Verb verb_serve;
