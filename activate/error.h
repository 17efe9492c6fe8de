#pragma once

#include <systemd/sd-bus.h>

#include "macros.h"

/*
 * The stable names of what can go wrong. The sentence beside a name says what failed, on what, and
 * what holds now; error_to_exit_code() is the one place that maps names to documented exit codes.
 */
#define ENACT_ERROR_FAILED          "org.enact.Error.Failed"
#define ENACT_ERROR_USAGE           "org.enact.Error.Usage"
#define ENACT_ERROR_NOT_ROOT        "org.enact.Error.NotRoot"
#define ENACT_ERROR_NO_SYSTEMD      "org.enact.Error.NoSystemd"
#define ENACT_ERROR_NOT_A_SYSTEM    "org.enact.Error.NotASystem"
#define ENACT_ERROR_REFUSED         "org.enact.Error.Refused"
#define ENACT_ERROR_OTHER_HOST      "org.enact.Error.OtherHost"
#define ENACT_ERROR_NOTHING_OPEN    "org.enact.Error.NothingOpen"
#define ENACT_ERROR_BUSY            "org.enact.Error.Busy"
#define ENACT_ERROR_ROLLED_BACK     "org.enact.Error.RolledBack"
#define ENACT_ERROR_UNITS_FAILED    "org.enact.Error.UnitsFailed"
#define ENACT_ERROR_COULD_NOT_TELL  "org.enact.Error.CouldNotTell"
#define ENACT_ERROR_PROBE_FAILED    "org.enact.Error.ProbeFailed"
#define ENACT_ERROR_ROLLBACK_FAILED "org.enact.Error.RollbackFailed"
#define ENACT_ERROR_LOST            "org.enact.Error.Lost"
#define ENACT_ERROR_NO_NIX          "org.enact.Error.NoNix"
#define ENACT_ERROR_NO_FLAKE        "org.enact.Error.NoFlake"
#define ENACT_ERROR_UNKNOWN_HOST    "org.enact.Error.UnknownHost"
#define ENACT_ERROR_EVALUATION      "org.enact.Error.Evaluation"
#define ENACT_ERROR_BUILD           "org.enact.Error.Build"
#define ENACT_ERROR_COPY            "org.enact.Error.Copy"
#define ENACT_ERROR_BOOT_MENU       "org.enact.Error.BootMenu"
#define ENACT_ERROR_NEEDS_REBOOT    "org.enact.Error.NeedsReboot"
#define ENACT_ERROR_INTERRUPTED     "org.enact.Error.Interrupted"

#define _cleanup_error_             _cleanup_(sd_bus_error_free)

const char *error_from_exit_code(int code);
int error_to_exit_code(const sd_bus_error *error);
const char *error_exit_code_to_outcome(int code);
