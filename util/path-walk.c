/*
 * Where a path leads, if the directory that is given were the root. What is not there stays as it
 * is written, so that a mount point may be named before it is made.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "path-walk.h"
#include "text.h"

#define LINKS_MAX 32U /* as systemd follows them */

/* A way that is being gone: "/done" was walked, @ahead is still to be. */
typedef struct Walk {
        int root_fd, at_fd;
        char *done; /* "" at the root */
        char *ahead;
        unsigned int n_links;
        bool gone; /* nothing of what follows is there */
} Walk;

static void walk_done(Walk *walk) {
        walk->at_fd = fd_close(walk->at_fd);
        free(walk->done);
        free(walk->ahead);
}

static int open_part(int dir_fd, const char *name, int *ret_fd) {
        int fd = openat(dir_fd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static int walk_to_root(Walk *walk) {
        *walk->done = '\0';
        walk->at_fd = fd_close(walk->at_fd);
        return open_part(walk->root_fd, ".", &walk->at_fd);
}

static int walk_up(Walk *walk) {
        char *slash = strrchr(walk->done, '/');
        int parent_fd = -EBADF, r;

        if (!slash)
                return 0; /* above the root is the root */
        *slash = '\0';
        r = open_part(slash == walk->done ? walk->root_fd : walk->at_fd,
                      slash == walk->done ? "." : "..", &parent_fd);
        if (r < 0)
                return r;
        (void) fd_close(walk->at_fd);
        walk->at_fd = parent_fd;
        return 0;
}

static int append(char **text, const char *more) {
        char *both;
        int r;

        r = text_printf(&both, "%s/%s", *text, more);
        if (r < 0)
                return r;
        free(*text);
        *text = both;
        return 0;
}

static int walk_follow(Walk *walk, const char *target, const char *rest) {
        char *ahead;
        int r;

        if (++walk->n_links > LINKS_MAX)
                return -ELOOP;
        r = text_printf(&ahead, "%s/%s", target, rest);
        if (r < 0)
                return r;
        free(walk->ahead);
        walk->ahead = ahead;
        return *target == '/' ? walk_to_root(walk) : 0;
}

static int walk_on(Walk *walk, const char *name, const char *rest) {
        int r;

        r = append(&walk->done, name);
        if (r >= 0)
                memmove(walk->ahead, rest, strlen(rest) + 1);
        return r;
}

/* Nothing is asked of the file itself: it may lie on a server that does not answer. */
static int walk_into(Walk *walk, const char *name, const char *rest) {
        _cleanup_free_ char *target = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = open_part(walk->at_fd, name, &fd);
        if (r < 0)
                return r;
        r = file_readlink(fd, "", &target);
        if (r >= 0)
                return walk_follow(walk, target, rest);
        if (r == -ENOMEM)
                return r; /* all else says that it is no link */

        (void) fd_close(walk->at_fd);
        walk->at_fd = TAKE_FD(fd);
        return walk_on(walk, name, rest);
}

/* Whether a path leads down only, so that it is known without being there. */
static bool leads_down(const char *path) {
        size_t n;

        for (const char *p = path + strspn(path, "/"); *p; p += n, p += strspn(p, "/")) {
                n = strcspn(p, "/");
                if (n == 2 && strncmp(p, "..", n) == 0)
                        return false;
        }
        return true;
}

/* The next part of the way; 1: it is at its end. */
static int walk_step(Walk *walk) {
        char *begin = walk->ahead + strspn(walk->ahead, "/");
        size_t n = strcspn(begin, "/");
        _cleanup_free_ char *name = strndup(begin, n), *rest = strdup(begin + n);
        int r;

        if (!name || !rest)
                return -ENOMEM;
        if (n == 0)
                return 1;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
                r = name[1] ? walk_up(walk) : 0;
                memmove(walk->ahead, rest, strlen(rest) + 1);
                return r;
        }

        r = walk->gone ? -ENOENT : walk_into(walk, name, rest);
        if (r != -ENOENT || !leads_down(rest))
                return r;
        walk->gone = true;
        return walk_on(walk, name, rest);
}

/**
 * path_walk() - follow the links on the way to a path
 * @root_fd:  directory that counts as the root
 * @path:     absolute; its last part is followed as well, and need not be there
 * @ret_path: absolute below that root; owned by the caller
 *
 * Source: systemd's fstab generator canonicalizes mount points in this way.
 *
 * Return: 0, -ELOOP, -ENOTDIR, -ENOMEM, or an errno of openat(2).
 */
int path_walk(int root_fd, const char *path, char **ret_path) {
        _cleanup_(walk_done) Walk walk = {
                .root_fd = root_fd,
                .at_fd = -EBADF,
                .done = strdup(""),
                .ahead = strdup(path),
        };
        int r;

        assert(root_fd >= 0);

        if (!walk.done || !walk.ahead)
                return -ENOMEM;
        r = walk_to_root(&walk);
        while (r == 0)
                r = walk_step(&walk);
        if (r < 0)
                return r;
        *ret_path = *walk.done ? TAKE_PTR(walk.done) : strdup("/");
        return *ret_path ? 0 : -ENOMEM;
}
