#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "file.h"
#include "test.h"
#include "text.h"

static int open_tree(void) {
        int fd;

        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &fd));
        return fd;
}

TEST(a_file_is_replaced_with_its_mode_whatever_the_umask) {
        _cleanup_close_ int fd = open_tree();
        _cleanup_free_ char *text = NULL;
        mode_t mask = umask(0077);
        struct stat st;
        size_t n;

        ASSERT_OK(file_write(fd, "a", "one", 0644));
        ASSERT_OK(file_write(fd, "a", "two\n", 0640));
        (void) umask(mask);
        ASSERT_OK(fstatat(fd, "a", &st, 0));
        ASSERT_EQ(st.st_mode & 07777, 0640);
        ASSERT_OK(file_read(fd, "a", 100, &text, &n));
        ASSERT_TEXT(text, "two\n");
        ASSERT_EQ(n, 4);
}

TEST(a_write_replaces_a_link_and_leaves_what_it_pointed_to) {
        _cleanup_close_ int fd = open_tree();
        _cleanup_free_ char *text = NULL, *target = NULL;

        ASSERT_OK(file_write(fd, "victim", "old", 0644));
        ASSERT_OK(file_symlink(fd, "victim", "link"));
        ASSERT_OK(file_write(fd, "link", "new", 0644));
        ASSERT_EQ(file_readlink(fd, "link", &target), -EINVAL);
        ASSERT_OK(file_read(fd, "victim", 100, &text, NULL));
        ASSERT_TEXT(text, "old");
}

TEST(a_failed_write_leaves_nothing_behind) {
        const char *directory = test_directory();
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/a", directory));
        ASSERT_OK(file_make_directories(path, 0755));
        ASSERT_TRUE(file_write(AT_FDCWD, path, "text", 0644) < 0); /* a directory is in its place */
        ASSERT_OK(rmdir(path));
        ASSERT_OK(rmdir(directory)); /* no temporary file */
        ASSERT_OK(mkdir(directory, 0700));
        ASSERT_EQ(file_write(AT_FDCWD, "/nonexistent/a", "text", 0644), -ENOENT);
}

TEST(a_file_longer_than_its_limit_is_refused) {
        _cleanup_close_ int fd = open_tree();
        char *text = NULL;

        ASSERT_OK(file_write(fd, "a", "12345", 0644));
        ASSERT_EQ(file_read(fd, "a", 4, &text, NULL), -EFBIG);
        ASSERT_NULL(text);
        ASSERT_OK(file_read(fd, "a", 5, &text, NULL));
        free(text);
}

TEST(large_files_are_read_whole) {
        _cleanup_close_ int fd = open_tree();
        _cleanup_free_ char *text = calloc(1, 100001), *again = NULL;
        size_t n;

        assert_non_null(text);
        memset(text, 'x', 100000);
        ASSERT_OK(file_write(fd, "a", text, 0644));
        ASSERT_OK(file_read(fd, "a", 100000, &again, &n));
        ASSERT_EQ(n, 100000);
        ASSERT_TEXT(again, text);
}

TEST(what_is_no_regular_file_is_refused_at_once) {
        _cleanup_close_ int fd = open_tree();
        char *text = NULL;

        ASSERT_OK(mkfifoat(fd, "fifo", 0600));
        ASSERT_EQ(file_read(fd, "fifo", 100, &text, NULL), -ENXIO);
        ASSERT_EQ(file_read(fd, ".", 100, &text, NULL), -EISDIR);
        ASSERT_EQ(file_read(AT_FDCWD, "/dev/zero", 100, &text, NULL), -ENXIO);
        ASSERT_EQ(file_read(fd, "none", 100, &text, NULL), -ENOENT);
}

TEST(the_first_line_comes_without_its_newline) {
        _cleanup_close_ int fd = open_tree();
        _cleanup_free_ char *one = NULL, *none = NULL, *open_ended = NULL;

        ASSERT_OK(file_write(fd, "a", "first\nsecond\n", 0644));
        ASSERT_OK(file_read_line(fd, "a", &one));
        ASSERT_TEXT(one, "first");
        ASSERT_OK(file_write(fd, "a", "", 0644));
        ASSERT_OK(file_read_line(fd, "a", &none));
        ASSERT_TEXT(none, "");
        ASSERT_OK(file_write(fd, "a", "no end", 0644));
        ASSERT_OK(file_read_line(fd, "a", &open_ended));
        ASSERT_TEXT(open_ended, "no end");
}

TEST(a_link_is_made_and_replaced) {
        _cleanup_close_ int fd = open_tree();
        _cleanup_free_ char *first = NULL, *second = NULL, *none = NULL;

        ASSERT_OK(file_symlink(fd, "x", "link"));
        ASSERT_OK(file_readlink(fd, "link", &first));
        ASSERT_TEXT(first, "x");
        ASSERT_OK(file_symlink(fd, "/y/z", "link"));
        ASSERT_OK(file_readlink(fd, "link", &second));
        ASSERT_TEXT(second, "/y/z");
        ASSERT_EQ(file_readlink(fd, "none", &none), -ENOENT);
}

TEST(directories_are_made_with_those_above_them) {
        const char *directory = test_directory();
        _cleanup_free_ char *path = NULL;
        struct stat st;

        ASSERT_OK(text_printf(&path, "%s/a/b//c/", directory));
        ASSERT_OK(file_make_directories(path, 0700));
        ASSERT_OK(file_make_directories(path, 0700));
        ASSERT_OK(stat(path, &st));
        ASSERT_TRUE(S_ISDIR(st.st_mode));
        ASSERT_OK(file_sync_filesystem(path));
}

TEST(a_directory_is_made_with_its_mode_whatever_the_umask) {
        _cleanup_free_ char *outer = NULL, *inner = NULL;
        mode_t mask = umask(0077);
        struct stat st;

        ASSERT_OK(text_printf(&outer, "%s/a", test_directory()));
        ASSERT_OK(text_printf(&inner, "%s/b", outer));
        ASSERT_OK(file_make_directories(inner, 0755));
        (void) umask(mask);
        ASSERT_OK(stat(outer, &st));
        ASSERT_EQ(st.st_mode & 0777, 0755);
        ASSERT_OK(stat(inner, &st));
        ASSERT_EQ(st.st_mode & 0777, 0755);
}

TEST(a_real_path_has_no_links) {
        const char *directory = test_directory();
        _cleanup_free_ char *link = NULL, *path = NULL, *wanted = NULL, *none = NULL;

        ASSERT_OK(text_printf(&link, "%s/link", directory));
        ASSERT_OK(symlink(".", link));
        ASSERT_OK(file_realpath(link, &path));
        ASSERT_OK(file_realpath(directory, &wanted));
        ASSERT_TEXT(path, wanted);
        ASSERT_EQ(file_realpath("/nonexistent/x", &none), -ENOENT);
}

TEST(only_the_newest_files_are_kept) {
        static const char *const names[] = { "c", "a", "b", ".hidden" };
        static const struct timespec long_ago[] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
        _cleanup_close_ int fd = -EBADF;
        const char *directory = test_directory();

        ASSERT_OK(file_open_directory(AT_FDCWD, directory, &fd));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const struct timespec times[] = { { .tv_sec = 1000 + (time_t) i },
                                                  { .tv_sec = 1000 + (time_t) i } };

                ASSERT_OK(symlinkat("/nowhere", fd, names[i]));
                ASSERT_OK(utimensat(fd, names[i], times, AT_SYMLINK_NOFOLLOW));
        }

        ASSERT_OK(file_keep_newest(directory, NULL, 2));
        ASSERT_EQ(faccessat(fd, "c", F_OK, AT_SYMLINK_NOFOLLOW), -1);
        ASSERT_OK(faccessat(fd, "a", F_OK, AT_SYMLINK_NOFOLLOW));
        ASSERT_OK(faccessat(fd, "b", F_OK, AT_SYMLINK_NOFOLLOW));
        ASSERT_OK(faccessat(fd, ".hidden", F_OK, AT_SYMLINK_NOFOLLOW));

        ASSERT_OK(symlinkat("/nix/store/x", fd, "d"));
        ASSERT_OK(utimensat(fd, "d", long_ago, AT_SYMLINK_NOFOLLOW)); /* by a clock set back */
        ASSERT_OK(file_keep_newest(directory, "d", 2));
        ASSERT_OK(faccessat(fd, "d", F_OK, AT_SYMLINK_NOFOLLOW));
        ASSERT_OK(file_keep_newest(directory, NULL, 1));
        ASSERT_EQ(faccessat(fd, "d", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}
