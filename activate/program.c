/*
 * Programs of a closure: activation, checks, boot loader installers. Output comes through a pipe
 * and is told line by line; a daemon that such a program leaves behind with the pipe open is not
 * waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>

#include "clock.h"
#include "process.h"
#include "program.h"

#define LINE_BYTES_MAX       4096U
#define INTERRUPT_PAUSE_MSEC 100U
#define LONGEST_PAUSE_MSEC   60000U

typedef struct Run {
        const Program *program;
        pid_t pid;
        int pid_fd, output_fd;
        uint64_t deadline_usec;
        char line[LINE_BYTES_MAX];
        size_t n_line;
} Run;

static void tell_line(Run *run) {
        run->line[run->n_line] = '\0';
        run->program->on_line(run->program->userdata, run->line);
        run->n_line = 0;
}

/*
 * Reads once, so that one who talks faster than we listen keeps us from nothing: positive, 0 when
 * the output has ended, or an errno of read(2), -EAGAIN where nothing is there now.
 */
static ssize_t read_output(Run *run) {
        char buffer[8192];
        ssize_t n;

        do
                n = read(run->output_fd, buffer, sizeof(buffer));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        for (ssize_t i = 0; i < n; i++) {
                if (buffer[i] == '\n' || run->n_line == LINE_BYTES_MAX - 1)
                        tell_line(run);
                if (buffer[i] != '\n')
                        run->line[run->n_line++] = buffer[i];
        }
        return n;
}

/* What the program has said before it ended; a daemon that it left behind may never stop. */
static void read_last_output(Run *run) {
        int n_left = 0;

        if (ioctl(run->output_fd, FIONREAD, &n_left) < 0)
                n_left = 0;
        while (n_left > 0) {
                ssize_t n = read_output(run);

                if (n <= 0)
                        break;
                n_left -= (int) n;
        }
        if (run->n_line > 0)
                tell_line(run);
}

/* In milliseconds: until the deadline, and short where somebody may want it to end. */
static int pause_of(const Run *run, uint64_t now) {
        uint64_t left = (run->deadline_usec - now) / USEC_PER_MSEC + 1;
        uint64_t longest = run->program->interrupted ? INTERRUPT_PAUSE_MSEC : LONGEST_PAUSE_MSEC;

        return (int) (left < longest ? left : longest);
}

/* Until the child ends or its time is over. */
static int follow(Run *run) {
        struct pollfd fds[] = {
                { .fd = run->pid_fd, .events = POLLIN },
                { .fd = run->output_fd, .events = POLLIN },
        };

        for (;;) {
                uint64_t now = clock_monotonic_usec();
                int n;

                if (now >= run->deadline_usec)
                        return -ETIMEDOUT;
                if (run->program->interrupted && run->program->interrupted())
                        return -EINTR;
                n = poll(fds, ELEMENTSOF(fds), pause_of(run, now));
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n <= 0)
                        continue;
                if (fds[1].revents) {
                        ssize_t k = read_output(run);

                        if (k == 0 || (k < 0 && k != -EAGAIN))
                                fds[1].fd = -1;
                }
                if (fds[0].revents)
                        return 0;
        }
}

static int start(Run *run, int write_fd) {
        ProcessOptions options = PROCESS_OPTIONS_NULL;

        options.environment = run->program->environment;
        if (write_fd < 0) {
                options.stdin_fd = STDIN_FILENO;
                options.stdout_fd = STDOUT_FILENO;
                options.stderr_fd = STDERR_FILENO;
        } else {
                options.stdout_fd = options.stderr_fd = write_fd;
                options.new_group = true;
        }
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

/**
 * program_run() - run a program to its end
 * @ret_status: as waitpid(2) has it
 *
 * With @on_line its input is /dev/null, and both outputs are one stream of lines, cut at 4095
 * bytes. Without it the program has our own input and outputs.
 *
 * Return: 0, -ETIMEDOUT if it was killed at its limit, -EINTR if it was for an interrupt, or an
 * error of process_start().
 */
int program_run(const Program *program, int *ret_status) {
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF, pid_fd = -EBADF;
        Run run = { .program = program };
        int r, q;

        if (program->on_line) {
                r = open_pipe(&read_fd, &write_fd);
                if (r < 0)
                        return r;
        }
        r = start(&run, write_fd);
        if (r < 0)
                return r;
        write_fd = fd_close(write_fd);

        run.output_fd = read_fd;
        run.deadline_usec = clock_monotonic_usec() + program->limit_usec;
        pid_fd = run.pid_fd = pidfd_open(run.pid, 0);
        r = pid_fd < 0 ? -errno : follow(&run);
        if (r < 0)
                (void) kill(program->on_line ? -run.pid : run.pid, SIGKILL);

        q = process_wait(run.pid, ret_status);
        if (program->on_line)
                read_last_output(&run);
        return r < 0 ? r : q;
}
