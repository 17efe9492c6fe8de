/*
 * Boot partitions: the EFI system partition and, beside it, the extended boot partition, found
 * among what is mounted and held to what they must be before a byte is written there. A folder that
 * only looks like one (not mounted, another disk's) would take a boot menu that no firmware ever
 * reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmount/libmount.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "boot-partition.h"
#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "text.h"

#define FILE_SYSTEM "vfat"

/* Where NixOS and the Boot Loader Specification have it, the likeliest first. */
static const char *const usual_paths[] = { "/efi", "/boot", "/boot/efi" };

typedef struct libmnt_table MountTable;

static void mount_table_unrefp(MountTable **table) {
        if (*table)
                mnt_unref_table(*table);
}

/** boot_places() - those of a real machine. */
BootPlaces boot_places(int variables_fd) {
        return (BootPlaces){ "/proc/self/mountinfo", "/dev/disk/by-partuuid", variables_fd };
}

static int refuse(sd_bus_error *reterr_error, int r, const char *path, const char *why) {
        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                 "The boot partition at '%s' %s. Nothing was written to it.", path,
                                 why);
        return r;
}

static int refuse_errno(sd_bus_error *reterr_error, int r, const char *path) {
        _cleanup_free_ char *why = NULL;

        if (text_printf(&why, "cannot be opened (%s)", strerror(-r)) < 0)
                return -ENOMEM;
        return refuse(reterr_error, r, path, why);
}

static int read_mounts(const BootPlaces *places, MountTable **ret, sd_bus_error *reterr_error) {
        MountTable *table = mnt_new_table_from_file(places->mounts);

        if (!table)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read what is mounted from '%s': %s.",
                                         places->mounts, strerror(errno));
        *ret = table;
        return 0;
}

/* The one on top; opening the path has mounted what automounts there. */
static struct libmnt_fs *find_mount(MountTable *table, const char *path) {
        return mnt_table_find_target(table, path, MNT_ITER_BACKWARD);
}

static bool is_boot_mount(MountTable *table, const char *path) {
        struct libmnt_fs *fs = find_mount(table, path);
        const char *type = fs ? mnt_fs_get_fstype(fs) : NULL;

        return type && (strcmp(type, FILE_SYSTEM) == 0 || strcmp(type, "autofs") == 0);
}

/* The name under which udev links to that device, or NULL. */
static int find_part_uuid(const BootPlaces *places, dev_t device, char **ret_uuid) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(AT_FDCWD, places->by_part_uuid, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &names);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < names.n; i++) {
                struct stat st;

                if (fstatat(fd, names.items[i], &st, 0) < 0 || !S_ISBLK(st.st_mode) ||
                    st.st_rdev != device)
                        continue;
                *ret_uuid = strdup(names.items[i]);
                return *ret_uuid ? 0 : -ENOMEM;
        }
        return 0;
}

static int describe(const BootPlaces *places, struct libmnt_fs *fs, BootPartition *partition) {
        const char *source = mnt_fs_get_source(fs);
        struct statvfs st;

        if (source) {
                partition->device = strdup(source);
                if (!partition->device)
                        return -ENOMEM;
        }
        /* What the mount says need not be what the file system fell back to. */
        if (fstatvfs(partition->fd, &st) < 0)
                return -errno;
        partition->read_only = (st.f_flag & ST_RDONLY) || mnt_fs_match_options(fs, "ro") == 1;
        return find_part_uuid(places, mnt_fs_get_devno(fs), &partition->part_uuid);
}

/**
 * boot_partition_open_unchecked() - a folder that somebody says is one
 *
 * Return: 0, -ENOMEM, or an errno of open(2) with @reterr_error set.
 */
int boot_partition_open_unchecked(const char *path, BootPartition *partition,
                                  sd_bus_error *reterr_error) {
        int r;

        *partition = (BootPartition){ .path = strdup(path), .fd = -EBADF };
        if (!partition->path)
                return -ENOMEM;
        r = file_open_directory(AT_FDCWD, path, &partition->fd);
        return r < 0 ? refuse_errno(reterr_error, r, path) : 0;
}

static int open_checked(const BootPlaces *places, const char *path, BootPartition *partition,
                        sd_bus_error *reterr_error) {
        _cleanup_(mount_table_unrefp) MountTable *table = NULL;
        _cleanup_free_ char *why = NULL;
        struct libmnt_fs *fs;
        const char *type;
        int r;

        r = boot_partition_open_unchecked(path, partition, reterr_error);
        if (r >= 0)
                r = read_mounts(places, &table, reterr_error);
        if (r < 0)
                return r;
        fs = find_mount(table, path);
        if (!fs)
                return refuse(reterr_error, -ENODEV, path, "is not mounted");
        type = mnt_fs_get_fstype(fs);
        if (!type || strcmp(type, FILE_SYSTEM) != 0) {
                if (text_printf(&why, "is %s, and not " FILE_SYSTEM " as firmware needs it",
                                type ? type : "of no known type") < 0)
                        return -ENOMEM;
                return refuse(reterr_error, -EMEDIUMTYPE, path, why);
        }
        return describe(places, fs, partition);
}

/* The loader says which partition the firmware has started it from. */
static int check_is_booted_one(const BootPlaces *places, const BootPartition *esp,
                               sd_bus_error *reterr_error) {
        _cleanup_free_ char *booted = NULL, *why = NULL;
        int r;

        if (places->variables_fd < 0 || !esp->part_uuid)
                return 0;
        r = efi_variable_read(places->variables_fd, EFI_LOADER_PARTITION_UUID, &booted);
        if (r != 0)
                return r == -ENOMEM ? r : 0;
        if (strcasecmp(booted, esp->part_uuid) == 0)
                return 0;
        if (text_printf(&why, "is partition %s, but the boot loader was started from %s",
                        esp->part_uuid, booted) < 0)
                return -ENOMEM;
        return refuse(reterr_error, -EXDEV, esp->path, why);
}

static int find_usual(const BootPlaces *places, const char **ret_path, sd_bus_error *reterr_error) {
        _cleanup_(mount_table_unrefp) MountTable *table = NULL;
        int r;

        r = read_mounts(places, &table, reterr_error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(usual_paths); i++)
                if (is_boot_mount(table, usual_paths[i])) {
                        *ret_path = usual_paths[i];
                        return 0;
                }
        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                 "No boot partition is mounted: there is no " FILE_SYSTEM
                                 " at /efi, /boot or /boot/efi.");
        return -ENODEV;
}

/* Beside an ESP at /efi, what is mounted at /boot is the extended one. */
static int find_extended(const BootPlaces *places, const char *esp_path, const char **ret_path,
                         sd_bus_error *reterr_error) {
        _cleanup_(mount_table_unrefp) MountTable *table = NULL;
        int r;

        r = read_mounts(places, &table, reterr_error);
        if (r >= 0 && strcmp(esp_path, "/boot") != 0 && is_boot_mount(table, "/boot"))
                *ret_path = "/boot";
        return r;
}

/**
 * boot_partitions_open() - the partitions of the boot loader, as they are mounted
 * @esp_path:      NULL: where one usually is
 * @extended_path: NULL: the usual place beside an ESP that was not named either
 * @partitions:    all zero before; boot_partitions_done() even after an error
 *
 * Return: 0; -ENODEV if there is none, -EMEDIUMTYPE if it is not vfat, -EXDEV if the firmware
 * started another, or an errno of open(2), each with @reterr_error set; -ENOMEM.
 */
int boot_partitions_open(const BootPlaces *places, const char *esp_path, const char *extended_path,
                         BootPartitions *partitions, sd_bus_error *reterr_error) {
        bool look_for_extended = !esp_path && !extended_path;
        int r = 0;

        partitions->esp.fd = partitions->extended.fd = -EBADF;
        if (!esp_path)
                r = find_usual(places, &esp_path, reterr_error);
        if (r >= 0)
                r = open_checked(places, esp_path, &partitions->esp, reterr_error);
        if (r >= 0)
                r = check_is_booted_one(places, &partitions->esp, reterr_error);
        if (r >= 0 && look_for_extended)
                r = find_extended(places, esp_path, &extended_path, reterr_error);
        if (r >= 0 && extended_path)
                r = open_checked(places, extended_path, &partitions->extended, reterr_error);
        return r;
}

/** boot_partitions_menu() - the one that entries and kernels are written to. */
const BootPartition *boot_partitions_menu(const BootPartitions *partitions) {
        return partitions->extended.path ? &partitions->extended : &partitions->esp;
}

/** boot_partition_check_writable() - 0, or -EROFS with @reterr_error set. */
int boot_partition_check_writable(const BootPartition *partition, sd_bus_error *reterr_error) {
        if (!partition->read_only)
                return 0;
        return refuse(reterr_error, -EROFS, partition->path, "is mounted read-only");
}

/** boot_partition_room() - how much is free there; 0 or an errno of fstatvfs(3). */
int boot_partition_room(const BootPartition *partition, BootRoom *ret) {
        struct statvfs st;

        if (fstatvfs(partition->fd, &st) < 0)
                return -errno;
        *ret = (BootRoom){
                .cluster_bytes = st.f_frsize,
                .free_bytes = (uint64_t) st.f_bavail * st.f_frsize,
                .size_bytes = (uint64_t) st.f_blocks * st.f_frsize,
        };
        return 0;
}

/** boot_room_of_file() - what a file of @size takes: its clusters, and one for its name. */
uint64_t boot_room_of_file(uint64_t size, uint64_t cluster_bytes) {
        return (size / cluster_bytes + (size % cluster_bytes != 0) + 1) * cluster_bytes;
}

static double mebibytes(uint64_t bytes) {
        return (double) bytes / 1024.0 / 1024.0;
}

/** boot_room_check() - whether that much may be written there; 0, or -ENOSPC with the numbers. */
int boot_room_check(const BootPartition *partition, const BootRoom *room, uint64_t needed_bytes,
                    sd_bus_error *reterr_error) {
        if (needed_bytes == 0 || needed_bytes + BOOT_ROOM_SPARE_BYTES <= room->free_bytes)
                return 0;
        (void) sd_bus_error_setf(
                reterr_error, ENACT_ERROR_BOOT_MENU,
                "The boot partition at '%s' is too full: %.1f MiB are needed (and 1 MiB to spare), "
                "%.1f of %.1f MiB are free. Nothing was written to it.",
                partition->path, mebibytes(needed_bytes), mebibytes(room->free_bytes),
                mebibytes(room->size_bytes));
        return -ENOSPC;
}

void boot_partition_done(BootPartition *partition) {
        /* One that was never opened is all zero. */
        if (partition->path)
                (void) fd_close(partition->fd);
        free(partition->path);
        free(partition->device);
        free(partition->part_uuid);
        *partition = (BootPartition){ .fd = -EBADF };
}

void boot_partitions_done(BootPartitions *partitions) {
        boot_partition_done(&partitions->esp);
        boot_partition_done(&partitions->extended);
}
