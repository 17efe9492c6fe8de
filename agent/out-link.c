/*
 * Private out-links. Each lies in a folder of its own, whose lock tells that its owner is alive;
 * what a killed owner has left would root a whole system for good, and is taken away by the next
 * one.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "out-link.h"
#include "text.h"

#define NOTHING_CHANGED "Nothing was changed."
#define FOLDER_PREFIX   "build-"
#define LINK_NAME       "result"
#define FOLDER_TRIES    16U

static bool is_own_directory(const char *path) {
        struct stat st;

        return path && path[0] == '/' && stat(path, &st) >= 0 && S_ISDIR(st.st_mode) &&
               st.st_uid == geteuid() && !(st.st_mode & S_IWOTH);
}

static int add_base(const char *parent, const char *name, StringList *bases) {
        char *base;
        int r;

        if (!is_own_directory(parent))
                return 0;
        r = text_printf(&base, "%s/%s", parent, name);
        return r < 0 ? r : string_list_take(bases, base);
}

/* Directories of ours below which nobody else can put anything in our way, the best one first.
 * Under sudo the variables may be those of somebody else, and their home must not get files of
 * root's. */
static int find_bases(StringList *bases) {
        const char *home = getenv("HOME");
        const struct passwd *user;
        int r;

        r = add_base(getenv("XDG_RUNTIME_DIR"), "enact", bases);
        if (r >= 0)
                r = add_base(getenv("XDG_CACHE_HOME"), "enact", bases);
        if (!is_own_directory(home)) {
                user = getpwuid(geteuid());
                home = user ? user->pw_dir : NULL;
        }
        return r < 0 ? r : add_base(home, ".cache/enact", bases);
}

/* A folder whose lock nobody holds has no owner any more. */
static void sweep_folder(int base_fd, const char *name) {
        _cleanup_close_ int fd =
                openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
                return;
        (void) unlinkat(fd, LINK_NAME, 0);
        (void) unlinkat(base_fd, name, AT_REMOVEDIR);
}

static void sweep(const char *base) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int base_fd = -EBADF;

        if (!is_own_directory(base) || file_open_directory(AT_FDCWD, base, &base_fd) < 0 ||
            file_list(base_fd, ".", &names) < 0)
                return;
        for (size_t i = 0; i < names.n; i++)
                if (text_after_prefix(names.items[i], FOLDER_PREFIX))
                        sweep_folder(base_fd, names.items[i]);
}

/* Answers -EAGAIN where somebody who sweeps was faster than our lock. */
static int try_folder(const char *base, OutLink *link) {
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        r = text_printf(&directory, "%s/" FOLDER_PREFIX "XXXXXX", base);
        if (r < 0)
                return r;
        if (!mkdtemp(directory))
                return -errno;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? -EAGAIN : -errno;
        if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0) {
                r = -errno;
                (void) rmdir(directory);
                return r;
        }
        if (st.st_nlink == 0 || stat(directory, &st) < 0)
                return -EAGAIN;

        r = text_printf(&link->path, "%s/" LINK_NAME, directory);
        if (r < 0)
                return r;
        link->directory = TAKE_PTR(directory);
        link->lock_fd = TAKE_FD(fd);
        return 0;
}

static int make_folder(const char *base, OutLink *link) {
        int r;

        r = file_make_directories(base, 0700);
        if (r >= 0 && !is_own_directory(base))
                r = -EPERM;
        if (r < 0)
                return r;
        for (unsigned i = 0; i < FOLDER_TRIES; i++) {
                r = try_folder(base, link);
                if (r != -EAGAIN)
                        return r;
        }
        return r;
}

/**
 * out_link_make() - a place for a link, and none of those that killed processes have left
 * @ret: owned by the caller
 *
 * Return: 0, -ENOMEM, or a negative errno with @reterr_error set.
 */
int out_link_make(OutLink **ret, sd_bus_error *reterr_error) {
        _cleanup_(out_link_freep) OutLink *link = NULL;
        _cleanup_(string_list_done) StringList bases = { 0 };
        int r;

        link = malloc(sizeof(*link));
        if (!link)
                return -ENOMEM;
        *link = (OutLink){ .lock_fd = -EBADF };

        r = find_bases(&bases);
        if (r < 0)
                return r;
        if (bases.n == 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "There is no directory of yours for the link to the "
                                         "result: set HOME or XDG_CACHE_HOME. " NOTHING_CHANGED);
        for (size_t i = 0; i < bases.n; i++)
                sweep(bases.items[i]);
        r = make_folder(bases.items[0], link);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot make a directory in '%s': %s. " NOTHING_CHANGED,
                                         bases.items[0], strerror(-r));

        *ret = TAKE_PTR(link);
        return 0;
}

/** out_link_free() - let go of the result; what nobody else has rooted may be collected from now
 * on.
 */
OutLink *out_link_free(OutLink *link) {
        if (!link)
                return NULL;

        if (link->path)
                (void) unlink(link->path);
        if (link->directory)
                (void) rmdir(link->directory);
        (void) fd_close(link->lock_fd);
        free(link->path);
        free(link->directory);
        free(link);
        return NULL;
}
