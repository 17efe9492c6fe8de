/*
 * Updates of the loader in a folder: what is absent comes at once, what is there one at a time and
 * never down, what belongs to others stays.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "loader-update.h"
#include "test.h"
#include "text.h"

#define OWN      "EFI/systemd/systemd-bootx64.efi"
#define FALLBACK "EFI/BOOT/BOOTX64.EFI"

typedef struct Machine {
        BootPartition esp;
        const char *programs;
        int variables_fd;
        StringList notes;
        sd_bus_error error;
} Machine;

static void put(int dir_fd, const char *path, const char *text) {
        _cleanup_free_ char *copy = strdup(path);

        for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                (void) mkdirat(dir_fd, copy, 0755);
                *p = '/';
        }
        ASSERT_OK(file_write(dir_fd, path, text, 0644));
}

static void put_program(const Machine *machine, const char *name, const char *text) {
        _cleanup_close_ int fd = -EBADF;

        ASSERT_OK(file_open_directory(AT_FDCWD, machine->programs, &fd));
        put(fd, name, text);
}

#define LOADER(version) "MZ #### LoaderInfo: systemd-boot " version " #### and what it does"

static void machine_init(Machine *machine) {
        *machine = (Machine){ .programs = test_directory() };
        ASSERT_OK(boot_partition_open_unchecked(test_directory(), &machine->esp, NULL));
        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &machine->variables_fd));
        put_program(machine, "systemd-bootx64.efi", LOADER("258.1"));
}

static void machine_done(Machine *machine) {
        boot_partition_done(&machine->esp);
        (void) fd_close(machine->variables_fd);
        string_list_done(&machine->notes);
        sd_bus_error_free(&machine->error);
}

static int update(Machine *machine) {
        const LoaderUpdate source = { &machine->esp, machine->programs, "x64",
                                      machine->variables_fd };

        string_list_done(&machine->notes);
        return loader_update_run(&source, &machine->notes, &machine->error);
}

/* @note: of each run there is one, or none */
static void assert_updates(Machine *machine, const char *note) {
        _cleanup_free_ char *notes = NULL;

        if (update(machine) < 0)
                fail_msg("%s", machine->error.message);
        ASSERT_OK(string_list_join(&machine->notes, "; ", &notes));
        if (note)
                ASSERT_CONTAINS(notes, note);
        else
                ASSERT_TEXT(notes, "");
}

static void assert_holds(const Machine *machine, const char *path, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(file_read(machine->esp.fd, path, FILE_SMALL_MAX, &text, NULL));
        ASSERT_TEXT(text, wanted);
}

static void booted(const Machine *machine, const char *version, const char *image) {
        ASSERT_OK(efi_variable_write(machine->variables_fd, EFI_LOADER_INFO, version, NULL));
        if (image)
                ASSERT_OK(efi_variable_write(machine->variables_fd, "LoaderImageIdentifier", image,
                                             NULL));
}

TEST(both_copies_are_installed_where_there_is_none) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        assert_updates(&machine, "'" OWN "' was installed: systemd-boot 258.1");
        assert_holds(&machine, OWN, LOADER("258.1"));
        assert_holds(&machine, FALLBACK, LOADER("258.1"));
        assert_updates(&machine, NULL);
}

TEST(one_copy_is_updated_and_the_other_after_a_boot_with_it) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(machine.esp.fd, OWN, LOADER("257"));
        put(machine.esp.fd, FALLBACK, LOADER("257"));
        booted(&machine, "systemd-boot 257", "\\EFI\\systemd\\systemd-bootx64.efi");
        assert_updates(&machine, "'" OWN "' was updated: systemd-boot 258.1, it was "
                                 "systemd-boot 257");
        assert_holds(&machine, OWN, LOADER("258.1"));
        assert_holds(&machine, FALLBACK, LOADER("257"));

        assert_updates(&machine, "'" FALLBACK "' is updated by the next run after");
        assert_holds(&machine, FALLBACK, LOADER("257"));

        booted(&machine, "systemd-boot 258.1", NULL);
        assert_updates(&machine, "'" FALLBACK "' was updated");
        assert_holds(&machine, FALLBACK, LOADER("258.1"));
        assert_updates(&machine, NULL);
}

TEST(the_first_is_the_one_that_the_firmware_starts) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(machine.esp.fd, OWN, LOADER("257"));
        put(machine.esp.fd, FALLBACK, LOADER("257"));
        booted(&machine, "systemd-boot 257", "\\EFI\\Boot\\bootx64.efi");
        assert_updates(&machine, "'" FALLBACK "' was updated");
        assert_holds(&machine, OWN, LOADER("257"));
}

TEST(a_newer_one_stays) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(machine.esp.fd, OWN, LOADER("258.10"));
        put(machine.esp.fd, FALLBACK, LOADER("258.1") " and a signature");
        assert_updates(&machine, NULL);
        assert_holds(&machine, OWN, LOADER("258.10"));
        assert_holds(&machine, FALLBACK, LOADER("258.1") " and a signature");
}

TEST(another_vendors_fallback_stays) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(machine.esp.fd, FALLBACK, "MZ GRUB");
        assert_updates(&machine, "'" FALLBACK "' is no systemd-boot and stays");
        assert_holds(&machine, OWN, LOADER("258.1"));
        assert_holds(&machine, FALLBACK, "MZ GRUB");
}

TEST(what_is_cut_short_is_repaired_at_once) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(machine.esp.fd, OWN, "MZ #### LoaderInfo: systemd-boot 258.1 ####");
        put(machine.esp.fd, FALLBACK, "");
        assert_updates(&machine, "it was cut short");
        assert_holds(&machine, OWN, LOADER("258.1"));
        assert_holds(&machine, FALLBACK, LOADER("258.1"));
}

TEST(a_signed_program_is_preferred) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put_program(&machine, "systemd-bootx64.efi.signed", LOADER("258.1") " signed");
        assert_updates(&machine, "was installed");
        assert_holds(&machine, OWN, LOADER("258.1") " signed");
}

/* A PE file as small as it can be, with a list of signatures or without. */
static size_t make_signed(char *bytes, const char *version, bool is_signed) {
        const size_t header = 0x40, optional = header + 24, security = optional + 112 + 4 * 8;

        memset(bytes, 0, 512);
        memcpy(bytes, "MZ", 2);
        bytes[0x3c] = (char) header;
        bytes[optional] = 0x0b;
        bytes[optional + 1] = 0x02;
        bytes[security + 4] = is_signed ? 8 : 0;
        (void) snprintf(bytes + 300, 100, "#### LoaderInfo: systemd-boot %s ####", version);
        return 512;
}

TEST(a_signed_copy_is_not_replaced_by_one_that_is_not) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_close_ int fd = -EBADF;
        char bytes[512];

        machine_init(&machine);
        for (int is_signed = 1; is_signed >= 0; is_signed--) {
                size_t n = make_signed(bytes, "257", is_signed);

                put(machine.esp.fd, OWN, "");
                put(machine.esp.fd, FALLBACK, LOADER("259"));
                fd = openat(machine.esp.fd, OWN, O_WRONLY | O_CLOEXEC | O_TRUNC);
                ASSERT_EQ(write(fd, bytes, n), n);
                fd = fd_close(fd);
                assert_updates(&machine, is_signed ? "is signed and" : "was updated");
        }
}

TEST(what_is_no_systemd_boot_is_not_installed) {
        _cleanup_(machine_done) Machine machine;
        struct stat st;

        machine_init(&machine);
        put_program(&machine, "systemd-bootx64.efi", "MZ another");
        ASSERT_EQ(update(&machine), -EBADMSG);
        ASSERT_CONTAINS(machine.error.message, "does not say that it is systemd-boot");
        ASSERT_TRUE(fstatat(machine.esp.fd, "EFI", &st, 0) < 0);
}

TEST(without_a_program_or_on_a_read_only_partition_nothing_is_done) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        machine.programs = "/nonexistent";
        ASSERT_EQ(update(&machine), -ENOENT);
        ASSERT_CONTAINS(machine.error.message, "The one that is installed stays.");
        sd_bus_error_free(&machine.error);
        machine.esp.read_only = true;
        ASSERT_EQ(update(&machine), -EROFS);
}

TEST(this_machine_has_an_architecture) {
        const char *name = loader_update_architecture();

        assert_non_null(name);
        ASSERT_TRUE(strlen(name) > 1);
}
