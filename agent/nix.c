/*
 * Running Nix: one `nix build` per command, with an out-link so that what was built is rooted
 * before Nix lets go of it. Nix stays in our process group and keeps the terminal's input, so that
 * its questions (and ssh's) reach the user; its log is read by nix-log.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "nix.h"
#include "process.h"
#include "text.h"

#define NOTHING_CHANGED   "Nothing was changed."
#define STORE_DIRECTORY   "/nix/store"
#define STORE_HASH_LENGTH 32U
#define READ_BYTES        ((size_t) 64 * 1024)
#define PIPE_BYTES_MAX    ((size_t) 1024 * 1024)
#define PATIENCE_USEC     ((uint64_t) 10 * 1000 * 1000) /* until the next signal to Nix */
#define NAMES_SHOWN_MAX   30U
#define TYPO_DISTANCE_MAX 2U

typedef struct Run {
        sd_event *event;
        sd_event_source *output, *child, *overdue;
        sd_event_source *signals[3];
        NixLog *log;
        int output_fd;
        pid_t pid; /* 0: not started, or it has ended */
        bool interrupted;
        unsigned n_urged; /* signals sent since; the next one is stronger */
        siginfo_t end;
        sigset_t old_mask;
        bool mask_changed;
} Run;

static void urge(Run *run, int sig) {
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

static int on_signal(_unused_ sd_event_source *source, const struct signalfd_siginfo *si,
                     void *userdata) {
        Run *run = userdata;

        run->interrupted = true;
        nix_log_interrupt(run->log);
        /* From the terminal Nix got it as well. */
        urge(run, si->ssi_code == SI_KERNEL ? 0 : (int) si->ssi_signo);
        return 0;
}

/* Answers how much came: 0 at the end of the pipe, -EAGAIN if there is nothing just now. */
static int read_some(Run *run) {
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
        Run *run = userdata;
        int r = 1;

        run->pid = 0;
        run->end = *si;
        for (size_t n = 0; r > 0 && n < PIPE_BYTES_MAX; n += READ_BYTES)
                r = read_some(run);
        if (r >= 0 || r == -EAGAIN)
                r = nix_log_finish(run->log);
        return r < 0 ? r : sd_event_exit(run->event, 0);
}

static void run_done(Run *run) {
        if (run->pid > 0) {
                (void) kill(run->pid, SIGKILL);
                (void) process_wait(run->pid, NULL);
        }
        sd_event_source_unref(run->output);
        sd_event_source_unref(run->child);
        sd_event_source_unref(run->overdue);
        for (size_t i = 0; i < ELEMENTSOF(run->signals); i++)
                sd_event_source_unref(run->signals[i]);
        sd_event_unref(run->event);
        run->output_fd = fd_close(run->output_fd);
        nix_log_free(run->log);
        if (run->mask_changed)
                (void) sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
}

static int watch_signals(Run *run) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        sigset_t mask;
        int r;

        _Static_assert(ELEMENTSOF(signals) == ELEMENTSOF(((Run *) NULL)->signals), "one each");

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

static int start_nix(Run *run, const StringList *arguments, int stdout_fd) {
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

/* Runs Nix to its end. Return: 0 or negative with @reterr_error set, except without memory. */
static int run_nix(Run *run, const StringList *arguments, int stdout_fd, const NixRequest *request,
                   sd_bus_error *reterr_error) {
        int r;

        r = sd_event_new(&run->event);
        if (r < 0)
                return r;
        r = watch_signals(run);
        if (r < 0)
                return r;
        r = nix_log_new(request ? request->handler : NULL, request ? request->userdata : NULL,
                        &run->log);
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
        r = sd_event_loop(run->event);
        if (r < 0)
                return r;

        if (run->interrupted)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Interrupted. " NOTHING_CHANGED);
        return 0;
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

/* Ours come after the user's, so that a --log-format or --out-link of theirs does not break us. */
static int arguments_new(const char *verb, bool for_build, const StringList *options,
                         StringList *arguments) {
        const char *const first[] = { "nix", "--extra-experimental-features", "nix-command flakes",
                                      verb };
        const char *const last[] = { "--log-format", "internal-json" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(first); i++) {
                r = string_list_add(arguments, first[i]);
                if (r < 0)
                        return r;
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

/** nix_output_free() - let go of a build; what nobody else has rooted may be collected from now on.
 */
NixOutput *nix_output_free(NixOutput *output) {
        if (!output)
                return NULL;

        out_link_free(output->link);
        free(output->store_path);
        free(output);
        return NULL;
}

/* "host 'web' of flake '.'" */
static int describe(const NixRequest *request, char **ret_text) {
        bool home = strcmp(request->set, "homeConfigurations") == 0;

        return text_printf(ret_text, "%s '%s' of flake '%s'", home ? "home" : "host",
                           request->flake->name, request->flake->reference);
}

/* Where a build or a copy failed: Nix's words, and the end of each failed build's log. */
static int describe_failure(const NixLog *log, const siginfo_t *end, char **ret_text) {
        _cleanup_free_ char *error = NULL;
        NixFailedBuild failed;
        char *text = NULL;
        size_t size;
        FILE *f;
        int r;

        r = nix_log_error(log, &error);
        if (r < 0)
                return r;
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;

        fprintf(f, "%s", error);
        if (end->si_code != CLD_EXITED)
                fprintf(f, "%snix was killed by signal %d (%s)", *error ? "\n" : "", end->si_status,
                        strsignal(end->si_status));
        else if (!*error)
                fprintf(f, "nix ended with exit status %d and no message", end->si_status);
        for (size_t i = 0; nix_log_failed_build(log, i, &failed); i++) {
                if (failed.n_lines == 0)
                        fprintf(f, "\n'%s' wrote no log", failed.name);
                else
                        fprintf(f, "\nLast %zu of %zu log lines of '%s':", failed.lines->n,
                                failed.n_lines, failed.name);
                for (size_t k = 0; k < failed.lines->n; k++)
                        fprintf(f, "\n  > %s", failed.lines->items[k]);
                if (failed.n_lines > failed.lines->n)
                        fprintf(f, "\nFor all of them: nix log %s", failed.derivation);
        }
        if (fclose(f) != 0) {
                free(text);
                return -ENOMEM;
        }

        *ret_text = text;
        return 0;
}

/* The names in the set, as far as Nix tells them; -ENODATA if it fails, with its words. */
static int evaluate_names(const NixRequest *request, StringList *names, char **ret_error,
                          sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(run_done) Run run = { .output_fd = -EBADF };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *installable = NULL, *text = NULL, *wrapped = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *last[] = { "--json", NULL, "--apply", "builtins.attrNames" };
        const cJSON *item;
        size_t n;
        int r;

        r = arguments_new("eval", /* for_build= */ false, request->options, &arguments);
        if (r < 0)
                return r;
        r = text_printf(&installable, "%s#%s", request->flake->reference, request->set);
        if (r < 0)
                return r;
        last[1] = installable;
        for (size_t i = 0; i < ELEMENTSOF(last); i++) {
                r = string_list_add(&arguments, last[i]);
                if (r < 0)
                        return r;
        }

        fd = memfd_create("names", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = run_nix(&run, &arguments, fd, NULL, reterr_error);
        if (r < 0)
                return r;
        if (run.end.si_code != CLD_EXITED || run.end.si_status != 0) {
                r = nix_log_error(run.log, ret_error);
                return r < 0 ? r : -ENODATA;
        }

        r = text_printf(&wrapped, "/proc/self/fd/%d", fd);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, wrapped, FILE_SMALL_MAX, &text, &n);
        if (r < 0)
                return r;
        object = cJSON_ParseWithLength(text, n);
        if (!cJSON_IsArray(object))
                return -ENODATA;
        cJSON_ArrayForEach(item, object) {
                if (!cJSON_IsString(item))
                        continue;
                r = string_list_add(names, item->valuestring);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The name that was meant, if one is near enough; of two equally near ones that of the same length.
 */
static const char *nearest_name(const StringList *names, const char *name) {
        size_t best = SIZE_MAX, length = strlen(name);
        const char *nearest = NULL;

        for (size_t i = 0; i < names->n; i++) {
                size_t distance = text_distance(names->items[i], name), n = strlen(names->items[i]);

                if (distance > TYPO_DISTANCE_MAX || distance >= length)
                        continue;
                distance = 256 * distance + (n > length ? n - length : length - n);
                if (distance < best) {
                        best = distance;
                        nearest = names->items[i];
                }
        }
        return nearest;
}

static int unknown_host(const NixRequest *request, const StringList *names,
                        sd_bus_error *reterr_error) {
        const char *near = nearest_name(names, request->flake->name);
        _cleanup_free_ char *list = NULL, *hint = NULL;
        StringList shown = *names;
        int r;

        if (shown.n > NAMES_SHOWN_MAX)
                shown.n = NAMES_SHOWN_MAX;
        r = string_list_join(&shown, ", ", &list);
        if (r < 0)
                return r;

        if (near)
                r = text_printf(&hint, "Did you mean '%s'? ", near);
        else if (request->flake->name_is_default)
                r = text_printf(&hint,
                                "The name is this machine's; give another as --flake '%s#NAME'. ",
                                request->flake->reference);
        else
                r = text_printf(&hint, "%s", "");
        if (r < 0)
                return r;

        return sd_bus_error_setf(reterr_error, ENACT_ERROR_UNKNOWN_HOST,
                                 "Flake '%s' has no %s '%s'. It has: %s%s. %s" NOTHING_CHANGED,
                                 request->flake->reference,
                                 strcmp(request->set, "homeConfigurations") == 0 ? "home" : "host",
                                 request->flake->name, names->n > 0 ? list : "none",
                                 shown.n < names->n ? ", and more" : "", hint);
}

/* An evaluation failed. If the name could be the reason, one more evaluation says which ones exist.
 * An error with a position is in the code of the flake, so the name was found. */
static int evaluation_failed(const NixRequest *request, const Run *run,
                             sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_free_ char *text = NULL, *what = NULL, *no_set = NULL, *hint = NULL;
        bool lacks_set = false;
        int r;

        if (!nix_log_error_has_position(run->log)) {
                r = evaluate_names(request, &names, &no_set, reterr_error);
                if (r < 0 && (r != -ENODATA || sd_bus_error_is_set(reterr_error)))
                        return r;
                if (r >= 0 && !string_list_contains(&names, request->flake->name))
                        return unknown_host(request, &names, reterr_error);
                /* Only the words lean on this text. */
                lacks_set = no_set && strstr(no_set, request->set) &&
                            strstr(no_set, "does not provide attribute");
        }

        r = describe_failure(run->log, &run->end, &text);
        if (r < 0)
                return r;
        r = describe(request, &what);
        if (r < 0)
                return r;
        if (lacks_set)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_EVALUATION,
                        "Cannot evaluate %s: it has no '%s' at all.\n%s\n" NOTHING_CHANGED, what,
                        request->set, no_set);

        r = flake_hint(request->flake, &hint);
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_EVALUATION,
                                 "Cannot evaluate %s: %s\n%s" NOTHING_CHANGED, what, text,
                                 hint ? hint : "");
}

static int build_failed(const NixRequest *request, const Run *run, sd_bus_error *reterr_error) {
        _cleanup_free_ char *what = NULL, *text = NULL;
        int status = run->end.si_code == CLD_EXITED ? run->end.si_status : -1;
        NixFailure failure = nix_log_failure(run->log, status);
        int r;

        if (failure == NIX_FAILURE_EVALUATION)
                return evaluation_failed(request, run, reterr_error);

        r = describe(request, &what);
        if (r < 0)
                return r;
        r = describe_failure(run->log, &run->end, &text);
        if (r < 0)
                return r;
        if (failure == NIX_FAILURE_COPY)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_COPY,
                                         "Cannot fetch what %s needs: %s\n" NOTHING_CHANGED, what,
                                         text);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUILD,
                                 "Cannot build %s: %s\n" NOTHING_CHANGED, what, text);
}

/* HASH-NAME directly below the store, nothing else. */
static bool is_store_path(const char *path) {
        const char *store = getenv("NIX_STORE_DIR"), *base;

        base = text_after_prefix(path, store && *store ? store : STORE_DIRECTORY);
        return base && base[0] == '/' && !strchr(base + 1, '/') &&
               strspn(base + 1, "0123456789abcdfghijklmnpqrsvwxyz") == STORE_HASH_LENGTH &&
               base[1 + STORE_HASH_LENGTH] == '-' && base[2 + STORE_HASH_LENGTH] != '\0';
}

static int read_output(const NixRequest *request, const char *link, char **ret_path,
                       sd_bus_error *reterr_error) {
        _cleanup_free_ char *what = NULL, *path = NULL;
        int r;

        r = describe(request, &what);
        if (r < 0)
                return r;
        r = file_readlink(AT_FDCWD, link, &path);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUILD,
                                         "Nix built %s and left no link '%s': %s. " NOTHING_CHANGED,
                                         what, link, strerror(-r));
        if (!is_store_path(path))
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_BUILD,
                        "What Nix built of %s is no store path: '%s'. " NOTHING_CHANGED, what,
                        path);

        *ret_path = TAKE_PTR(path);
        return 0;
}

/* Nix makes the link when all is built, and then it is late to learn that it cannot. */
static int check_out_link(const char *link, sd_bus_error *reterr_error) {
        const char *slash = strrchr(link, '/');
        _cleanup_free_ char *directory = NULL;
        struct stat st;

        directory = slash ? strndup(link, (size_t) (slash - link) + 1) : strdup(".");
        if (!directory)
                return -ENOMEM;

        if (lstat(link, &st) >= 0 && !S_ISLNK(st.st_mode))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "'%s' is in the way of the link to the result: it is "
                                         "no link itself. " NOTHING_CHANGED,
                                         link);
        if (access(directory, W_OK) < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot make the link '%s' to the result: %s. " NOTHING_CHANGED, link,
                        strerror(errno));
        return 0;
}

/**
 * nix_build() - evaluate and build a configuration
 * @request: what, and whom to tell; its handler is called from in here
 * @ret:     owned by the caller; keeps the result from being collected until it is freed
 *
 * Runs one `nix build` in the caller's directory and waits for it, whatever that takes; SIGINT,
 * SIGTERM and SIGHUP are caught meanwhile and end it (Nix gets ten seconds to do so by itself).
 * Only after an evaluation that may have failed for its name, one `nix eval` follows.
 *
 * Return: 0, or negative with a sentence in @reterr_error: ENACT_ERROR_NO_NIX, _EVALUATION,
 * _UNKNOWN_HOST, _BUILD, _COPY, _INTERRUPTED or _FAILED; unset only for faults of this machine.
 */
int nix_build(const NixRequest *request, NixOutput **ret, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_(run_done) Run run = { .output_fd = -EBADF };
        _cleanup_free_ char *installable = NULL;
        const char *link;
        int r;

        assert(request && request->flake && request->set);
        assert(ret);

        output = calloc(1, sizeof(*output));
        if (!output)
                return -ENOMEM;
        r = request->out_link ? check_out_link(request->out_link, reterr_error) :
                                out_link_make(&output->link, reterr_error);
        if (r < 0)
                return r;
        link = request->out_link ? request->out_link : output->link->path;
        r = flake_installable(request->flake, request->set, request->attribute, &installable);
        if (r < 0)
                return r;

        r = arguments_new("build", /* for_build= */ true, request->options, &arguments);
        if (r < 0)
                return r;
        for (size_t i = 0; i < 3; i++) {
                r = string_list_add(&arguments, i == 0 ? "--out-link" :
                                                i == 1 ? link :
                                                         installable);
                if (r < 0)
                        return r;
        }

        if (request->handler)
                request->handler(&(const NixEvent){ .kind = NIX_EVENT_EVALUATING,
                                                    .name = request->flake->name,
                                                    .text = installable },
                                 request->userdata);
        r = run_nix(&run, &arguments, STDERR_FILENO, request, reterr_error);
        if (r < 0)
                return r;
        if (run.end.si_code != CLD_EXITED || run.end.si_status != 0)
                return build_failed(request, &run, reterr_error);

        r = read_output(request, link, &output->store_path, reterr_error);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(output);
        return 0;
}
