#pragma once

#define STATE_DIRECTORY          "/var/lib/enact"
#define STATE_DIRECTORY_VOLATILE "/nix/var/enact" /* where the other one is lost with the power */

const char *state_directory(void);
