/* Specialisations: variants of a system, each a whole toplevel that it has a link to. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "specialisation.h"
#include "text.h"

#define FOLDER "specialisation"

/** specialisation_list() - their names, sorted; none where there is no folder. 0 or -ENOMEM. */
int specialisation_list(const char *system, StringList *names) {
        _cleanup_free_ char *folder = NULL;
        int r;

        r = text_printf(&folder, "%s/" FOLDER, system);
        if (r >= 0)
                r = file_list(AT_FDCWD, folder, names);
        if (r >= 0)
                string_list_sort(names);
        return r == -ENOMEM ? r : 0;
}

/**
 * specialisation_path() - the toplevel of one of them
 * @ret_path: resolved; owned by the caller
 *
 * Return: 0, -ENOENT if there is none of that name, or another errno of realpath(3).
 */
int specialisation_path(const char *system, const char *name, char **ret_path) {
        _cleanup_free_ char *link = NULL;
        int r;

        if (!*name || *name == '.' || strchr(name, '/'))
                return -ENOENT;
        r = text_printf(&link, "%s/" FOLDER "/%s", system, name);
        return r < 0 ? r : file_realpath(link, ret_path);
}

/**
 * specialisation_name() - under which name a system has a toplevel for a variant of it
 * @path:     resolved
 * @ret_name: owned by the caller
 *
 * Return: 0, -ENOENT if it has not, -ENOMEM.
 */
int specialisation_name(const char *system, const char *path, char **ret_name) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = specialisation_list(system, &names);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                _cleanup_free_ char *found = NULL;

                if (specialisation_path(system, names.items[i], &found) < 0 ||
                    strcmp(found, path) != 0)
                        continue;
                *ret_name = strdup(names.items[i]);
                return *ret_name ? 0 : -ENOMEM;
        }
        return r < 0 ? r : -ENOENT;
}
