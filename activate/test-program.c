#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "clock.h"
#include "file.h"
#include "program.h"
#include "test.h"
#include "text.h"

#define LONG_ENOUGH_USEC (60 * USEC_PER_SEC) /* never reached */

static const char *const environment[] = { "PATH=/usr/bin:/bin", "A=b c", NULL };

/* One run of `sh -c script`: its lines, and the status. */
typedef struct Case {
        const char *script;
        uint64_t limit_usec; /* 0: as long as it takes */
        bool slow;           /* whoever is told takes longer than the program to say it */
        bool (*interrupted)(void *userdata);
        uint64_t pause_usec, grace_usec;
        size_t n_asked;
        StringList lines;
        size_t n_lines;
        int status;
} Case;

static void on_line(void *userdata, const char *line) {
        Case *c = userdata;

        c->n_lines++;
        if (c->slow)
                for (uint64_t until = clock_monotonic_usec() + 3; clock_monotonic_usec() < until;)
                        ;
        if (c->lines.n < 100)
                ASSERT_OK(string_list_add(&c->lines, line));
}

static void case_done(Case *c) {
        string_list_done(&c->lines);
}

static int run(Case *c) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const Program program = {
                .arguments = &arguments,
                .environment = environment,
                .limit_usec = c->limit_usec ? c->limit_usec : LONG_ENOUGH_USEC,
                .interrupted = c->interrupted,
                .pause_usec = c->pause_usec ? c->pause_usec : 10 * USEC_PER_MSEC,
                .grace_usec = c->grace_usec,
                .on_line = on_line,
                .userdata = c,
        };

        ASSERT_OK(string_list_add(&arguments, "sh"));
        ASSERT_OK(string_list_add(&arguments, "-c"));
        ASSERT_OK(string_list_add(&arguments, c->script));
        return program_run(&program, &c->status);
}

static void assert_lines(const Case *c, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(string_list_join(&c->lines, "|", &text));
        ASSERT_TEXT(text, wanted);
}

/* Whether @pid has ended. One whose parent is gone may stay a zombie where nobody reaps orphans. */
static bool has_ended(pid_t pid) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *state;

        ASSERT_OK(text_printf(&path, "/proc/%d/stat", pid));
        if (file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL) < 0)
                return true;
        state = strrchr(text, ')');
        return state && strchr("ZX", state[2]);
}

/* A signal takes a moment to arrive. */
static void await_end(pid_t pid) {
        while (!has_ended(pid))
                (void) sched_yield();
}

static pid_t number_in(const char *line) {
        uint64_t number;

        ASSERT_OK(text_to_unsigned(line, INT32_MAX, &number));
        return (pid_t) number;
}

TEST(both_outputs_are_told_line_by_line) {
        _cleanup_(case_done) Case c = { .script = "echo one; echo two >&2; echo; echo three" };

        ASSERT_OK(run(&c));
        ASSERT_EQ(c.status, 0);
        assert_lines(&c, "one|two||three");
}

TEST(a_last_line_without_newline_is_told) {
        _cleanup_(case_done) Case c = { .script = "printf 'one\\ntwo'" };

        ASSERT_OK(run(&c));
        assert_lines(&c, "one|two");
}

TEST(a_program_that_says_nothing_has_no_line) {
        _cleanup_(case_done) Case c = { .script = ":" };

        ASSERT_OK(run(&c));
        ASSERT_EQ(c.n_lines, 0);
}

TEST(a_long_line_is_cut_and_goes_on_in_the_next) {
        _cleanup_(case_done) Case c = { .script = "printf '%04095d\\n%05000d\\nend\\n' 1 2" };

        ASSERT_OK(run(&c));
        ASSERT_EQ(c.n_lines, 4);
        ASSERT_EQ(strlen(c.lines.items[0]), 4095);
        ASSERT_EQ(strlen(c.lines.items[1]), 4095);
        ASSERT_EQ(strlen(c.lines.items[2]), 5000 - 4095);
        ASSERT_TEXT(c.lines.items[3], "end");
}

TEST(all_of_a_large_output_is_told) {
        _cleanup_(case_done) Case c = { .script = "seq 100000" };

        ASSERT_OK(run(&c));
        ASSERT_EQ(c.n_lines, 100000);
}

TEST(the_exit_code_is_given) {
        _cleanup_(case_done) Case c = { .script = "echo before; exit 7" };

        ASSERT_OK(run(&c));
        ASSERT_TRUE(WIFEXITED(c.status));
        ASSERT_EQ(WEXITSTATUS(c.status), 7);
        assert_lines(&c, "before");
}

TEST(the_signal_that_ended_it_is_given) {
        _cleanup_(case_done) Case c = { .script = "echo before; kill -TERM $$" };

        ASSERT_OK(run(&c));
        ASSERT_TRUE(WIFSIGNALED(c.status));
        ASSERT_EQ(WTERMSIG(c.status), SIGTERM);
        assert_lines(&c, "before");
}

TEST(a_program_that_is_not_there_is_an_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const Program program = {
                .arguments = &arguments,
                .environment = environment,
                .limit_usec = LONG_ENOUGH_USEC,
                .on_line = on_line,
        };
        int status = 7;

        ASSERT_OK(string_list_add(&arguments, "/nonexistent"));
        ASSERT_EQ(program_run(&program, &status), -ENOENT);
        ASSERT_EQ(status, 7);
}

TEST(the_environment_is_exactly_what_was_given) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(case_done) Case c = { 0 };
        const Program program = {
                .arguments = &arguments,
                .environment = environment,
                .limit_usec = LONG_ENOUGH_USEC,
                .on_line = on_line,
                .userdata = &c,
        };

        (void) setenv("STRAY", "ours", /* overwrite= */ 1);
        ASSERT_OK(string_list_add(&arguments, "env"));
        ASSERT_OK(program_run(&program, &c.status));
        assert_lines(&c, "PATH=/usr/bin:/bin|A=b c");
}

TEST(without_a_listener_it_has_our_outputs_and_our_environment) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const Program program = { .arguments = &arguments, .limit_usec = LONG_ENOUGH_USEC };
        _cleanup_close_ int file = -EBADF, saved = dup(STDOUT_FILENO);
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r, status;

        ASSERT_OK(text_printf(&path, "%s/out", test_directory()));
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_TRUE(file >= 0 && saved >= 0);
        (void) setenv("STRAY", "ours", /* overwrite= */ 1);
        ASSERT_OK(string_list_add(&arguments, "sh"));
        ASSERT_OK(string_list_add(&arguments, "-c"));
        ASSERT_OK(string_list_add(&arguments, "printf %s \"$STRAY\"; exit 4"));

        (void) fflush(stdout);
        ASSERT_EQ(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
        r = program_run(&program, &status);
        ASSERT_EQ(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
        ASSERT_OK(r);
        ASSERT_EQ(WEXITSTATUS(status), 4);
        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL));
        ASSERT_TEXT(text, "ours");
}

TEST(standard_input_is_empty) {
        _cleanup_(case_done) Case c = { .script = "cat; readlink /proc/self/fd/0" };

        ASSERT_OK(run(&c));
        assert_lines(&c, "/dev/null");
}

TEST(at_its_limit_it_is_killed_with_all_it_started) {
        _cleanup_(case_done) Case c = {
                .script = "trap '' TERM; sleep 600 & echo $!; echo $$; wait",
                .limit_usec = 300 * USEC_PER_MSEC,
        };

        ASSERT_EQ(run(&c), -ETIMEDOUT);
        ASSERT_TRUE(WIFSIGNALED(c.status));
        ASSERT_EQ(WTERMSIG(c.status), SIGKILL);
        ASSERT_EQ(c.lines.n, 2);
        await_end(number_in(c.lines.items[0]));
        await_end(number_in(c.lines.items[1]));
}

TEST(the_limit_holds_for_one_that_never_stops_talking) {
        _cleanup_(case_done) Case c = {
                .script = "yes",
                .limit_usec = 300 * USEC_PER_MSEC,
                .slow = true,
        };

        ASSERT_EQ(run(&c), -ETIMEDOUT);
        ASSERT_TRUE(c.n_lines > 0);
}

TEST(a_daemon_that_keeps_the_output_open_is_not_waited_for) {
        _cleanup_(case_done) Case c = { .script = "sleep 600 & echo $!; exit 3" };

        ASSERT_OK(run(&c));
        ASSERT_EQ(WEXITSTATUS(c.status), 3);
        ASSERT_EQ(c.n_lines, 1);
        ASSERT_FALSE(has_ended(number_in(c.lines.items[0]))); /* nor is it killed */
        ASSERT_OK(kill(number_in(c.lines.items[0]), SIGKILL));
}

TEST(a_daemon_that_talks_without_end_is_not_waited_for) {
        _cleanup_free_ char *path = NULL, *script = NULL, *pid = NULL;
        _cleanup_(case_done) Case c = { .slow = true };

        ASSERT_OK(text_printf(&path, "%s/pid", test_directory()));
        ASSERT_OK(text_printf(&script, "yes & echo $! >%s", path));
        c.script = script;
        ASSERT_OK(run(&c));
        ASSERT_EQ(c.status, 0);
        ASSERT_OK(file_read_line(AT_FDCWD, path, &pid));
        await_end(number_in(pid)); /* nobody reads what it says any more */
}

TEST(outputs_that_nobody_reads_do_not_end_it) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const Program program = { .arguments = &arguments, .limit_usec = LONG_ENOUGH_USEC };
        _cleanup_close_ int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        int fds[2], r, status;

        ASSERT_OK(string_list_add(&arguments, "/bin/sh"));
        ASSERT_OK(string_list_add(&arguments, "-c"));
        ASSERT_OK(string_list_add(
                &arguments,
                "i=0; while [ $i -lt 20000 ]; do echo $i || exit 9; i=$((i+1)); done; exit 4"));
        ASSERT_OK(pipe2(fds, O_CLOEXEC));
        (void) close(fds[0]);
        (void) signal(SIGPIPE, SIG_IGN);

        (void) fflush(stdout);
        ASSERT_EQ(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
        (void) close(fds[1]);
        r = program_run(&program, &status);
        ASSERT_EQ(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
        (void) signal(SIGPIPE, SIG_DFL);
        ASSERT_OK(r);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_EQ(WEXITSTATUS(status), 4);
}

TEST(the_limit_holds_where_nobody_reads_on) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const Program program = { .arguments = &arguments, .limit_usec = 300 * USEC_PER_MSEC };
        _cleanup_close_ int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), reader = -EBADF;
        int fds[2], r, status;

        ASSERT_OK(string_list_add(&arguments, "yes"));
        ASSERT_OK(pipe2(fds, O_CLOEXEC));
        reader = fds[0];

        (void) fflush(stdout);
        ASSERT_EQ(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
        (void) close(fds[1]);
        r = program_run(&program, &status);
        ASSERT_EQ(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
        ASSERT_EQ(r, -ETIMEDOUT);
        ASSERT_TRUE(WIFSIGNALED(status));
}

static bool always(void *userdata) {
        return true;
}

static bool never(void *userdata) {
        ((Case *) userdata)->n_asked++;
        return false;
}

TEST(whether_to_end_a_program_is_asked_no_more_often_than_said) {
        _cleanup_(case_done) Case c = {
                .script = "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.05; done",
                .interrupted = never,
                .pause_usec = 150 * USEC_PER_MSEC,
        };
        uint64_t begun = clock_monotonic_usec();

        ASSERT_OK(run(&c));
        ASSERT_TRUE(c.n_asked >= 2);
        ASSERT_TRUE(c.n_asked <= (clock_monotonic_usec() - begun) / c.pause_usec + 1);
}

TEST(an_interrupted_program_is_killed_at_once_or_when_its_grace_is_over) {
        _cleanup_(case_done) Case now = { .script = "sleep 60", .interrupted = always };
        _cleanup_(case_done) Case later = {
                .script = "sleep 60",
                .interrupted = always,
                .grace_usec = 200 * USEC_PER_MSEC,
        };
        uint64_t begun;

        ASSERT_EQ(run(&now), -EINTR);
        ASSERT_TRUE(WIFSIGNALED(now.status));
        begun = clock_monotonic_usec();
        ASSERT_EQ(run(&later), -EINTR);
        ASSERT_TRUE(WIFSIGNALED(later.status));
        ASSERT_TRUE(clock_monotonic_usec() - begun >= later.grace_usec);
}

TEST(an_interrupted_program_may_end_by_itself_meanwhile) {
        _cleanup_(case_done) Case c = {
                .script = "sleep 0.1; echo done; exit 3",
                .interrupted = always,
                .grace_usec = LONG_ENOUGH_USEC / 2,
        };

        ASSERT_OK(run(&c));
        ASSERT_EQ(WEXITSTATUS(c.status), 3);
        assert_lines(&c, "done");
}
