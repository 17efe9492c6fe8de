#include <sys/stat.h>
#include <sys/wait.h>

#include "file-lock.h"
#include "process.h"
#include "test.h"
#include "text.h"

static char path[4096];

static void new_path(void) {
        (void) snprintf(path, sizeof(path), "%s/lock", test_directory());
}

TEST(one_has_the_lock_and_the_other_is_told) {
        _cleanup_close_ int first = -EBADF, second = -EBADF;

        new_path();
        ASSERT_OK(file_lock(path, &first));
        ASSERT_EQ(file_lock(path, &second), LOCK_HELD);
        ASSERT_EQ(second, -EBADF);

        first = fd_close(first);
        ASSERT_OK(file_lock(path, &second));
}

TEST(others_cannot_open_what_they_could_then_lock) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        new_path();
        ASSERT_OK(file_lock(path, &fd));
        ASSERT_OK(fstat(fd, &st));
        ASSERT_EQ(st.st_mode & 0077, 0);
}

TEST(a_link_in_its_place_is_not_followed) {
        _cleanup_close_ int fd = -EBADF;

        new_path();
        ASSERT_OK(symlink("/dev/null", path));
        ASSERT_EQ(file_lock(path, &fd), -ELOOP);
}

TEST(the_holder_is_named) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *command = NULL;
        pid_t pid;
        int r;

        new_path();
        ASSERT_OK(file_lock(path, &fd));
        r = file_lock_holder(path, &pid, &command);
        if (r == -ESRCH)
                skip(); /* in a sandbox whose /proc/locks shows nothing */
        ASSERT_OK(r);
        ASSERT_EQ(pid, getpid());
        ASSERT_CONTAINS(command, "test-file-lock");
}

TEST(nobody_is_named_where_nobody_holds_it) {
        _cleanup_close_ int fd = -EBADF;
        char *command = NULL;
        pid_t pid;

        new_path();
        ASSERT_OK(file_lock(path, &fd));
        fd = fd_close(fd);
        ASSERT_EQ(file_lock_holder(path, &pid, &command), -ESRCH);
        ASSERT_EQ(file_lock_holder("/nonexistent", &pid, &command), -ENOENT);
}

TEST(a_child_does_not_prolong_the_lock) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_close_ int fd = -EBADF, again = -EBADF;
        int fds[2];
        pid_t pid;

        new_path();
        ASSERT_OK(pipe(fds));
        ASSERT_OK(file_lock(path, &fd));
        ASSERT_OK(string_list_add(&arguments, "cat"));
        {
                ProcessOptions options = PROCESS_OPTIONS_NULL;

                options.stdin_fd = fds[0];
                ASSERT_OK(process_start(&arguments, &options, &pid));
        }

        fd = fd_close(fd);
        ASSERT_OK(file_lock(path, &again));
        (void) fd_close(fds[0]);
        (void) kill(pid, SIGKILL);
        ASSERT_OK(process_wait(pid, NULL));
        (void) fd_close(fds[1]);
}
