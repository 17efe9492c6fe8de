/*
 * Which specialisation is meant: the one that is named, none, or the one that runs now. Somebody
 * who works in one stays in it, and is told how to leave it; nixos-rebuild would leave it silently.
 */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "profile.h"
#include "specialisation.h"
#include "text.h"
#include "variant.h"

#define RUNNING_SYSTEM "/run/current-system"

/**
 * variant_base() - the system of a profile that has a toplevel as one of its specialisations
 * @path:       resolved
 * @ret_system: of the newest generation that has it; NULL if none does. Owned by the caller
 * @ret_name:   how it is called there; owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int variant_base(const char *profile, const char *path, char **ret_system, char **ret_name) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        _cleanup_(profile_freep) Profile *opened = NULL;
        int r;

        *ret_system = *ret_name = NULL;
        r = profile_open(PROFILES_DIRECTORY, profile, /* make= */ false, &opened);
        if (r >= 0)
                r = profile_list(opened, &list);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = list.n; i > 0; i--) {
                const char *system = list.items[i - 1].target;

                if (strcmp(system, path) == 0) /* a system of its own */
                        return 0;
                r = specialisation_name(system, path, ret_name);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue;
                *ret_system = strdup(system);
                return *ret_system ? 0 : -ENOMEM;
        }
        return 0;
}

static int say_unknown(const char *system, const char *name, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_free_ char *list = NULL;
        const char *near;
        int r;

        r = specialisation_list(system, &names);
        if (r >= 0)
                r = string_list_join(&names, ", ", &list);
        if (r < 0)
                return r;
        near = string_list_nearest(&names, name);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "'%s' has no specialisation '%s'. It has: %s. %s%s%s"
                                 "Nothing was changed.",
                                 system, name, names.n > 0 ? list : "none",
                                 near ? "Did you mean '" : "", near ? near : "", near ? "'? " : "");
}

/* The one that runs is stayed in, where the new system has it, too. */
static int stay(const char *profile, const char *system, const Display *display, char **ret_path) {
        _cleanup_free_ char *running = NULL, *base = NULL, *name = NULL, *words = NULL;
        int r;

        if (file_realpath(RUNNING_SYSTEM, &running) < 0)
                return 0;
        r = variant_base(profile, running, &base, &name);
        if (r < 0 || !name)
                return r;
        r = specialisation_path(system, name, ret_path);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                r = text_printf(&words,
                                "this machine runs the specialisation '%s', which the new system "
                                "does not have: the system itself is taken",
                                name);
        else
                r = text_printf(&words,
                                "staying in the specialisation '%s'; --no-specialisation (-S) "
                                "leaves it",
                                name);
        if (r >= 0)
                display_say(display, "note:", words);
        return r;
}

/**
 * variant_choose() - which toplevel of a system is to run
 * @system:   resolved
 * @ret_path: a specialisation's; NULL: the system's own. Owned by the caller
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int variant_choose(const Options *options, const char *system, const Display *display,
                   char **ret_path, sd_bus_error *reterr_error) {
        int r;

        *ret_path = NULL;
        if (options->specialisation) {
                r = specialisation_path(system, options->specialisation, ret_path);
                return r < 0 && r != -ENOMEM ?
                               say_unknown(system, options->specialisation, reterr_error) :
                               r;
        }
        /* What is named by its path, or ran before, is meant as it is. */
        if (options->no_specialisation || options->store_path || options->rollback)
                return 0;
        return stay(options->profile, system, display, ret_path);
}
