/*
 * Initrds with secrets: a copy of the store's, to which a program of the system appends what must
 * not be in the store. Made where nobody else can look, whole, before the boot partition is
 * touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "boot-secrets.h"
#include "error.h"
#include "file.h"
#include "process.h"
#include "text.h"

#define CHUNK_BYTES ((size_t) 256 * 1024)

static int copy_file(const char *from, const char *to) {
        _cleanup_free_ char *chunk = malloc(CHUNK_BYTES);
        _cleanup_close_ int in = -EBADF, out = -EBADF;

        if (!chunk)
                return -ENOMEM;
        in = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (in < 0)
                return -errno;
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (out < 0)
                return -errno;
        for (;;) {
                ssize_t n = read(in, chunk, CHUNK_BYTES);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r = file_append(out, chunk, (size_t) n);
                if (r < 0)
                        return r;
        }
}

static int append(const char *program, const char *initrd, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_free_ char *how = NULL;
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        int r, status;
        pid_t pid;

        options.stderr_fd = STDERR_FILENO;
        r = string_list_add(&arguments, program);
        if (r >= 0)
                r = string_list_add(&arguments, initrd);
        if (r >= 0)
                r = process_start(&arguments, &options, &pid);
        if (r >= 0)
                r = process_wait(pid, &status);
        if (r < 0 || status == 0)
                return r;
        r = process_status_to_text(status, &how);
        if (r < 0)
                return r;
        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                 "'%s', which puts secrets into an initrd, %s.", program, how);
        return -ECANCELED;
}

/**
 * boot_secrets_make() - the initrd of a system, with its secrets
 * @directory: where it is made, with a name of its own; only root may look into it
 * @key:       as of boot_source_key(): the initrd, a newline, and the program
 * @source:    filled; its texts are the caller's
 *
 * Return: 0, -ECANCELED if the program failed, or an errno of open(2), read(2) or write(2), each
 * with
 * @reterr_error set; -ENOMEM.
 */
int boot_secrets_make(const char *directory, const char *key, BootSource *source,
                      sd_bus_error *reterr_error) {
        const char *newline = strchr(key, '\n');
        _cleanup_free_ char *initrd = NULL, *file = NULL, *name = NULL;
        Digest digest;
        int r;

        if (!newline)
                return -EINVAL;
        initrd = strndup(key, (size_t) (newline - key));
        if (!initrd)
                return -ENOMEM;
        digest_of_bytes(key, strlen(key), &digest);
        r = payload_name_print(&digest, &name);
        if (r >= 0)
                r = text_printf(&file, "%s/%s", directory, name);
        if (r >= 0)
                r = copy_file(initrd, file);
        if (r >= 0)
                r = append(newline + 1, file, reterr_error);
        if (r >= 0)
                r = digest_of_file(AT_FDCWD, file, &source->digest);
        if (r < 0) {
                if (r != -ENOMEM && !sd_bus_error_is_set(reterr_error))
                        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                                 "Cannot copy the initrd '%s': %s.", initrd,
                                                 strerror(-r));
                return r;
        }
        source->key = strdup(key);
        if (!source->key)
                return -ENOMEM;
        source->file = TAKE_PTR(file);
        return 0;
}
