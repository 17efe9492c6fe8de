/* Boot partitions, with a mount table, a udev folder and EFI variables of the test's own. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "boot-partition.h"
#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "test.h"
#include "text.h"

typedef struct Machine {
        const char *boot, *uuids;
        char *mounts;
        int variables_fd;
} Machine;

static Machine new_machine(void) {
        Machine machine = { test_directory(), test_directory() };
        const char *directory = test_directory();

        ASSERT_OK(text_printf(&machine.mounts, "%s/mountinfo", directory));
        ASSERT_OK(file_open_directory(AT_FDCWD, directory, &machine.variables_fd));
        return machine;
}

static void machine_done(Machine *machine) {
        free(machine->mounts);
        (void) close(machine->variables_fd);
}

static BootPlaces places_of(const Machine *machine) {
        return (BootPlaces){ machine->mounts, machine->uuids, machine->variables_fd };
}

/* As /proc/self/mountinfo says it. */
static void put_mount(const Machine *machine, const char *type, const char *options) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(text_printf(&text,
                              "20 1 254:0 / / rw - ext4 /dev/root rw\n"
                              "30 20 8:1 / %s %s,relatime - %s /dev/sda1 %s\n",
                              machine->boot, options, type, options));
        ASSERT_OK(file_write(AT_FDCWD, machine->mounts, text, 0644));
}

static int open_it(const Machine *machine, BootPartitions *partitions, sd_bus_error *error) {
        const BootPlaces places = places_of(machine);

        return boot_partitions_open(&places, machine->boot, NULL, partitions, error);
}

static void assert_refused(const Machine *machine, int code, const char *words) {
        _cleanup_(boot_partitions_done) BootPartitions partitions = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_EQ(open_it(machine, &partitions, &error), code);
        ASSERT_CONTAINS(error.message, words);
        ASSERT_CONTAINS(error.message, machine->boot);
}

TEST(a_mounted_vfat_is_a_boot_partition) {
        _cleanup_(machine_done) Machine machine = new_machine();
        _cleanup_(boot_partitions_done) BootPartitions partitions = { 0 };
        BootRoom room;

        put_mount(&machine, "vfat", "rw");
        ASSERT_OK(open_it(&machine, &partitions, NULL));
        ASSERT_TEXT(partitions.esp.path, machine.boot);
        ASSERT_TEXT(partitions.esp.device, "/dev/sda1");
        ASSERT_NULL(partitions.extended.path);
        ASSERT_TRUE(boot_partitions_menu(&partitions) == &partitions.esp);
        ASSERT_OK(boot_partition_check_writable(&partitions.esp, NULL));
        ASSERT_OK(boot_partition_room(&partitions.esp, &room));
        ASSERT_TRUE(room.cluster_bytes > 0 && room.free_bytes <= room.size_bytes);
}

TEST(what_is_not_mounted_or_of_another_type_is_refused) {
        _cleanup_(machine_done) Machine machine = new_machine();

        ASSERT_OK(file_write(AT_FDCWD, machine.mounts, "20 1 254:0 / / rw - ext4 /dev/root rw\n",
                             0644));
        assert_refused(&machine, -ENODEV, "is not mounted");
        put_mount(&machine, "ext4", "rw");
        assert_refused(&machine, -EMEDIUMTYPE, "is ext4, and not vfat");
        put_mount(&machine, "vfat", "rw");
        machine.boot = "/nonexistent/boot";
        assert_refused(&machine, -ENOENT, "cannot be opened");
}

TEST(where_none_is_mounted_that_is_said) {
        _cleanup_(machine_done) Machine machine = new_machine();
        _cleanup_(boot_partitions_done) BootPartitions partitions = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const BootPlaces places = places_of(&machine);

        ASSERT_OK(file_write(AT_FDCWD, machine.mounts, "20 1 254:0 / / rw - ext4 /dev/root rw\n",
                             0644));
        ASSERT_EQ(boot_partitions_open(&places, NULL, NULL, &partitions, &error), -ENODEV);
        ASSERT_CONTAINS(error.message, "/efi, /boot or /boot/efi");
}

TEST(a_read_only_one_is_opened_and_not_for_writing) {
        _cleanup_(machine_done) Machine machine = new_machine();
        _cleanup_(boot_partitions_done) BootPartitions partitions = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        put_mount(&machine, "vfat", "ro");
        ASSERT_OK(open_it(&machine, &partitions, NULL));
        ASSERT_EQ(boot_partition_check_writable(&partitions.esp, &error), -EROFS);
        ASSERT_CONTAINS(error.message, "read-only");
}

static void refuse_another_partition(void) {
        _cleanup_(machine_done) Machine machine = new_machine();
        _cleanup_(boot_partitions_done) BootPartitions partitions = { 0 };
        _cleanup_free_ char *node = NULL;

        put_mount(&machine, "vfat", "rw");
        ASSERT_OK(text_printf(&node, "%s/%s", machine.uuids, "0aa1b2c3"));
        ASSERT_OK(mknod(node, S_IFBLK | 0600, makedev(8, 1)));
        ASSERT_OK(efi_variable_write(machine.variables_fd, EFI_LOADER_PARTITION_UUID, "0AA1B2C3",
                                     NULL));
        ASSERT_OK(open_it(&machine, &partitions, NULL));
        ASSERT_TEXT(partitions.esp.part_uuid, "0aa1b2c3");
        ASSERT_OK(
                efi_variable_write(machine.variables_fd, EFI_LOADER_PARTITION_UUID, "FFFF", NULL));
        assert_refused(&machine, -EXDEV, "is partition 0aa1b2c3, but");
}

TEST(another_partition_than_the_firmware_started_is_refused) {
        if (geteuid() != 0) /* nobody else makes devices */
                skip();
        refuse_another_partition();
}

TEST(room_is_counted_in_clusters_and_told_in_numbers) {
        const BootPartition partition = { .path = (char *) "/boot" };
        BootRoom room = { .cluster_bytes = 4096, .free_bytes = 11 << 20, .size_bytes = 128 << 20 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_EQ(boot_room_of_file(0, 4096), 4096);
        ASSERT_EQ(boot_room_of_file(1, 4096), 8192);
        ASSERT_EQ(boot_room_of_file(4096, 4096), 8192);
        ASSERT_EQ(boot_room_of_file(4097, 4096), 12288);
        ASSERT_OK(boot_room_check(&partition, &room, 10 << 20, NULL));
        ASSERT_EQ(boot_room_check(&partition, &room, (10 << 20) + 1, &error), -ENOSPC);
        ASSERT_CONTAINS(error.message, "10.0 MiB are needed");
        ASSERT_CONTAINS(error.message, "11.0 of 128.0 MiB are free");
        room.free_bytes = 0;
        ASSERT_OK(boot_room_check(&partition, &room, 0, NULL));
}
