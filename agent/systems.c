/* The systems of this host, read without root: links, profiles and the history. */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "noted-default.h"
#include "state-directory.h"
#include "systems.h"

#define RUNNING_SYSTEM "/run/current-system"
#define BOOTED_SYSTEM  "/run/booted-system"

static void resolve(const char *link, char **ret_path) {
        if (file_realpath(link, ret_path) < 0)
                *ret_path = NULL;
}

static int read_profile(const char *name, Systems *systems) {
        _cleanup_(profile_freep) Profile *profile = NULL;
        int r;

        r = profile_open(PROFILES_DIRECTORY, name, /* make= */ false, &profile);
        if (r < 0)
                return r == -ENOENT ? 0 : r; /* no such profile, and no generation */
        r = profile_list(profile, &systems->generations);
        if (r < 0)
                return r;
        r = profile_current(profile, &systems->current);
        return r == -ENOENT ? 0 : r;
}

/**
 * systems_read() - look at the host
 * @profile: "system"
 * @systems: all zero before; systems_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int systems_read(const char *profile, Systems *systems, sd_bus_error *reterr_error) {
        const TransactionPlaces places = TRANSACTION_PLACES_HOST;
        int r;

        resolve(RUNNING_SYSTEM, &systems->running);
        resolve(BOOTED_SYSTEM, &systems->booted);
        r = noted_default_read(&places, &systems->boot_default);
        systems->default_is_guessed = r == NOTED_DEFAULT_GUESSED;
        if (r >= 0 || r == -ENOENT)
                r = read_profile(profile, systems);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot read the profile '" PROFILES_DIRECTORY "/%s': %s",
                                         profile, strerror(-r));
        r = history_read(state_directory(), &systems->history);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot read the history in '%s': %s", state_directory(),
                                         strerror(-r));
        return 0;
}

void systems_done(Systems *systems) {
        free(systems->running);
        free(systems->booted);
        free(systems->current);
        free(systems->boot_default);
        generation_list_done(&systems->generations);
        history_done(&systems->history);
        *systems = (Systems){ 0 };
}
