/*
 * Identity: whether a system is meant for this host. Another host's would run as well, and take
 * this one's name, users and addresses away; it shows by its name, and by a root device that is not
 * here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "fstab.h"
#include "identity.h"
#include "text.h"

#define ROOT_MOUNT "-.mount"

/* A host that gets its name from somewhere else says nothing about whose it is. */
static int check_name(const Toplevel *old, const Toplevel *new, sd_bus_error *reterr_error) {
        _cleanup_free_ char *here = NULL, *there = NULL;

        if (!old || toplevel_read_line(old, "etc/hostname", &here) < 0 || !*here ||
            toplevel_read_line(new, "etc/hostname", &there) < 0 || !*there ||
            strcmp(here, there) == 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_OTHER_HOST,
                                 "'%s' is the system of a host '%s', and this one is '%s'. "
                                 "Nothing was changed; use --force-host if it is meant for this "
                                 "host all the same.",
                                 new->path, there, here);
}

static int read_root_source(const Toplevel *toplevel, char **ret_source) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_(fstab_done) Fstab fstab = { 0 };
        const FstabEntry *root;
        size_t n;
        int r;

        r = toplevel_sub_path(toplevel, "etc/fstab", &path);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FSTAB_BYTES_MAX, &text, &n);
        if (r >= 0)
                r = fstab_parse(&fstab, text, n, -EBADF);
        if (r < 0)
                return r;
        root = fstab_find_mount(&fstab, ROOT_MOUNT);
        if (!root)
                return -ENOENT;
        *ret_source = strdup(root->source);
        return *ret_source ? 0 : -ENOMEM;
}

/* Several devices of one file system, as bcachefs has them. */
static bool is_one_device(const char *path) {
        return text_after_prefix(path, "/dev/") && !strstr(path, ":/dev/");
}

/* What is no device (a pool, a network, memory) can't be looked for; what the running system has,
 * too, has been found before. */
static int check_root(const Toplevel *old, const Toplevel *new, sd_bus_error *reterr_error) {
        _cleanup_free_ char *source = NULL, *before = NULL, *device = NULL;
        int r;

        if (read_root_source(new, &source) < 0)
                return 0;
        if (old && read_root_source(old, &before) >= 0 && strcmp(before, source) == 0)
                return 0;
        r = fstab_device_path(source, &device);
        if (r < 0)
                return r;
        if (!is_one_device(device) || access(device, F_OK) >= 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_OTHER_HOST,
                                 "The root file system of '%s' is on '%s', which this host does "
                                 "not have. Nothing was changed; use --force-host if it will be "
                                 "there.",
                                 new->path, device);
}

/**
 * identity_check() - refuse what is meant for another host
 * @old: the system that runs; NULL if there is none
 *
 * The architecture is toplevel_open()'s to refuse.
 *
 * Return: 0; else a negative errno, and @reterr_error is OtherHost.
 */
int identity_check(const Toplevel *old, const Toplevel *new, sd_bus_error *reterr_error) {
        int r;

        r = check_name(old, new, reterr_error);
        return r < 0 ? r : check_root(old, new, reterr_error);
}
