#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "macros.h"

/*
 * The engine's sign of life, for the dead man's switch: a page that both have mapped, so that
 * neither a full disk nor a file system that is mounted over it comes between them.
 */
typedef struct Lease Lease;

#define LEASE_SEC 30U /* without a sign of life for so long, the engine is taken for dead */

int lease_new(const char *path, Lease **ret);
void lease_expect(Lease *lease, uint64_t within_usec);
int lease_open(const char *path, Lease **ret);
uint64_t lease_beats(const Lease *lease);
Lease *lease_free(Lease *lease);
DEFINE_CLEANUP(Lease *, lease_free);
