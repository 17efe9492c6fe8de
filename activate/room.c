/*
 * Room: whether what a switch writes will fit, asked before anything is touched. On the file
 * systems of our own files the numbers are ours. What a boot loader installer writes is only known
 * as far as it is the kernels and initrds of the new system: where those go shows by the folder in
 * which the ones before them lie. Where that can't be told nothing is refused; the installer still
 * can.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "boot/boot-systems.h"
#include "error.h"
#include "file.h"
#include "room.h"
#include "text.h"

#define MIB               ((uint64_t) 1024 * 1024)
#define ROOM_BYTES        MIB /* a record twice, a history entry */
#define ROOM_FILES        UINT64_C(16)
#define BOOT_MARGIN_BYTES MIB /* entries and what else lies beside the kernels */
#define STORE_HASH_LENGTH 32U

/* Where installers keep kernels. The one for systemd-boot removes what it does not name any more
 * before it copies anything. */
static const struct {
        const char *folder, *suffix;
        bool clears_first;
} layouts[] = {
        { "EFI/nixos", ".efi", true },
        { "kernels", "", false },
        { "nixos", "", false },
};

/* What is not there yet will be made in the nearest directory that is. */
static int read_free(const char *directory, struct statvfs *ret) {
        _cleanup_free_ char *path = strdup(directory);
        char *slash;

        while (path && statvfs(path, ret) < 0) {
                slash = strrchr(path, '/');
                if (errno != ENOENT || !slash || slash == path)
                        return -errno;
                *slash = '\0';
        }
        return path ? 0 : -ENOMEM;
}

/**
 * room_check() - whether links and records of a switch have room
 * @directory: that they are made in; may be missing yet
 *
 * What root may use counts, not what is left to others. File systems that have no number of files
 * to run out of tell none.
 *
 * Return: 0; -EACCES or the like with @reterr_error set to Refused, with the numbers.
 */
int room_check(const char *directory, sd_bus_error *reterr_error) {
        struct statvfs st;
        uint64_t bytes;
        int r;

        r = read_free(directory, &st);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* whoever writes there says it better */
        bytes = (uint64_t) st.f_bfree * st.f_frsize;
        if (bytes >= ROOM_BYTES && (st.f_files == 0 || st.f_ffree >= ROOM_FILES))
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "There is no room for a switch in '%s': %" PRIu64
                                 " KiB and %" PRIu64 " files are free, and %" PRIu64
                                 " KiB and %" PRIu64 " files are needed. Nothing was changed.",
                                 directory, bytes / 1024, (uint64_t) st.f_ffree, ROOM_BYTES / 1024,
                                 ROOM_FILES);
}

/* As all of NixOS' installers name it: the path below the store, in one word. */
static int name_on_boot(const char *path, const char *suffix, char **ret_name) {
        const char *below = text_after_prefix(path, STORE_DIRECTORY "/");
        int r;

        r = text_printf(ret_name, "%s%s", below ? below : path + strspn(path, "/"), suffix);
        for (char *c = r >= 0 ? *ret_name : NULL; c && *c; c++)
                if (*c == '/')
                        *c = '-';
        return r;
}

static int add_names(const StringList *paths, const char *suffix, StringList *names) {
        for (size_t i = 0; i < paths->n; i++) {
                char *name = NULL;
                int r;

                r = name_on_boot(paths->items[i], suffix, &name);
                if (r >= 0)
                        r = string_list_take(names, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static uint64_t round_up(uint64_t bytes, uint64_t to) {
        return to > 0 ? (bytes + to - 1) / to * to : bytes;
}

/* Whether a file is named by a path of the store, which says what is in it. */
static bool is_store_name(const char *name) {
        return strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz") == STORE_HASH_LENGTH &&
               name[STORE_HASH_LENGTH] == '-';
}

/* Some installers name a file by what is in it: one of the same size is taken for the same. */
static bool has_size(int folder_fd, const StringList *files, uint64_t bytes) {
        struct stat st;

        for (size_t i = 0; i < files->n; i++)
                if (!is_store_name(files->items[i]) &&
                    fstatat(folder_fd, files->items[i], &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
                    (uint64_t) st.st_size == bytes)
                        return true;
        return false;
}

/**
 * room_on_boot() - what is not there yet, and what could go
 * @folder_fd: of the kernels; -EBADF: none is there
 * @suffix:    of their names
 * @payloads:  kernels and initrds of the new system, as paths in the store
 * @in_use:    those of the systems that stay, likewise
 *
 * Each file is counted in whole clusters and one more, for its place in the directory.
 *
 * Return: 0, -ENOMEM, or an errno of reading the folder.
 */
int room_on_boot(int folder_fd, const char *suffix, uint64_t cluster_bytes,
                 const StringList *payloads, const StringList *in_use, RoomOnBoot *ret) {
        _cleanup_(string_list_done) StringList files = { 0 }, names = { 0 }, used = { 0 };
        RoomOnBoot room = { 0 };
        struct stat st;
        int r = 0;

        if (folder_fd >= 0)
                r = file_list(folder_fd, ".", &files);
        if (r >= 0)
                r = add_names(payloads, suffix, &names);
        if (r >= 0)
                r = add_names(in_use, suffix, &used);
        if (r < 0)
                return r;
        for (size_t i = 0; i < payloads->n; i++)
                if (!string_list_contains(&files, names.items[i]) &&
                    stat(payloads->items[i], &st) >= 0 &&
                    !has_size(folder_fd, &files, (uint64_t) st.st_size))
                        room.needed_bytes +=
                                round_up((uint64_t) st.st_size, cluster_bytes) + cluster_bytes;
        for (size_t i = 0; i < files.n; i++)
                if (!string_list_contains(&names, files.items[i]) &&
                    !string_list_contains(&used, files.items[i]) &&
                    fstatat(folder_fd, files.items[i], &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
                    S_ISREG(st.st_mode))
                        room.freed_bytes += round_up((uint64_t) st.st_size, cluster_bytes);
        *ret = room;
        return 0;
}

static int add_once(StringList *list, const char *path) {
        return !path || string_list_contains(list, path) ? 0 : string_list_add(list, path);
}

static int add_payloads(const Bootspec *spec, StringList *payloads) {
        int r;

        r = add_once(payloads, spec->kernel);
        if (r >= 0)
                r = add_once(payloads, spec->initrd);
        for (size_t i = 0; r >= 0 && i < spec->n_specialisations; i++) {
                r = add_once(payloads, spec->specialisations[i].kernel);
                if (r >= 0)
                        r = add_once(payloads, spec->specialisations[i].initrd);
        }
        return r;
}

/* Of the system and its specialisations; none where its boot document cannot be read. */
static int find_payloads(const char *toplevel, StringList *payloads) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(bootspec_done) Bootspec spec = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(AT_FDCWD, toplevel, &fd);
        if (r >= 0)
                r = bootspec_obtain(fd, toplevel, &spec, &error);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return add_payloads(&spec, payloads);
}

/* A boot menu has the generations of all profiles. */
static int find_in_use(const char *profiles, StringList *in_use) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(boot_systems_done) BootSystems systems = { 0 };
        int r;

        r = boot_systems_read(profiles, &systems, &error);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; r >= 0 && i < systems.n; i++)
                if (systems.items[i].spec)
                        r = add_payloads(systems.items[i].spec, in_use);
        return r;
}

/* A menu with a limit does not have them all, and which one goes next is the installer's to know.
 */
static bool has_all(int folder_fd, const char *suffix, const StringList *in_use) {
        _cleanup_(string_list_done) StringList names = { 0 };

        if (add_names(in_use, suffix, &names) < 0)
                return false;
        for (size_t i = 0; i < names.n; i++)
                if (faccessat(folder_fd, names.items[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        return false;
        return true;
}

typedef struct Shortage {
        const char *directory;
        uint64_t free_bytes, needed_bytes;
} Shortage;

/* Whether it is known that they do not fit there. */
static bool is_short(const char *directory, int folder_fd, size_t layout,
                     const StringList *payloads, const StringList *in_use, Shortage *shortage) {
        struct statvfs st;
        RoomOnBoot room;
        uint64_t free_bytes;

        if (statvfs(directory, &st) < 0 ||
            room_on_boot(folder_fd, layouts[layout].suffix, st.f_frsize, payloads, in_use, &room) <
                    0 ||
            room.needed_bytes == 0)
                return false;
        free_bytes = (uint64_t) st.f_bavail * st.f_frsize;
        if (layouts[layout].clears_first) {
                if (!has_all(folder_fd, layouts[layout].suffix, in_use))
                        return false;
                free_bytes += room.freed_bytes;
        }
        *shortage = (Shortage){
                .directory = directory,
                .free_bytes = free_bytes,
                .needed_bytes = room.needed_bytes + BOOT_MARGIN_BYTES,
        };
        return shortage->needed_bytes > free_bytes;
}

/* A directory on the store's own file system is no boot partition. */
static bool is_partition(const char *directory) {
        struct stat boot, store;

        return stat(directory, &boot) >= 0 && stat(STORE_DIRECTORY, &store) >= 0 &&
               boot.st_dev != store.st_dev;
}

/* Of several places it is enough if they fit in one: which one is used is not known. Where there is
 * none, a loader keeps its kernels elsewhere, or is installed for the first time. */
static bool is_short_everywhere(const StringList *payloads, const StringList *in_use,
                                Shortage *shortage) {
        static const char *const directories[] = { "/boot", "/efi", "/boot/efi" };
        bool known = false;

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_close_ int fd = -EBADF;

                if (!is_partition(directories[i]) ||
                    file_open_directory(AT_FDCWD, directories[i], &fd) < 0)
                        continue;
                for (size_t k = 0; k < ELEMENTSOF(layouts); k++) {
                        _cleanup_close_ int folder_fd = -EBADF;

                        if (file_open_directory(fd, layouts[k].folder, &folder_fd) < 0)
                                continue;
                        known = true;
                        if (!is_short(directories[i], folder_fd, k, payloads, in_use, shortage))
                                return false;
                }
        }
        return known;
}

/**
 * room_check_boot() - whether the kernels and initrds of a system have room on the boot partition
 * @profiles: PROFILES_DIRECTORY
 *
 * Return: 0, also where it is not known; -ENOMEM; else a negative errno with @reterr_error set to
 * Refused, with the numbers.
 */
int room_check_boot(const Toplevel *toplevel, const char *profiles, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList payloads = { 0 }, in_use = { 0 };
        Shortage shortage;
        int r;

        if (!wrapper_get(&toplevel->wrapper, "INSTALL_BOOTLOADER"))
                return 0;
        r = find_payloads(toplevel->path, &payloads);
        if (r >= 0)
                r = find_in_use(profiles, &in_use);
        if (r < 0)
                return r;
        if (!is_short_everywhere(&payloads, &in_use, &shortage))
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "The boot partition '%s' has room for %" PRIu64
                                 " KiB, and the kernel and initrd "
                                 "of '%s' need %" PRIu64
                                 " KiB. Nothing was changed; 'enact generations delete' "
                                 "makes room (NIXOS_NO_CHECK=1 lets the installer try).",
                                 shortage.directory, shortage.free_bytes / 1024, toplevel->path,
                                 shortage.needed_bytes / 1024);
}
