/*
 * Running Nix, whatever it is asked for: its log is read by nix-log. It stays in our process group
 * and keeps the terminal's input, so that its questions (and ssh's) reach the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "error.h"
#include "nix-run.h"
#include "process.h"

#define NOTHING_CHANGED "Nothing was changed."
#define READ_BYTES      ((size_t) 64 * 1024)
#define PIPE_BYTES_MAX  ((size_t) 1024 * 1024)
#define TICK_USEC       ((uint64_t) 100 * 1000)
#define PATIENCE_USEC   ((uint64_t) 10 * 1000 * 1000) /* until the next signal to Nix */

static void urge(NixRun *run, int sig) {
        static const int stronger[] = { SIGTERM, SIGKILL };

        if (run->n_urged > 0)
                sig = stronger[run->n_urged == 1 ? 0 : 1];
        run->n_urged++;
        if (run->pid > 0 && sig != 0)
                (void) kill(run->pid, sig);
        (void) sd_event_source_set_time_relative(run->overdue, PATIENCE_USEC);
        (void) sd_event_source_set_enabled(run->overdue, SD_EVENT_ONESHOT);
}

static int on_overdue(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        urge(userdata, 0);
        return 0;
}

static void tell(const NixRun *run, NixEventKind kind) {
        if (run->handler)
                run->handler(&(const NixEvent){ .kind = kind }, run->userdata);
}

static int on_tick(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        tell(userdata, NIX_EVENT_TICK);
        return sd_event_source_set_time_relative(source, TICK_USEC);
}

static int on_signal(_unused_ sd_event_source *source, const struct signalfd_siginfo *si,
                     void *userdata) {
        NixRun *run = userdata;

        run->interrupted = true;
        nix_log_interrupt(run->log);
        /* From the terminal Nix got it as well. */
        urge(run, si->ssi_code == SI_KERNEL ? 0 : (int) si->ssi_signo);
        return 0;
}

/* Answers how much came: 0 at the end of the pipe, -EAGAIN if there is nothing just now. */
static int read_some(NixRun *run) {
        char bytes[READ_BYTES];
        ssize_t n;
        int r;

        n = read(run->output_fd, bytes, sizeof(bytes));
        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        r = nix_log_feed(run->log, bytes, (size_t) n);
        return r < 0 ? r : (int) n;
}

static int on_output(sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                     void *userdata) {
        int r = read_some(userdata);

        if (r == 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return r < 0 && r != -EAGAIN ? r : 0;
}

/* What Nix left behind (an ssh master, say) may hold the pipe open, and write on: what is in the
 * pipe now is all that can be Nix's. */
static int on_child(_unused_ sd_event_source *source, const siginfo_t *si, void *userdata) {
        NixRun *run = userdata;
        int r = 1;

        run->pid = 0;
        run->end = *si;
        for (size_t n = 0; r > 0 && n < PIPE_BYTES_MAX; n += READ_BYTES)
                r = read_some(run);
        if (r >= 0 || r == -EAGAIN)
                r = nix_log_finish(run->log);
        return r < 0 ? r : sd_event_exit(run->event, 0);
}

/** nix_run_done() - ends what still runs. */
void nix_run_done(NixRun *run) {
        if (run->pid > 0) {
                (void) kill(run->pid, SIGKILL);
                (void) process_wait(run->pid, NULL);
        }
        sd_event_source_unref(run->output);
        sd_event_source_unref(run->child);
        sd_event_source_unref(run->overdue);
        sd_event_source_unref(run->tick);
        for (size_t i = 0; i < ELEMENTSOF(run->signals); i++)
                sd_event_source_unref(run->signals[i]);
        sd_event_unref(run->event);
        run->output_fd = fd_close(run->output_fd);
        nix_log_free(run->log);
        if (run->mask_changed)
                (void) sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
}

static int watch_signals(NixRun *run) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        sigset_t mask;
        int r;

        _Static_assert(ELEMENTSOF(signals) == ELEMENTSOF(((NixRun *) NULL)->signals), "one each");

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGCHLD); /* sd-event wants it blocked */
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, &run->old_mask) < 0)
                return -errno;
        run->mask_changed = true;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(run->event, &run->signals[i], signals[i], on_signal, run);
                if (r < 0)
                        return r;
        }

        r = sd_event_add_time_relative(run->event, &run->overdue, CLOCK_MONOTONIC, PATIENCE_USEC, 0,
                                       on_overdue, run);
        return r < 0 ? r : sd_event_source_set_enabled(run->overdue, SD_EVENT_OFF);
}

static int start_nix(NixRun *run, const StringList *arguments, int stdout_fd) {
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        _cleanup_close_ int write_fd = -EBADF;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        run->output_fd = fds[0];
        write_fd = fds[1];
        if (fcntl(run->output_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        if (fcntl(STDIN_FILENO, F_GETFD) >= 0)
                options.stdin_fd = STDIN_FILENO;
        options.stdout_fd = stdout_fd;
        options.stderr_fd = write_fd;
        return process_start(arguments, &options, &run->pid);
}

/* Whoever shows what happens has to be able to when nothing does. */
static int start_ticking(NixRun *run) {
        int r;

        if (!run->handler)
                return 0;
        r = sd_event_add_time_relative(run->event, &run->tick, CLOCK_MONOTONIC, TICK_USEC, 0,
                                       on_tick, run);
        return r < 0 ? r : sd_event_source_set_enabled(run->tick, SD_EVENT_ON);
}

static int run_to_end(NixRun *run, const StringList *arguments, int stdout_fd,
                      sd_bus_error *reterr_error) {
        int r;

        r = sd_event_new(&run->event);
        if (r < 0)
                return r;
        r = watch_signals(run);
        if (r < 0)
                return r;
        r = nix_log_new(run->handler, run->userdata, &run->log);
        if (r < 0)
                return r;

        r = start_nix(run, arguments, stdout_fd);
        if (r == -ENOENT)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_NIX,
                                         "There is no program 'nix' on PATH, and enact builds with "
                                         "it: see https://nixos.org/download. " NOTHING_CHANGED);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_NIX,
                                         "Cannot start 'nix': %s. " NOTHING_CHANGED, strerror(-r));

        r = sd_event_add_io(run->event, &run->output, run->output_fd, EPOLLIN, on_output, run);
        if (r < 0)
                return r;
        r = sd_event_add_child(run->event, &run->child, run->pid, WEXITED, on_child, run);
        if (r < 0)
                return r;
        r = start_ticking(run);
        if (r < 0)
                return r;
        r = sd_event_loop(run->event);
        if (r < 0)
                return r;

        if (run->interrupted)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Interrupted. " NOTHING_CHANGED);
        return 0;
}

/**
 * nix_run() - run Nix to its end, whatever that takes
 * @run:       NIX_RUN_NULL before; nix_run_done() even after an error. How Nix ended is in @end,
 *             what it said in @log
 * @arguments: of nix_arguments()
 * @stdout_fd: where its standard output goes; stays the caller's
 * @handler:   told what its log says, that time passes, and once that there is no more to come; may
 *             be NULL
 *
 * SIGINT, SIGTERM and SIGHUP are caught meanwhile and end it; Nix gets ten seconds to do so by
 * itself.
 *
 * Return: 0 if it ran, however it ended; or negative with @reterr_error set, except without memory.
 */
int nix_run(NixRun *run, const StringList *arguments, int stdout_fd, NixEventHandler handler,
            void *userdata, sd_bus_error *reterr_error) {
        int r;

        run->handler = handler;
        run->userdata = userdata;
        r = run_to_end(run, arguments, stdout_fd, reterr_error);
        tell(run, NIX_EVENT_ENDED);
        return r;
}

/* Options that `nix eval` does not know, or that would give it a second effect. */
static const struct {
        const char *name;
        size_t n_arguments;
} build_options[] = {
        { "--dry-run", 0 }, { "--json", 0 },     { "--keep-outputs", 0 },
        { "--no-link", 0 }, { "--rebuild", 0 },  { "--print-out-paths", 0 },
        { "--profile", 1 }, { "--out-link", 1 }, { "-o", 1 },
};

/* What nix-build and nixos-rebuild accept and the new command line does not. */
static const struct {
        const char *name, *long_name;
} short_options[] = {
        { "-k", "--keep-going" },
        { "-K", "--keep-failed" },
};

static const char *long_option(const char *option) {
        for (size_t i = 0; i < ELEMENTSOF(short_options); i++)
                if (strcmp(short_options[i].name, option) == 0)
                        return short_options[i].long_name;
        return option;
}

/* How many arguments from @option on are only for `nix build`. */
static size_t n_build_only(const char *option) {
        for (size_t i = 0; i < ELEMENTSOF(build_options); i++)
                if (strcmp(build_options[i].name, option) == 0)
                        return 1 + build_options[i].n_arguments;
        return 0;
}

/**
 * nix_arguments() - the beginning of a command line of Nix
 * @verb:      "build", "flake update"
 * @for_build: it knows the options of `nix build`; else those are left out
 * @options:   of Nix, as the user gave them; may be NULL
 *
 * Ours come after the user's, so that a --log-format or --out-link of theirs does not break us.
 *
 * Return: 0 or -ENOMEM.
 */
int nix_arguments(const char *verb, bool for_build, const StringList *options,
                  StringList *arguments) {
        const char *const first[] = { "nix", "--extra-experimental-features",
                                      "nix-command flakes" };
        const char *const last[] = { "--log-format", "internal-json" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(first); i++) {
                r = string_list_add(arguments, first[i]);
                if (r < 0)
                        return r;
        }
        for (const char *word = verb; *word; word += strspn(word, " ")) {
                char *copy = strndup(word, strcspn(word, " "));

                r = string_list_take(arguments, copy);
                if (r < 0)
                        return r;
                word += strcspn(word, " ");
        }
        for (size_t i = 0; options && i < options->n; i++) {
                size_t n_skip = for_build ? 0 : n_build_only(options->items[i]);

                if (n_skip > 0) {
                        i += n_skip - 1;
                        continue;
                }
                r = string_list_add(arguments, long_option(options->items[i]));
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(last); i++) {
                r = string_list_add(arguments, last[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
