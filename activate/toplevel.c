/*
 * Toplevels: what a system closure must have before anything of it is run. A path that is not such
 * a closure is refused before the host is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "error.h"
#include "file.h"
#include "text.h"
#include "toplevel.h"

#define WRAPPER_NAME "bin/switch-to-configuration"

/** toplevel_sub_path() - "<toplevel>/<name>"; owned by the caller. 0 or -ENOMEM. */
int toplevel_sub_path(const Toplevel *toplevel, const char *name, char **ret_path) {
        return text_printf(ret_path, "%s/%s", toplevel->path, name);
}

/** toplevel_scripts() - the store path that holds activate and dry-activate; mostly the toplevel
 * itself. */
const char *toplevel_scripts(const Toplevel *toplevel) {
        const char *out = wrapper_get(&toplevel->wrapper, "OUT");

        return out ? out : toplevel->path;
}

/** toplevel_read_line() - the first line of one of its files, or an error of file_read(). */
int toplevel_read_line(const Toplevel *toplevel, const char *name, char **ret_line) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = toplevel_sub_path(toplevel, name, &path);
        if (r < 0)
                return r;
        return file_read_line(AT_FDCWD, path, ret_line);
}

static int check_has(const char *directory, const char *name, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", directory, name);
        if (r < 0)
                return r;
        if (access(path, F_OK) < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "'%s' is no NixOS system: it has no '%s'. "
                                         "Nothing was changed.",
                                         directory, name);
        return 0;
}

static int check_architecture(const Toplevel *toplevel, sd_bus_error *reterr_error) {
        _cleanup_free_ char *system = NULL, *wanted = NULL;
        struct utsname uts;
        int r;

        r = toplevel_read_line(toplevel, "system", &system);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "Cannot read '%s/system': %s. Nothing was changed.",
                                         toplevel->path, strerror(-r));

        if (uname(&uts) < 0)
                return -errno;
        r = text_printf(&wanted, "%s-linux", uts.machine);
        if (r < 0)
                return r;
        if (strcmp(system, wanted) != 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "'%s' is made for %s, and this machine is %s. "
                                         "Nothing was changed.",
                                         toplevel->path, system, wanted);
        return 0;
}

static int read_wrapper(Toplevel *toplevel, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        r = toplevel_sub_path(toplevel, WRAPPER_NAME, &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, WRAPPER_BYTES_MAX, &text, &n);
        if (r >= 0)
                r = wrapper_parse(text, n, &toplevel->wrapper);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                        "Cannot read '%s' (%s): which boot loader, checks and systemd "
                        "the system has is unknown. Nothing was changed.",
                        path, r == -EBADMSG ? "not a wrapper that NixOS makes" : strerror(-r));
        return 0;
}

static int resolve(const char *path, char **ret_path, sd_bus_error *reterr_error) {
        _cleanup_free_ char *resolved = NULL;
        const char *below;
        int r;

        r = file_realpath(path, &resolved);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "No system at '%s': %s. Nothing was changed.", path,
                                         strerror(-r));

        below = text_after_prefix(resolved, STORE_DIRECTORY "/");
        if (!below || strchr(below, '/'))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "'%s' is no path of the Nix store (it is '%s'). "
                                         "Nothing was changed.",
                                         path, resolved);

        *ret_path = TAKE_PTR(resolved);
        return 0;
}

/**
 * toplevel_open() - a system closure that this machine could run
 * @path: a store path, or a link that leads to one
 * @ret:  owned by the caller
 *
 * Source: layout of a NixOS toplevel; makeWrapper.
 *
 * Return: 0, or a negative errno with @reterr_error set to NotASystem or Refused.
 */
int toplevel_open(const char *path, Toplevel **ret, sd_bus_error *reterr_error) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = NULL;
        int r;

        toplevel = calloc(1, sizeof(*toplevel));
        if (!toplevel)
                return -ENOMEM;

        r = resolve(path, &toplevel->path, reterr_error);
        if (r < 0)
                return r;
        r = check_has(toplevel->path, "nixos-version", reterr_error);
        if (r < 0)
                return r;
        r = check_architecture(toplevel, reterr_error);
        if (r < 0)
                return r;
        r = read_wrapper(toplevel, reterr_error);
        if (r < 0)
                return r;
        r = check_has(toplevel_scripts(toplevel), "activate", reterr_error);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(toplevel);
        return 0;
}

/** toplevel_open_units() - its directory of system unit files; 0 or an errno of openat(2). */
int toplevel_open_units(const Toplevel *toplevel, int *ret_fd) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = toplevel_sub_path(toplevel, "etc/systemd/system", &path);
        if (r < 0)
                return r;
        return file_open_directory(AT_FDCWD, path, ret_fd);
}

Toplevel *toplevel_free(Toplevel *toplevel) {
        if (!toplevel)
                return NULL;

        wrapper_done(&toplevel->wrapper);
        free(toplevel->path);
        free(toplevel);
        return NULL;
}
