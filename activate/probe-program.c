/*
 * Probes that are programs: run without a shell, with a small environment of their own and in a
 * process group that ends with them. The end of what they print is their answer. Those over the
 * network are a program of ours, enact-probe.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "clock.h"
#include "error.h"
#include "probe-attempt.h"
#include "process.h"
#include "text.h"

#define KILLED_LIMIT_MSEC 1000

static int make_environment(const Attempt *attempt, StringList *environment) {
        char *path, *name;
        int r;

        r = text_printf(&path, "PATH=%s/sw/bin:/usr/bin:/bin", attempt->toplevel);
        if (r >= 0)
                r = string_list_take(environment, path);
        if (r >= 0)
                r = text_printf(&name, "ENACT_PROBE=%s", attempt->probe->name);
        if (r >= 0)
                r = string_list_take(environment, name);
        if (r >= 0)
                r = string_list_add(environment, "HOME=/var/empty");
        return r < 0 ? r : string_list_add(environment, "LANG=C.UTF-8");
}

static int make_command(const Attempt *attempt, StringList *command) {
        const Probe *probe = attempt->probe;
        char *status, *msec;
        int r;

        if (probe->type == PROBE_EXEC)
                return string_list_copy(command, &probe->command);
        r = string_list_add(command, attempt->network_program);
        if (r >= 0)
                r = string_list_add(command, probe_type_to_string(probe->type));
        if (r >= 0)
                r = string_list_add(command, probe->target);
        if (r >= 0)
                r = text_printf(&status, "%" PRIu64, probe->status);
        if (r >= 0)
                r = string_list_take(command, status);
        if (r >= 0)
                r = text_printf(&msec, "%" PRIu64, probe->timeout_usec / USEC_PER_MSEC + 1);
        return r < 0 ? r : string_list_take(command, msec);
}

static int start(Attempt *attempt, int write_fd) {
        _cleanup_(string_list_done) StringList environment = { 0 }, command = { 0 };
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        int r;

        r = make_environment(attempt, &environment);
        if (r >= 0)
                r = make_command(attempt, &command);
        if (r < 0)
                return r;
        options.environment = (const char *const *) environment.items;
        options.stdout_fd = options.stderr_fd = write_fd;
        options.directory = "/";
        options.new_group = true;
        return process_start(&command, &options, &attempt->pid);
}

void attempt_start_program(Attempt *attempt) {
        _cleanup_close_ int write_fd = -EBADF;
        int fds[2], r;

        attempt->n_output = 0;
        if (pipe2(fds, O_CLOEXEC) < 0) {
                attempt_end(attempt, false, "cannot be started: %s", strerror(errno));
                return;
        }
        attempt->output_fd = fds[0];
        write_fd = fds[1];
        r = fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : start(attempt, write_fd);
        if (r >= 0) {
                attempt->pid_fd = pidfd_open(attempt->pid, 0);
                r = attempt->pid_fd < 0 ? -errno : 0;
        }
        if (r < 0) {
                attempt_drop_program(attempt);
                attempt_end(attempt, false, "cannot be started: %s", strerror(-r));
        }
}

/* Keeps the end: the last lines say why. */
static void keep(Attempt *attempt, const char *text, size_t n) {
        size_t room = sizeof(attempt->output) - 1;

        if (n >= room) {
                memcpy(attempt->output, text + n - room, room);
                attempt->n_output = room;
                return;
        }
        if (attempt->n_output + n > room) {
                size_t gone = attempt->n_output + n - room;

                memmove(attempt->output, attempt->output + gone, attempt->n_output - gone);
                attempt->n_output -= gone;
        }
        memcpy(attempt->output + attempt->n_output, text, n);
        attempt->n_output += n;
}

/* Once only, so that one who never stops talking keeps nobody else waiting; answers whether there
 * was more. */
static bool read_output(Attempt *attempt) {
        char buffer[4096];
        ssize_t n;

        if (attempt->output_fd < 0)
                return false;
        do
                n = read(attempt->output_fd, buffer, sizeof(buffer));
        while (n < 0 && errno == EINTR);
        if (n > 0)
                keep(attempt, buffer, (size_t) n);
        else if (n == 0 || errno != EAGAIN)
                attempt->output_fd = fd_close(attempt->output_fd);
        return n > 0;
}

static bool has_ended(const Attempt *attempt, int timeout_msec) {
        struct pollfd fd = { .fd = attempt->pid_fd, .events = POLLIN };

        return poll(&fd, 1, timeout_msec) > 0;
}

static void end(Attempt *attempt, int status) {
        _cleanup_free_ char *words = NULL, *output = NULL;
        bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;

        attempt->output[attempt->n_output] = '\0';
        output = text_to_utf8(attempt->output);
        if (output)
                text_strip(output);
        if (attempt->probe->type != PROBE_EXEC && output && *output) {
                attempt_end(attempt, ok, "%s", output);
                return;
        }
        if (process_status_to_text(status, &words) < 0)
                words = NULL;
        attempt_end(attempt, ok, "%s%s%s", words ? words : "", output && *output ? ": " : "",
                    output ? output : "");
}

/* Called when it has printed something or has ended. */
void attempt_read_program(Attempt *attempt) {
        int status = 0;

        (void) read_output(attempt);
        if (!has_ended(attempt, 0))
                return;
        for (unsigned i = 0; i < 32 && read_output(attempt); i++)
                ;
        (void) kill(-attempt->pid, SIGKILL); /* whom it has left behind */
        (void) process_wait(attempt->pid, &status);
        attempt->pid = 0;
        end(attempt, status);
        attempt_drop_program(attempt);
}

/* Even one that does not die of SIGKILL, stuck in the kernel, is not waited for without end. */
void attempt_drop_program(Attempt *attempt) {
        if (attempt->pid > 0) {
                (void) kill(-attempt->pid, SIGKILL);
                if (attempt->pid_fd < 0 || has_ended(attempt, KILLED_LIMIT_MSEC))
                        (void) process_wait(attempt->pid, NULL);
        }
        attempt->pid = 0;
        attempt->pid_fd = fd_close(attempt->pid_fd);
        attempt->output_fd = fd_close(attempt->output_fd);
}
