/*
 * What an installer may leave behind: each loader's menu in a folder, written, cut short, unchanged
 * or led elsewhere; what is bad is told from what cannot be told.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "menu-check.h"
#include "test.h"
#include "text.h"

#define ONE "/nix/store/one-nixos"
#define TWO "/nix/store/two-nixos"

/* A machine: its boot folder, the kernels of two systems, a check under way. */
typedef struct Machine {
        const char *root;
        char *store, *variables;
        int root_fd, variables_fd;
        Bootspec specs[2]; /* of two, of one */
        MenuCheck check;
        StringList notes;
        sd_bus_error error;
} Machine;

static void put(const Machine *machine, const char *path, const char *text) {
        _cleanup_free_ char *copy = strdup(path);

        for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                (void) mkdirat(machine->root_fd, copy, 0755);
                *p = '/';
        }
        ASSERT_OK(file_write(machine->root_fd, path, text, 0644));
}

static char *store_file(const Machine *machine, const char *name) {
        _cleanup_free_ char *text = NULL;
        char *path;

        ASSERT_OK(text_printf(&path, "%s/%s", machine->store, name));
        ASSERT_OK(text_printf(&text, "bytes of %s", name));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
        return path;
}

static void machine_init(Machine *machine) {
        static const char *const names[] = { "two", "one" };

        *machine = (Machine){ .root = test_directory() };
        ASSERT_OK(text_printf(&machine->store, "%s/store", machine->root));
        ASSERT_OK(text_printf(&machine->variables, "%s/variables", machine->root));
        ASSERT_OK(mkdir(machine->store, 0755) + mkdir(machine->variables, 0755));
        ASSERT_OK(file_open_directory(AT_FDCWD, machine->root, &machine->root_fd));
        ASSERT_OK(file_open_directory(AT_FDCWD, machine->variables, &machine->variables_fd));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *kernel = NULL, *initrd = NULL;

                ASSERT_OK(text_printf(&kernel, "%s-kernel", names[i]));
                ASSERT_OK(text_printf(&initrd, "%s-initrd", names[i]));
                machine->specs[i].kernel = store_file(machine, kernel);
                machine->specs[i].initrd = store_file(machine, initrd);
        }
        for (size_t i = 0; i < 2; i++)
                machine->check.subjects[i].spec = &machine->specs[i];
}

static void machine_done(Machine *machine) {
        menu_check_done(&machine->check);
        for (size_t i = 0; i < ELEMENTSOF(machine->specs); i++)
                bootspec_done(&machine->specs[i]);
        string_list_done(&machine->notes);
        sd_bus_error_free(&machine->error);
        free(machine->store);
        free(machine->variables);
        (void) fd_close(machine->root_fd);
        (void) fd_close(machine->variables_fd);
}

/* From a system to the other, by the same installer. */
static void begin(Machine *machine) {
        const MenuCheckSource source = {
                .places = { machine->root, machine->variables_fd },
                .toplevel = TWO,
                .booted = ONE,
                .good = ONE,
                .led_to = { ONE },
                .same_installer = true,
        };

        ASSERT_OK(menu_check_begin(&source, &machine->check));
}

static void assert_bad(Machine *machine, const char *words) {
        int r = menu_check_end(&machine->check, &machine->notes, &machine->error);

        ASSERT_EQ(r, -EBADMSG);
        ASSERT_CONTAINS(machine->error.message, words);
        ASSERT_TEXT(machine->error.name, ENACT_ERROR_BOOT_MENU);
}

static void assert_answer(Machine *machine, int answer, const char *note) {
        _cleanup_free_ char *notes = NULL;
        int r = menu_check_end(&machine->check, &machine->notes, &machine->error);

        if (r < 0)
                fail_msg("%s", machine->error.message);
        ASSERT_EQ(r, answer);
        ASSERT_OK(string_list_join(&machine->notes, "; ", &notes));
        if (note)
                ASSERT_CONTAINS(notes, note);
        else
                ASSERT_TEXT(notes, "");
}

/* --- GRUB ------------------------------------------------------------------------------------ */

#define GRUB_ENTRY(title, of)                                                                      \
        "menuentry \"" title "\" {\n linux ($drive2)//kernels/" of "-kernel init=/nix/store/" of   \
        "-nixos/init\n initrd ($drive2)//kernels/" of "-initrd\n}\n"
#define GRUB_ONE "set default=0\n" GRUB_ENTRY("NixOS - Default", "one")
#define GRUB_TWO                                                                                   \
        "set default=0\n" GRUB_ENTRY("NixOS - Default", "two")                                     \
                GRUB_ENTRY("NixOS - Configuration 1", "one")

static void put_kernels(const Machine *machine, const char *folder, const char *of) {
        static const char *const kinds[] = { "kernel", "initrd" };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_free_ char *path = NULL, *text = NULL;

                ASSERT_OK(text_printf(&path, "%s/%s-%s", folder, of, kinds[i]));
                ASSERT_OK(text_printf(&text, "bytes of %s-%s", of, kinds[i]));
                put(machine, path, text);
        }
}

static void grub_before(Machine *machine) {
        machine_init(machine);
        put_kernels(machine, "boot/kernels", "one");
        put(machine, "boot/grub/grub.cfg", GRUB_ONE);
        begin(machine);
}

TEST(a_grub_menu_that_is_right_is_verified) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/grub/grub.cfg", GRUB_TWO);
        assert_answer(&machine, 0, NULL);
}

TEST(an_installer_that_wrote_nothing_is_found_out) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        assert_bad(&machine, "it has no entry that boots '" TWO "'");
}

TEST(a_kernel_that_is_cut_short_is_found) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/kernels/two-kernel", "bytes");
        put(&machine, "boot/grub/grub.cfg", GRUB_TWO);
        assert_bad(&machine, "'kernels/two-kernel' is not what the store has");
}

TEST(an_initrd_that_is_missing_is_found) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        ASSERT_OK(unlinkat(machine.root_fd, "boot/kernels/two-initrd", 0));
        put(&machine, "boot/grub/grub.cfg", GRUB_TWO);
        assert_bad(&machine, "'kernels/two-initrd' is missing");
}

TEST(another_default_is_found) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/grub/grub.cfg",
            "set default=1\n" GRUB_ENTRY("a", "two") GRUB_ENTRY("b", "one"));
        assert_bad(&machine, "'b' boots next (it is the default of the menu), which is '" ONE "'");
}

TEST(an_empty_menu_is_found) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put(&machine, "boot/grub/grub.cfg", "");
        assert_bad(&machine, "no entry");
}

TEST(what_was_whole_and_is_damaged_now_is_found) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/grub/grub.cfg", GRUB_TWO);
        put(&machine, "boot/kernels/one-kernel", "x");
        assert_bad(&machine,
                   "the entry of the booted system ('" ONE "') was whole and is damaged now");
}

TEST(what_was_damaged_before_is_noted) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(&machine, "boot/kernels/one-kernel", "x");
        put(&machine, "boot/grub/grub.cfg", GRUB_ONE);
        begin(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/grub/grub.cfg", GRUB_TWO);
        assert_answer(&machine, 0, "the entry of the booted system ('" ONE "')");
}

TEST(an_entry_that_was_dropped_and_what_was_left_behind_are_noted) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/kernels/x.tmp", "x");
        put(&machine, "boot/grub/grub.cfg", "set default=0\n" GRUB_ENTRY("a", "two"));
        assert_answer(&machine, 0, "has no entry in");
        ASSERT_EQ(machine.notes.n, 2);
        ASSERT_CONTAINS(machine.notes.items[1], "'kernels/x.tmp'");
}

TEST(somebody_elses_entry_as_the_default_is_their_wish) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        put(&machine, "boot/grub/grub.cfg",
            "set default=2\n" GRUB_ENTRY("a", "two")
                    GRUB_ENTRY("b", "one") "menuentry windows {\n chainloader /w\n}\n");
        assert_answer(&machine, 0, "'windows' boots next");
}

TEST(a_kernel_that_grub_reads_from_the_store_is_there) {
        _cleanup_(machine_done) Machine machine;
        static const char text[] =
                "menuentry a {\n linux ($drive1)/@/nix/store/two-linux/bzImage "
                "init=" TWO "/init\n initrd ($drive1)/@/nix/store/two-initrd/initrd\n}\n";

        machine_init(&machine);
        for (size_t i = 0; i < 2; i++)
                bootspec_done(&machine.specs[i]);
        machine.specs[0] = (Bootspec){ .kernel = strdup("/nix/store/two-linux/bzImage"),
                                       .initrd = strdup("/nix/store/two-initrd/initrd") };
        begin(&machine);
        put(&machine, "boot/grub/grub.cfg", text);
        assert_answer(&machine, 0, NULL);
}

TEST(a_copy_is_not_taken_for_the_file_of_the_store_that_it_is_called_like) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        free(machine.specs[0].kernel);
        machine.specs[0].kernel = strdup("/nix/store/two-kernel");
        begin(&machine);
        put_kernels(&machine, "boot/kernels", "two");
        ASSERT_OK(unlinkat(machine.root_fd, "boot/kernels/two-kernel", 0));
        put(&machine, "boot/grub/grub.cfg", GRUB_TWO);
        assert_bad(&machine, "'kernels/two-kernel' is missing");
}

TEST(a_kernel_in_a_place_that_nobody_knows_is_not_condemned) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        begin(&machine);
        put(&machine, "boot/grub/grub.cfg",
            "menuentry a {\n linux (hd0)/x/y init=" TWO "/init\n initrd (hd0)/x/z\n}\n");
        assert_answer(&machine, 0, "are whole cannot be told");
}

/* --- which menu is in use --------------------------------------------------------------------- */

TEST(without_a_menu_nothing_can_be_told) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        begin(&machine);
        assert_answer(&machine, MENU_CHECK_UNTOLD, NULL);
}

TEST(an_old_menu_that_leads_elsewhere_is_not_to_blame) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put_kernels(&machine, "boot/kernels", "old");
        put(&machine, "boot/grub/grub.cfg", "set default=0\n" GRUB_ENTRY("a", "old"));
        begin(&machine);
        assert_answer(&machine, MENU_CHECK_UNTOLD, NULL);
}

TEST(another_installer_may_leave_the_menu_of_the_one_before) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        machine.check.source.same_installer = false;
        assert_answer(&machine, MENU_CHECK_UNTOLD, NULL);
}

TEST(one_menu_that_does_is_enough) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        put_kernels(&machine, "boot/EFI/nixos", "two");
        put(&machine, "boot/loader/loader.conf", "default nixos-generation-2.conf\n");
        put(&machine, "boot/loader/entries/nixos-generation-2.conf",
            "linux /EFI/nixos/two-kernel\ninitrd /EFI/nixos/two-initrd\noptions init=" TWO
            "/init\n");
        assert_answer(&machine, 0, NULL);
}

TEST(a_menu_that_cannot_be_read_is_told_and_not_condemned) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        begin(&machine);
        put(&machine, "boot/limine/limine.conf", "/////////////////x\n");
        assert_answer(&machine, MENU_CHECK_UNTOLD, "cannot be read");
}

/* --- systemd-boot ----------------------------------------------------------------------------- */

static void put_entry(const Machine *machine, const char *file, const char *of) {
        _cleanup_free_ char *path = NULL, *text = NULL;

        ASSERT_OK(text_printf(&path, "boot/loader/entries/%s", file));
        ASSERT_OK(text_printf(&text,
                              "title NixOS\nlinux /EFI/nixos/%s-kernel\ninitrd "
                              "/EFI/nixos/%s-initrd\noptions init=/nix/store/%s-nixos/init\n",
                              of, of, of));
        put(machine, path, text);
        put_kernels(machine, "boot/EFI/nixos", of);
}

static void systemd_boot_before(Machine *machine) {
        machine_init(machine);
        put(machine, "boot/loader/loader.conf", "default nixos-generation-1.conf\n");
        put_entry(machine, "nixos-generation-1.conf", "one");
        begin(machine);
        put_entry(machine, "nixos-generation-2.conf", "two");
}

TEST(a_systemd_boot_menu_that_is_right_is_verified) {
        _cleanup_(machine_done) Machine machine;

        systemd_boot_before(&machine);
        put(&machine, "boot/loader/loader.conf", "default nixos-generation-2.conf\n");
        assert_answer(&machine, 0, NULL);
}

TEST(a_loader_conf_that_was_not_written_is_found) {
        _cleanup_(machine_done) Machine machine;

        systemd_boot_before(&machine);
        put(&machine, "boot/loader/entries/nixos-generation-1+3.conf", "");
        put(&machine, "boot/loader/loader.tmp", "");
        assert_bad(&machine, "'nixos-generation-1.conf' boots next ('default' in loader.conf");
}

TEST(an_entry_whose_kernel_is_gone_is_found) {
        _cleanup_(machine_done) Machine machine;

        systemd_boot_before(&machine);
        put(&machine, "boot/loader/loader.conf", "default nixos-generation-2.conf\n");
        ASSERT_OK(unlinkat(machine.root_fd, "boot/EFI/nixos/two-kernel", 0));
        assert_bad(&machine, "'EFI/nixos/two-kernel' is missing");
}

TEST(twins_and_leftovers_are_noted) {
        _cleanup_(machine_done) Machine machine;

        systemd_boot_before(&machine);
        put(&machine, "boot/loader/loader.conf", "default nixos-generation-2.conf\n");
        put(&machine, "boot/loader/entries/nixos-generation-1+3.conf", "");
        put(&machine, "boot/loader/loader.tmp", "");
        assert_answer(&machine, 0, "loader/entries/nixos-generation-1+3.conf");
        ASSERT_EQ(machine.notes.n, 2);
}

TEST(a_stale_default_among_the_variables_is_deleted) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_free_ char *value = NULL;

        systemd_boot_before(&machine);
        put(&machine, "boot/loader/loader.conf", "default nixos-generation-2.conf\n");
        ASSERT_OK(efi_variable_write(machine.variables_fd, EFI_LOADER_DEFAULT,
                                     "nixos-generation-1.conf", NULL));
        assert_answer(&machine, 0, "LoaderEntryDefault named 'nixos-generation-1.conf'");
        ASSERT_EQ(efi_variable_read(machine.variables_fd, EFI_LOADER_DEFAULT, &value),
                  EFI_VARIABLE_ABSENT);
}

TEST(a_variable_that_names_somebody_elses_entry_stays) {
        _cleanup_(machine_done) Machine machine;
        _cleanup_free_ char *value = NULL;

        systemd_boot_before(&machine);
        put(&machine, "boot/loader/loader.conf", "default nixos-generation-2.conf\n");
        put(&machine, "boot/loader/entries/other.conf", "title x\nefi /EFI/nixos/two-kernel\n");
        ASSERT_OK(efi_variable_write(machine.variables_fd, EFI_LOADER_DEFAULT, "other.conf", NULL));
        assert_answer(&machine, 0, "'other.conf' boots next");
        ASSERT_OK(efi_variable_read(machine.variables_fd, EFI_LOADER_DEFAULT, &value));
}

TEST(entries_may_lie_on_the_extended_partition) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(&machine, "efi/loader/loader.conf", "default nixos-generation-1.conf\n");
        put_entry(&machine, "nixos-generation-1.conf", "one");
        begin(&machine);
        put_entry(&machine, "nixos-generation-2.conf", "two");
        put(&machine, "efi/loader/loader.conf", "default nixos-generation-2.conf\n");
        assert_answer(&machine, 0, NULL);
}

TEST(a_unified_image_is_found_by_its_command_line) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(&machine, "boot/loader/loader.conf", "timeout 3\n");
        put(&machine, "boot/EFI/Linux/nixos-generation-1-x.efi", "MZ init=" ONE "/init quiet");
        begin(&machine);
        put(&machine, "boot/EFI/Linux/nixos-generation-2-y.efi", "MZ init=" TWO "/init quiet");
        assert_answer(&machine, 0, "which entry of");
}

TEST(a_unified_image_that_is_not_there_is_missed) {
        _cleanup_(machine_done) Machine machine;

        machine_init(&machine);
        put(&machine, "boot/loader/loader.conf", "timeout 3\n");
        begin(&machine);
        put(&machine, "boot/EFI/Linux/nixos-generation-2-y.efi", "MZ init=" ONE "/init quiet");
        assert_bad(&machine, "it has no entry that boots '" TWO "'");
}

/* --- extlinux and limine ---------------------------------------------------------------------- */

#define EXTLINUX(default_label)                                                                    \
        "DEFAULT " default_label "\nLABEL nixos-default\n LINUX ../nixos/two-kernel\n"             \
        " INITRD ../nixos/two-initrd\n APPEND init=" TWO "/init\n FDTDIR ../nixos/dtbs\n"          \
        "LABEL nixos-1\n LINUX ../nixos/one-kernel\n INITRD ../nixos/one-initrd\n"                 \
        " APPEND init=" ONE "/init\n"

static void extlinux_after(Machine *machine, const char *text) {
        machine_init(machine);
        put_kernels(machine, "boot/nixos", "one");
        begin(machine);
        put_kernels(machine, "boot/nixos", "two");
        put(machine, "boot/nixos/dtbs/a.dtb", "x");
        put(machine, "boot/extlinux/extlinux.conf", text);
}

TEST(an_extlinux_menu_that_is_right_is_verified) {
        _cleanup_(machine_done) Machine machine;

        extlinux_after(&machine, EXTLINUX("nixos-default"));
        assert_answer(&machine, 0, NULL);
}

TEST(another_label_as_the_default_is_found) {
        _cleanup_(machine_done) Machine machine;

        extlinux_after(&machine, EXTLINUX("nixos-1"));
        assert_bad(&machine, "'nixos-1' boots next");
}

TEST(device_trees_that_are_not_there_are_found) {
        _cleanup_(machine_done) Machine machine;

        extlinux_after(&machine, EXTLINUX("nixos-default"));
        ASSERT_OK(unlinkat(machine.root_fd, "boot/nixos/dtbs/a.dtb", 0));
        ASSERT_OK(unlinkat(machine.root_fd, "boot/nixos/dtbs", AT_REMOVEDIR));
        assert_bad(&machine, "'nixos/dtbs' is missing");
}

#define LIMINE(number)                                                                             \
        "default_entry: " number "\n/+NixOS\n//Generation 2\nprotocol: linux\n"                    \
        "kernel_path: boot():/limine/kernels/two-kernel#00\ncmdline: init=" TWO "/init\n"          \
        "module_path: boot():/limine/kernels/two-initrd\n//Generation 1\n"                         \
        "kernel_path: boot():/limine/kernels/one-kernel\ncmdline: init=" ONE "/init\n"             \
        "module_path: boot():/limine/kernels/one-initrd\n"

static void limine_after(Machine *machine, const char *text) {
        machine_init(machine);
        begin(machine);
        put_kernels(machine, "boot/limine/kernels", "one");
        put_kernels(machine, "boot/limine/kernels", "two");
        put(machine, "boot/limine/limine.conf", text);
}

TEST(a_limine_menu_that_is_right_is_verified) {
        _cleanup_(machine_done) Machine machine;

        limine_after(&machine, LIMINE("2"));
        assert_answer(&machine, 0, NULL);
}

TEST(another_number_as_the_default_is_found) {
        _cleanup_(machine_done) Machine machine;

        limine_after(&machine, LIMINE("3"));
        assert_bad(&machine, "'Generation 1' boots next");
}

/* --- before ----------------------------------------------------------------------------------- */

TEST(damage_is_seen_before_an_installer_runs) {
        _cleanup_(machine_done) Machine whole, damaged, led_elsewhere;

        limine_after(&whole, LIMINE("2"));
        menu_check_done(&whole.check);
        begin(&whole);
        ASSERT_FALSE(menu_check_finds_damage(&whole.check));

        limine_after(&damaged, LIMINE("2"));
        put(&damaged, "boot/limine/kernels/two-kernel", "");
        menu_check_done(&damaged.check);
        begin(&damaged);
        ASSERT_TRUE(menu_check_finds_damage(&damaged.check));

        limine_after(&led_elsewhere, LIMINE("3"));
        menu_check_done(&led_elsewhere.check);
        begin(&led_elsewhere);
        ASSERT_TRUE(menu_check_finds_damage(&led_elsewhere.check));
}

TEST(what_no_menu_lists_is_not_damaged) {
        _cleanup_(machine_done) Machine machine;

        grub_before(&machine);
        ASSERT_FALSE(menu_check_finds_damage(&machine.check));
}
