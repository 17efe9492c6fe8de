#pragma once

/* A host in a temporary directory: state, profiles and roots, as upkeep finds them. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "history.h"
#include "test.h"
#include "text.h"

typedef struct Host {
        const char *directory;
        char *state, *profiles, *roots, *running, *booted;
} Host;

static inline _unused_ char *below(const char *directory, const char *name) {
        char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", directory, name));
        return path;
}

static inline _unused_ Host new_host(void) {
        static const char *const folders[] = { "state",       "state/history",
                                               "profiles",    "profiles/system-profiles",
                                               "roots",       "roots/pins",
                                               "roots/failed" };
        Host host = { .directory = test_directory() };

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = below(host.directory, folders[i]);

                ASSERT_OK(mkdir(path, 0755));
        }
        host.state = below(host.directory, "state");
        host.profiles = below(host.directory, "profiles");
        host.roots = below(host.directory, "roots");
        host.running = below(host.directory, "running");
        host.booted = below(host.directory, "booted");
        return host;
}

static inline _unused_ void host_done(Host *host) {
        free(host->state);
        free(host->profiles);
        free(host->roots);
        free(host->running);
        free(host->booted);
}

static inline _unused_ void put_link(const Host *host, const char *name, const char *target) {
        _cleanup_free_ char *path = below(host->directory, name);

        (void) unlink(path);
        ASSERT_OK(symlink(target, path));
}

/* When the profile's link was made, in seconds since 1970. */
static inline _unused_ void set_time(const Host *host, const char *name, time_t seconds) {
        _cleanup_free_ char *path = below(host->directory, name);
        const struct timespec times[] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

        ASSERT_OK(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

static inline _unused_ void put_history(const Host *host, const char *id, const char *verb,
                                        const char *from, const char *to, uint64_t exit_code) {
        const HistoryEntry entry = {
                .id = (char *) id,
                .verb = (char *) verb,
                .from = (char *) from,
                .to = (char *) to,
                .begun = 1000,
                .ended = 2000,
                .exit_code = exit_code,
                .text = (char *) "",
        };

        ASSERT_OK(history_write(host->state, &entry));
}

static inline _unused_ void put_record(const Host *host, const char *text) {
        _cleanup_free_ char *path = below(host->state, "transaction.json");

        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}
