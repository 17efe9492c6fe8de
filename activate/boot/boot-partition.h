#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "macros.h"

#define BOOT_ROOM_SPARE_BYTES ((uint64_t) 1024 * 1024)

/* Where to look; the paths are the kernel's and udev's, or a test's own. */
typedef struct BootPlaces {
        const char *mounts;       /* as /proc/self/mountinfo */
        const char *by_part_uuid; /* as /dev/disk/by-partuuid */
        int variables_fd;         /* EFI variables; -EBADF: none here */
} BootPlaces;

/* A mounted partition of the boot loader. */
typedef struct BootPartition {
        char *path; /* where it is mounted */
        int fd;
        char *device, *part_uuid; /* NULL: not known */
        bool read_only;
} BootPartition;

typedef struct BootPartitions {
        BootPartition esp;
        BootPartition extended; /* XBOOTLDR; path NULL: there is none */
} BootPartitions;

typedef struct BootRoom {
        uint64_t cluster_bytes, free_bytes, size_bytes;
} BootRoom;

BootPlaces boot_places(int variables_fd);
int boot_partitions_open(const BootPlaces *places, const char *esp_path, const char *extended_path,
                         BootPartitions *partitions, sd_bus_error *reterr_error);
int boot_partition_open_unchecked(const char *path, BootPartition *partition,
                                  sd_bus_error *reterr_error);
int boot_partition_check_writable(const BootPartition *partition, sd_bus_error *reterr_error);
const BootPartition *boot_partitions_menu(const BootPartitions *partitions);
int boot_partition_room(const BootPartition *partition, BootRoom *ret);
uint64_t boot_room_of_file(uint64_t size, uint64_t cluster_bytes);
int boot_room_check(const BootPartition *partition, const BootRoom *room, uint64_t needed_bytes,
                    sd_bus_error *reterr_error);
void boot_partition_done(BootPartition *partition);
void boot_partitions_done(BootPartitions *partitions);
