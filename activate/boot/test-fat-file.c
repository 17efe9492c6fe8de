/* Files by FAT's rules. ENACT_TEST_VFAT may name a folder on a real one; else any folder will do.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "error.h"
#include "fat-file.h"
#include "file.h"
#include "test.h"

static FatDirectory new_directory(void) {
        FatDirectory directory = { .path = "/boot" };
        const char *parent = getenv("ENACT_TEST_VFAT");
        static char path[4096];

        if (!parent) {
                ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &directory.fd));
                return directory;
        }
        (void) snprintf(path, sizeof(path), "%s/XXXXXX", parent);
        assert_non_null(mkdtemp(path));
        ASSERT_OK(file_open_directory(AT_FDCWD, path, &directory.fd));
        return directory;
}

static void assert_holds(const FatDirectory *directory, const char *name, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(file_read(directory->fd, name, 100, &text, NULL));
        ASSERT_TEXT(text, wanted);
}

static void assert_names(const FatDirectory *directory, const char *wanted) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_free_ char *joined = NULL;

        ASSERT_OK(file_list(directory->fd, ".", &names));
        ASSERT_OK(string_list_join(&names, " ", &joined));
        ASSERT_TEXT(joined, wanted);
}

static int add(const FatDirectory *directory, const char *name, const char *text,
               sd_bus_error *error) {
        const FatSource source = fat_source_of_text(text);

        return fat_file_add(directory, name, &source, error);
}

TEST(a_new_file_holds_its_bytes_and_leaves_nothing_beside_it) {
        FatDirectory directory = new_directory();

        ASSERT_OK(add(&directory, "a.conf", "hello\n", NULL));
        ASSERT_OK(add(&directory, "b.conf", "", NULL));
        assert_holds(&directory, "a.conf", "hello\n");
        assert_names(&directory, "a.conf b.conf");
        ASSERT_OK(fat_barrier(&directory, NULL));
        (void) close(directory.fd);
}

TEST(a_file_is_copied_whole_from_another) {
        FatDirectory directory = new_directory();
        _cleanup_close_ int big =
                openat(directory.fd, "source", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        FatSource source = { .fd = big };
        static char bytes[700001];

        memset(bytes, 'x', sizeof(bytes));
        bytes[sizeof(bytes) - 1] = 'y';
        ASSERT_OK(file_append(big, bytes, sizeof(bytes)));
        digest_of_bytes(bytes, sizeof(bytes), &source.digest);
        ASSERT_OK(fat_file_add(&directory, "copy", &source, NULL));
        ASSERT_OK(fat_file_check(&directory, "copy", &source.digest));
        (void) close(directory.fd);
}

TEST(a_name_that_is_there_is_not_written_over) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        FatDirectory directory = new_directory();

        ASSERT_OK(add(&directory, "a", "old", NULL));
        ASSERT_EQ(add(&directory, "a", "new", &error), -EEXIST);
        ASSERT_CONTAINS(error.message, "Cannot name '/boot/a'");
        assert_holds(&directory, "a", "old");
        assert_names(&directory, "a");
        (void) close(directory.fd);
}

TEST(what_a_killed_process_left_is_no_hindrance) {
        FatDirectory directory = new_directory();
        const FatSource source = fat_source_of_text("new");

        ASSERT_OK(add(&directory, "a.tmp", "half", NULL));
        ASSERT_OK(add(&directory, "a", "old", NULL));
        ASSERT_OK(add(&directory, "a.tmp", "half", NULL));
        ASSERT_OK(fat_file_replace(&directory, "a", &source, NULL));
        assert_holds(&directory, "a", "new");
        assert_names(&directory, "a");
        (void) close(directory.fd);
}

TEST(bytes_that_are_not_those_announced_are_never_named) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        FatDirectory directory = new_directory();
        FatSource source = fat_source_of_text("one");

        source.digest.bytes[0] ^= 1;
        ASSERT_EQ(fat_file_add(&directory, "a", &source, &error), -EBADMSG);
        ASSERT_CONTAINS(error.message, "Cannot read back '/boot/a'");
        assert_names(&directory, "");
        ASSERT_OK(add(&directory, "a", "old", NULL));
        ASSERT_EQ(fat_file_replace(&directory, "a", &source, NULL), -EBADMSG);
        assert_holds(&directory, "a", "old");
        assert_names(&directory, "a");
        (void) close(directory.fd);
}

TEST(replacing_adds_what_is_not_there) {
        FatDirectory directory = new_directory();
        const FatSource source = fat_source_of_text("new");

        ASSERT_OK(fat_file_replace(&directory, "a", &source, NULL));
        assert_holds(&directory, "a", "new");
        assert_names(&directory, "a");
        (void) close(directory.fd);
}

TEST(a_file_gets_another_name_but_not_that_of_another) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        FatDirectory directory = new_directory();

        ASSERT_OK(add(&directory, "x+3-0.conf", "x", NULL));
        ASSERT_OK(fat_file_rename(&directory, "x+3-0.conf", "x.conf", NULL));
        assert_holds(&directory, "x.conf", "x");
        ASSERT_OK(add(&directory, "x+3-0.conf", "y", NULL));
        ASSERT_EQ(fat_file_rename(&directory, "x+3-0.conf", "x.conf", &error), -EEXIST);
        ASSERT_EQ(fat_file_rename(&directory, "none", "x2.conf", NULL), -ENOENT);
        assert_names(&directory, "x+3-0.conf x.conf");
        (void) close(directory.fd);
}

TEST(a_check_sees_what_is_missing_short_and_changed) {
        FatDirectory directory = new_directory();
        const FatSource source = fat_source_of_text("abc"), shorter = fat_source_of_text("ab"),
                        other = fat_source_of_text("abd");

        ASSERT_EQ(fat_file_check(&directory, "a", &source.digest), FAT_FILE_ABSENT);
        ASSERT_OK(add(&directory, "a", "abc", NULL));
        ASSERT_OK(fat_file_check(&directory, "a", &source.digest));
        ASSERT_EQ(fat_file_check(&directory, "a", &shorter.digest), FAT_FILE_DIFFERS);
        ASSERT_EQ(fat_file_check(&directory, "a", &other.digest), FAT_FILE_DIFFERS);
        ASSERT_OK(fat_file_remove(&directory, "a", NULL));
        ASSERT_OK(fat_file_remove(&directory, "a", NULL));
        assert_names(&directory, "");
        ASSERT_OK(fat_directory_make(&directory, "d", NULL));
        ASSERT_OK(fat_directory_make(&directory, "d", NULL));
        ASSERT_EQ(fat_file_check(&directory, "d", &source.digest), FAT_FILE_DIFFERS);
        (void) close(directory.fd);
}
