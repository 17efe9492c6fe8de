/* EFI variables in a plain folder: there and back, in the bytes that the firmware has. */
#include <fcntl.h>
#include <sys/stat.h>

#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "test.h"

#define FILE_NAME "LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

static int open_folder(void) {
        int fd = -EBADF;

        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &fd));
        return fd;
}

static void put_bytes(int fd, const char *bytes, size_t n) {
        _cleanup_close_ int file = openat(fd, FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0644);

        ASSERT_OK(file_append(file, bytes, n));
}

TEST(a_variable_is_written_as_the_firmware_has_it) {
        static const char wanted[] = "\7\0\0\0a\0.\0c\0\0";
        _cleanup_close_ int fd = open_folder();
        _cleanup_free_ char *bytes = NULL;
        size_t n;

        ASSERT_OK(efi_variable_write(fd, EFI_LOADER_ONE_SHOT, "longer.conf", NULL));
        ASSERT_OK(efi_variable_write(fd, EFI_LOADER_ONE_SHOT, "a.c", NULL));
        ASSERT_OK(file_read(fd, FILE_NAME, 100, &bytes, &n));
        ASSERT_EQ(n, sizeof(wanted));
        assert_memory_equal(bytes, wanted, sizeof(wanted));
}

TEST(absent_empty_and_broken_are_told_apart) {
        _cleanup_close_ int fd = open_folder();
        _cleanup_free_ char *text = NULL, *empty = NULL;

        ASSERT_EQ(efi_variable_read(fd, EFI_LOADER_ONE_SHOT, &text), EFI_VARIABLE_ABSENT);
        put_bytes(fd, "\6\0\0\0", 4);
        ASSERT_OK(efi_variable_read(fd, EFI_LOADER_ONE_SHOT, &empty));
        ASSERT_TEXT(empty, "");
        put_bytes(fd, "\6\0\0", 3);
        ASSERT_EQ(efi_variable_read(fd, EFI_LOADER_ONE_SHOT, &text), -EBADMSG);
        put_bytes(fd, "\6\0\0\0a", 5);
        ASSERT_EQ(efi_variable_read(fd, EFI_LOADER_ONE_SHOT, &text), -EBADMSG);
}

TEST(text_of_the_firmware_becomes_utf8) {
        _cleanup_close_ int fd = open_folder();
        _cleanup_free_ char *text = NULL;
        static const char bytes[] = "\6\0\0\0\xfc\0\xac\x20\x3d\xd8\x00\xde\x3d\xd8x\0\0\0y";

        put_bytes(fd, bytes, sizeof(bytes));
        ASSERT_OK(efi_variable_read(fd, EFI_LOADER_ONE_SHOT, &text));
        ASSERT_TEXT(text, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80?x");
}

TEST(a_deleted_one_is_gone_and_twice_is_no_fault) {
        _cleanup_close_ int fd = open_folder();
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(efi_variable_write(fd, EFI_LOADER_ONE_SHOT, "a", NULL));
        ASSERT_OK(efi_variable_delete(fd, EFI_LOADER_ONE_SHOT, NULL));
        ASSERT_EQ(efi_variable_read(fd, EFI_LOADER_ONE_SHOT, &text), EFI_VARIABLE_ABSENT);
        ASSERT_OK(efi_variable_delete(fd, EFI_LOADER_ONE_SHOT, NULL));
}

TEST(what_fails_is_said_with_the_name_of_the_variable) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL, other = SD_BUS_ERROR_NULL;
        _cleanup_close_ int fd = open_folder();

        ASSERT_OK(mkdirat(fd, FILE_NAME, 0755));
        ASSERT_EQ(efi_variable_write(fd, EFI_LOADER_ONE_SHOT, "a", &error), -EISDIR);
        ASSERT_CONTAINS(error.message, "'LoaderEntryOneShot'");
        ASSERT_EQ(efi_variable_write(fd, EFI_LOADER_DEFAULT, "\xc3\xbc", &other), -EINVAL);
}
