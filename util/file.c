/*
 * Files that must be whole after a power cut. Whatever is replaced is first written beside its
 * place, made durable, renamed over it, and the rename itself made durable.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "file.h"
#include "text.h"

#define TEMPORARY_NAME_TRIES 16U
#define TEMPORARY_DIGITS     16

/**
 * file_readlink() - where a symbolic link points
 * @ret_target: as it stands in the link; owned by the caller
 *
 * Return: 0, -EINVAL if @path is no link, or an errno of readlinkat(2).
 */
int file_readlink(int dir_fd, const char *path, char **ret_target) {
        char target[PATH_MAX];
        ssize_t n;

        n = readlinkat(dir_fd, path, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';

        *ret_target = strdup(target);
        return *ret_target ? 0 : -ENOMEM;
}

/** file_realpath() - the path with all links resolved; 0 or an errno of realpath(3). */
int file_realpath(const char *path, char **ret_path) {
        char *resolved = realpath(path, NULL);

        if (!resolved)
                return -errno;
        *ret_path = resolved;
        return 0;
}

/* @size is what the file is said to have, which is nothing for those that the kernel makes up. One
 * byte more is asked for: where it does not come, that was the end, and no other call is needed. */
static int read_all(int fd, size_t size, size_t max_bytes, char **ret_text, size_t *ret_n) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0, allocated = 0, wanted = size > 0 ? size + 2 : 4096;

        for (;;) {
                ssize_t k;

                if (allocated - n < 2) {
                        char *more = realloc(text, wanted);

                        if (!more)
                                return -ENOMEM;
                        text = more;
                        allocated = wanted;
                        wanted *= 2;
                }

                k = read(fd, text + n, allocated - n - 1);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t) k;
                if (n > max_bytes)
                        return -EFBIG;
                if (n == size)
                        break;
        }

        text[n] = '\0';
        *ret_text = TAKE_PTR(text);
        if (ret_n)
                *ret_n = n;
        return 0;
}

/**
 * file_read() - a whole regular file
 * @max_bytes: a longer file is refused
 * @ret_text:  its bytes and a closing NUL; owned by the caller
 * @ret_n:     number of bytes, without that NUL; may be NULL
 *
 * Never hangs on a FIFO or a device: only regular files are read.
 *
 * Return: 0, -EFBIG, -EISDIR, -ENXIO for what is no file, or an errno of openat(2) or read(2).
 */
int file_read(int dir_fd, const char *path, size_t max_bytes, char **ret_text, size_t *ret_n) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -ENXIO;

        if ((uintmax_t) st.st_size > max_bytes)
                return -EFBIG;
        return read_all(fd, (size_t) st.st_size, max_bytes, ret_text, ret_n);
}

/**
 * file_read_line() - the first line of a short file, without its newline
 *
 * Return: 0 or an error of file_read().
 */
int file_read_line(int dir_fd, const char *path, char **ret_line) {
        char *text;
        int r;

        r = file_read(dir_fd, path, FILE_SMALL_MAX, &text, NULL);
        if (r < 0)
                return r;

        text[strcspn(text, "\n")] = '\0';
        *ret_line = text;
        return 0;
}

/** file_append() - write all of @text to @fd; 0 or an errno of write(2). */
int file_append(int fd, const char *text, size_t n) {
        while (n > 0) {
                ssize_t k = write(fd, text, n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                text += k;
                n -= (size_t) k;
        }
        return 0;
}

/* The directory that holds @path, open, so that it can be synced after a rename inside it. */
static int open_parent(int dir_fd, const char *path, int *ret_fd) {
        _cleanup_free_ char *parent = NULL;
        const char *slash = strrchr(path, '/');

        if (!slash)
                parent = strdup(".");
        else if (slash == path)
                parent = strdup("/");
        else
                parent = strndup(path, (size_t) (slash - path));
        if (!parent)
                return -ENOMEM;

        return file_open_directory(dir_fd, parent, ret_fd);
}

/** file_base_name() - what stands behind the last slash; part of @path. */
const char *file_base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static int temporary_name(const char *name, char **ret_name) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return -EIO;
        return text_printf(ret_name, ".%s.%0*jx", name, TEMPORARY_DIGITS, (uintmax_t) random);
}

/* Puts the finished @temporary in the place of @name and makes that durable; removes it if that
 * fails. */
static int rename_durably(int parent_fd, const char *temporary, const char *name) {
        int r;

        if (fsync(parent_fd) < 0 || renameat(parent_fd, temporary, parent_fd, name) < 0) {
                r = -errno;
                (void) unlinkat(parent_fd, temporary, 0);
                return r;
        }
        return fsync(parent_fd) < 0 ? -errno : 0;
}

static int write_temporary(int parent_fd, const char *temporary, const char *text, mode_t mode) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = openat(parent_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    mode);
        if (fd < 0)
                return -errno;

        r = file_append(fd, text, strlen(text));
        if (r >= 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
                r = -errno;
        if (r < 0)
                (void) unlinkat(parent_fd, temporary, 0);
        return r;
}

/**
 * file_write() - replace a file by @text, whole or not at all
 * @mode: its permission bits, whatever the umask is
 *
 * Return: 0, or an errno of openat(2), write(2), fsync(2) or renameat(2); the old file then stands.
 */
int file_write(int dir_fd, const char *path, const char *text, mode_t mode) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int parent_fd = -EBADF;
        int r;

        r = open_parent(dir_fd, path, &parent_fd);
        if (r < 0)
                return r;

        r = temporary_name(file_base_name(path), &temporary);
        if (r < 0)
                return r;

        r = write_temporary(parent_fd, temporary, text, mode);
        if (r < 0)
                return r;

        return rename_durably(parent_fd, temporary, file_base_name(path));
}

/**
 * file_symlink() - make or replace the symbolic link @path, whole or not at all
 * @target: what it holds; what that names must be durable already
 *
 * Return: 0, or an errno of symlinkat(2), fsync(2) or renameat(2); the old link then stands.
 */
int file_symlink(int dir_fd, const char *target, const char *path) {
        _cleanup_close_ int parent_fd = -EBADF;
        int r;

        r = open_parent(dir_fd, path, &parent_fd);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < TEMPORARY_NAME_TRIES; i++) {
                _cleanup_free_ char *temporary = NULL;

                r = temporary_name(file_base_name(path), &temporary);
                if (r < 0)
                        return r;
                if (symlinkat(target, parent_fd, temporary) >= 0)
                        return rename_durably(parent_fd, temporary, file_base_name(path));
                if (errno != EEXIST)
                        return -errno;
        }
        return -EEXIST;
}

/** file_remove() - take a name away, durably; 0, or an errno of unlinkat(2) or fsync(2). */
int file_remove(const char *directory, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(AT_FDCWD, directory, &fd);
        if (r < 0)
                return r;
        if (unlinkat(fd, name, 0) < 0)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

/* As temporary_name() makes them. */
static int is_temporary(const struct dirent *entry) {
        const char *dot = strrchr(entry->d_name, '.');

        return *entry->d_name == '.' && dot > entry->d_name + 1 &&
               strlen(dot + 1) == TEMPORARY_DIGITS &&
               strspn(dot + 1, "0123456789abcdef") == TEMPORARY_DIGITS;
}

/**
 * file_remove_temporaries() - take away what file_write() and file_symlink() of a process that was
 * killed have left
 *
 * The caller knows that no other process writes there now.
 *
 * Return: 0, or an errno of scandir(3) or unlinkat(2).
 */
int file_remove_temporaries(const char *directory) {
        _cleanup_close_ int fd = -EBADF;
        struct dirent **names;
        int n, r;

        r = file_open_directory(AT_FDCWD, directory, &fd);
        if (r < 0)
                return r;
        n = scandirat(fd, ".", &names, is_temporary, NULL);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (unlinkat(fd, names[i]->d_name, 0) < 0 && errno != ENOENT && r >= 0)
                        r = -errno;
                free(names[i]);
        }
        free(names);
        return r;
}

static int sync_parent(const char *path) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = open_parent(AT_FDCWD, path, &fd);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

/**
 * file_make_directories() - make an absolute directory and those above it, durably
 * @mode: permission bits of those that are made, whatever the umask is
 *
 * Return: 0 (also if it is there), or an errno of mkdir(2), chmod(2) or fsync(2).
 */
int file_make_directories(const char *path, mode_t mode) {
        _cleanup_free_ char *partial = strdup(path);
        int r;

        if (!partial)
                return -ENOMEM;

        for (char *p = partial + 1;; p++) {
                char at = *p;

                if (at != '/' && at != '\0')
                        continue;
                *p = '\0';
                if (mkdir(partial, mode) >= 0)
                        r = chmod(partial, mode) < 0 ? -errno : sync_parent(partial);
                else
                        r = errno == EEXIST ? 0 : -errno;
                if (r < 0)
                        return r;
                if (at == '\0')
                        return 0;
                *p = at;
        }
}

/** file_open_directory() - a directory to work below; 0 or an errno of openat(2). */
int file_open_directory(int dir_fd, const char *path, int *ret_fd) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/**
 * file_open_standard() - /dev/null for each of descriptors 0 to 2 that the caller has closed
 *
 * Otherwise the next file or socket gets that number, and words for a person are written into it.
 *
 * Return: 0 or an errno of open(2).
 */
int file_open_standard(void) {
        int fd;

        do {
                fd = open("/dev/null", O_RDWR);
                if (fd < 0)
                        return -errno;
        } while (fd <= STDERR_FILENO);
        (void) close(fd);
        return 0;
}

/** file_sync_filesystem() - make the file system that holds @path durable; 0 or an errno of
 * syncfs(2). */
int file_sync_filesystem(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return syncfs(fd) < 0 ? -errno : 0;
}

typedef struct Aged {
        char *name;
        bool newest; /* whatever its time says */
        struct timespec made;
} Aged;

static int compare_newest_first(const void *a, const void *b) {
        const struct timespec *x = &((const Aged *) a)->made, *y = &((const Aged *) b)->made;

        if (((const Aged *) a)->newest != ((const Aged *) b)->newest)
                return ((const Aged *) a)->newest ? -1 : 1;
        if (x->tv_sec != y->tv_sec)
                return x->tv_sec > y->tv_sec ? -1 : 1;
        return x->tv_nsec > y->tv_nsec ? -1 : x->tv_nsec < y->tv_nsec;
}

static int is_visible(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

/**
 * file_list() - the names in a directory but the hidden ones, in their order
 * @names: added to
 *
 * Return: 0, -ENOMEM, or an errno of openat(2).
 */
int file_list(int dir_fd, const char *path, StringList *names) {
        _cleanup_close_ int fd = -EBADF;
        struct dirent **entries;
        int n, r;

        r = file_open_directory(dir_fd, path, &fd);
        if (r < 0)
                return r;
        n = scandirat(fd, ".", &entries, is_visible, NULL);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = string_list_add(names, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        string_list_sort(names);
        return r;
}

/**
 * file_keep_newest() - remove all files of a directory but those made last
 * @newest: the one that was made last in any case, whatever its time says: the clock may have been
 *          set back; may be NULL
 * @n_kept: how many stay; hidden ones are left alone and not counted
 *
 * Return: 0, -ENOMEM, or an errno of openat(2).
 */
int file_keep_newest(const char *directory, const char *newest, size_t n_kept) {
        _cleanup_close_ int dir_fd = -EBADF;
        _cleanup_free_ Aged *files = NULL;
        struct dirent **entries;
        size_t n_files = 0;
        int n, r;

        r = file_open_directory(AT_FDCWD, directory, &dir_fd);
        if (r < 0)
                return r;
        n = scandirat(dir_fd, ".", &entries, is_visible, NULL);
        if (n < 0)
                return -errno;

        files = calloc((size_t) n + 1, sizeof(*files));
        for (int i = 0; files && i < n; i++) {
                struct stat st;

                if (fstatat(dir_fd, entries[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                files[n_files++] = (Aged){
                        .name = entries[i]->d_name,
                        .newest = newest && strcmp(entries[i]->d_name, newest) == 0,
                        .made = st.st_mtim,
                };
        }
        if (n_files > 1)
                qsort(files, n_files, sizeof(*files), compare_newest_first);
        for (size_t i = n_kept; i < n_files; i++)
                (void) unlinkat(dir_fd, files[i].name, 0);

        for (int i = 0; i < n; i++)
                free(entries[i]);
        free(entries);
        return files ? 0 : -ENOMEM;
}
