/* Lock files: one writer at a time, and a name for whoever is in the way. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "file-lock.h"
#include "file.h"
#include "text.h"

/**
 * file_lock() - take a lock file without waiting
 * @path:   made if it is missing, never removed; closed to others, who could lock what they can
 * read
 * @ret_fd: holds the lock until it is closed; close-on-exec, so no child prolongs it
 *
 * Return: 0, LOCK_HELD, or an errno of open(2) or flock(2).
 */
int file_lock(const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;

        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? LOCK_HELD : -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF"; other lines are passed
 * over. */
static bool parse_lock_line(const char *line, const struct stat *st, pid_t *ret_pid) {
        unsigned major, minor;
        uintmax_t inode;
        int pid;

        if (strstr(line, "->") ||
            sscanf(line, "%*[0-9]: FLOCK %*s %*s %d %x:%x:%ju", &pid, &major, &minor, &inode) != 4)
                return false;
        if (inode != (uintmax_t) st->st_ino || pid <= 0)
                return false;

        *ret_pid = pid;
        return true;
}

/* Whoever can open a lock file is its owner or root; another one's lock is on another file that has
 * the same inode number elsewhere. */
static bool is_of(pid_t pid, uid_t owner) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (text_printf(&path, "/proc/%d", pid) < 0)
                return false;
        if (stat(path, &st) < 0) /* hidden from a plain user, who can only believe it */
                return geteuid() != 0;
        return st.st_uid == 0 || st.st_uid == owner;
}

static int command_of(pid_t pid, char **ret_command) {
        _cleanup_free_ char *path = NULL;
        char *command;
        size_t n;
        int r;

        r = text_printf(&path, "/proc/%d/cmdline", pid);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &command, &n);
        if (r == -ENOMEM)
                return r;
        if (r < 0) { /* others' processes may be hidden from us (hidepid=); somebody it is */
                *ret_command = strdup("unknown");
                return *ret_command ? 0 : -ENOMEM;
        }

        for (size_t i = 0; i + 1 < n; i++)
                if (command[i] == '\0')
                        command[i] = ' ';
        *ret_command = command;
        return 0;
}

/**
 * file_lock_holder() - who has a lock that file_lock() did not get
 * @ret_command: its command line; owned by the caller
 *
 * The kernel's table is the truth: a name written into the file could be that of a dead process.
 * File systems that show another device number here than stat(2) does (btrfs, overlayfs) are why
 * only the inode is compared.
 *
 * Return: 0, -ESRCH if nobody is seen to have it (any more), or an errno of reading /proc.
 */
int file_lock_holder(const char *path, pid_t *ret_pid, char **ret_command) {
        _cleanup_free_ char *line = NULL;
        size_t allocated = 0;
        bool found = false;
        struct stat st;
        FILE *locks;

        if (stat(path, &st) < 0)
                return -errno;
        locks = fopen("/proc/locks", "re"); /* line by line: a server may have very many */
        if (!locks)
                return -errno;
        while (!found && getline(&line, &allocated, locks) > 0)
                found = parse_lock_line(line, &st, ret_pid) && is_of(*ret_pid, st.st_uid);
        (void) fclose(locks);
        return found ? command_of(*ret_pid, ret_command) : -ESRCH;
}
