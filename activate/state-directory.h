#pragma once

#include <stdbool.h>

#define STATE_DIRECTORY          "/var/lib/enact"
#define STATE_DIRECTORY_VOLATILE "/nix/var/enact" /* where the other one is lost with the power */

const char *state_directory(void);
const char *state_directory_with_record(const char *usual, const char *otherwise, bool *ret_both);
bool state_directory_is_durable(const char *directory);
bool state_directory_is_twofold(void);
