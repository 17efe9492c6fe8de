#pragma once

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"

#define DIGEST_BYTES  crypto_hash_sha256_BYTES
#define DIGEST_DIGITS (2U * DIGEST_BYTES)

/* How a file is told from all others: its size and the SHA-256 of its bytes. */
typedef struct Digest {
        unsigned char bytes[DIGEST_BYTES];
        uint64_t size;
} Digest;

void digest_of_bytes(const void *bytes, size_t n, Digest *ret);
int digest_of_fd(int fd, Digest *ret);
int digest_of_file(int dir_fd, const char *path, Digest *ret);
bool digest_equal(const Digest *a, const Digest *b);
void digest_to_hex(const Digest *digest, char ret_hex[static DIGEST_DIGITS + 1]);
