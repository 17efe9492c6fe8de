/*
 * Programs of a closure: activation, checks, boot loader installers. Output comes through a pipe
 * and is told line by line, or copied to our own outputs: a program that had those would fail when
 * nobody reads them any more. A daemon that it leaves behind with a pipe open is not waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "program.h"

#define LINE_BYTES_MAX     4096U
#define LONGEST_PAUSE_USEC (60 * USEC_PER_SEC)

/* One of the program's outputs, and where it goes if no line of it is told. */
typedef struct Output {
        int fd;
        int copy_fd;
} Output;

enum { OUTPUTS_MAX = 2 };

typedef struct Run {
        const Program *program;
        pid_t pid;
        int pid_fd;
        Output outputs[OUTPUTS_MAX];
        uint64_t deadline_usec;
        uint64_t ask_usec; /* when @interrupted is asked next */
        bool interrupted;
        char line[LINE_BYTES_MAX];
        size_t n_line;
} Run;

static void tell_line(Run *run) {
        run->line[run->n_line] = '\0';
        run->program->on_line(run->program->userdata, run->line);
        run->n_line = 0;
}

static void tell_lines(Run *run, const char *text, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (text[i] == '\n' || run->n_line == LINE_BYTES_MAX - 1)
                        tell_line(run);
                if (text[i] != '\n')
                        run->line[run->n_line++] = text[i];
        }
}

/* As poll(2) takes it: 0 if that time has come, and a minute at most. */
static int msec_until(uint64_t now, uint64_t until) {
        if (until > now + LONGEST_PAUSE_USEC)
                until = now + LONGEST_PAUSE_USEC;
        return until > now ? (int) ((until - now) / USEC_PER_MSEC) + 1 : 0;
}

/* Whether @fd takes PIPE_BUF bytes, before the program's time is over. */
static bool wait_for_reader(const Run *run, int fd) {
        struct pollfd output = { .fd = fd, .events = POLLOUT };
        uint64_t now;
        int n;

        do {
                now = clock_monotonic_usec();
                n = poll(&output, 1, msec_until(now, run->deadline_usec));
        } while (n == 0 && now < run->deadline_usec);
        return n > 0 || (n < 0 && errno == EINTR);
}

/* Whoever reads our outputs may be gone, or not read until the program's time is over: then the
 * words are lost, and nothing else. */
static void copy(const Run *run, int fd, const char *text, size_t n) {
        while (n > 0) {
                ssize_t k;

                if (!wait_for_reader(run, fd))
                        return;
                k = write(fd, text, n < PIPE_BUF ? n : PIPE_BUF);
                if (k < 0 && errno != EINTR && errno != EAGAIN)
                        return;
                if (k > 0) {
                        text += k;
                        n -= (size_t) k;
                }
        }
}

/*
 * Reads once, so that one who talks faster than we listen keeps us from nothing: positive, 0 when
 * the output has ended, or an errno of read(2), -EAGAIN where nothing is there now.
 */
static ssize_t read_output(Run *run, const Output *output) {
        char buffer[8192];
        ssize_t n;

        do
                n = read(output->fd, buffer, sizeof(buffer));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        if (run->program->on_line)
                tell_lines(run, buffer, (size_t) n);
        else
                copy(run, output->copy_fd, buffer, (size_t) n);
        return n;
}

/* What the program has said before it ended; a daemon that it left behind may never stop. */
static void read_last_output(Run *run, const Output *output) {
        int n_left = 0;

        if (output->fd < 0 || ioctl(output->fd, FIONREAD, &n_left) < 0)
                n_left = 0;
        while (n_left > 0) {
                ssize_t n = read_output(run, output);

                if (n <= 0)
                        break;
                n_left -= (int) n;
        }
        if (run->n_line > 0)
                tell_line(run);
}

static bool is_asked(const Run *run) {
        return run->program->interrupted && !run->interrupted;
}

/* In milliseconds: until the deadline, and not beyond where somebody may want it to end. */
static int pause_of(const Run *run, uint64_t now) {
        uint64_t until = run->deadline_usec;

        if (is_asked(run) && run->ask_usec < until)
                until = run->ask_usec;
        return msec_until(now, until);
}

/* What is about to end may do so; the rest is cut short. */
static void check_interrupt(Run *run, uint64_t now) {
        uint64_t grace = run->program->grace_usec;

        if (!is_asked(run) || now < run->ask_usec)
                return;
        run->ask_usec = now + run->program->pause_usec;
        if (!run->program->interrupted(run->program->userdata))
                return;
        run->interrupted = true;
        if (run->deadline_usec - now > grace)
                run->deadline_usec = now + grace;
}

/* Until the child ends or its time is over. */
static int follow(Run *run) {
        struct pollfd fds[] = {
                { .fd = run->pid_fd, .events = POLLIN },
                { .fd = run->outputs[0].fd, .events = POLLIN },
                { .fd = run->outputs[1].fd, .events = POLLIN },
        };

        for (;;) {
                uint64_t now = clock_monotonic_usec();
                int n;

                if (now < run->deadline_usec)
                        check_interrupt(run, now);
                if (now >= run->deadline_usec)
                        return run->interrupted ? -EINTR : -ETIMEDOUT;
                n = poll(fds, ELEMENTSOF(fds), pause_of(run, now));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n <= 0)
                        continue;
                for (size_t i = 0; i < OUTPUTS_MAX; i++) {
                        ssize_t k;

                        if (!fds[i + 1].revents)
                                continue;
                        k = read_output(run, &run->outputs[i]);
                        if (k == 0 || (k < 0 && k != -EAGAIN))
                                fds[i + 1].fd = -1;
                }
                if (fds[0].revents)
                        return 0;
        }
}

/* @write_fds: for standard output and error, which may be one. */
static int start(Run *run, const int write_fds[]) {
        ProcessOptions options = PROCESS_OPTIONS_NULL;

        options.environment = run->program->environment;
        options.stdin_fd = run->program->on_line ? -EBADF : STDIN_FILENO;
        options.stdout_fd = write_fds[0];
        options.stderr_fd = write_fds[1] >= 0 ? write_fds[1] : write_fds[0];
        options.new_group = run->program->on_line;
        options.ignore_terminal =
                !run->program->on_line; /* it shares our terminal, if we have one */
        return process_start(run->program->arguments, &options, &run->pid);
}

static int open_pipe(int *ret_read_fd, int *ret_write_fd) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *ret_read_fd = fds[0];
        *ret_write_fd = fds[1];
        return fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* One pipe keeps the order of what is said on both, where both go to the same place. */
static bool outputs_are_one(void) {
        struct stat out, err;

        return fstat(STDOUT_FILENO, &out) >= 0 && fstat(STDERR_FILENO, &err) >= 0 &&
               out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

static int open_outputs(Run *run, int write_fds[]) {
        bool one = run->program->on_line || outputs_are_one();
        int r;

        run->outputs[0].copy_fd = STDOUT_FILENO;
        run->outputs[1].copy_fd = STDERR_FILENO;
        r = open_pipe(&run->outputs[0].fd, &write_fds[0]);
        if (r >= 0 && !one)
                r = open_pipe(&run->outputs[1].fd, &write_fds[1]);
        return r;
}

static int start_with_pipes(Run *run) {
        int write_fds[OUTPUTS_MAX] = { -EBADF, -EBADF };
        int r;

        r = open_outputs(run, write_fds);
        if (r >= 0)
                r = start(run, write_fds);
        for (size_t i = 0; i < OUTPUTS_MAX; i++)
                (void) fd_close(write_fds[i]);
        return r;
}

static void run_done(Run *run) {
        for (size_t i = 0; i < OUTPUTS_MAX; i++)
                (void) fd_close(run->outputs[i].fd);
        (void) fd_close(run->pid_fd);
}

/**
 * program_run() - run a program to its end
 * @ret_status: as waitpid(2) has it
 *
 * With @on_line its input is /dev/null, and both outputs are one stream of lines, cut at 4095
 * bytes. Without it the program has our own input, and what it says is copied to our outputs; the
 * caller ignores SIGPIPE.
 *
 * Return: 0, -ETIMEDOUT if it was killed at its limit, -EINTR if it was for an interrupt, or an
 * error of process_start().
 */
int program_run(const Program *program, int *ret_status) {
        _cleanup_(run_done) Run run = {
                .program = program,
                .pid_fd = -EBADF,
                .outputs = { { .fd = -EBADF }, { .fd = -EBADF } },
        };
        int r, q;

        r = start_with_pipes(&run);
        if (r < 0)
                return r;

        run.deadline_usec = clock_monotonic_usec() + program->limit_usec;
        run.pid_fd = pidfd_open(run.pid, 0);
        r = run.pid_fd < 0 ? -errno : follow(&run);
        if (r < 0)
                (void) kill(program->on_line ? -run.pid : run.pid, SIGKILL);

        q = r < 0 ? process_wait_killed(run.pid, ret_status) : process_wait(run.pid, ret_status);
        for (size_t i = 0; i < OUTPUTS_MAX; i++)
                read_last_output(&run, &run.outputs[i]);
        return r < 0 ? r : q;
}
