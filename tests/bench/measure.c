/*
 * Runs a program several times, its output thrown away, and says what each run cost. It is small,
 * so that the peak memory it reads is the program's and not that of whoever started it.
 *
 *     measure RUNS PROGRAM [ARGUMENT...]     a line for each run: CPU and wall microseconds, peak
 * KiB
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t timeval_usec(const struct timeval *tv) {
        return (int64_t) tv->tv_sec * 1000000 + tv->tv_usec;
}

static int64_t now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int run_once(char **argv, const posix_spawn_file_actions_t *actions) {
        int64_t begun = now_usec(), ended;
        struct rusage usage;
        int status, r;
        pid_t pid;

        r = posix_spawn(&pid, argv[0], actions, NULL, argv, environ);
        if (r != 0)
                return -r;
        while (wait4(pid, &status, 0, &usage) < 0)
                if (errno != EINTR)
                        return -errno;
        ended = now_usec();
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return -EPROTO;

        printf("%jd %jd %ld\n",
               (intmax_t) (timeval_usec(&usage.ru_utime) + timeval_usec(&usage.ru_stime)),
               (intmax_t) (ended - begun), usage.ru_maxrss);
        return 0;
}

int main(int argc, char **argv) {
        posix_spawn_file_actions_t actions;
        unsigned long runs;

        if (argc < 3) {
                fprintf(stderr, "Usage: measure RUNS PROGRAM [ARGUMENT...]\n");
                return 2;
        }
        runs = strtoul(argv[1], NULL, 10);

        if (posix_spawn_file_actions_init(&actions) != 0 ||
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) !=
                    0)
                return 1;
        for (unsigned long i = 0; i < runs; i++) {
                int r = run_once(argv + 2, &actions);

                if (r < 0) {
                        fprintf(stderr, "measure: '%s' failed: %s\n", argv[2], strerror(-r));
                        return 1;
                }
        }
        return 0;
}
