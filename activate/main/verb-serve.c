/*
 * enact-activate serve: the root side of a command that a user typed. It is started before a long
 * build, so that a password is asked for at once, waits on its standard input for one request, has
 * systemd run the engine on it, and hands the story on. It ends with the pipe; the engine does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "clock.h"
#include "engine.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "history.h"
#include "marks.h"
#include "menu-refresh.h"
#include "run-directory.h"
#include "scripts.h"
#include "serve.h"
#include "text.h"
#include "transaction.h"
#include "unit-lists.h"
#include "upkeep.h"
#include "verbs.h"

#define REQUEST_BYTES_MAX ((size_t) 64 * 1024)

#define IDLE_USEC         (200 * USEC_PER_MSEC)
#define IDLE_MAX          50U /* ten seconds; a dead man's switch that was killed is started anew */

typedef struct Server {
        const char *id;
        unsigned n_idle; /* how often nobody was seen to work */
        sd_event *loop;
        int engine_fd; /* pidfd, or -EBADF if it has ended */
        FILE *events;
        char *line; /* the last one handed on, and its room */
        size_t line_allocated;
        bool told_end;
        bool left; /* the caller has gone; the engine works on */
} Server;

static void print_event(cJSON *event) {
        _cleanup_free_ char *line = NULL;

        if (event && json_print(event, &line) >= 0)
                puts(line);
        cJSON_Delete(event);
        (void) fflush(stdout);
}

/** serve_tell_end() - the story's last word where there is no engine that could say it. */
void serve_tell_end(const char *name, const char *text) {
        const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, text);
        cJSON *event = event_new("end");

        event_add_number(event, "exit", name ? error_to_exit_code(&error) : 0);
        event_add_text(event, "error", name);
        event_add_text(event, "text", text);
        print_event(event);
}

/* Hands on what the engine has told since; a line that is still being written waits. */
static void relay(Server *server) {
        ssize_t n;

        while (server->events) {
                long before = ftell(server->events);

                clearerr(server->events);
                n = getline(&server->line, &server->line_allocated, server->events);
                if (n <= 0)
                        break;
                if (server->line[n - 1] != '\n') {
                        (void) fseek(server->events, before, SEEK_SET);
                        break;
                }
                if (text_after_prefix(server->line, "{\"event\":\"end\""))
                        server->told_end = true;
                if (fputs(server->line, stdout) == EOF)
                        break;
        }
        if (fflush(stdout) == EOF || server->told_end)
                (void) sd_event_exit(server->loop, 0);
}

static int on_events(_unused_ sd_event_source *source, _unused_ const struct inotify_event *event,
                     void *userdata) {
        relay(userdata);
        return 0;
}

/* A record that something was mounted over stands all the same, until it is forgotten what that
 * stands on. */
static bool is_open(const char *id) {
        return transaction_is_open(id, &TRANSACTION_PLACES_HOST) || access(RUN_GROUND, F_OK) >= 0;
}

static bool is_lock_held(void) {
        _cleanup_free_ char *path = NULL, *command = NULL;
        pid_t pid;

        return text_printf(&path, "%s/lock", state_directory()) >= 0 &&
               file_lock_holder(path, &pid, &command) >= 0;
}

/*
 * An engine that died in the middle is followed by its dead man's switch, which tells the end of
 * the same story. It takes a moment to begin; a record that stands while nobody holds the lock for
 * longer than that is nobody's.
 */
static int on_wait_for_dead_man(sd_event_source *source, uint64_t now, void *userdata) {
        Server *server = userdata;
        int r;

        relay(server);
        if (is_open(server->id) && server->n_idle < IDLE_MAX) {
                server->n_idle = is_lock_held() ? 0 : server->n_idle + 1;
                r = sd_event_source_set_time(source, now + IDLE_USEC);
                return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        relay(server);
        return sd_event_exit(server->loop, 0);
}

static int on_engine_end(sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
                         void *userdata) {
        Server *server = userdata;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        server->engine_fd = fd_close(server->engine_fd);
        relay(server);
        if (server->told_end)
                return 0;
        return sd_event_add_time_relative(server->loop, NULL, CLOCK_MONOTONIC, 0, IDLE_USEC / 10,
                                          on_wait_for_dead_man, server);
}

/* Whether what the pipe says is "cancel"; it says nothing else. */
static bool is_cancel(const char *text, size_t n) {
        return memmem(text, n, "cancel", strlen("cancel"));
}

/* For a dry run, which waits in no loop. */
static bool is_cancelled(void) {
        struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
        static bool cancelled;
        char buffer[256];

        if (!cancelled && poll(&fd, 1, 0) > 0 && (fd.revents & POLLIN)) {
                ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

                cancelled = n > 0 && is_cancel(buffer, (size_t) n);
        }
        return cancelled;
}

/* The pipe says "cancel", or that nobody listens any more. */
static int on_caller(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents,
                     void *userdata) {
        Server *server = userdata;
        char buffer[256];
        ssize_t n;

        n = read(fd, buffer, sizeof(buffer));
        if (n <= 0) {
                server->left = true;
                return sd_event_exit(server->loop, 0);
        }
        if (is_cancel(buffer, (size_t) n) && server->engine_fd >= 0)
                (void) pidfd_send_signal(server->engine_fd, SIGTERM, NULL, 0);
        return 0;
}

static int watch_story(Server *server) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (!server->events)
                return 0;
        r = text_printf(&path, "/proc/self/fd/%d", fileno(server->events));
        return r < 0 ? r :
                       sd_event_add_inotify(server->loop, NULL, path, IN_MODIFY, on_events, server);
}

static int follow(Server *server) {
        int r;

        r = watch_story(server);
        /* A regular file as standard input cannot be waited for, and has nothing more to say. */
        if (r >= 0)
                r = sd_event_add_io(server->loop, NULL, STDIN_FILENO, EPOLLIN, on_caller, server);
        if (r == -EPERM)
                r = 0;
        if (r >= 0 && server->engine_fd >= 0)
                r = sd_event_add_io(server->loop, NULL, server->engine_fd, EPOLLIN, on_engine_end,
                                    server);
        if (r < 0)
                return r;

        relay(server);
        return server->engine_fd < 0 ? 0 : sd_event_loop(server->loop);
}

/* Where nothing can be waited for in the ordinary way, the engine's end still can. */
static void wait_for_end(Server *server) {
        struct pollfd fd = { .fd = server->engine_fd, .events = POLLIN };

        while (server->engine_fd >= 0 && poll(&fd, 1, -1) < 0 && errno == EINTR)
                ;
        relay(server);
}

static void server_done(Server *server) {
        (void) fd_close(server->engine_fd);
        if (server->events)
                (void) fclose(server->events);
        free(server->line);
        sd_event_unref(server->loop);
}

/** serve_tell_end_from_history() - a full /run takes no events; the history may know how it ended
 * all the same. An engine that has left neither a record nor a history has changed nothing. */
void serve_tell_end_from_history(const char *id) {
        _cleanup_(history_done) History history = { 0 };
        const HistoryEntry *entry;

        (void) history_read(state_directory(), &history);
        entry = history_find(&history, id);
        if (entry)
                serve_tell_end(error_from_exit_code((int) entry->exit_code), entry->text);
        else if (!is_open(id))
                serve_tell_end(ENACT_ERROR_FAILED,
                               "The engine was ended before it changed anything.");
        else
                serve_tell_end(ENACT_ERROR_ROLLBACK_FAILED,
                               "The engine was ended before it could say how far it came. "
                               "'enact status' says what holds.");
}

/** serve_open_story() - what the engine of that id tells; NULL where it cannot be had, since
 * something else was mounted over it, say: the engine works all the same, and its end is told. */
FILE *serve_open_story(const char *id) {
        _cleanup_free_ char *path = NULL;

        return run_directory_events(id, &path) >= 0 ? fopen(path, "re") : NULL;
}

/**
 * serve_relay() - hand on what an engine tells, to its end
 * @engine_fd: its pidfd, or -EBADF if it has ended; taken over
 * @story:     of serve_open_story(), at the place to begin at; taken over
 *
 * An engine that works is not undone by what its story meets on the way: nothing fails here.
 */
void serve_relay(const char *id, int engine_fd, FILE *story) {
        _cleanup_(server_done) Server server = {
                .id = id,
                .engine_fd = engine_fd,
                .events = story,
        };

        if (sd_event_new(&server.loop) < 0 || follow(&server) < 0)
                wait_for_end(&server);
        if (!server.told_end && !server.left)
                serve_tell_end_from_history(id);
}

/* Whether the engine of a request has said anything. */
static bool has_told(const char *id) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        return run_directory_events(id, &path) >= 0 && stat(path, &st) >= 0 && st.st_size > 0;
}

static int start_engine(const Request *request, sd_bus_error *reterr_error) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_free_ char *id = NULL, *description = NULL;
        int r, engine_fd;
        pid_t engine;

        r = manager_open(&manager, reterr_error);
        if (r < 0)
                return r;
        r = run_directory_make(request, &id);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot put the request into '" RUN_DIRECTORY
                                         "': %s. Nothing was changed.",
                                         strerror(-r));
        r = text_printf(&description, "enact %s %s", request_verb_to_string(request->verb),
                        request->toplevel);
        if (r < 0)
                return r;
        r = engine_start(manager, id, description, &engine, reterr_error);
        /* One that ends at once with an error makes its start fail; its story says why. */
        if (r < 0 && !has_told(id))
                return r;
        sd_bus_error_free(reterr_error);

        /* systemd would keep what it tells of every unit for a connection that nobody reads. */
        manager = manager_free(manager);
        engine_fd = r < 0 || engine <= 0 ? -EBADF : pidfd_open(engine, 0);
        serve_relay(id, engine_fd, serve_open_story(id));
        return 0;
}

/* What the dry activation script wants restarted and reloaded; whoever asked has the plan that it
 * goes into. */
static void tell_dry_lists(void) {
        _cleanup_(string_list_done) StringList restart = { 0 }, reload = { 0 }, notes = { 0 };
        cJSON *event = event_new("dry-lists");

        (void) unit_lists_read(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RESTART, &restart, &notes);
        (void) unit_lists_read(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RELOAD, &reload, &notes);
        unit_lists_remove(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RESTART);
        unit_lists_remove(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RELOAD);
        if (event) {
                (void) json_add_strings(event, "restart", &restart);
                (void) json_add_strings(event, "reload", &reload);
        }
        for (size_t i = 0; i < notes.n; i++) {
                cJSON *note = event_new("note");

                event_add_text(note, "text", notes.items[i]);
                print_event(note);
        }
        print_event(event);
}

/* A dry run needs no engine: it changes nothing, so there is nothing to bring to an end. */
static int dry_activate(const Request *request, sd_bus_error *reterr_error) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = NULL;
        _cleanup_(event_log_freep) EventLog *log = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Scripts scripts = { .action = "dry-activate", .interrupted = is_cancelled };
        int r;

        r = toplevel_open(request->toplevel, &toplevel, reterr_error);
        if (r < 0)
                return r;
        r = event_log_new(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), /* journal= */ false, &log);
        if (r < 0)
                return r;

        serve_tell_left_open(log);
        scripts.of = toplevel;
        scripts.log = log;
        r = scripts_run_activation(&scripts, "dry-activate", &error);
        if (sd_bus_error_has_name(&error, ENACT_ERROR_INTERRUPTED))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Interrupted. A dry run: nothing was changed.");
        if (r < 0)
                return sd_bus_error_move(reterr_error, &error);
        tell_dry_lists();
        serve_tell_end(NULL, "A dry run: nothing was changed.");
        return 0;
}

/* Whoever became root to ask; the request's own word for it is a stranger's. */
static uid_t caller(void) {
        static const char *const variables[] = { "SUDO_UID", "PKEXEC_UID" };
        const char *doas = getenv("DOAS_USER");
        const struct passwd *entry;
        uint64_t uid;

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                const char *value = getenv(variables[i]);

                if (value && text_to_unsigned(value, UINT32_MAX - 1, &uid) >= 0)
                        return (uid_t) uid;
        }
        entry = doas ? getpwnam(doas) : NULL;
        return entry ? entry->pw_uid : getuid();
}

/* Pinning and deleting are short: they are done here, to their end, whoever goes away meanwhile. */
static int keep_up(const cJSON *object, sd_bus_error *reterr_error) {
        const UpkeepPlaces places = {
                .transaction = TRANSACTION_PLACES_HOST,
                .booted = BOOTED_SYSTEM,
                .store = "/nix/store",
        };
        _cleanup_(upkeep_request_done) UpkeepRequest request = { 0 };
        _cleanup_(event_log_freep) EventLog *log = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        (void) signal(SIGTERM, SIG_IGN);
        r = upkeep_request_from_json(object, &request);
        if (r >= 0)
                r = event_log_new(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), /* journal= */ true,
                                  &log);
        request.uid = caller();
        if (r < 0)
                return r;
        serve_recover_first(log);
        r = upkeep_run(&request, &places, log, &text, reterr_error);
        if (r < 0)
                return r;
        serve_tell_end(NULL, text);
        return 0;
}

/* As short, and as little to be left half done. */
static int refresh_menu(const cJSON *object, sd_bus_error *reterr_error) {
        _cleanup_(event_log_freep) EventLog *log = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        (void) signal(SIGTERM, SIG_IGN);
        r = menu_refresh_check_request(object);
        if (r >= 0)
                r = event_log_new(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), /* journal= */ true,
                                  &log);
        if (r < 0)
                return r;
        serve_recover_first(log);
        r = menu_refresh_run(&TRANSACTION_PLACES_HOST, log, &text, reterr_error);
        if (r < 0)
                return r;
        serve_tell_end(NULL, text);
        return 0;
}

static int read_object(cJSON **ret_object) {
        char buffer[REQUEST_BYTES_MAX];
        size_t n = 0;

        while (n < sizeof(buffer) && (n == 0 || buffer[n - 1] != '\n')) {
                ssize_t k = read(STDIN_FILENO, buffer + n, 1);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k <= 0)
                        return -ENODATA;
                n += (size_t) k;
        }
        return json_parse(buffer, n, ret_object);
}

static int check_place(sd_bus_error *reterr_error) {
        if (geteuid() != 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NOT_ROOT,
                        "The root side does not run as root. Nothing was changed.");
        if (sd_booted() <= 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_SYSTEMD,
                        "No systemd runs here, so there is no running system to change. "
                        "Nothing was changed.");
        return 0;
}

static int follow_request(const cJSON *object, sd_bus_error *reterr_error) {
        _cleanup_(request_done) Request request = { 0 };
        int r;

        r = request_from_json(object, &request);
        if (r < 0)
                return r;
        request.uid = caller();
        return request.verb == REQUEST_DRY_ACTIVATE ? dry_activate(&request, reterr_error) :
                                                      start_engine(&request, reterr_error);
}

static int follow_answer(const cJSON *object, sd_bus_error *reterr_error) {
        _cleanup_(answer_done) Answer answer = { 0 };
        int r;

        r = answer_from_json(object, &answer);
        return r < 0 ? r : serve_answer(&answer, caller(), reterr_error);
}

static int serve(sd_bus_error *reterr_error) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        int r;

        r = check_place(reterr_error);
        if (r < 0)
                return r;
        print_event(event_new("ready"));

        r = read_object(&object);
        if (r >= 0)
                r = upkeep_request_is_meant(object) ? keep_up(object, reterr_error) :
                    menu_refresh_is_meant(object)   ? refresh_menu(object, reterr_error) :
                    answer_is_meant(object)         ? follow_answer(object, reterr_error) :
                                                      follow_request(object, reterr_error);
        if (r == -EBADMSG && !sd_bus_error_is_set(reterr_error))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE,
                                         "The root side was asked for something it does not know. "
                                         "Are 'enact' and 'enact-activate' of one version?");
        return r;
}

static int run(int argc, _unused_ char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (argc != 1) {
                fprintf(stderr, "Usage: enact-activate serve\n");
                return 2;
        }

        /* Ctrl-C is for the program that a person typed; this one ends with the pipe. */
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) umask(0022); /* what is for everybody to read must not depend on who asks */

        r = serve(&error);
        if (r == -ENODATA) /* the caller went away without asking for anything */
                return 0;
        if (r < 0)
                serve_tell_end(error.name ? error.name : ENACT_ERROR_FAILED,
                               error.message ? error.message : strerror(-r));
        return 0;
}

const Verb verb_serve = {
        .name = "serve",
        .synopsis = "",
        .help = "Take one request from standard input (started by enact)",
        .run = run,
};
