/* The init of the systems in the boot menu: tells which one it is, and turns the machine off. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

static void read_line(const char *path, char *line, size_t size) {
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

        line[n < 0 ? 0 : n] = '\0';
        line[strcspn(line, "\n")] = '\0';
}

int main(void) {
        char generation[64], parameters[4096], *init;

        (void) mount("proc", "/proc", "proc", 0, NULL);
        (void) mount("dev", "/dev", "devtmpfs", 0, NULL);
        read_line("/generation", generation, sizeof(generation));
        read_line("/proc/cmdline", parameters, sizeof(parameters));
        init = strstr(parameters, "init=");
        if (init)
                init[strcspn(init, " ")] = '\0';
        dprintf(STDOUT_FILENO, "\nRUNS generation %s %s\n", generation, init ? init : "");
        sleep(1); /* for the serial line */
        (void) reboot(RB_POWER_OFF);
        return 1;
}
