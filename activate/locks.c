/* The two locks of whoever changes this host's systems: ours, and the one that NixOS' own program
 * takes. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "locks.h"
#include "profile.h"
#include "text.h"

#define PAUSE_MSEC 100

static int wait_for_lock(const char *path, uint64_t limit_usec, int *ret_fd) {
        uint64_t deadline = clock_monotonic_usec() + limit_usec;
        int r;

        for (;;) {
                r = file_lock(path, ret_fd);
                if (r != LOCK_HELD || clock_monotonic_usec() >= deadline)
                        return r;
                (void) poll(NULL, 0, PAUSE_MSEC);
        }
}

static int take_lock(const char *path, uint64_t limit_usec, int *ret_fd,
                     sd_bus_error *reterr_error) {
        _cleanup_free_ char *command = NULL;
        pid_t pid;
        int r;

        r = wait_for_lock(path, limit_usec, ret_fd);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot lock '%s': %s. Nothing was changed.", path,
                                         strerror(-r));
        if (r != LOCK_HELD)
                return 0;

        if (file_lock_holder(path, &pid, &command) < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                         "Another switch is under way: somebody holds '%s'. "
                                         "Nothing was changed.",
                                         path);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                 "Another switch is under way: process %d ('%s') holds '%s'. "
                                 "Nothing was changed.",
                                 pid, command, path);
}

static int make_directory(const char *parent, const char *name, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s%s%s", parent, *name ? "/" : "", name);
        if (r >= 0)
                r = file_make_directories(path, 0755);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot make the directory '%s': %s. Nothing was changed.",
                                         path ? path : parent, strerror(-r));
        return 0;
}

/* What processes that were killed have left half-made; nobody else writes now. Nix takes such a
 * link for a root as well. */
static void sweep(const TransactionPlaces *places) {
        const char *const directories[][2] = {
                { places->state, "" },      { places->state, "/history" },
                { places->profiles, "" },   { places->profiles, "/" SYSTEM_PROFILES },
                { places->roots, "" },      { places->roots, "/failed" },
                { places->roots, "/menu" }, { places->roots, "/pins" },
        };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_free_ char *path = NULL;

                if (text_printf(&path, "%s%s", directories[i][0], directories[i][1]) >= 0)
                        (void) file_remove_temporaries(path);
        }
}

/**
 * locks_take() - be the only one that switches here, in a tidy place
 * @places: their state, roots and nixos directories are made where they are missing
 * @limit_usec: how long somebody else's end is waited for
 * @ret_fd: ours, taken first; held until it is closed
 * @ret_nixos_fd: NixOS'
 *
 * Return: 0, or a negative errno with @reterr_error set; ENACT_ERROR_BUSY names who is in the way.
 */
int locks_take(const TransactionPlaces *places, uint64_t limit_usec, int *ret_fd, int *ret_nixos_fd,
               sd_bus_error *reterr_error) {
        _cleanup_free_ char *ours = NULL, *nixos = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = make_directory(places->state, "history", reterr_error);
        if (r >= 0)
                r = make_directory(places->roots, "failed", reterr_error);
        if (r >= 0)
                r = make_directory(places->nixos, "", reterr_error);
        if (r < 0)
                return r;

        if (text_printf(&ours, "%s/lock", places->state) < 0 ||
            text_printf(&nixos, "%s/switch-to-configuration.lock", places->nixos) < 0)
                return -ENOMEM;
        r = take_lock(ours, limit_usec, &fd, reterr_error);
        if (r >= 0)
                r = take_lock(nixos, limit_usec, ret_nixos_fd, reterr_error);
        if (r < 0)
                return r;

        sweep(places);
        *ret_fd = TAKE_FD(fd);
        return 0;
}
