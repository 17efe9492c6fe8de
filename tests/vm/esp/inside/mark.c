/*
 * mark DISK flush|quiet WORD...: a note in the log of the disk's writes, as a write to its last
 * sector. It goes past the page cache, so that it stands where it was made; "flush" has the drive
 * flush its cache behind it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
        static _Alignas(4096) char sector[512];
        size_t n = (size_t) snprintf(sector, sizeof(sector), "MARK");
        int fd;

        if (argc < 4)
                return 2;
        for (int i = 3; i < argc && n < sizeof(sector); i++)
                n += (size_t) snprintf(sector + n, sizeof(sector) - n, " %s", argv[i]);
        if (n >= sizeof(sector))
                return 2;

        fd = open(argv[1], O_WRONLY | O_DIRECT | O_CLOEXEC);
        if (fd < 0 || lseek(fd, -(off_t) sizeof(sector), SEEK_END) < 0 ||
            write(fd, sector, sizeof(sector)) != (ssize_t) sizeof(sector))
                return 1;
        if (strcmp(argv[2], "flush") == 0 && fsync(fd) < 0)
                return 1;

        return 0;
}
