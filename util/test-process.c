#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "file.h"
#include "process.h"
#include "test.h"
#include "text.h"

/* Runs `sh -c script` with its standard output in a file and gives that and the status. */
static int run_script(const char *script, ProcessOptions options, char **ret_text) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        int status;
        pid_t pid;

        ASSERT_OK(text_printf(&path, "%s/out", test_directory()));
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_TRUE(fd >= 0);
        options.stdout_fd = fd;

        ASSERT_OK(string_list_add(&arguments, "sh"));
        ASSERT_OK(string_list_add(&arguments, "-c"));
        ASSERT_OK(string_list_add(&arguments, script));
        ASSERT_OK(process_start(&arguments, &options, &pid));
        ASSERT_OK(process_wait(pid, &status));
        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, ret_text, NULL));
        return status;
}

TEST(one_that_does_not_die_is_not_waited_for_without_end) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const ProcessOptions options = PROCESS_OPTIONS_NULL;
        int status;
        pid_t pid;

        ASSERT_OK(string_list_add(&arguments, "sleep"));
        ASSERT_OK(string_list_add(&arguments, "600"));
        ASSERT_OK(process_start(&arguments, &options, &pid));
        ASSERT_EQ(process_wait_killed(pid, &status), -ETIMEDOUT); /* it was not, in truth */
        ASSERT_OK(kill(pid, SIGKILL));
        ASSERT_OK(process_wait_killed(pid, &status));
        ASSERT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(arguments_reach_the_program_as_they_are) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        pid_t pid;

        ASSERT_OK(text_printf(&path, "%s/out", test_directory()));
        fd = options.stdout_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_OK(string_list_add(&arguments, "printf"));
        ASSERT_OK(string_list_add(&arguments, "%s,"));
        ASSERT_OK(string_list_add(&arguments, "$HOME `id` 'x'"));
        ASSERT_OK(string_list_add(&arguments, ""));
        ASSERT_OK(process_start(&arguments, &options, &pid));
        ASSERT_OK(process_wait(pid, NULL));
        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL));
        ASSERT_TEXT(text, "$HOME `id` 'x',,");
}

TEST(environment_and_directory_are_those_given) {
        static const char *const environment[] = { "PATH=/usr/bin:/bin", "A=b", NULL };
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        _cleanup_free_ char *text = NULL;

        options.environment = environment;
        options.directory = "/";
        ASSERT_OK(run_script("echo \"$A $HOME $(pwd)\"", options, &text));
        ASSERT_TEXT(text, "b  /\n");
}

TEST(what_is_not_given_is_empty_and_none_of_ours_is_open) {
        _cleanup_close_ int stray = open("/dev/null", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL, *script = NULL;

        ASSERT_TRUE(stray >= 0);
        ASSERT_OK(text_printf(&script, "cat; [ -e /proc/$$/fd/%d ] || echo closed", stray));
        ASSERT_OK(run_script(script, PROCESS_OPTIONS_NULL, &text));
        ASSERT_TEXT(text, "closed\n");
}

TEST(a_caller_without_standard_descriptors_can_start_a_program) {
        int status;
        pid_t pid = fork();

        ASSERT_TRUE(pid >= 0);
        if (pid == 0) {
                StringList arguments = { 0 };
                pid_t child;

                for (int fd = 0; fd < 3; fd++)
                        (void) close(fd);
                if (string_list_add(&arguments, "/nonexistent") < 0 ||
                    process_start(&arguments, &PROCESS_OPTIONS_NULL, &child) != -ENOENT)
                        _exit(1);
                string_list_done(&arguments);
                if (string_list_add(&arguments, "true") < 0 ||
                    process_start(&arguments, &PROCESS_OPTIONS_NULL, &child) < 0 ||
                    process_wait(child, &status) < 0 || status != 0)
                        _exit(2);
                string_list_done(&arguments);
                _exit(0);
        }
        ASSERT_OK(process_wait(pid, &status));
        ASSERT_EQ(WEXITSTATUS(status), 0);
}

TEST(what_cannot_be_run_is_an_error_of_the_start) {
        _cleanup_(string_list_done) StringList none = { 0 }, directory = { 0 };
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        _cleanup_free_ char *path = strdup(getenv("PATH"));
        pid_t pid = 7;

        (void) setenv("PATH", "/usr/bin:/bin",
                      /* overwrite= */ 1); /* one it may not search says EACCES */
        ASSERT_OK(string_list_add(&none, "no-such-program-anywhere"));
        ASSERT_EQ(process_start(&none, &options, &pid), -ENOENT);
        ASSERT_OK(string_list_add(&directory, "/"));
        ASSERT_EQ(process_start(&directory, &options, &pid), -EACCES);

        none.items[0] = (free(none.items[0]), strdup("true"));
        options.directory = "/nonexistent";
        ASSERT_EQ(process_start(&none, &options, &pid), -ENOENT);
        ASSERT_EQ(pid, 7);
        (void) setenv("PATH", path, /* overwrite= */ 1);
}

TEST(signals_are_the_default_ones_in_the_child) {
        _cleanup_free_ char *text = NULL;
        sigset_t blocked, before;
        int status;

        (void) sigemptyset(&blocked);
        (void) sigaddset(&blocked, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &blocked, &before);
        (void) signal(SIGTERM, SIG_IGN);
        status = run_script("kill -TERM $$; echo survived", PROCESS_OPTIONS_NULL, &text);
        (void) signal(SIGTERM, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);

        ASSERT_TRUE(WIFSIGNALED(status));
        ASSERT_EQ(WTERMSIG(status), SIGTERM);
        ASSERT_TEXT(text, "");
}

TEST(a_new_group_is_the_childs_own) {
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        _cleanup_free_ char *text = NULL, *own = NULL;

        options.new_group = true;
        ASSERT_OK(run_script("read -r _ _ _ _ group _ </proc/$$/stat; [ $group = $$ ] && echo own",
                             options, &text));
        ASSERT_TEXT(text, "own\n");
        options.new_group = false;
        ASSERT_TRUE(run_script("read -r _ _ _ _ group _ </proc/$$/stat; [ $group = $$ ]", options,
                               &own) != 0);
}

TEST(a_status_is_said_in_words) {
        _cleanup_free_ char *ended = NULL, *killed = NULL;

        ASSERT_OK(process_status_to_text(3 << 8, &ended));
        ASSERT_TEXT(ended, "exit status 3");
        ASSERT_OK(process_status_to_text(SIGKILL, &killed));
        ASSERT_TEXT(killed, "killed by signal 9 (Killed)");
}

TEST(only_a_program_is_found_on_path) {
        _cleanup_free_ char *bin = NULL, *path = NULL, *found = NULL, *old = strdup(getenv("PATH"));

        ASSERT_OK(text_printf(&bin, "%s/bin", test_directory()));
        ASSERT_OK(text_printf(&path, "%s/tool", bin));
        ASSERT_OK(file_make_directories(path, 0755)); /* a directory is none */
        (void) setenv("PATH", bin, /* overwrite= */ 1);
        ASSERT_EQ(process_find("tool", &found), -ENOENT);

        ASSERT_OK(rmdir(path));
        ASSERT_OK(file_write(AT_FDCWD, path, "", 0644)); /* neither is what must not be run */
        ASSERT_EQ(process_find("tool", &found), -ENOENT);
        ASSERT_OK(chmod(path, 0755));
        ASSERT_OK(process_find("tool", &found));
        ASSERT_TEXT(found, path);
        (void) setenv("PATH", old, /* overwrite= */ 1);
}
