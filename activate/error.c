/* Errors: names that stay, and the exit codes they are documented with. */
#include <string.h>

#include "error.h"

/* clang-format off */
static const struct {
        const char *name;
        int exit_code;
        const char *outcome; /* of a switch, in a word */
} exit_codes[] = {
        { ENACT_ERROR_USAGE,            2 },
        { ENACT_ERROR_ROLLED_BACK,      3, "rolled-back" },
        { ENACT_ERROR_UNITS_FAILED,     4, "units-failed" },
        { ENACT_ERROR_COULD_NOT_TELL,   4 },
        { ENACT_ERROR_PROBE_FAILED,     4 },
        { ENACT_ERROR_ROLLBACK_FAILED,  5, "rollback-failed" },
        { ENACT_ERROR_LOST,             5 },
        { ENACT_ERROR_BUSY,             6, "busy" },
        { ENACT_ERROR_EVALUATION,      10 },
        { ENACT_ERROR_NO_FLAKE,        10 },
        { ENACT_ERROR_UNKNOWN_HOST,    10 },
        { ENACT_ERROR_NO_NIX,          10 },
        { ENACT_ERROR_BUILD,           11 },
        { ENACT_ERROR_COPY,            12 },
        { ENACT_ERROR_NEEDS_REBOOT,   100, "needs-reboot" },
        { ENACT_ERROR_INTERRUPTED,    130, "interrupted" },
};
/* clang-format on */

/** error_to_exit_code() - 1 for every name that has no code of its own; 0 where no error is set. */
int error_to_exit_code(const sd_bus_error *error) {
        if (!sd_bus_error_is_set(error))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(exit_codes); i++)
                if (strcmp(exit_codes[i].name, error->name) == 0)
                        return exit_codes[i].exit_code;
        return 1;
}

/** error_from_exit_code() - the first name that has the code; NULL for 0. */
const char *error_from_exit_code(int code) {
        for (size_t i = 0; i < ELEMENTSOF(exit_codes); i++)
                if (exit_codes[i].exit_code == code)
                        return exit_codes[i].name;
        return code == 0 ? NULL : ENACT_ERROR_FAILED;
}

/** error_exit_code_to_outcome() - how a switch with that exit code ended, in a word that stays. */
const char *error_exit_code_to_outcome(int code) {
        for (size_t i = 0; i < ELEMENTSOF(exit_codes); i++)
                if (exit_codes[i].exit_code == code && exit_codes[i].outcome)
                        return exit_codes[i].outcome;
        return code == 0 ? "done" : "failed";
}
