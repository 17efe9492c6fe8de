#pragma once

#include <sys/types.h>

#include "macros.h"
#include "string-list.h"

/* How a child is started; what is not set is /dev/null. Descriptors stay the caller's. */
typedef struct ProcessOptions {
        const char *const *environment;     /* NULL: the caller's own */
        int stdin_fd, stdout_fd, stderr_fd; /* -EBADF: /dev/null */
        const char *directory;              /* NULL: the caller's own */
        bool new_group;       /* a process group of its own: Ctrl-C does not reach it */
        bool ignore_terminal; /* it and its children outlive ours, and the Ctrl-C that is for us */
} ProcessOptions;

#define PROCESS_OPTIONS_NULL                                                                       \
        (ProcessOptions) {                                                                         \
                .stdin_fd = -EBADF, .stdout_fd = -EBADF, .stderr_fd = -EBADF                       \
        }

int process_start(const StringList *arguments, const ProcessOptions *options, pid_t *ret_pid);
int process_wait(pid_t pid, int *ret_status);
int process_wait_killed(pid_t pid, int *ret_status);
int process_find(const char *program, char **ret_path);
int process_status_to_text(int status, char **ret_text);
