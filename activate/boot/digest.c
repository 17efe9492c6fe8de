/* Digests: what a file must be, and what it is, read from the disk and not from memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "digest.h"

#define CHUNK_BYTES ((size_t) 256 * 1024)

void digest_of_bytes(const void *bytes, size_t n, Digest *ret) {
        (void) crypto_hash_sha256(ret->bytes, bytes, n);
        ret->size = n;
}

/** digest_of_fd() - from where @fd stands to the end; 0, -ENOMEM or an errno of read(2). */
int digest_of_fd(int fd, Digest *ret) {
        _cleanup_free_ unsigned char *chunk = malloc(CHUNK_BYTES);
        crypto_hash_sha256_state state;
        uint64_t size = 0;

        if (!chunk)
                return -ENOMEM;
        (void) crypto_hash_sha256_init(&state);
        for (;;) {
                ssize_t n = read(fd, chunk, CHUNK_BYTES);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                (void) crypto_hash_sha256_update(&state, chunk, (size_t) n);
                size += (uint64_t) n;
        }
        (void) crypto_hash_sha256_final(&state, ret->bytes);
        ret->size = size;
        return 0;
}

/**
 * digest_of_file() - of a regular file as it is on the disk
 *
 * What the kernel remembers of it is dropped first, as far as it lets go.
 *
 * Return: 0, -ENXIO for what is no file, or an errno of openat(2) or read(2).
 */
int digest_of_file(int dir_fd, const char *path, Digest *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENXIO;
        (void) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        return digest_of_fd(fd, ret);
}

bool digest_equal(const Digest *a, const Digest *b) {
        return a->size == b->size && memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

void digest_to_hex(const Digest *digest, char ret_hex[static DIGEST_DIGITS + 1]) {
        sodium_bin2hex(ret_hex, DIGEST_DIGITS + 1, digest->bytes, DIGEST_BYTES);
}
