#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "reboot.h"
#include "test.h"
#include "text.h"

static void put_file(const char *toplevel, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", toplevel, name));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0600));
}

static void put_link(const char *toplevel, const char *name, const char *target) {
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", toplevel, name));
        ASSERT_OK(file_symlink(AT_FDCWD, target, path));
}

/* A toplevel with all that a boot takes from it. */
static const char *new_system(void) {
        const char *toplevel = test_directory();

        put_link(toplevel, "kernel", "/dev/null");
        put_link(toplevel, "initrd", "/dev/null");
        put_link(toplevel, "kernel-modules", "/dev");
        put_file(toplevel, "kernel-params", "quiet root=/dev/sda1");
        put_file(toplevel, "init-interface-version", "systemd 2");
        put_file(toplevel, "switch-inhibitors", "{}");
        put_file(toplevel, "boot.json",
                 "{\"org.nixos.bootspec.v1\":{\"init\":\"/a\"},\"org.x\":{\"sort\":1}}");
        return toplevel;
}

/* The one reason there is, as "WHAT hard|soft BOOTED -> WANTED"; "" if there is none. */
static char *only_reason(const char *booted, const char *wanted, const char *command_line) {
        RebootReasons reasons = { 0 };
        char *text = NULL;

        ASSERT_OK(reboot_reasons(booted, wanted, command_line, &reasons));
        ASSERT_TRUE(reasons.n <= 1);
        if (reasons.n == 0)
                ASSERT_OK(text_printf(&text, "%s", ""));
        else
                ASSERT_OK(text_printf(&text, "%s %s %s -> %s", reasons.items[0].what,
                                      reasons.items[0].hard ? "hard" : "soft",
                                      reasons.items[0].booted, reasons.items[0].wanted));
        ASSERT_EQ(reboot_is_needed(&reasons), reasons.n > 0 && reasons.items[0].hard);
        reboot_reasons_done(&reasons);
        return text;
}

static void assert_reason(const char *booted, const char *wanted, const char *command_line,
                          const char *expected) {
        _cleanup_free_ char *text = only_reason(booted, wanted, command_line);

        ASSERT_TEXT(text, expected);
}

TEST(systems_that_boot_the_same_need_none) {
        const char *a = new_system(), *b = new_system();

        put_file(b, "nixos-version", "another");
        put_file(b, "boot.json",
                 "{\"org.nixos.bootspec.v1\":{\"init\":\"/b\"},\"org.x\":{\"sort\":1}}");
        assert_reason(a, b, NULL, "");
        assert_reason(a, a, NULL, "");
}

TEST(what_links_lead_to_is_compared_and_not_the_links) {
        const char *a = new_system(), *b = new_system();
        _cleanup_free_ char *other = NULL;

        ASSERT_OK(text_printf(&other, "%s/kernel", a));
        put_link(b, "kernel", other);
        assert_reason(a, b, NULL, "");
}

TEST(another_kernel_initrd_or_modules_need_one) {
        static const char *const names[] = { "kernel", "initrd", "kernel-modules" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *a = new_system(), *b = new_system();
                _cleanup_free_ char *expected = NULL;

                put_link(b, names[i], "/dev/zero");
                ASSERT_OK(text_printf(&expected, "%s hard %s -> /dev/zero", names[i],
                                      i < 2 ? "/dev/null" : "/dev"));
                assert_reason(a, b, NULL, expected);
        }
}

TEST(one_without_an_initrd_differs_from_one_with_it) {
        const char *a = new_system(), *b = new_system();
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/initrd", b));
        ASSERT_OK(unlink(path));
        assert_reason(a, b, NULL, "initrd hard /dev/null -> ");
        assert_reason(b, a, NULL, "initrd hard  -> /dev/null");
}

TEST(another_init_interface_or_inhibitor_needs_one) {
        const char *a = new_system(), *b = new_system(), *c = new_system();

        put_file(b, "init-interface-version", "systemd 3");
        assert_reason(a, b, NULL, "init-interface-version hard systemd 2 -> systemd 3");
        put_file(c, "switch-inhibitors", "{\"x\":\"1\"}");
        assert_reason(a, c, NULL, "switch-inhibitors hard {} -> {\"x\":\"1\"}");
}

TEST(device_trees_firmware_and_what_loaders_read_only_advise_one) {
        const char *a = new_system(), *b = new_system(), *c = new_system(), *d = new_system();

        put_link(b, "dtbs", "/dev");
        assert_reason(a, b, NULL, "dtbs soft  -> /dev");
        put_link(c, "firmware", "/dev");
        assert_reason(a, c, NULL, "firmware soft  -> /dev");
        put_file(d, "boot.json",
                 "{\"org.nixos.bootspec.v1\":{\"init\":\"/a\"},\"org.x\":{\"sort\":2}}");
        assert_reason(
                a, d, NULL,
                "bootspec-extensions soft {\"org.x\":{\"sort\":1}} -> {\"org.x\":{\"sort\":2}}");
}

TEST(a_bootspec_that_is_damaged_or_absent_is_no_reason_by_itself) {
        const char *a = new_system(), *b = new_system();

        put_file(a, "boot.json", "{\"org.nixos.bootspec.v1\":{}}");
        put_file(b, "boot.json", "no json");
        assert_reason(a, b, NULL, "");
}

TEST(kernel_parameters_are_compared_one_by_one) {
        const char *a = new_system(), *b = new_system();

        put_file(b, "kernel-params", "root=/dev/sda1 debug quiet");
        assert_reason(a, b, NULL, "kernel-params soft  -> debug");
        assert_reason(b, a, NULL, "kernel-params soft debug -> ");
        put_file(b, "kernel-params", "root=/dev/sda1 quiet\n");
        assert_reason(a, b, NULL, "");
}

TEST(what_the_kernel_was_really_given_counts) {
        const char *a = new_system(), *b = new_system();
        _cleanup_free_ char *edited = NULL, *as_written = NULL, *foreign = NULL;

        put_file(b, "kernel-params", "quiet root=/dev/sda1 debug");
        /* debug was added in the boot menu; what the loader adds is nobody's business */
        ASSERT_OK(text_printf(&edited,
                              "BOOT_IMAGE=/k init=%s/init quiet root=/dev/sda1 debug x=y\n", a));
        assert_reason(a, b, edited, "");
        ASSERT_OK(text_printf(&as_written, "init=%s/init root=/dev/sda1\n", a));
        assert_reason(a, b, as_written, "kernel-params soft  -> quiet debug");
        assert_reason(a, a, as_written, "kernel-params soft  -> quiet");
        /* a container has the command line of the machine around it */
        ASSERT_OK(text_printf(&foreign, "init=/sbin/init debug"));
        assert_reason(a, b, foreign, "kernel-params soft  -> debug");
        assert_reason(a, a, foreign, "");
}
