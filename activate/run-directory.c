/*
 * /run/enact/ID/: what is asked of the engine (request.json) and what it tells (events), so that
 * neither depends on the process that asked. Root writes there. The request is for everybody to
 * read, the story for whoever may read the journal: it quotes that, and what scripts of root's
 * print.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "file.h"
#include "history.h"
#include "record.h"
#include "run-directory.h"
#include "run-id.h"
#include "state-directory.h"
#include "text.h"

#define JOURNAL_READERS     "systemd-journal" /* the group */
#define RUN_DIRECTORIES_MAX 20 /* older stories are told by the history and the journal */

/** run_directory_path() - of a file in a request's directory; owned by the caller. 0 or -ENOMEM. */
int run_directory_path(const char *id, const char *name, char **ret_path) {
        return text_printf(ret_path, RUN_DIRECTORY "/%s/%s", id, name);
}

/** run_directory_events() - the path of a request's events; owned by the caller. 0 or -ENOMEM. */
int run_directory_events(const char *id, char **ret_path) {
        return run_directory_path(id, "events", ret_path);
}

/** run_directory_is_id() - whether a request may be called so: one that is a path would lead
 * elsewhere. */
bool run_directory_is_id(const char *id) {
        return *id && strspn(id, "0123456789abcdef-") == strlen(id) && strlen(id) < 64;
}

static int is_run(const struct dirent *entry) {
        return run_directory_is_id(entry->d_name);
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static char *newest_run(void) {
        char *newest = NULL;
        struct dirent **names;
        int n;

        n = scandir(RUN_DIRECTORY, &names, is_run, compare_names);
        if (n < 0)
                return NULL;
        if (n > 0)
                newest = strdup(names[n - 1]->d_name);
        for (int i = 0; i < n; i++)
                free(names[i]);
        free(names);
        return newest;
}

static int make_id(char **ret_id) {
        _cleanup_free_ char *run = newest_run(), *entry = history_newest(state_directory());
        struct timespec now;

        if (clock_gettime(CLOCK_REALTIME, &now) < 0)
                return -errno;
        return run_id_make(run && (!entry || strcmp(run, entry) > 0) ? run : entry, &now, ret_id);
}

/* Its engine may still be at work, be there ever so many that came after it and found it busy. */
static bool is_open(const char *id) {
        _cleanup_(record_done) Record record = { 0 };

        return record_read(state_directory(), &record) == 0 && strcmp(record.id, id) == 0;
}

static void forget(const char *id) {
        static const char *const files[] = { "request.json", "events", RUN_LEASE };
        _cleanup_free_ char *directory = NULL;

        if (is_open(id))
                return;
        for (size_t k = 0; k < ELEMENTSOF(files); k++) {
                _cleanup_free_ char *path = NULL;

                if (run_directory_path(id, files[k], &path) >= 0)
                        (void) unlink(path);
        }
        if (run_directory_path(id, "", &directory) >= 0) {
                (void) file_remove_temporaries(directory); /* of one killed at writing */
                (void) rmdir(directory);
        }
}

static void forget_oldest(void) {
        struct dirent **names;
        int n;

        n = scandir(RUN_DIRECTORY, &names, is_run, compare_names);
        if (n < 0)
                return;
        for (int i = 0; i < n; i++) {
                if (i < n - RUN_DIRECTORIES_MAX)
                        forget(names[i]->d_name);
                free(names[i]);
        }
        free(names);
}

static int write_request(const char *id, const Request *request) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *line = NULL;
        int r;

        r = request_to_json(request, &object);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                r = run_directory_path(id, "request.json", &path);
        return r < 0 ? r : file_write(AT_FDCWD, path, line, 0644);
}

static int make_events(const char *id) {
        const struct group *readers = getgrnam(JOURNAL_READERS);
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = run_directory_events(id, &path);
        if (r < 0)
                return r;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (readers && fchown(fd, (uid_t) -1, readers->gr_gid) < 0)
                return -errno;
        return fchmod(fd, readers ? 0640 : 0600) < 0 ? -errno : 0;
}

/**
 * run_directory_make() - put a request where the engine finds it
 * @ret_id: names it from here on; owned by the caller
 *
 * Return: 0, or an errno of mkdir(2) or open(2).
 */
int run_directory_make(const Request *request, char **ret_id) {
        _cleanup_free_ char *id = NULL, *directory = NULL;
        int r;

        r = file_make_directories(RUN_DIRECTORY, 0755);
        if (r < 0)
                return r;
        forget_oldest();

        r = make_id(&id);
        if (r < 0)
                return r;
        r = text_printf(&directory, RUN_DIRECTORY "/%s", id);
        if (r < 0)
                return r;
        if (mkdir(directory, 0755) < 0)
                return -errno;

        r = make_events(id);
        if (r < 0)
                return r;
        r = write_request(id, request);
        if (r < 0)
                return r;

        *ret_id = TAKE_PTR(id);
        return 0;
}

/* Whoever wrote before may have been killed in the middle of a line. */
static int end_line(const char *path, int fd) {
        _cleanup_close_ int read_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        char last = '\n';

        if (read_fd < 0)
                return -errno;
        if (lseek(read_fd, -1, SEEK_END) >= 0 && read(read_fd, &last, 1) < 0)
                return -errno;
        return last == '\n' ? 0 : file_append(fd, "\n", 1);
}

/**
 * run_directory_open_story() - to go on telling a story
 * @ret_log: owned by the caller
 *
 * Return: 0, -EINVAL for what is no id, or an errno of open(2).
 */
int run_directory_open_story(const char *id, EventLog **ret_log) {
        _cleanup_free_ char *events = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!run_directory_is_id(id))
                return -EINVAL;
        r = run_directory_events(id, &events);
        if (r < 0)
                return r;
        fd = open(events, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        r = end_line(events, fd);
        if (r >= 0)
                r = event_log_new(fd, /* journal= */ true, ret_log);
        if (r < 0)
                return r;
        fd = -EBADF;
        event_log_add_times(*ret_log);
        (void) event_log_set_id(*ret_log, id); /* its first event says so, too */
        return 0;
}

/**
 * run_directory_open() - read a request and open its story
 * @request: all zero before; request_done() even after an error
 * @ret_log: owned by the caller
 *
 * Return: 0, -EINVAL for what is no id, -EBADMSG for a damaged request, or an errno of open(2).
 */
int run_directory_open(const char *id, Request *request, EventLog **ret_log) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        if (!run_directory_is_id(id))
                return -EINVAL;

        r = run_directory_path(id, "request.json", &path);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n);
        if (r >= 0)
                r = json_parse(text, n, &object);
        if (r >= 0)
                r = request_from_json(object, request);
        return r < 0 ? r : run_directory_open_story(id, ret_log);
}
