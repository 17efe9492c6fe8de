/*
 * Building with Nix: one `nix build` per command, with an out-link so that what was built is rooted
 * before Nix lets go of it. After a failure it is found out what failed, and for a wrong name which
 * ones there are.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "nix-run.h"
#include "nix.h"
#include "text.h"

#define NOTHING_CHANGED   "Nothing was changed."
#define STORE_DIRECTORY   "/nix/store"
#define STORE_HASH_LENGTH 32U
#define NAMES_SHOWN_MAX   30U

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

/* Where a build or a copy failed: Nix's words, and the end of each failed build's log. */
static int describe_failure(const NixRequest *request, const NixRun *run, char **ret_text) {
        const NixLog *log = run->log;
        const siginfo_t *end = &run->end;
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
                if (failed.told && request->shows_logs)
                        continue;
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

/* What `nix eval` is to look at for the names that there are beside the wanted one. */
typedef struct NameQuery {
        Source parent; /* of a file: the set that has, or lacks, the wanted name */
        char *wanted;
} NameQuery;

static void name_query_done(NameQuery *query) {
        free(query->parent.attribute);
        free(query->wanted);
}

/* The last dot that is in no quotes. */
static const char *last_dot(const char *path) {
        const char *dot = NULL;
        bool quoted = false;

        for (const char *p = path; *p; p++)
                if (*p == '"')
                        quoted = !quoted;
                else if (*p == '.' && !quoted)
                        dot = p;
        return dot;
}

/* A file without an attribute is wanted to be a configuration itself. */
static int name_query_fill(const Source *source, NameQuery *query) {
        const char *dot = last_dot(source->attribute), *name;
        size_t n;

        query->parent.file = source->file;
        query->parent.attribute =
                strndup(source->attribute, dot ? (size_t) (dot - source->attribute) : 0);
        name = dot ? dot + 1 : *source->attribute ? source->attribute : "config";
        n = strlen(name);
        if (n >= 2 && name[0] == '"' && name[n - 1] == '"') {
                name++;
                n -= 2;
        }
        query->wanted = strndup(name, n);
        return query->parent.attribute && query->wanted ? 0 : -ENOMEM;
}

/* A file may be a function, all of whose arguments may be left out. */
#define NAMES_OF "x: builtins.attrNames (if builtins.isFunction x then x { } else x)"

static int names_arguments(const NixRequest *request, const NameQuery *query,
                           StringList *arguments) {
        _cleanup_free_ char *installable = NULL;
        const char *const last[] = {
                "--apply",
                request->source->flake ? "builtins.attrNames" : NAMES_OF,
        };
        int r;

        r = nix_arguments("eval", /* for_build= */ false, request->options, arguments);
        if (r >= 0)
                r = string_list_add(arguments, "--json");
        if (r < 0)
                return r;
        if (request->source->flake) {
                r = text_printf(&installable, "%s#%s", request->source->flake->reference,
                                request->set);
                if (r >= 0)
                        r = string_list_add(arguments, installable);
        } else
                r = source_add_installable(&query->parent, NULL, NULL, arguments);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(last); i++)
                r = string_list_add(arguments, last[i]);
        return r;
}

static int read_names(int fd, StringList *names) {
        _cleanup_free_ char *text = NULL, *wrapped = NULL;
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const cJSON *item;
        size_t n;
        int r;

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

/* The names in the set, as far as Nix tells them; -ENODATA if it fails, with its words. */
static int evaluate_names(const NixRequest *request, const NameQuery *query, StringList *names,
                          char **ret_error, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = names_arguments(request, query, &arguments);
        if (r < 0)
                return r;

        fd = memfd_create("names", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = nix_run(&run, &arguments, fd, NULL, NULL, reterr_error);
        if (r < 0)
                return r;
        if (run.end.si_code != CLD_EXITED || run.end.si_status != 0) {
                r = nix_log_error(run.log, ret_error);
                return r < 0 ? r : -ENODATA;
        }

        return read_names(fd, names);
}

static int unknown_host(const NixRequest *request, const NameQuery *query, const StringList *names,
                        sd_bus_error *reterr_error) {
        const Flake *flake = request->source->flake;
        const char *wanted = flake ? flake->name : query->wanted;
        const char *near = string_list_nearest(names, wanted), *kind = "attribute";
        _cleanup_free_ char *list = NULL, *hint = NULL, *where = NULL;
        StringList shown = *names;
        int r;

        if (shown.n > NAMES_SHOWN_MAX)
                shown.n = NAMES_SHOWN_MAX;
        r = string_list_join(&shown, ", ", &list);
        if (r < 0)
                return r;

        if (near)
                r = text_printf(&hint, "Did you mean '%s'? ", near);
        else if (flake && flake->name_is_default)
                r = text_printf(&hint,
                                "The name is this machine's; give another as --flake '%s#NAME'. ",
                                flake->reference);
        else if (!flake && !*request->source->attribute)
                r = text_printf(&hint, "Say by --attr where the configuration is in it. ");
        else
                r = text_printf(&hint, "%s", "");
        if (r >= 0 && flake) {
                kind = strcmp(request->set, "homeConfigurations") == 0 ? "home" : "host";
                r = text_printf(&where, "Flake '%s'", flake->reference);
        } else if (r >= 0)
                r = text_printf(&where, "%s%s%sile '%s'", *query->parent.attribute ? "'" : "",
                                query->parent.attribute, *query->parent.attribute ? "' of f" : "F",
                                request->source->file);
        if (r < 0)
                return r;

        return sd_bus_error_setf(reterr_error, ENACT_ERROR_UNKNOWN_HOST,
                                 "%s has no %s '%s'. It has: %s%s. %s" NOTHING_CHANGED, where, kind,
                                 wanted, names->n > 0 ? list : "none",
                                 shown.n < names->n ? ", and more" : "", hint);
}

/* An evaluation failed. If the name could be the reason, one more evaluation says which ones exist.
 * An error with a position is in the code of the flake, so the name was found. */
static int evaluation_failed(const NixRequest *request, const NixRun *run,
                             sd_bus_error *reterr_error) {
        const Flake *flake = request->source->flake;
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_(name_query_done) NameQuery query = { 0 };
        _cleanup_free_ char *text = NULL, *what = NULL, *no_set = NULL, *hint = NULL;
        bool lacks_set = false;
        int r = 0;

        if (!flake)
                r = name_query_fill(request->source, &query);
        if (r >= 0 && !nix_log_error_has_position(run->log)) {
                r = evaluate_names(request, &query, &names, &no_set, reterr_error);
                if (r < 0 && (r != -ENODATA || sd_bus_error_is_set(reterr_error)))
                        return r;
                if (r >= 0 && !string_list_contains(&names, flake ? flake->name : query.wanted))
                        return unknown_host(request, &query, &names, reterr_error);
                /* Only the words lean on this text. */
                lacks_set = flake && no_set && strstr(no_set, request->set) &&
                            strstr(no_set, "does not provide attribute");
                r = 0;
        }

        if (r >= 0)
                r = describe_failure(request, run, &text);
        if (r >= 0)
                r = source_describe(request->source, request->set, &what);
        if (r < 0)
                return r;
        if (lacks_set)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_EVALUATION,
                        "Cannot evaluate %s: it has no '%s' at all.\n%s\n" NOTHING_CHANGED, what,
                        request->set, no_set);

        r = flake ? flake_hint(flake, &hint) : 0;
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_EVALUATION,
                                 "Cannot evaluate %s: %s\n%s" NOTHING_CHANGED, what, text,
                                 hint ? hint : "");
}

static int build_failed(const NixRequest *request, const NixRun *run, sd_bus_error *reterr_error) {
        _cleanup_free_ char *what = NULL, *text = NULL;
        int status = run->end.si_code == CLD_EXITED ? run->end.si_status : -1;
        NixFailure failure = nix_log_failure(run->log, status);
        int r;

        if (failure == NIX_FAILURE_EVALUATION)
                return evaluation_failed(request, run, reterr_error);

        r = source_describe(request->source, request->set, &what);
        if (r < 0)
                return r;
        r = describe_failure(request, run, &text);
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

        r = source_describe(request->source, request->set, &what);
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

/* nix_run() follows at once, which tells the end of it. */
static void tell_evaluating(const NixRequest *request, const char *installable) {
        const NixEvent event = {
                .kind = NIX_EVENT_EVALUATING,
                .name = source_name(request->source),
                .text = installable,
        };

        if (request->handler)
                request->handler(&event, request->userdata);
}

/* A store path that Nix lists before it begins; what it would build is a derivation. */
static int sort_listed(const char *text, NixForecast *forecast) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &rest); r >= 0 && line;
             line = strtok_r(NULL, "\n", &rest)) {
                const char *path = text_strip(line);

                if (is_store_path(path))
                        r = string_list_add(text_has_suffix(path, ".drv") ? &forecast->builds :
                                                                            &forecast->fetches,
                                            path);
        }
        return r;
}

typedef struct Listening {
        const NixRequest *request;
        NixForecast *forecast;
        int result;
} Listening;

static void on_listed(const NixEvent *event, void *userdata) {
        Listening *listening = userdata;

        if (event->kind == NIX_EVENT_MESSAGE && listening->result >= 0)
                listening->result = sort_listed(event->text, listening->forecast);
        if (listening->request->handler)
                listening->request->handler(event, listening->request->userdata);
}

/**
 * nix_forecast() - what a build would build and fetch
 * @forecast: all zero before; nix_forecast_done() even after an error
 *
 * Evaluates, with one `nix build --dry-run`; its store paths alone are read, not the words around
 * them.
 *
 * Return: as nix_build().
 */
int nix_forecast(const NixRequest *request, NixForecast *forecast, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        Listening listening = { .request = request, .forecast = forecast };
        int r;

        r = nix_arguments("build", /* for_build= */ true, request->options, &arguments);
        if (r >= 0)
                r = string_list_add(&arguments, "--dry-run");
        if (r >= 0)
                r = string_list_add(&arguments, "--no-link");
        if (r >= 0)
                r = source_add_installable(request->source, request->set, request->attribute,
                                           &arguments);
        if (r < 0)
                return r;
        tell_evaluating(request, arguments.items[arguments.n - 1]);
        r = nix_run(&run, &arguments, STDERR_FILENO, on_listed, &listening, reterr_error);
        if (r < 0)
                return r;
        if (run.end.si_code != CLD_EXITED || run.end.si_status != 0)
                return build_failed(request, &run, reterr_error);
        return listening.result;
}

void nix_forecast_done(NixForecast *forecast) {
        string_list_done(&forecast->builds);
        string_list_done(&forecast->fetches);
}

/**
 * nix_names() - the names in a set of a configuration, without building anything
 * @request: of the set
 * @names:   empty before; string_list_done() even after an error
 *
 * Evaluates, with one `nix eval`.
 *
 * Return: as nix_build().
 */
int nix_names(const NixRequest *request, StringList *names, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        _cleanup_close_ int fd = memfd_create("names", MFD_CLOEXEC);
        const char *const last[] = { "--apply", "builtins.attrNames" };
        size_t installable;
        int r;

        if (fd < 0)
                return -errno;
        r = nix_arguments("eval", /* for_build= */ false, request->options, &arguments);
        if (r >= 0)
                r = string_list_add(&arguments, "--json");
        if (r >= 0)
                r = source_add_installable(request->source, request->set, request->attribute,
                                           &arguments);
        installable = arguments.n - 1;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(last); i++)
                r = string_list_add(&arguments, last[i]);
        if (r < 0)
                return r;
        tell_evaluating(request, arguments.items[installable]);
        r = nix_run(&run, &arguments, fd, request->handler, request->userdata, reterr_error);
        if (r < 0)
                return r;
        if (run.end.si_code != CLD_EXITED || run.end.si_status != 0)
                return evaluation_failed(request, &run, reterr_error);
        r = read_names(fd, names);
        return r == -ENODATA ?
                       sd_bus_error_setf(
                               reterr_error, ENACT_ERROR_EVALUATION,
                               "Nix answered with something else than names. " NOTHING_CHANGED) :
                       r;
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
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        const char *link;
        int r;

        assert(request && request->source && request->set);
        assert(ret);

        output = calloc(1, sizeof(*output));
        if (!output)
                return -ENOMEM;
        r = request->out_link ? check_out_link(request->out_link, reterr_error) :
                                out_link_make(&output->link, reterr_error);
        if (r < 0)
                return r;
        link = request->out_link ? request->out_link : output->link->path;
        r = nix_arguments("build", /* for_build= */ true, request->options, &arguments);
        if (r >= 0)
                r = string_list_add(&arguments, "--out-link");
        if (r >= 0)
                r = string_list_add(&arguments, link);
        if (r >= 0)
                r = source_add_installable(request->source, request->set, request->attribute,
                                           &arguments);
        if (r < 0)
                return r;

        tell_evaluating(request, arguments.items[arguments.n - 1]);
        r = nix_run(&run, &arguments, STDERR_FILENO, request->handler, request->userdata,
                    reterr_error);
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
