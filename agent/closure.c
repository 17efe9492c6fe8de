/* Closures: which store paths a system needs, and how big they are, as Nix knows it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "closure.h"
#include "error.h"
#include "file.h"
#include "process.h"
#include "text.h"

#define ANSWER_BYTES_MAX ((size_t) 64 * 1024 * 1024)

static int add(Closure *closure, const char *path, uint64_t bytes) {
        ClosurePath *paths = reallocarray(closure->paths, closure->n + 1, sizeof(*paths));
        char *copy;

        if (!paths)
                return -ENOMEM;
        closure->paths = paths;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        paths[closure->n++] = (ClosurePath){ copy, bytes };
        return 0;
}

/**
 * closure_parse() - what `nix path-info --size` prints: a path and its size on each line
 * @closure: all zero before; closure_done() even after an error
 *
 * The words of that command are the same in all versions; its JSON is not.
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int closure_parse(const char *text, Closure *closure) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest;

        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                char *words, *path = strtok_r(line, " \t", &words);
                char *size = strtok_r(NULL, " \t", &words);
                uint64_t bytes;
                int r;

                if (!path)
                        continue;
                if (*path != '/' || !size || text_to_unsigned(size, UINT64_MAX, &bytes) < 0 ||
                    strtok_r(NULL, " \t", &words))
                        return -EBADMSG;
                r = add(closure, path, bytes);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_memory(int fd, char **ret_text) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "/proc/self/fd/%d", fd);
        return r < 0 ? r : file_read(AT_FDCWD, path, ANSWER_BYTES_MAX, ret_text, NULL);
}

/* Runs Nix to its end; @ret_words is what it says of its failure, NULL where it did not fail. */
static int ask_nix(const char *toplevel, char **ret_answer, char **ret_words) {
        static const char *const first[] = { "nix",         "--extra-experimental-features",
                                             "nix-command", "path-info",
                                             "--recursive", "--size" };
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_close_ int out_fd = memfd_create("paths", MFD_CLOEXEC);
        _cleanup_close_ int err_fd = memfd_create("words", MFD_CLOEXEC);
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        int r, status;
        pid_t pid;

        if (out_fd < 0 || err_fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(first); i++) {
                r = string_list_add(&arguments, first[i]);
                if (r < 0)
                        return r;
        }
        r = string_list_add(&arguments, toplevel);
        if (r < 0)
                return r;

        options.stdout_fd = out_fd;
        options.stderr_fd = err_fd;
        r = process_start(&arguments, &options, &pid);
        if (r >= 0)
                r = process_wait(pid, &status);
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? read_memory(out_fd, ret_answer) :
                                                               read_memory(err_fd, ret_words);
}

/**
 * closure_read() - have Nix tell the closure of a system
 * @closure: all zero before; closure_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set: ENACT_ERROR_NO_NIX or _FAILED.
 */
int closure_read(const char *toplevel, Closure *closure, sd_bus_error *reterr_error) {
        _cleanup_free_ char *answer = NULL, *words = NULL;
        int r;

        r = ask_nix(toplevel, &answer, &words);
        if (r == -ENOENT)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_NIX,
                        "There is no program 'nix' on PATH, and only it knows what "
                        "a system is made of.");
        if (r >= 0 && answer)
                r = closure_parse(answer, closure);
        if (r < 0 || !answer)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Nix does not tell what '%s' is made of: %s", toplevel,
                                         r < 0 ? strerror(-r) : text_strip(words));
        return 0;
}

/** closure_bytes() - the size of all of it. */
uint64_t closure_bytes(const Closure *closure) {
        uint64_t bytes = 0;

        for (size_t i = 0; i < closure->n; i++)
                bytes += closure->paths[i].bytes;
        return bytes;
}

void closure_done(Closure *closure) {
        for (size_t i = 0; i < closure->n; i++)
                free(closure->paths[i].path);
        free(closure->paths);
        *closure = (Closure){ 0 };
}
