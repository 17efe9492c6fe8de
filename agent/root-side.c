/*
 * The way to root. The helper is asked for nothing but a fixed verb and a store path over a pipe;
 * it is started before the build, so that a password is asked for at once and used once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "error.h"
#include "process.h"
#include "root-side.h"
#include "text.h"

#define LINE_BYTES_MAX ((size_t) 16 * 1024 * 1024)

struct RootSide {
        pid_t pid;
        int fd; /* a socket: requests out, events in */
        char *buffer;
        size_t n_buffer, allocated;
        char *program; /* that became root, for messages */

        sd_event *loop;
        RootSideHandler handler;
        void *userdata;
        bool ready, activating, ended;
        uint64_t exit_code;
        char *error_name, *error_text;
        bool asked_to_stop, let_go;
        bool is_upkeep; /* short work that is done to its end */
};

static const char *const programs[] = { "run0", "sudo", "doas", "pkexec" };

/** root_side_knows_program() - whether it is one by which to become root, or "none". */
bool root_side_knows_program(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                if (strcmp(programs[i], name) == 0)
                        return true;
        return strcmp(name, "none") == 0;
}

/* The one that is wanted, or the first there is. */
static int find_program(const char *wanted, char **ret) {
        int r = -ENOENT;

        for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(programs); i++)
                if (!wanted || strcmp(programs[i], wanted) == 0)
                        r = process_find(programs[i], ret);
        return r;
}

static int say_no_way(const char *wanted, sd_bus_error *reterr_error) {
        if (!wanted)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NOT_ROOT,
                        "Changing the running system needs root, and none of run0, "
                        "sudo, doas or pkexec is there to become it. "
                        "Nothing was changed.");
        if (strcmp(wanted, "none") == 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_ROOT,
                                         "Changing the running system needs root, and nobody is "
                                         "to be asked for it (--elevate or $ENACT_ELEVATE says "
                                         "'none'). Nothing was changed.");
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_ROOT,
                                 "Changing the running system needs root, and '%s', by which to "
                                 "become it (--elevate or $ENACT_ELEVATE), %s. Nothing was "
                                 "changed.",
                                 wanted,
                                 root_side_knows_program(wanted) ?
                                         "is not there" :
                                         "is none of run0, sudo, doas and pkexec");
}

/**
 * root_side_command() - the command that runs the helper as root
 * @uid:     who asks; root needs nobody's help
 * @elevate: by which program; NULL: $ENACT_ELEVATE, else the first there is
 *
 * Return: 0, or a negative errno with @reterr_error set if there is no way to become root.
 */
int root_side_command(uid_t uid, const char *elevate, StringList *command,
                      sd_bus_error *reterr_error) {
        const char *wanted = elevate ? elevate : getenv("ENACT_ELEVATE");
        char *found = NULL;
        int r = 0;

        if (wanted && !*wanted)
                wanted = NULL;
        if (uid != 0) {
                r = find_program(wanted, &found);
                if (r == -ENOENT)
                        return say_no_way(wanted, reterr_error);
                if (r < 0)
                        return r;
                r = string_list_take(command, found);
                /* pkexec would take it for the program. */
                if (r >= 0 && !text_has_suffix(found, "/pkexec"))
                        r = string_list_add(command, "--");
        }
        if (r >= 0)
                r = string_list_add(command, ENACT_ENGINE);
        return r < 0 ? r : string_list_add(command, "serve");
}

static int next_line(RootSide *side, char **ret_line) {
        char *newline = memchr(side->buffer, '\n', side->n_buffer);
        size_t n;

        if (!newline)
                return 0;
        n = (size_t) (newline - side->buffer);
        *ret_line = strndup(side->buffer, n);
        if (!*ret_line)
                return -ENOMEM;
        memmove(side->buffer, newline + 1, side->n_buffer - n - 1);
        side->n_buffer -= n + 1;
        return 1;
}

/* Reads once what is there: positive, 0 at the end of the stream, or an errno. */
static ssize_t fill_buffer(RootSide *side) {
        ssize_t n;

        if (side->allocated - side->n_buffer < 4096) {
                size_t allocated = side->allocated ? 2 * side->allocated : 65536;
                char *buffer;

                if (allocated > LINE_BYTES_MAX)
                        return -EMSGSIZE;
                buffer = realloc(side->buffer, allocated);
                if (!buffer)
                        return -ENOMEM;
                side->buffer = buffer;
                side->allocated = allocated;
        }

        do
                n = read(side->fd, side->buffer + side->n_buffer, side->allocated - side->n_buffer);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == ECONNRESET ? 0 : -errno;
        side->n_buffer += (size_t) n;
        return n;
}

static int copy_text(char **text, const char *from) {
        free(*text);
        *text = from ? strdup(from) : NULL;
        return from && !*text ? -ENOMEM : 0;
}

static int on_event_line(RootSide *side, const char *line) {
        _cleanup_(cJSON_Deletep) cJSON *event = NULL;
        const char *name, *phase;
        int r;

        r = json_parse(line, strlen(line), &event);
        if (r < 0)
                return r == -EBADMSG ? 0 : r;
        name = json_string(event, "event");
        if (!name)
                return 0;

        if (strcmp(name, "ready") == 0)
                side->ready = true;
        phase = json_string(event, "phase");
        if (strcmp(name, "phase") == 0 && phase && strcmp(phase, "stage") != 0)
                side->activating = true;
        if (strcmp(name, "end") == 0) {
                side->ended = true;
                if (json_number(event, "exit", 255, &side->exit_code) < 0)
                        side->exit_code = 1;
                if (copy_text(&side->error_name, json_string(event, "error")) < 0 ||
                    copy_text(&side->error_text, json_string(event, "text")) < 0)
                        return -ENOMEM;
        }
        if (side->handler)
                side->handler(side->userdata, event, line);
        return 0;
}

static int take_lines(RootSide *side) {
        char *line;
        int r;

        while ((r = next_line(side, &line)) > 0) {
                r = on_event_line(side, line);
                free(line);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Blocks: the helper says that it is ready, or ends. Ctrl-C at the password prompt ends it. */
static int wait_until_ready(RootSide *side) {
        while (!side->ready && !side->ended) {
                ssize_t n = fill_buffer(side);
                int r;

                if (n <= 0)
                        return n < 0 ? (int) n : -ECONNRESET;
                r = take_lines(side);
                if (r < 0)
                        return r;
        }
        return side->ended ? -EIO : 0;
}

static int say_not_root(RootSide *side, sd_bus_error *reterr_error) {
        _cleanup_free_ char *how = NULL;
        int status = 0;

        if (side->ended)
                return sd_bus_error_set(reterr_error, side->error_name, side->error_text);

        (void) process_wait(side->pid, &status);
        side->pid = 0;
        if (process_status_to_text(status, &how) < 0)
                return -ENOMEM;
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_NOT_ROOT,
                "Changing the running system needs root, and '%s' did not give it (%s). "
                "Nothing was changed.",
                side->program, how);
}

static int start_helper(RootSide *side, const StringList *command, sd_bus_error *reterr_error) {
        _cleanup_close_ int theirs = -EBADF;
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        int fds[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        side->fd = fds[0];
        theirs = fds[1];

        options.stdin_fd = options.stdout_fd = theirs;
        options.stderr_fd = STDERR_FILENO; /* the prompt of sudo and its kind */
        r = process_start(command, &options, &side->pid);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_ROOT,
                                         "Cannot start '%s': %s. Nothing was changed.",
                                         command->items[0], strerror(-r));
        return 0;
}

/**
 * root_side_start() - become root, or find out that we cannot
 * @elevate: as for root_side_command()
 * @ret: waits for root_side_ask(); freeing it ends the helper. Owned by the caller
 *
 * Return: 0, or a negative errno with @reterr_error set; nothing was changed then.
 */
int root_side_start(const char *elevate, RootSide **ret, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList command = { 0 };
        _cleanup_(root_side_freep) RootSide *side = NULL;
        int r;

        r = root_side_command(geteuid(), elevate, &command, reterr_error);
        if (r < 0)
                return r;

        side = calloc(1, sizeof(*side));
        if (!side)
                return -ENOMEM;
        side->fd = -EBADF;
        side->program = strdup(command.items[0]);
        if (!side->program)
                return -ENOMEM;

        r = start_helper(side, &command, reterr_error);
        if (r < 0)
                return r;
        r = wait_until_ready(side);
        if (r < 0)
                return say_not_root(side, reterr_error);

        *ret = TAKE_PTR(side);
        return 0;
}

static int on_readable(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
                       void *userdata) {
        RootSide *side = userdata;
        ssize_t n;
        int r;

        n = fill_buffer(side);
        if (n < 0)
                return (int) n;
        r = take_lines(side);
        if (r < 0)
                return r;
        return n == 0 || side->ended ? sd_event_exit(side->loop, 0) : 0;
}

/* A helper that has gone is an error, and no signal that would end us without a word. */
static int say_to_helper(const RootSide *side, const char *text) {
        size_t n = strlen(text);

        while (n > 0) {
                ssize_t k = send(side->fd, text, n, MSG_NOSIGNAL);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                text += k;
                n -= (size_t) k;
        }
        return 0;
}

/* Before activation the engine is asked to stop, once; after it began, it is left alone with it. */
static int on_signal(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *si,
                     void *userdata) {
        RootSide *side = userdata;

        if (!side->activating && !side->asked_to_stop && !side->is_upkeep) {
                side->asked_to_stop = true;
                (void) say_to_helper(side, "cancel\n");
                return 0;
        }
        side->let_go = true;
        return sd_event_exit(side->loop, 0);
}

static int send_request(RootSide *side, const cJSON *request) {
        _cleanup_free_ char *line = NULL, *with_newline = NULL;
        int r;

        r = json_print(request, &line);
        if (r >= 0)
                r = text_printf(&with_newline, "%s\n", line);
        return r < 0 ? r : say_to_helper(side, with_newline);
}

static int run_loop(RootSide *side, const sigset_t *signals) {
        int r;

        r = sd_event_new(&side->loop);
        if (r < 0)
                return r;
        for (int sig = 1; sig < NSIG; sig++) {
                if (sigismember(signals, sig) <= 0)
                        continue;
                r = sd_event_add_signal(side->loop, NULL, sig, on_signal, side);
                if (r < 0)
                        return r;
        }
        r = sd_event_add_io(side->loop, NULL, side->fd, EPOLLIN, on_readable, side);
        if (r < 0)
                return r;
        return sd_event_loop(side->loop);
}

static int say_end(const RootSide *side, sd_bus_error *reterr_error) {
        if (side->let_go && side->is_upkeep)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Let go: what was asked for is done without this "
                                         "terminal. 'enact generations' shows how it ends.");
        if (side->let_go && !side->activating)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Let go: the switch was told to stop and has not done so "
                                         "yet. 'enact status' shows how it ends.");
        if (side->let_go)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Let go: the switch goes on without this terminal. "
                                         "'enact status' shows how it ends, 'enact cancel' "
                                         "rolls it back.");
        if (!side->ended && side->is_upkeep)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Lost the root helper before it said how it ended. "
                                         "'enact generations' shows what holds.");
        if (!side->ended)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_LOST,
                                         "Lost the root helper. If a switch had begun, it goes on; "
                                         "'enact status' shows how it ends.");
        if (side->exit_code == 0)
                return 0;
        return sd_bus_error_set(reterr_error,
                                side->error_name ? side->error_name : ENACT_ERROR_FAILED,
                                side->error_text);
}

static int ask(RootSide *side, const cJSON *request, RootSideHandler handler, void *userdata,
               sd_bus_error *reterr_error) {
        sigset_t signals, old;
        int r;

        side->handler = handler;
        side->userdata = userdata;
        side->ended = false;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, &old) < 0)
                return -errno;

        r = send_request(side, request);
        if (r == -EPIPE)
                r = sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                      "The root helper ('%s') has ended before it was asked for "
                                      "anything. Nothing was changed.",
                                      side->program);
        else if (r >= 0) {
                r = run_loop(side, &signals);
                r = r < 0 ? r : say_end(side, reterr_error);
        }
        side->loop = sd_event_unref(side->loop);
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
        return r;
}

/**
 * root_side_ask() - have the request carried out, and follow its story to the end
 * @handler: told each event, also the last
 *
 * Ctrl-C before activation has the engine stop; after it began we let go and the switch goes on.
 *
 * Return: 0, or a negative errno with @reterr_error set as the engine set it.
 */
int root_side_ask(RootSide *side, const Request *request, RootSideHandler handler, void *userdata,
                  sd_bus_error *reterr_error) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        int r;

        r = request_to_json(request, &object);
        return r < 0 ? r : ask(side, object, handler, userdata, reterr_error);
}

/**
 * root_side_ask_upkeep() - the same for what upkeep_request_to_json() made
 *
 * Ctrl-C lets go; what was begun is done to its end.
 *
 * Return: as root_side_ask().
 */
int root_side_ask_upkeep(RootSide *side, const cJSON *request, RootSideHandler handler,
                         void *userdata, sd_bus_error *reterr_error) {
        side->is_upkeep = true;
        return ask(side, request, handler, userdata, reterr_error);
}

/**
 * root_side_answer() - say something to a switch that is under way, and follow it to its end
 * @handler: told each event from here on, also the last
 *
 * Ctrl-C lets go; what was said is said.
 *
 * Return: as root_side_ask(), of the switch that was spoken to.
 */
int root_side_answer(RootSide *side, const Answer *answer, RootSideHandler handler, void *userdata,
                     sd_bus_error *reterr_error) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        int r;

        side->activating = true;
        r = answer_to_json(answer, &object);
        return r < 0 ? r : ask(side, object, handler, userdata, reterr_error);
}

/** root_side_free() - lets the helper go; without a request it ends, having done nothing. */
RootSide *root_side_free(RootSide *side) {
        if (!side)
                return NULL;

        (void) fd_close(side->fd);
        if (side->pid > 0)
                (void) process_wait(side->pid, NULL);
        free(side->buffer);
        free(side->program);
        free(side->error_name);
        free(side->error_text);
        free(side);
        return NULL;
}
