/*
 * A menu written into a folder, read back, damaged, repaired and changed. Where there is a bootctl,
 * it must see the same entries as we do (BOOTCTL may name one).
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "boot-install.h"
#include "boot-verify.h"
#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "process.h"
#include "test.h"
#include "text.h"

#define SYSTEMS_MAX 4U

typedef struct Machine {
        BootPartition esp;
        BootTarget target;
        Bootspec specs[SYSTEMS_MAX];
        MenuSystem systems[SYSTEMS_MAX];
        MenuWish wish;
        char *store;
} Machine;

static void machine_init(Machine *machine) {
        *machine = (Machine){ .store = strdup(test_directory()) };
        ASSERT_OK(boot_partition_open_unchecked(test_directory(), &machine->esp, NULL));
        machine->target = (BootTarget){ &machine->esp, &machine->esp, -EBADF };
        machine->wish = (MenuWish){ .systems = machine->systems,
                                    .distribution = "NixOS",
                                    .machine_id = "00112233445566778899aabbccddeeff" };
        ASSERT_OK(loader_version_parse("systemd-boot 252", &machine->wish.version));
}

static void machine_done(Machine *machine) {
        for (size_t i = 0; i < SYSTEMS_MAX; i++)
                bootspec_done(&machine->specs[i]);
        boot_sources_done(&machine->wish.sources);
        loader_version_done(&machine->wish.version);
        boot_partition_done(&machine->esp);
        free(machine->store);
}

/* A file that stands for one of the store. */
static char *add_file(Machine *machine, const char *key, const char *text) {
        BootSource source = { .key = strdup(key) };

        ASSERT_OK(text_printf(&source.file, "%s/%s", machine->store, file_base_name(key)));
        ASSERT_OK(file_write(AT_FDCWD, source.file, text, 0644));
        digest_of_bytes(text, strlen(text), &source.digest);
        ASSERT_OK(boot_sources_take(&machine->wish.sources, &source));
        return strdup(key);
}

static void add_system(Machine *machine, const char *name) {
        size_t i = machine->wish.n_systems++;
        Bootspec *spec = &machine->specs[i];
        char key[100];

        *spec = (Bootspec){ .label = strdup("NixOS 25.05 (Linux 6.12)"),
                            .sort_key = strdup("nixos") };
        ASSERT_OK(text_printf(&spec->toplevel, "/nix/store/%s-nixos", name));
        ASSERT_OK(text_printf(&spec->init, "%s/init", spec->toplevel));
        (void) snprintf(key, sizeof(key), "/nix/store/x/kernel-%s", name);
        spec->kernel = add_file(machine, key, key);
        (void) snprintf(key, sizeof(key), "/nix/store/x/initrd-%s", name);
        spec->initrd = add_file(machine, key, key);
        machine->systems[i] = (MenuSystem){
                .number = i + 1, .created = 1000000, .toplevel = spec->toplevel, .spec = spec
        };
}

static void install(Machine *machine, size_t n_written, size_t n_removed) {
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (boot_install_run(&machine->target, &machine->wish, &outcome, &error) < 0)
                fail_msg("%s", error.message);
        ASSERT_EQ(outcome.n_written, n_written);
        ASSERT_EQ(outcome.n_removed, n_removed);
}

static void read_listing(const Machine *machine, BootListing *listing) {
        ASSERT_OK(boot_listing_read(machine->esp.fd, machine->esp.fd, machine->esp.path, listing,
                                    NULL));
}

static void assert_state(const Machine *machine, size_t i, EntryState wanted, const char *words) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_free_ char *why = NULL;
        EntryState state;

        read_listing(machine, &listing);
        assert_true(i < listing.n_entries);
        ASSERT_OK(boot_verify_entry(machine->esp.fd, &listing, &listing.entries[i], NULL, &state,
                                    &why));
        ASSERT_TEXT(entry_state_to_string(state), entry_state_to_string(wanted));
        ASSERT_EQ(!why, !words);
        if (words)
                ASSERT_CONTAINS(why, words);
}

static void assert_default(const Machine *machine, const char *toplevel) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_free_ char *file = NULL, *booted = NULL;
        BootWishes wishes = { .version = machine->wish.version };
        BootDefault found;

        read_listing(machine, &listing);
        ASSERT_OK(loader_conf_get(&listing.conf, "default", &file));
        wishes.conf_default = file;
        ASSERT_OK(boot_default_find(listing.entries, listing.n_entries, &wishes, &found));
        assert_non_null(found.entry);
        ASSERT_EQ(found.reason, BOOT_CONF_DEFAULT);
        ASSERT_OK(loader_entry_toplevel(&found.entry->entry, &booted));
        ASSERT_TEXT(booted, toplevel);
}

TEST(a_menu_is_written_and_a_second_run_has_nothing_to_do) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        add_system(&machine, "a");
        add_system(&machine, "b");
        machine.wish.default_toplevel = machine.systems[0].toplevel;
        install(&machine, 6, 0);
        assert_default(&machine, "/nix/store/a-nixos");
        assert_state(&machine, 0, ENTRY_COMPLETE, NULL);
        assert_state(&machine, 1, ENTRY_COMPLETE, NULL);
        install(&machine, 0, 0);
        machine.wish.default_toplevel = machine.systems[1].toplevel;
        install(&machine, 0, 0);
        assert_default(&machine, "/nix/store/b-nixos");
}

static void put_payload(const Machine *machine, const char *text) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };

        read_listing(machine, &listing);
        ASSERT_OK(file_write(machine->esp.fd, listing.payloads[0].path, text, 0644));
}

TEST(damage_is_seen_and_repaired) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        add_system(&machine, "a");
        machine.wish.default_toplevel = machine.systems[0].toplevel;
        install(&machine, 3, 0);
        put_payload(&machine, "short");
        assert_state(&machine, 0, ENTRY_DAMAGED, "other bytes");
        install(&machine, 1, 0);
        put_payload(&machine, "");
        assert_state(&machine, 0, ENTRY_DAMAGED, "is empty");
        install(&machine, 1, 0);
        assert_state(&machine, 0, ENTRY_COMPLETE, NULL);
}

TEST(other_lines_of_loader_conf_and_other_entries_stay) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_free_ char *text = NULL;

        machine_init(&machine);
        ASSERT_OK(mkdirat(machine.esp.fd, "loader", 0755));
        ASSERT_OK(mkdirat(machine.esp.fd, BOOT_ENTRIES_FOLDER, 0755));
        ASSERT_OK(file_write(machine.esp.fd, BOOT_LOADER_CONF,
                             "timeout 5\ndefault nixos-*\neditor 0\n", 0644));
        ASSERT_OK(file_write(machine.esp.fd, BOOT_ENTRIES_FOLDER "/memtest86.conf", "efi /m\n",
                             0644));
        add_system(&machine, "a");
        machine.wish.default_toplevel = machine.systems[0].toplevel;
        install(&machine, 3, 0);
        ASSERT_OK(file_read(machine.esp.fd, BOOT_LOADER_CONF, 1000, &text, NULL));
        ASSERT_CONTAINS(text, "timeout 5\ndefault nixos-");
        ASSERT_CONTAINS(text, ".conf\neditor 0\n");
        assert_state(&machine, 0, ENTRY_DAMAGED, "'m' is missing");
        assert_default(&machine, "/nix/store/a-nixos");
}

TEST(a_stale_default_in_the_firmware_is_deleted_and_told) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        _cleanup_close_ int variables = -EBADF;
        _cleanup_free_ char *value = NULL;

        machine_init(&machine);
        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &variables));
        ASSERT_OK(
                efi_variable_write(variables, EFI_LOADER_DEFAULT, "nixos-generation-1.conf", NULL));
        machine.target.variables_fd = variables;
        add_system(&machine, "a");
        machine.wish.default_toplevel = machine.systems[0].toplevel;
        ASSERT_OK(boot_install_run(&machine.target, &machine.wish, &outcome, NULL));
        ASSERT_EQ(efi_variable_read(variables, EFI_LOADER_DEFAULT, &value), EFI_VARIABLE_ABSENT);
        ASSERT_CONTAINS(outcome.notes.items[0], "nixos-generation-1.conf");
}

TEST(what_is_tried_once_is_named_to_the_firmware_and_taken_back) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_close_ int variables = -EBADF;
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        _cleanup_free_ char *value = NULL, *gone = NULL, *now = NULL;

        machine_init(&machine);
        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &variables));
        add_system(&machine, "a");
        add_system(&machine, "b");
        machine.wish.default_toplevel = machine.systems[0].toplevel;
        machine.wish.one_shot_toplevel = machine.systems[1].toplevel;
        ASSERT_EQ(boot_install_run(&machine.target, &machine.wish, &outcome, NULL), -EROFS);

        machine.target.variables_fd = variables;
        install(&machine, 0, 0);
        ASSERT_OK(efi_variable_read(variables, EFI_LOADER_ONE_SHOT, &value));
        ASSERT_CONTAINS(value, ".conf");
        assert_default(&machine, "/nix/store/a-nixos");
        machine.wish.one_shot_toplevel = NULL;
        install(&machine, 0, 0);
        ASSERT_OK(efi_variable_read(variables, EFI_LOADER_ONE_SHOT, &now));
        machine.wish.drops_one_shot = true;
        install(&machine, 0, 0);
        ASSERT_EQ(efi_variable_read(variables, EFI_LOADER_ONE_SHOT, &gone), EFI_VARIABLE_ABSENT);
}

TEST(a_tried_entry_loses_its_counter_on_the_disk) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_(boot_listing_done) BootListing listing = { 0 };

        machine_init(&machine);
        add_system(&machine, "a");
        machine.wish.default_toplevel = machine.wish.counted_toplevel = machine.systems[0].toplevel;
        machine.wish.tries = 2;
        install(&machine, 3, 0);
        machine.wish.counted_toplevel = NULL;
        machine.wish.blessed_toplevel = machine.systems[0].toplevel;
        install(&machine, 0, 0);
        read_listing(&machine, &listing);
        ASSERT_EQ(listing.n_entries, 1);
        ASSERT_FALSE(listing.entries[0].name.counted);
        assert_default(&machine, "/nix/store/a-nixos");
}

/* A pattern names it, and the loader's order decides: without a machine's id an entry comes first.
 */
TEST(an_entry_that_boots_instead_of_the_one_on_trial_is_told) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 }, again = { 0 };
        static const char other[] = BOOT_ENTRIES_FOLDER "/nixos-somebodys.conf";

        machine_init(&machine);
        add_system(&machine, "a");
        add_system(&machine, "b");
        machine.wish.default_toplevel = machine.wish.counted_toplevel = machine.systems[1].toplevel;
        machine.wish.tries = 2;
        ASSERT_OK(boot_install_run(&machine.target, &machine.wish, &outcome, NULL));
        ASSERT_NULL(outcome.boots_instead);
        ASSERT_OK(file_write(machine.esp.fd, other,
                             "title NixOS\nsort-key nixos\nversion 1\nlinux /vmlinuz\n", 0644));
        ASSERT_OK(file_write(machine.esp.fd, "vmlinuz", "kernel", 0644));
        ASSERT_OK(boot_install_run(&machine.target, &machine.wish, &again, NULL));
        ASSERT_TEXT(again.boots_instead, "nixos-somebodys.conf");
}

TEST(a_read_only_partition_is_refused_before_anything) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        machine_init(&machine);
        add_system(&machine, "a");
        machine.esp.read_only = true;
        ASSERT_EQ(boot_install_run(&machine.target, &machine.wish, &outcome, &error), -EROFS);
        ASSERT_CONTAINS(error.message, "Nothing was written");
        ASSERT_FALSE(outcome.begun);
        ASSERT_EQ(faccessat(machine.esp.fd, "EFI", F_OK, 0), -1);
}

TEST(a_source_that_changed_under_its_name_gets_no_entry) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        machine_init(&machine);
        add_system(&machine, "a");
        ASSERT_OK(file_write(AT_FDCWD, machine.wish.sources.items[1].file, "other", 0644));
        ASSERT_EQ(boot_install_run(&machine.target, &machine.wish, &outcome, &error), -EBADMSG);
        ASSERT_CONTAINS(error.message, "Cannot read back");
        ASSERT_TRUE(outcome.begun);
        read_listing(&machine, &listing);
        ASSERT_EQ(listing.n_entries, 0);
}

/* It takes nothing but the root of a file system for a partition. */
static void mount_partition(Machine *machine) {
        char *path = strdup(machine->esp.path);

        ASSERT_OK(unshare(CLONE_NEWNS));
        ASSERT_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        ASSERT_OK(mount("none", path, "tmpfs", 0, NULL));
        boot_partition_done(&machine->esp);
        ASSERT_OK(boot_partition_open_unchecked(path, &machine->esp, NULL));
        free(path);
}

static int ask_bootctl(const Machine *machine, const char *program, char **ret_text) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_free_ char *option = NULL, *out = NULL;
        _cleanup_close_ int fd = -EBADF;
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        pid_t pid;
        int status;

        ASSERT_OK(text_printf(&option, "--esp-path=%s", machine->esp.path));
        ASSERT_OK(text_printf(&out, "%s/bootctl", machine->store));
        fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ASSERT_OK(setenv("SYSTEMD_RELAX_ESP_CHECKS", "1", 1));
        ASSERT_OK(string_list_add(&arguments, program));
        ASSERT_OK(string_list_add(&arguments, option));
        ASSERT_OK(string_list_add(&arguments, "--json=short"));
        ASSERT_OK(string_list_add(&arguments, "list"));
        options.stdout_fd = fd;
        ASSERT_OK(process_start(&arguments, &options, &pid));
        ASSERT_OK(process_wait(pid, &status));
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_OK(file_read(AT_FDCWD, out, FILE_SMALL_MAX, ret_text, NULL));
        return WEXITSTATUS(status);
}

static void compare_with_bootctl(const char *program) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_free_ char *text = NULL;

        machine_init(&machine);
        mount_partition(&machine);
        add_system(&machine, "a");
        add_system(&machine, "b");
        machine.wish.counted_toplevel = machine.systems[1].toplevel;
        machine.wish.tries = 3;
        machine.wish.default_toplevel = machine.systems[0].toplevel;
        install(&machine, 6, 0);
        ASSERT_EQ(ask_bootctl(&machine, program, &text), 0);
        read_listing(&machine, &listing);
        ASSERT_EQ(listing.n_entries, 2);
        for (size_t i = 0; i < listing.n_entries; i++) {
                ASSERT_CONTAINS(text, listing.entries[i].file);
                ASSERT_CONTAINS(text, listing.entries[i].entry.version);
                ASSERT_CONTAINS(text, listing.entries[i].entry.options);
                ASSERT_CONTAINS(text, listing.entries[i].entry.kernel);
        }
        ASSERT_CONTAINS(text, "+3-0.conf");
        ASSERT_OK(umount2(machine.esp.path, MNT_DETACH));
}

/* A test that is skipped never returns, so nothing is owned here yet. */
TEST(bootctl_sees_the_same_entries) {
        const char *program = getenv("BOOTCTL");

        if (!program && access("/usr/bin/bootctl", X_OK) >= 0)
                program = "/usr/bin/bootctl";
        if (!program || geteuid() != 0)
                skip();
        compare_with_bootctl(program);
}
