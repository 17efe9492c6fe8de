/* Child processes, started by an argument list: there is never a shell between us and an argument.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "text.h"

#define KILLED_LIMIT_MSEC 5000

#define DEFAULT_PATH      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* In the child, between fork and exec: only async-signal-safe calls. */
static int child_stdio(const ProcessOptions *options) {
        const int wanted[] = { options->stdin_fd, options->stdout_fd, options->stderr_fd };
        int fds[ELEMENTSOF(wanted)];

        /* First up out of the way of 0 to 2, so that no dup2() below overwrites a source. */
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                int fd = wanted[i] >= 0 ? wanted[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

                if (fd < 0)
                        return -errno;
                fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (fds[i] < 0)
                        return -errno;
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                if (dup2(fds[i], (int) i) < 0)
                        return -errno;
        return 0;
}

/* Who acts in somebody else's name has children of theirs, which cannot become us again. */
static int child_identity(void) {
        const uid_t uid = geteuid();
        const gid_t gid = getegid();

        if (uid == getuid() && gid == getgid())
                return 0;
        return setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ? -errno : 0;
}

static void child_signals(void) {
        sigset_t none;

        for (int sig = 1; sig < NSIG; sig++)
                (void) signal(sig, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

static __attribute__((noreturn)) void child_run(char *const *arguments,
                                                const ProcessOptions *options, int error_fd) {
        int r;

        child_signals();
        if (options->ignore_terminal) {
                (void) signal(SIGHUP, SIG_IGN);
                (void) signal(SIGINT, SIG_IGN);
                (void) signal(SIGQUIT, SIG_IGN);
        }
        error_fd = fcntl(error_fd, F_DUPFD_CLOEXEC, 3); /* 0 to 2 if the caller lacked those */
        if (options->new_group)
                (void) setpgid(0, 0);

        r = child_stdio(options);
        if (r >= 0)
                r = child_identity();
        if (r >= 0 && options->directory && chdir(options->directory) < 0)
                r = -errno;
        if (r >= 0) {
                (void) execvpe(arguments[0], arguments,
                               options->environment ? (char *const *) options->environment :
                                                      environ);
                r = -errno;
        }

        while (write(error_fd, &r, sizeof(r)) < 0 && errno == EINTR)
                ;
        _exit(127);
}

/**
 * process_start() - start a program
 * @arguments: the program (looked up on PATH if it has no slash) and its arguments
 * @ret_pid:   the child, for process_wait() or an event source
 *
 * The child is whoever we act as (geteuid(2)), for good. It has 0, 1 and 2, none of ours beyond
 * (all are close-on-exec) but what our own caller left open for it, and default signals.
 *
 * Return: 0, -ENOENT if there is no such program, or an errno of fork(2), dup2(2) or execve(2).
 */
int process_start(const StringList *arguments, const ProcessOptions *options, pid_t *ret_pid) {
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
        int fds[2], child_error = 0;
        ssize_t n;
        pid_t pid;

        assert(arguments->n > 0);

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(arguments->items, options, write_fd);

        write_fd = fd_close(write_fd);
        do
                n = read(read_fd, &child_error, sizeof(child_error));
        while (n < 0 && errno == EINTR);
        if (n == (ssize_t) sizeof(child_error)) {
                (void) process_wait(pid, NULL);
                return child_error;
        }

        *ret_pid = pid;
        return 0;
}

/**
 * process_wait() - wait for a child that is about to end
 * @ret_status: as waitpid(2) has it; may be NULL
 *
 * There is no limit here: it has ended already, or it keeps to one of its own, or a person at a
 * terminal sees it and can end it.
 *
 * Return: 0 or an errno of waitpid(2).
 */
int process_wait(pid_t pid, int *ret_status) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (ret_status)
                *ret_status = status;
        return 0;
}

/**
 * process_wait_killed() - wait for a child that was sent SIGKILL
 * @ret_status: as waitpid(2) has it
 *
 * One that is stuck in the kernel does not end by that; it is left to itself after a while.
 *
 * Return: 0, -ETIMEDOUT if it is still there, or an errno of pidfd_open(2) or waitpid(2).
 */
int process_wait_killed(pid_t pid, int *ret_status) {
        _cleanup_close_ int fd = pidfd_open(pid, 0);
        struct pollfd end = { .fd = fd, .events = POLLIN };
        int n;

        if (fd < 0)
                return -errno;
        do
                n = poll(&end, 1, KILLED_LIMIT_MSEC);
        while (n < 0 && errno == EINTR);
        return n == 0 ? -ETIMEDOUT : process_wait(pid, ret_status);
}

/**
 * process_find() - look a program up on PATH
 * @ret_path: owned by the caller
 *
 * Return: 0, or -ENOENT if there is none that can be run.
 */
int process_find(const char *program, char **ret_path) {
        const char *search = getenv("PATH");

        if (!search)
                search = DEFAULT_PATH;

        while (*search) {
                size_t n = strcspn(search, ":");
                _cleanup_free_ char *path = NULL;
                struct stat st;
                int r;

                r = text_printf(&path, "%.*s/%s", (int) n, search, program);
                if (r < 0)
                        return r;
                if (n > 0 && stat(path, &st) >= 0 && S_ISREG(st.st_mode) &&
                    access(path, X_OK) == 0) {
                        *ret_path = TAKE_PTR(path);
                        return 0;
                }
                search += n + (search[n] == ':');
        }
        return -ENOENT;
}

/** process_status_to_text() - "exit status 3" or "killed by signal 9 (Killed)"; 0 or -ENOMEM. */
int process_status_to_text(int status, char **ret_text) {
        if (WIFSIGNALED(status))
                return text_printf(ret_text, "killed by signal %d (%s)", WTERMSIG(status),
                                   strsignal(WTERMSIG(status)));
        return text_printf(ret_text, "exit status %d", WEXITSTATUS(status));
}
