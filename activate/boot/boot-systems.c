/* Which systems the menu is made of: every generation of every system profile, as NixOS has it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "boot-systems.h"
#include "error.h"
#include "file.h"
#include "store-path.h"
#include "text.h"

/* A folder beside them may hold links of all kinds: a profile is one that names a generation. */
static int list_profiles(const char *profiles, StringList *names) {
        _cleanup_(string_list_done) StringList all = { 0 };
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = text_printf(&directory, "%s/" SYSTEM_PROFILES, profiles);
        if (r >= 0)
                r = file_open_directory(AT_FDCWD, directory, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &all);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < all.n; i++) {
                _cleanup_free_ char *target = NULL;

                if (text_has_suffix(all.items[i], "-link") ||
                    file_readlink(fd, all.items[i], &target) < 0)
                        continue;
                r = string_list_add(names, all.items[i]);
        }
        return r;
}

static int read_generations(const char *profiles, const char *name, GenerationList *list) {
        _cleanup_(profile_freep) Profile *profile = NULL;
        int r;

        r = profile_open(profiles, name, /* make= */ false, &profile);
        return r < 0 ? r : profile_list(profile, list);
}

static int add_problem(BootSystems *systems, const char *toplevel, const char *why) {
        char *text;
        int r = text_printf(&text, "%s: %s", toplevel, why);

        return r < 0 ? r : string_list_take(&systems->problems, text);
}

/* One that cannot be read is a system without a spec, and not a fault of the whole. */
static int read_spec(BootSystems *systems, size_t i) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *toplevel = systems->items[i].toplevel;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!store_path_is_toplevel(toplevel))
                return add_problem(systems, toplevel, "it is no path directly below the store");
        r = file_open_directory(AT_FDCWD, toplevel, &fd);
        if (r < 0)
                return add_problem(systems, toplevel, strerror(-r));
        r = bootspec_obtain(fd, toplevel, &systems->specs[i], &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return add_problem(systems, toplevel, error.message);
        systems->items[i].spec = &systems->specs[i];
        return 0;
}

static size_t count(const BootSystems *systems) {
        size_t n = 0;

        for (size_t i = 0; i < systems->n_lists; i++)
                n += systems->lists[i].n;
        return n;
}

static int read_profiles(const char *profiles, BootSystems *systems) {
        int r;

        r = list_profiles(profiles, &systems->profiles);
        if (r < 0)
                return r;
        systems->lists = calloc(systems->profiles.n + 1, sizeof(*systems->lists));
        if (!systems->lists)
                return -ENOMEM;
        systems->n_lists = systems->profiles.n + 1;
        r = read_generations(profiles, SYSTEM_PROFILE, &systems->lists[0]);
        for (size_t i = 0; r >= 0 && i < systems->profiles.n; i++)
                r = read_generations(profiles, systems->profiles.items[i], &systems->lists[i + 1]);
        return r;
}

static int read_systems(BootSystems *systems) {
        size_t n = count(systems);
        int r = 0;

        systems->items = calloc(n + 1, sizeof(*systems->items));
        systems->specs = calloc(n + 1, sizeof(*systems->specs));
        if (!systems->items || !systems->specs)
                return -ENOMEM;
        for (size_t i = 0; i < systems->n_lists; i++)
                for (size_t j = 0; r >= 0 && j < systems->lists[i].n; j++) {
                        const Generation *generation = &systems->lists[i].items[j];

                        systems->items[systems->n] = (MenuSystem){
                                .profile = i > 0 ? systems->profiles.items[i - 1] : NULL,
                                .number = generation->number,
                                .created = generation->created,
                                .toplevel = generation->target,
                        };
                        r = read_spec(systems, systems->n++);
                }
        return r;
}

/**
 * boot_systems_read() - look at all profiles
 * @profiles: Nix' directory of them
 * @systems:  all zero before; boot_systems_done() even after an error
 *
 * Return: 0 (also with systems that cannot be read), an errno of open(2) with @reterr_error set, or
 * -ENOMEM.
 */
int boot_systems_read(const char *profiles, BootSystems *systems, sd_bus_error *reterr_error) {
        int r = read_profiles(profiles, systems);

        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read the generations in '%s': %s.", profiles,
                                         strerror(-r));
        return r < 0 ? r : read_systems(systems);
}

/** boot_systems_protect() - all generations of that system stay in the menu, whatever the room. */
void boot_systems_protect(BootSystems *systems, const char *toplevel) {
        for (size_t i = 0; i < systems->n; i++) {
                MenuSystem *system = &systems->items[i];

                if (strcmp(system->toplevel, toplevel) == 0)
                        system->is_protected = true;
                for (size_t j = 0; system->spec && j < system->spec->n_specialisations; j++)
                        if (strcmp(system->spec->specialisations[j].toplevel, toplevel) == 0)
                                system->is_protected = true;
        }
}

/**
 * boot_systems_find() - the highest generation that has a toplevel, itself or as a specialisation
 * @ret_spec: what that toplevel says; NULL if it cannot be read
 *
 * Return: the system, or NULL.
 */
const MenuSystem *boot_systems_find(const BootSystems *systems, const char *toplevel,
                                    const Bootspec **ret_spec) {
        for (size_t i = systems->n; i > 0; i--) {
                const MenuSystem *system = &systems->items[i - 1];

                *ret_spec = system->spec;
                if (strcmp(system->toplevel, toplevel) == 0)
                        return system;
                for (size_t j = 0; system->spec && j < system->spec->n_specialisations; j++) {
                        *ret_spec = &system->spec->specialisations[j];
                        if (strcmp((*ret_spec)->toplevel, toplevel) == 0)
                                return system;
                }
        }
        *ret_spec = NULL;
        return NULL;
}

void boot_systems_done(BootSystems *systems) {
        for (size_t i = 0; i < systems->n; i++)
                bootspec_done(&systems->specs[i]);
        for (size_t i = 0; i < systems->n_lists; i++)
                generation_list_done(&systems->lists[i]);
        free(systems->lists);
        free(systems->items);
        free(systems->specs);
        string_list_done(&systems->profiles);
        string_list_done(&systems->problems);
        *systems = (BootSystems){ 0 };
}
