/* Bootspec: documents as NixOS writes them, documents that nobody should, and systems without. */
#include <fcntl.h>
#include <sys/stat.h>

#include "bootspec.h"
#include "error.h"
#include "file.h"
#include "test.h"
#include "text.h"

#define TOP   "/nix/store/aaa-nixos-system-web-1"
#define CHILD "/nix/store/bbb-nixos-system-web-1"
#define BODY(top)                                                                                  \
        "\"system\":\"x86_64-linux\",\"init\":\"" top "/init\","                                   \
        "\"kernel\":\"/nix/store/k-linux/bzImage\",\"kernelParams\":[\"a=1\",\"b=\\\"x y\\\"\"],"  \
        "\"label\":\"NixOS 25.05\",\"toplevel\":\"" top "\","                                      \
        "\"initrd\":\"/nix/store/i-initrd/initrd\""
#define V1(body) "{\"org.nixos.bootspec.v1\":{" body "}}"

static int parse(const char *text, Bootspec *spec, sd_bus_error *error) {
        return bootspec_parse(text, strlen(text), TOP, spec, error);
}

/* Refused, with the words that say why. */
static void assert_refused(const char *text, const char *words) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(bootspec_done) Bootspec spec = { 0 };

        ASSERT_EQ(parse(text, &spec, &error), -EBADMSG);
        ASSERT_CONTAINS(error.message, words);
        ASSERT_CONTAINS(error.message, TOP);
}

TEST(a_document_of_nixos_is_read) {
        _cleanup_(bootspec_done) Bootspec spec = { 0 };

        ASSERT_OK(parse(
                "{\"org.nixos.bootspec.v1\":{" BODY(
                        TOP) ",\"initrdSecrets\":"
                             "\"/nix/store/s-append/bin/append\",\"future\":null},"
                             "\"org.nixos.specialisation.v1\":{\"quiet\":{\"org.nixos.bootspec.v1\":{" BODY(
                                     CHILD) "},\"org.nixos.systemd-boot\":{\"sortKey\":\"q\"}},"
                                            "\"aloud\":{\"org.nixos.bootspec.v1\":{" BODY(
                                                    CHILD) "}}},"
                                                           "\"org.nixos.systemd-boot\":{\"sortKey\":\"mine\",\"devicetree\":"
                                                           "\"/nix/store/d-dtb/board.dtb\"},"
                                                           "\"org.nixos.extra-initrd.v1\":{\"paths\":[\"EFI/ucode.img\"]},"
                                                           "\"org.example\":[1]}",
                &spec, NULL));
        ASSERT_TEXT(spec.system, "x86_64-linux");
        ASSERT_TEXT(spec.label, "NixOS 25.05");
        ASSERT_TEXT(spec.init, TOP "/init");
        ASSERT_TEXT(spec.kernel, "/nix/store/k-linux/bzImage");
        ASSERT_TEXT(spec.initrd, "/nix/store/i-initrd/initrd");
        ASSERT_TEXT(spec.initrd_secrets, "/nix/store/s-append/bin/append");
        ASSERT_EQ(spec.kernel_params.n, 2);
        ASSERT_TEXT(spec.kernel_params.items[1], "b=\"x y\"");
        ASSERT_TEXT(spec.sort_key, "mine");
        ASSERT_TEXT(spec.devicetree, "/nix/store/d-dtb/board.dtb");
        ASSERT_TEXT(spec.extra_initrds.items[0], "EFI/ucode.img");
        ASSERT_EQ(spec.unknown.n, 1);
        ASSERT_TEXT(spec.unknown.items[0], "org.example");
        ASSERT_EQ(spec.n_specialisations, 2);
        ASSERT_TEXT(spec.specialisations[0].specialisation, "aloud");
        ASSERT_TEXT(spec.specialisations[1].specialisation, "quiet");
        ASSERT_TEXT(spec.specialisations[1].toplevel, CHILD);
        ASSERT_TEXT(spec.specialisations[1].sort_key, "q");
        ASSERT_TEXT(spec.specialisations[0].sort_key, "nixos");
        ASSERT_FALSE(spec.synthesised);
}

TEST(a_second_level_of_specialisations_is_left_alone) {
        _cleanup_(bootspec_done) Bootspec spec = { 0 };

        ASSERT_OK(parse(
                "{\"org.nixos.bootspec.v1\":{" BODY(
                        TOP) "},"
                             "\"org.nixos.specialisation.v1\":{\"a\":{\"org.nixos.bootspec.v1\":{" BODY(
                                     CHILD) "},\"org.nixos.specialisation.v1\":{\"b\":7}}}}",
                &spec, NULL));
        ASSERT_EQ(spec.specialisations[0].n_specialisations, 0);
}

TEST(wrong_types_and_null_are_refused) {
        assert_refused("[]", "no JSON object");
        assert_refused("{}", "no 'org.nixos.bootspec.v1'");
        assert_refused("{\"org.nixos.bootspec.v1\":null}", "no 'org.nixos.bootspec.v1'");
        assert_refused(V1(BODY(TOP)) "x", "no JSON object");
        assert_refused(V1(BODY(TOP) ",\"initrdSecrets\":null"), "'initrdSecrets' is no text");
        assert_refused(V1("\"label\":7," BODY(TOP)), "'label' is there twice");
        assert_refused(V1("\"system\":true"), "'system' is no text");
        assert_refused(V1("\"system\":\"x\""), "'label' is missing");
        assert_refused("{\"org.nixos.bootspec.v1\":{" BODY(TOP) "},\"org.nixos.systemd-boot\":[]}",
                       "is no object");
        assert_refused("{\"org.nixos.bootspec.v1\":{" BODY(
                               TOP) "},\"org.nixos.specialisation.v1\":{\"a\":null}}",
                       "specialisation is no object");
        assert_refused("{\"org.nixos.bootspec.v1\":{" BODY(
                               TOP) "},\"org.nixos.specialisation.v1\":{\"a/b\":{}}}",
                       "no name of a specialisation");
}

static void assert_path_refused(const char *key, const char *value, const char *words) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(text_printf(&text,
                              "{\"org.nixos.bootspec.v1\":{%s},"
                              "\"org.nixos.systemd-boot\":{\"%s\":\"%s\"}}",
                              BODY(TOP), key, value));
        assert_refused(text, words);
}

TEST(paths_that_lead_elsewhere_are_refused) {
        assert_path_refused("devicetree", "nix/store/x", "no path of the store");
        assert_path_refused("devicetree", "/etc/passwd", "no path of the store");
        assert_path_refused("devicetree", "/nix/store/", "no path of the store");
        assert_path_refused("devicetree", "/nix/store/../../etc/x", "no path of the store");
        assert_path_refused("devicetree", "/nix/store/x/../../../etc/x", "no path of the store");
        assert_path_refused("devicetree", "/nix/store/x//y", "no path of the store");
        assert_path_refused("devicetree", "/nix/store/x y", "no path of the store");
        assert_refused("{\"org.nixos.bootspec.v1\":{" BODY(
                               TOP) "},\"org.nixos.extra-initrd.v1\":{\"paths\":[\"/abs\"]}}",
                       "relative to the boot partition");
        assert_refused("{\"org.nixos.bootspec.v1\":{" BODY(
                               TOP) "},\"org.nixos.extra-initrd.v1\":{\"paths\":[\"a/../b\"]}}",
                       "relative to the boot partition");
}

TEST(nothing_breaks_out_of_a_line_of_an_entry) {
        assert_path_refused("sortKey", "a\\nlinux /x", "not one line");
        assert_path_refused("sortKey", "a\\u0000b", "NUL");
        assert_path_refused("sortKey", "a\\\\u0000b\\r", "not one line");
        assert_path_refused("sortKey", "", "not one line");
        assert_path_refused("sortKey", "\xff", "not one line");
}

TEST(an_entry_gets_one_init_and_that_of_its_own_system) {
        assert_refused(V1("\"system\":\"x\",\"label\":\"l\",\"toplevel\":\"" TOP
                          "\",\"init\":\"" CHILD
                          "/init\",\"kernel\":\"/nix/store/k\",\"kernelParams\":[]"),
                       "does not lie in its toplevel");
        assert_refused(V1("\"system\":\"x\",\"label\":\"l\",\"toplevel\":\"" TOP
                          "\",\"init\":\"" TOP
                          "/init\",\"kernel\":\"/nix/store/k\",\"kernelParams\":[\"init=/x\"]"),
                       "init= of their own");
        assert_refused(V1("\"system\":\"x\",\"label\":\"l\",\"toplevel\":\"" TOP
                          "\",\"init\":\"" TOP
                          "/init\",\"kernel\":\"/nix/store/k\",\"kernelParams\":[\"a init=/x\"]"),
                       "init= of their own");
        assert_refused(V1(BODY(CHILD)), "it is about");
}

TEST(a_document_has_a_size_limit) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(bootspec_done) Bootspec spec = { 0 };
        _cleanup_free_ char *text = malloc(BOOTSPEC_BYTES_MAX + 2);

        memset(text, ' ', BOOTSPEC_BYTES_MAX + 1);
        ASSERT_EQ(bootspec_parse(text, BOOTSPEC_BYTES_MAX + 1, TOP, &spec, &error), -EBADMSG);
        ASSERT_CONTAINS(error.message, "longer than");
}

static void put(int fd, const char *name, const char *text) {
        ASSERT_OK(file_write(fd, name, text, 0644));
}

static int open_test_directory(void) {
        int fd = -EBADF;

        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &fd));
        return fd;
}

static void put_old_system(int fd) {
        put(fd, "init", "");
        put(fd, "system", "x86_64-linux");
        put(fd, "nixos-version", "22.05.x");
        put(fd, "kernel-params", "a=1  b c=2");
        ASSERT_OK(symlinkat("/nix/store/k-linux/bzImage", fd, "kernel"));
}

TEST(absent_and_invalid_are_different_answers) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(bootspec_done) Bootspec spec = { 0 };
        _cleanup_close_ int fd = open_test_directory();

        ASSERT_EQ(bootspec_read(fd, TOP, &spec, &error), BOOTSPEC_ABSENT);
        ASSERT_FALSE(sd_bus_error_is_set(&error));
        put(fd, BOOTSPEC_NAME, "{}");
        ASSERT_EQ(bootspec_read(fd, TOP, &spec, &error), -EBADMSG);
        ASSERT_TRUE(sd_bus_error_is_set(&error));
}

TEST(an_invalid_document_is_not_made_up_for) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(bootspec_done) Bootspec spec = { 0 };
        _cleanup_close_ int fd = open_test_directory();

        put_old_system(fd);
        put(fd, BOOTSPEC_NAME, "{}");
        ASSERT_EQ(bootspec_obtain(fd, TOP, &spec, &error), -EBADMSG);
}

TEST(an_old_system_is_read_from_its_files) {
        _cleanup_(bootspec_done) Bootspec spec = { 0 };
        _cleanup_close_ int fd = open_test_directory();

        put_old_system(fd);
        ASSERT_OK(symlinkat("/nix/store/i-initrd/initrd", fd, "initrd"));
        ASSERT_OK(symlinkat("/nix/store/s-append", fd, "append-initrd-secrets"));
        ASSERT_OK(mkdirat(fd, "kernel-modules", 0755));
        ASSERT_OK(mkdirat(fd, "kernel-modules/lib", 0755));
        ASSERT_OK(mkdirat(fd, "kernel-modules/lib/modules", 0755));
        ASSERT_OK(mkdirat(fd, "kernel-modules/lib/modules/5.15.6", 0755));

        ASSERT_OK(bootspec_obtain(fd, TOP, &spec, NULL));
        ASSERT_TRUE(spec.synthesised);
        ASSERT_TEXT(spec.label, "NixOS 22.05.x (Linux 5.15.6)");
        ASSERT_TEXT(spec.init, TOP "/init");
        ASSERT_TEXT(spec.kernel, "/nix/store/k-linux/bzImage");
        ASSERT_TEXT(spec.initrd, "/nix/store/i-initrd/initrd");
        ASSERT_TEXT(spec.initrd_secrets, "/nix/store/s-append");
        ASSERT_TEXT(spec.sort_key, "nixos");
        ASSERT_EQ(spec.kernel_params.n, 3);
        ASSERT_TEXT(spec.kernel_params.items[2], "c=2");
}

TEST(an_old_system_without_a_kernel_in_the_store_is_refused) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(bootspec_done) Bootspec spec = { 0 };
        _cleanup_close_ int fd = open_test_directory();

        put_old_system(fd);
        ASSERT_OK(unlinkat(fd, "kernel", 0));
        ASSERT_OK(symlinkat("../kernel", fd, "kernel"));
        ASSERT_EQ(bootspec_obtain(fd, TOP, &spec, &error), -EBADMSG);
        ASSERT_CONTAINS(error.message, "../kernel");
}
