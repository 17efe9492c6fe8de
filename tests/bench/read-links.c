/*
 * Reads each link in each directory that it is given, and does nothing with it: the least that
 * whoever compares two systems has to do, for what a machine takes for its system calls.
 *
 *     read-links DIRECTORY...
 */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
        char target[4096];

        for (int i = 1; i < argc; i++) {
                DIR *directory = opendir(argv[i]);
                const struct dirent *entry;

                if (!directory) {
                        perror(argv[i]);
                        return 1;
                }
                while ((entry = readdir(directory)))
                        (void) !readlinkat(dirfd(directory), entry->d_name, target, sizeof(target));
                (void) closedir(directory);
        }
        return 0;
}
