#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "string-list.h"
#include "toplevel.h"

/* What the kernels and initrds of a system want in a folder of a boot partition. */
typedef struct RoomOnBoot {
        uint64_t needed_bytes; /* of those that are not there; 0: all are */
        uint64_t freed_bytes;  /* of files that nothing in use names */
} RoomOnBoot;

int room_check(const char *directory, sd_bus_error *reterr_error);
int room_check_boot(const Toplevel *toplevel, const char *profiles, sd_bus_error *reterr_error);
int room_on_boot(int folder_fd, const char *suffix, uint64_t cluster_bytes,
                 const StringList *payloads, const StringList *in_use, RoomOnBoot *ret);
