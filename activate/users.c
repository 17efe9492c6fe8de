/*
 * The users whose service managers run, and work done for them. Each is worked for in a process of
 * their own, with their identity and nothing of ours, so that what a user's manager says or does
 * cannot reach further than that user; all at the same time, and each within a limit, so that one
 * of them cannot hold up the rest.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "text.h"
#include "users.h"

#define USERS_MAX        1000U
#define LAST_MOMENT_MSEC 2000
#define LAST_WORK_USEC   (10 * USEC_PER_SEC) /* of who is told to leave off */
#define ASK_USEC         (250 * USEC_PER_MSEC)
#define LINE_BYTES_MAX   ((size_t) 4 * 1024 * 1024)

/* "user@1000.service" -> 1000 */
static bool parse_manager_unit(const char *unit, uid_t *ret_uid) {
        _cleanup_free_ char *digits = NULL;
        const char *instance = text_after_prefix(unit, "user@");
        uint64_t uid;

        if (!instance || !text_has_suffix(instance, ".service"))
                return false;
        digits = strndup(instance, strlen(instance) - strlen(".service"));
        if (!digits || text_to_unsigned(digits, UINT32_MAX - 1, &uid) < 0)
                return false;
        *ret_uid = (uid_t) uid;
        return true;
}

static int add_user(UserList *users, const struct passwd *entry, const struct stat *runtime) {
        User *items, *user;
        int r;

        items = reallocarray(users->items, users->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        users->items = items;

        user = &items[users->n++];
        *user = (User){
                .uid = entry->pw_uid,
                .gid = runtime->st_gid,
                .name = strdup(entry->pw_name),
                .home = strdup(entry->pw_dir),
        };
        r = text_printf(&user->runtime_directory, "/run/user/%u", (unsigned) entry->pw_uid);
        return r < 0 || !user->name || !user->home ? -ENOMEM : 0;
}

static int find_user(uid_t uid, UserList *users, StringList *notes) {
        _cleanup_free_ char *runtime = NULL;
        struct passwd *entry;
        struct stat st;
        char *note;
        int r;

        r = text_printf(&runtime, "/run/user/%u", (unsigned) uid);
        if (r < 0)
                return r;
        entry = getpwuid(uid);
        if (entry && stat(runtime, &st) >= 0 && st.st_uid == uid)
                return add_user(users, entry, &st);

        r = text_printf(&note, "user %u is left alone: %s", (unsigned) uid,
                        entry ? "there is no runtime directory" : "nobody has that number");
        return r < 0 ? r : string_list_take(notes, note);
}

/**
 * users_find() - whose service managers run
 * @system: of the system's manager
 * @users:  all zero before; users_done() even after an error
 * @notes:  why somebody is left alone
 *
 * The system's manager knows; no logind and no bus is asked, which may be on their way to be
 * restarted.
 *
 * Return: 0 or -ENOMEM.
 */
int users_find(const Inventory *system, UserList *users, StringList *notes) {
        for (size_t i = 0; i < system->n && users->n < USERS_MAX; i++) {
                uid_t uid;
                int r;

                if (!inventory_unit_runs(&system->units[i]) ||
                    !parse_manager_unit(system->units[i].id, &uid))
                        continue;
                r = find_user(uid, users, notes);
                if (r < 0)
                        return r;
        }
        return 0;
}

void user_done(User *user) {
        free(user->name);
        free(user->home);
        free(user->runtime_directory);
        *user = (User){ 0 };
}

void users_done(UserList *users) {
        for (size_t i = 0; i < users->n; i++)
                user_done(&users->items[i]);
        free(users->items);
        *users = (UserList){ 0 };
}

/* One user's process, seen from here. */
typedef struct Worker {
        const User *user;
        pid_t pid;
        int fd; /* its story; -EBADF when that has ended */
        char *buffer;
        size_t n_buffer;
        uint64_t heard_usec; /* when it last told something */
        bool killed;
} Worker;

/* Gives up everything that is not the user's. Group by group, since root's are the most dangerous.
 */
static int become(const User *user) {
        if (geteuid() == 0 && setgroups(0, NULL) < 0)
                return -errno;
        if (setresgid(user->gid, user->gid, user->gid) < 0 ||
            setresuid(user->uid, user->uid, user->uid) < 0)
                return -errno;

        if (clearenv() != 0 || setenv("XDG_RUNTIME_DIR", user->runtime_directory, 1) < 0 ||
            setenv("HOME", user->home, 1) < 0 || setenv("USER", user->name, 1) < 0)
                return -ENOMEM;
        return chdir("/") < 0 ? -errno : 0;
}

static __attribute__((noreturn)) void worker_run(const UsersWork *work, const User *user, int fd) {
        _cleanup_(event_log_freep) EventLog *log = NULL;
        int kept, r;

        (void) setsid();
        (void) signal(SIGPIPE, SIG_IGN);
        /* Locks and buses of the parent must not live on in here. */
        kept = dup2(fd, 3);
        (void) close_range(4, ~0U, 0);
        if (kept < 0 || fcntl(kept, F_SETFD, FD_CLOEXEC) < 0)
                _exit(1);

        r = become(user);
        if (r >= 0)
                r = event_log_new(kept, /* journal= */ false, &log);
        if (r >= 0)
                r = work->work(user, log, work->userdata);
        _exit(r < 0 ? 1 : 0);
}

static int worker_start(const UsersWork *work, Worker *worker) {
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];
        if (fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        worker->pid = fork();
        if (worker->pid < 0)
                return -errno;
        if (worker->pid == 0)
                worker_run(work, worker->user, write_fd);
        worker->fd = TAKE_FD(read_fd);
        worker->heard_usec = clock_monotonic_usec();
        return 0;
}

/* A user's process is a stranger: what it says must not move the cursor of whoever reads it. */
static void clean_texts(cJSON *item) {
        cJSON *child;

        if (cJSON_IsString(item))
                text_strip_controls(item->valuestring);
        cJSON_ArrayForEach(child, item)
                clean_texts(child);
}

static void take_line(const UsersWork *work, const Worker *worker, const char *line, size_t n) {
        _cleanup_(cJSON_Deletep) cJSON *event = NULL;

        if (json_parse(line, n, &event) < 0 || !json_string(event, "event"))
                return;
        clean_texts(event);
        work->on_event(worker->user, event, work->userdata);
}

static void take_lines(const UsersWork *work, Worker *worker) {
        char *start = worker->buffer, *end = worker->buffer + worker->n_buffer, *newline;

        while ((newline = memchr(start, '\n', (size_t) (end - start)))) {
                take_line(work, worker, start, (size_t) (newline - start));
                start = newline + 1;
        }
        worker->n_buffer = (size_t) (end - start);
        memmove(worker->buffer, start, worker->n_buffer);
}

/* Reads what there is; a line without end, or the end of the story, closes it. */
static int worker_read(const UsersWork *work, Worker *worker) {
        ssize_t n;
        char *buffer;

        buffer = realloc(worker->buffer, worker->n_buffer + 65536);
        if (!buffer)
                return -ENOMEM;
        worker->buffer = buffer;

        n = read(worker->fd, buffer + worker->n_buffer, 65536);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n > 0) {
                worker->heard_usec = clock_monotonic_usec();
                worker->n_buffer += (size_t) n;
                take_lines(work, worker);
        }
        if (n <= 0 || worker->n_buffer > LINE_BYTES_MAX)
                worker->fd = fd_close(worker->fd);
        return 0;
}

static void worker_kill(Worker *worker) {
        worker->killed = true;
        (void) kill(-worker->pid, SIGKILL);
        (void) kill(worker->pid, SIGKILL);
        worker->fd = fd_close(worker->fd);
}

/* All workers, and until when they are waited for. */
typedef struct Following {
        const UsersWork *work;
        Worker *workers;
        size_t n;
        uint64_t deadline_usec;
        bool interrupted;
} Following;

static void check_interrupt(Following *f, uint64_t now) {
        if (f->interrupted || !f->work->interrupted || !f->work->interrupted())
                return;
        f->interrupted = true;
        if (f->deadline_usec > now + LAST_WORK_USEC)
                f->deadline_usec = now + LAST_WORK_USEC;
        for (size_t i = 0; i < f->n; i++)
                if (f->workers[i].pid > 0 && f->workers[i].fd >= 0)
                        (void) kill(f->workers[i].pid, SIGTERM);
}

/* Prepares the next wait: who is heard, and until when. How many there are. */
static size_t look(Following *f, struct pollfd *fds, uint64_t now, uint64_t *ret_until) {
        uint64_t silence = f->work->silence_usec, until = f->deadline_usec;
        size_t n_open = 0;

        for (size_t i = 0; i < f->n; i++) {
                Worker *worker = &f->workers[i];

                if (worker->fd >= 0 && silence > 0) {
                        if (now >= worker->heard_usec + silence)
                                worker_kill(worker);
                        else if (worker->heard_usec + silence < until)
                                until = worker->heard_usec + silence;
                }
                fds[i] = (struct pollfd){ .fd = worker->fd, .events = POLLIN };
                n_open += worker->fd >= 0;
        }
        if (f->work->interrupted && !f->interrupted && until > now + ASK_USEC)
                until = now + ASK_USEC;
        *ret_until = until;
        return n_open;
}

static int follow(Following *f) {
        _cleanup_free_ struct pollfd *fds = calloc(f->n, sizeof(*fds));
        int r = 0;

        if (!fds)
                return -ENOMEM;

        for (;;) {
                uint64_t now = clock_monotonic_usec(), until;

                check_interrupt(f, now);
                if (look(f, fds, now, &until) == 0 || now >= f->deadline_usec)
                        return 0;
                if (poll(fds, f->n, (int) ((until - now) / USEC_PER_MSEC) + 1) < 0) {
                        if (errno != EINTR)
                                return -errno;
                        continue;
                }
                for (size_t i = 0; r >= 0 && i < f->n; i++)
                        if (f->workers[i].fd >= 0 && fds[i].revents)
                                r = worker_read(f->work, &f->workers[i]);
                if (r < 0)
                        return r;
        }
}

/* Whether the process has ended, or does within a moment. */
static bool has_ended(const Worker *worker) {
        _cleanup_close_ int pid_fd = pidfd_open(worker->pid, 0);
        struct pollfd fd = { .fd = pid_fd, .events = POLLIN };

        return pid_fd >= 0 && poll(&fd, 1, LAST_MOMENT_MSEC) > 0;
}

/* Who still tells something is out of time; who has closed the story must end now, too. */
static void finish(const UsersWork *work, Worker *worker, bool interrupted) {
        _cleanup_free_ char *why = NULL;
        int status;

        if (worker->pid <= 0) {
                work->on_failure(worker->user, "no process could be started", work->userdata);
                return;
        }
        if (worker->fd >= 0 || !has_ended(worker))
                worker_kill(worker);
        if (process_wait_killed(worker->pid, &status) < 0 && !worker->killed)
                return;
        if (interrupted)
                return;

        if (worker->killed)
                work->on_failure(worker->user, "it took too long and was killed", work->userdata);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                work->on_failure(worker->user,
                                 process_status_to_text(status, &why) >= 0 ? why : "it failed",
                                 work->userdata);
}

/**
 * users_work() - do work for all users at the same time
 *
 * What goes wrong with one of them is told to @on_failure and concerns nobody else.
 *
 * Return: 0, or -ENOMEM or an errno of poll(2) when all processes have ended.
 */
int users_work(const UsersWork *work) {
        _cleanup_free_ Worker *workers = NULL;
        size_t n = work->users->n;
        Following following = {
                .work = work,
                .n = n,
                .deadline_usec = clock_monotonic_usec() + work->limit_usec,
        };
        int r;

        if (n == 0)
                return 0;
        workers = calloc(n, sizeof(*workers));
        if (!workers)
                return -ENOMEM;

        (void) fflush(NULL); /* what stands in our buffers is not a child's to write */
        for (size_t i = 0; i < n; i++) {
                workers[i] = (Worker){ .user = &work->users->items[i], .fd = -EBADF };
                if (worker_start(work, &workers[i]) < 0)
                        workers[i].pid = 0;
        }

        following.workers = workers;
        r = follow(&following);
        for (size_t i = 0; i < n; i++) {
                finish(work, &workers[i], following.interrupted);
                (void) fd_close(workers[i].fd);
                free(workers[i].buffer);
        }
        return r;
}
