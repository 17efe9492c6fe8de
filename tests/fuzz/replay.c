/* Saved inputs of a fuzz target, each run once: what was found stays found, with any compiler. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "file.h"

#define INPUT_BYTES_MAX ((size_t) 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(int dir_fd, const char *name) {
        _cleanup_free_ char *text = NULL, *exact = NULL;
        size_t n;
        int r;

        r = file_read(dir_fd, name, INPUT_BYTES_MAX, &text, &n);
        if (r < 0)
                return r;

        /* Without the closing NUL, so that a read past the end is seen. */
        exact = malloc(n > 0 ? n : 1);
        if (!exact)
                return -ENOMEM;
        memcpy(exact, text, n);
        (void) LLVMFuzzerTestOneInput((const uint8_t *) exact, n);
        return 0;
}

int main(int argc, char **argv) {
        size_t n_inputs = 0;
        const struct dirent *entry;
        DIR *dir;

        dir = argc == 2 ? opendir(argv[1]) : NULL;
        if (!dir) {
                fprintf(stderr, "Usage: %s DIRECTORY\n", argv[0]);
                return 2;
        }
        while ((entry = readdir(dir))) {
                int r;

                if (entry->d_name[0] == '.')
                        continue;
                r = replay(dirfd(dir), entry->d_name);
                if (r < 0) {
                        fprintf(stderr, "%s: %s\n", entry->d_name, strerror(-r));
                        (void) closedir(dir);
                        return 1;
                }
                n_inputs++;
        }
        (void) closedir(dir);
        printf("%zu inputs\n", n_inputs);
        return n_inputs > 0 ? 0 : 1;
}
