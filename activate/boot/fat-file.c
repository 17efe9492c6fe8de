/*
 * Files on FAT, which has no journal. The order of calls that is right on other file systems
 * (write, fsync, rename, fsync the directory) leaves an empty file there for certain, since a
 * rename makes a name without size or clusters that only a later write of the file's own inode
 * fills. What is done here instead was measured, by replaying every state that a power cut can
 * leave: a new file: written under another name, read back, renamed, and then synced once more
 * itself; one that is replaced: exchanged in one step, never renamed over; a barrier: syncfs, and
 * an fsync after it, which alone has the drive flush its cache. After EROFS or EIO nothing is done
 * any more, not even to tidy up.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "fat-file.h"
#include "file.h"
#include "text.h"

#define CHUNK_BYTES ((size_t) 256 * 1024)

/* One file on its way: under which name, and what is being done, for the words. */
typedef struct Writing {
        const FatDirectory *directory;
        const char *name;
        char *temporary;
        int fd;
        const char *step;
} Writing;

static void writing_done(Writing *writing) {
        free(writing->temporary);
        (void) fd_close(writing->fd);
}

static int could_not(int r, const char *step, const FatDirectory *directory, const char *name,
                     sd_bus_error *reterr_error) {
        if (r >= 0 || r == -ENOMEM)
                return r;
        (void) sd_bus_error_setf(
                reterr_error, ENACT_ERROR_BOOT_MENU, "Cannot %s '%s/%s': %s%s", step,
                directory->path, name, strerror(-r),
                r == -ENOSPC ? " (the boot partition is full)." :
                r == -EIO    ? " (the boot partition is damaged; nothing was deleted)." :
                r == -EROFS  ? " (the boot partition is read-only; nothing was deleted)." :
                               ".");
        return r;
}

/** fat_source_of_text() - a file that is to hold @text, which must outlive it. */
FatSource fat_source_of_text(const char *text) {
        FatSource source = { .fd = -EBADF, .bytes = text };

        digest_of_bytes(text, strlen(text), &source.digest);
        return source;
}

static int sync_fd(int fd) {
        return fsync(fd) < 0 ? -errno : 0;
}

static int unlink_if_there(int dir_fd, const char *name) {
        return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int begin(Writing *writing) {
        int dir_fd = writing->directory->fd, r;

        writing->step = "prepare";
        r = text_printf(&writing->temporary, "%s" FAT_TEMPORARY_SUFFIX, writing->name);
        if (r >= 0)
                r = unlink_if_there(dir_fd, writing->temporary);
        if (r < 0)
                return r;
        writing->fd = openat(dir_fd, writing->temporary,
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        return writing->fd < 0 ? -errno : 0;
}

/* Room first, so that a full partition is told before anything is written. */
static int reserve(Writing *writing, uint64_t size) {
        writing->step = "make room for";
        if (size == 0 || fallocate(writing->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) size) >= 0)
                return 0;
        return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
}

static int copy(int from_fd, int to_fd) {
        _cleanup_free_ char *chunk = malloc(CHUNK_BYTES);
        off_t at = 0;

        if (!chunk)
                return -ENOMEM;
        for (;;) {
                ssize_t n = pread(from_fd, chunk, CHUNK_BYTES, at);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                r = file_append(to_fd, chunk, (size_t) n);
                if (r < 0)
                        return r;
                at += n;
        }
}

static int fill(Writing *writing, const FatSource *source) {
        int r = reserve(writing, source->digest.size);

        if (r < 0)
                return r;
        writing->step = "write";
        if (source->fd >= 0)
                r = copy(source->fd, writing->fd);
        else
                r = file_append(writing->fd, source->bytes, source->digest.size);
        if (r < 0)
                return r;
        writing->step = "sync";
        return sync_fd(writing->fd);
}

static int read_back(Writing *writing, const FatSource *source) {
        Digest digest;
        int r;

        writing->step = "read back";
        r = digest_of_file(writing->directory->fd, writing->temporary, &digest);
        if (r < 0)
                return r;
        return digest_equal(&digest, &source->digest) ? 0 : -EBADMSG;
}

/* What was begun is taken away again, unless the file system takes no more. */
static int give_up(const Writing *writing, int r, sd_bus_error *reterr_error) {
        if (r != -EIO && r != -EROFS && writing->fd >= 0)
                (void) unlinkat(writing->directory->fd, writing->temporary, 0);
        return could_not(r, writing->step, writing->directory, writing->name, reterr_error);
}

static int write_temporary(Writing *writing, const FatSource *source) {
        int r = begin(writing);

        if (r >= 0)
                r = fill(writing, source);
        return r < 0 ? r : read_back(writing, source);
}

/**
 * fat_file_add() - a new file of a name that was never used for other bytes
 *
 * A name that is there already is not touched.
 *
 * Return: 0 once it is durable; -EEXIST, -ENOSPC, -EBADMSG if other bytes are read back than were
 * written, or an errno of the step that failed, each with @reterr_error set; -ENOMEM.
 */
int fat_file_add(const FatDirectory *directory, const char *name, const FatSource *source,
                 sd_bus_error *reterr_error) {
        _cleanup_(writing_done) Writing writing = { directory, name, .fd = -EBADF };
        int r;

        r = write_temporary(&writing, source);
        if (r < 0)
                return give_up(&writing, r, reterr_error);

        writing.step = "name";
        if (renameat2(directory->fd, writing.temporary, directory->fd, name, RENAME_NOREPLACE) < 0)
                return give_up(&writing, -errno, reterr_error);

        /* Only now does the name get its size and clusters. */
        r = sync_fd(writing.fd);
        if (r >= 0)
                r = sync_fd(directory->fd);
        return could_not(r, "sync", directory, name, reterr_error);
}

static int exchange(Writing *writing, int old_fd) {
        const FatDirectory *directory = writing->directory;
        int r;

        writing->step = "prepare";
        r = sync_fd(directory->fd);
        if (r < 0)
                return r;
        writing->step = "exchange";
        if (renameat2(directory->fd, writing->temporary, directory->fd, writing->name,
                      RENAME_EXCHANGE) < 0)
                return -errno;
        writing->step = "sync";
        r = sync_fd(writing->fd);
        if (r >= 0)
                r = sync_fd(old_fd);
        if (r >= 0)
                r = sync_fd(directory->fd);
        return r;
}

/**
 * fat_file_replace() - other bytes for a file, in one step; one that is not there is added
 *
 * Return: as fat_file_add(); -EINVAL if the kernel cannot exchange two files there (before 6.0).
 * Then the old file stands as it was.
 */
int fat_file_replace(const FatDirectory *directory, const char *name, const FatSource *source,
                     sd_bus_error *reterr_error) {
        _cleanup_(writing_done) Writing writing = { directory, name, .fd = -EBADF };
        _cleanup_close_ int old_fd = -EBADF;
        int r;

        old_fd = openat(directory->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (old_fd < 0 && errno == ENOENT)
                return fat_file_add(directory, name, source, reterr_error);
        if (old_fd < 0)
                return could_not(-errno, "open", directory, name, reterr_error);

        r = write_temporary(&writing, source);
        if (r >= 0)
                r = exchange(&writing, old_fd);
        if (r < 0)
                return strcmp(writing.step, "sync") == 0 ?
                               could_not(r, "sync", directory, name, reterr_error) :
                               give_up(&writing, r, reterr_error);
        return fat_file_remove(directory, writing.temporary, reterr_error);
}

/**
 * fat_file_rename() - another name for a file, durably: never over one that is there
 *
 * Return: 0, -EEXIST, -ENOENT, or an errno of the step that failed, with @reterr_error set.
 */
int fat_file_rename(const FatDirectory *directory, const char *from, const char *to,
                    sd_bus_error *reterr_error) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = openat(directory->fd, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || renameat2(directory->fd, from, directory->fd, to, RENAME_NOREPLACE) < 0)
                return could_not(-errno, "rename", directory, from, reterr_error);
        r = sync_fd(fd);
        if (r >= 0)
                r = sync_fd(directory->fd);
        return could_not(r, "sync", directory, to, reterr_error);
}

/** fat_file_remove() - take a file away, durably; 0 also if it is not there. */
int fat_file_remove(const FatDirectory *directory, const char *name, sd_bus_error *reterr_error) {
        int r = unlink_if_there(directory->fd, name);

        if (r >= 0)
                r = sync_fd(directory->fd);
        return could_not(r, "remove", directory, name, reterr_error);
}

/**
 * fat_file_check() - whether a file holds what it must
 *
 * Return: 0, FAT_FILE_ABSENT, FAT_FILE_DIFFERS, or an errno of open(2) or read(2).
 */
int fat_file_check(const FatDirectory *directory, const char *name, const Digest *digest) {
        struct stat st;
        Digest now;
        int r;

        if (fstatat(directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? FAT_FILE_ABSENT : -errno;
        if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size != digest->size)
                return FAT_FILE_DIFFERS;
        r = digest_of_file(directory->fd, name, &now);
        if (r < 0)
                return r;
        return digest_equal(&now, digest) ? 0 : FAT_FILE_DIFFERS;
}

/** fat_directory_make() - a directory, durably; 0 also if it is there. */
int fat_directory_make(const FatDirectory *directory, const char *name,
                       sd_bus_error *reterr_error) {
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        if (mkdirat(directory->fd, name, 0755) < 0) {
                if (errno == EEXIST)
                        return 0;
                return could_not(-errno, "make", directory, name, reterr_error);
        }
        r = file_open_directory(directory->fd, name, &fd);
        if (r >= 0)
                r = sync_fd(fd);
        if (r >= 0)
                r = sync_fd(directory->fd);
        return could_not(r, "sync", directory, name, reterr_error);
}

/** fat_barrier() - all that was done on the file system is on the disk; 0, or an errno. */
int fat_barrier(const FatDirectory *directory, sd_bus_error *reterr_error) {
        int r = syncfs(directory->fd) < 0 ? -errno : sync_fd(directory->fd);

        return could_not(r, "sync the file system of", directory, ".", reterr_error);
}
