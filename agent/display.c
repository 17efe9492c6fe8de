/*
 * The display: calm plain lines on standard error, and on a terminal a view of what Nix does. Words
 * go there; data (JSON events) goes to standard output.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "display.h"
#include "error.h"
#include "event.h"
#include "past.h"
#include "plan-print.h"
#include "text.h"

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define FAINT "\033[2m"
#define RESET "\033[0m"

/** display_open() - decide how to show things: colours only for a terminal, and never with
 * NO_COLOR. */
void display_open(Display *display, bool json) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        *display = (Display){
                .json = json,
                .colour = isatty(STDERR_FILENO) && !(no_color && *no_color) &&
                          !(term && strcmp(term, "dumb") == 0),
        };
        display->rows = !json && progress_view_is_possible(STDERR_FILENO);
        (void) setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Where words go. */
static FILE *words(const Display *display) {
        return display->view ? progress_view_lines(display->view) : stderr;
}

static const char *style(const Display *display, const char *sequence) {
        return display->colour ? sequence : "";
}

/** display_say() - a line of the story itself; @text may be NULL. */
void display_say(const Display *display, const char *what, const char *text) {
        fprintf(words(display), "%s%s%s%s%s\n", style(display, BOLD), what, style(display, RESET),
                text && *text ? " " : "", text ? text : "");
}

/* Words of somebody else: of Nix, an activation script, a unit. */
static void quote(const Display *display, const char *text) {
        fprintf(words(display), "%s  %s%s\n", style(display, FAINT), text, style(display, RESET));
}

/**
 * display_finish() - make sure that the data which was asked for has come out
 *
 * Return: 0, or a negative errno with @reterr_error set: the disk is full, or nobody reads.
 */
int display_finish(sd_bus_error *reterr_error) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                 "What was asked for cannot be written to the standard output.");
}

/**
 * display_end() - the last event, where no engine has told one
 * @error: what the command failed with; may be unset
 * @text:  how it ended, in one sentence
 */
void display_end(Display *display, const sd_bus_error *error, const char *text) {
        _cleanup_(cJSON_Deletep) cJSON *event = NULL;
        _cleanup_free_ char *line = NULL;

        if (!display->events || display->ended)
                return;
        event = event_new("end");
        event_add_number(event, "exit", error_to_exit_code(error));
        event_add_text(event, "error", error->name);
        event_add_text(event, "text", text);
        if (event && json_print(event, &line) >= 0)
                puts(line);
        display->ended = true;
}

/**
 * display_result() - say what went wrong, if anything did
 * @r:     of the command: negative where it failed
 * @error: what it failed with; may be unset
 *
 * Return: the exit code.
 */
int display_result(Display *display, int r, const sd_bus_error *error) {
        const sd_bus_error failed = SD_BUS_ERROR_MAKE_CONST(ENACT_ERROR_FAILED, NULL);
        _cleanup_free_ char *text = NULL;

        if (r >= 0)
                return 0;
        if (!sd_bus_error_is_set(error))
                error = &failed;
        text = strdup(error->message ? error->message : strerror(abs(r)));
        if (text)
                text_strip_controls(text);
        display_end(display, error, text);
        fprintf(stderr, "%senact:%s %s\n", style(display, RED), style(display, RESET),
                text ? text : strerror(ENOMEM));
        return error_to_exit_code(error);
}

static void nix_event_to_json(const NixEvent *event) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;

        if (!object || !cJSON_AddStringToObject(object, "event", "nix") ||
            !cJSON_AddStringToObject(object, "kind", nix_event_kind_to_string(event->kind)) ||
            (event->name && !cJSON_AddStringToObject(object, "name", event->name)) ||
            (event->path && !cJSON_AddStringToObject(object, "path", event->path)) ||
            (event->text && !cJSON_AddStringToObject(object, "text", event->text)) ||
            (event->lines && json_add_strings(object, "log", event->lines) < 0))
                return;
        if (json_print(object, &line) >= 0)
                puts(line);
}

static bool add_count(cJSON *object, const char *key, const NixCount *count) {
        cJSON *item = cJSON_AddObjectToObject(object, key);

        return item && cJSON_AddNumberToObject(item, "done", (double) count->done) &&
               cJSON_AddNumberToObject(item, "expected", (double) count->expected) &&
               cJSON_AddNumberToObject(item, "running", (double) count->running) &&
               cJSON_AddNumberToObject(item, "failed", (double) count->failed);
}

static bool add_amount(cJSON *object, const char *key, const NixAmount *amount) {
        cJSON *item = cJSON_AddObjectToObject(object, key);

        return item && cJSON_AddNumberToObject(item, "done", (double) amount->done) &&
               cJSON_AddNumberToObject(item, "expected", (double) amount->expected);
}

static void counters_to_json(Display *display) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;

        display->counters.moved = false;
        display->counters.told_usec = clock_monotonic_usec();
        if (object && cJSON_AddStringToObject(object, "event", "nix") &&
            cJSON_AddStringToObject(object, "kind", "progress") &&
            add_count(object, "builds", &display->counters.builds) &&
            add_count(object, "copies", &display->counters.copies) &&
            add_amount(object, "bytes", &display->counters.copied) &&
            json_print(object, &line) >= 0)
                puts(line);
}

/* Counters move thousands of times a second, and nobody reads them as often as once. */
static void on_json(Display *display, const NixEvent *event) {
        switch (event->kind) {
        case NIX_EVENT_STEP_STARTED:
        case NIX_EVENT_STEP_FINISHED:
                return;
        case NIX_EVENT_AMOUNT:
        case NIX_EVENT_PROGRESS:
                display->counters.builds = event->builds;
                display->counters.copies = event->copies;
                display->counters.copied = event->copied;
                display->counters.moved = true;
                return;
        case NIX_EVENT_TICK:
                if (display->counters.moved &&
                    clock_monotonic_usec() - display->counters.told_usec >= USEC_PER_SEC)
                        counters_to_json(display);
                return;
        case NIX_EVENT_ENDED:
                if (display->counters.moved)
                        counters_to_json(display);
                return;
        case NIX_EVENT_EVALUATING:
        case NIX_EVENT_BUILD_STARTED:
        case NIX_EVENT_BUILD_LINE:
        case NIX_EVENT_BUILD_PHASE:
        case NIX_EVENT_BUILD_FINISHED:
        case NIX_EVENT_BUILD_FAILED:
        case NIX_EVENT_BUILD_CANCELLED:
        case NIX_EVENT_COPY_STARTED:
        case NIX_EVENT_COPY_FINISHED:
        case NIX_EVENT_FETCH_STARTED:
        case NIX_EVENT_FETCH_FINISHED:
        case NIX_EVENT_MESSAGE:
        case NIX_EVENT_PLAIN:
        case _NIX_EVENT_MAX:
                nix_event_to_json(event);
        }
}

/* With what it said last, where that has not been seen as it came. */
static void on_build_failed(const Display *display, const NixEvent *event) {
        FILE *f = words(display);

        fprintf(f, "%sfailed to build%s %s: %s\n", style(display, RED), style(display, RESET),
                event->name, event->path);
        if (display->build_logs)
                return;
        if (event->n_lines == 0)
                fprintf(f, "It wrote no log.\n");
        else
                fprintf(f, "Last %zu of %zu log lines of '%s':\n", event->lines->n, event->n_lines,
                        event->name);
        for (size_t i = 0; i < event->lines->n; i++)
                fprintf(f, "%s  > %s%s\n", style(display, FAINT), event->lines->items[i],
                        style(display, RESET));
        if (event->n_lines > event->lines->n)
                fprintf(f, "For all of them: nix log %s\n", event->path);
}

/* What begins is a line, unless a view shows it. */
static void say_begun(const Display *display, const char *what, const char *name) {
        if (!display->view)
                display_say(display, what, name);
}

static void print_nix_event(const Display *display, const NixEvent *event) {
        switch (event->kind) {
        case NIX_EVENT_EVALUATING:
                say_begun(display, "evaluating", event->name);
                break;
        case NIX_EVENT_BUILD_STARTED:
                say_begun(display, "building", event->name);
                break;
        case NIX_EVENT_BUILD_FAILED:
                on_build_failed(display, event);
                break;
        case NIX_EVENT_COPY_STARTED:
                say_begun(display, "copying", event->name);
                break;
        case NIX_EVENT_FETCH_STARTED:
                say_begun(display, "fetching", event->name);
                break;
        case NIX_EVENT_MESSAGE:
                /* Errors come back with the result of the build, in one piece. */
                if (event->level == NIX_LEVEL_WARNING ||
                    (display->verbose && event->level > NIX_LEVEL_WARNING))
                        quote(display, event->text);
                break;
        case NIX_EVENT_PLAIN:
                quote(display, event->text);
                break;
        case NIX_EVENT_BUILD_LINE:
                if (display->build_logs)
                        fprintf(words(display), "%s  %s> %s%s\n", style(display, FAINT),
                                event->name, event->text, style(display, RESET));
                break;
        case NIX_EVENT_BUILD_PHASE:
        case NIX_EVENT_BUILD_FINISHED:
        case NIX_EVENT_BUILD_CANCELLED:
        case NIX_EVENT_COPY_FINISHED:
        case NIX_EVENT_FETCH_FINISHED:
        case NIX_EVENT_AMOUNT:
        case NIX_EVENT_STEP_STARTED:
        case NIX_EVENT_STEP_FINISHED:
        case NIX_EVENT_PROGRESS:
        case NIX_EVENT_TICK:
        case NIX_EVENT_ENDED:
        case _NIX_EVENT_MAX:
                break;
        }
}

/* The view is gone, and this is what remains of it. */
static void say_totals(const Display *display, const ProgressTotals *totals, uint64_t usec) {
        _cleanup_free_ char *copied = NULL;

        if (totals->n_copied > 0 &&
            text_printf(&copied, "%scopied %ju (%.1f MiB)", totals->n_built > 0 ? ", " : "",
                        (uintmax_t) totals->n_copied,
                        (double) totals->copied_bytes / (1024.0 * 1024.0)) < 0)
                return;
        if (totals->n_built > 0)
                fprintf(stderr, "built %ju%s in %.1f s\n", (uintmax_t) totals->n_built,
                        copied ? copied : "", (double) usec / 1e6);
        else if (copied)
                fprintf(stderr, "%s in %.1f s\n", copied, (double) usec / 1e6);
}

/* Without memory for a view there are lines. */
static void follow(Display *display, const NixEvent *event) {
        uint64_t now_usec = clock_monotonic_usec();
        ProgressTotals totals;

        if (!display->view && display->rows && event->kind != NIX_EVENT_ENDED)
                (void) progress_view_new(STDERR_FILENO, display->colour, now_usec, &display->view);
        if (!display->view)
                return;
        progress_view_take(display->view, event, now_usec);
        if (event->kind == NIX_EVENT_TICK)
                progress_view_draw(display->view, now_usec);
        if (event->kind == NIX_EVENT_ENDED) {
                const Progress *progress = progress_view_progress(display->view);

                totals = progress_totals(progress);
                now_usec -= progress_begun(progress);
                display->view = progress_view_free(display->view);
                say_totals(display, &totals, now_usec);
        }
}

/** display_nix_event() - a NixEventHandler, for nix_run(); @userdata is the Display. */
void display_nix_event(const NixEvent *event, void *userdata) {
        Display *display = userdata;

        if (display->json) {
                on_json(display, event);
                return;
        }
        follow(display, event);
        print_nix_event(display, event);
}

static double seconds_of(const cJSON *event, const char *key) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);

        return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static const char *text_of(const cJSON *event, const char *key) {
        const char *text = json_string(event, key);

        return text ? text : "";
}

static void on_phase(const Display *display, const cJSON *event) {
        static const struct {
                const char *phase, *words;
        } texts[] = {
                { "activate", "activating" },
                { "rollback", "rolling back" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (strcmp(texts[i].phase, text_of(event, "phase")) == 0)
                        display_say(display, texts[i].words, NULL);
}

static bool is_target(const char *unit) {
        size_t n = strlen(unit);

        return n > 7 && strcmp(unit + n - 7, ".target") == 0;
}

/* "alice: " before what concerns a user's own service manager. */
static void print_user(const cJSON *event) {
        const char *user = json_string(event, "user");

        if (user)
                fprintf(stderr, "%s: ", user);
}

/* A job that is done is a line; a target's only if it went wrong. */
static void on_job_done(const Display *display, const cJSON *event) {
        const char *unit = text_of(event, "unit"), *result = text_of(event, "result");
        bool done = strcmp(result, "done") == 0;

        if (is_target(unit) && done)
                return;
        fputs("  ", stderr);
        print_user(event);
        fprintf(stderr, "%s%-7s%s %s%s%s%s (%.1f s)%s\n", style(display, BOLD),
                text_of(event, "job"), style(display, RESET), unit, done ? "" : ": ",
                done ? "" : style(display, RED), done ? "" : result, seconds_of(event, "seconds"),
                done ? "" : style(display, RESET));
}

static void on_swapoff(const Display *display, const cJSON *event) {
        display_say(display, "swapping ends on", text_of(event, "text"));
}

static void on_swapoff_failed(const Display *display, const cJSON *event) {
        fprintf(stderr, "  %sstill swapping to %s:%s %s\n", style(display, RED),
                text_of(event, "text"), style(display, RESET), text_of(event, "error"));
}

static void on_user_failed(const Display *display, const cJSON *event) {
        fprintf(stderr, "%swarning:%s the session of %s could not follow: %s\n",
                style(display, RED), style(display, RESET), text_of(event, "user"),
                text_of(event, "text"));
}

static void on_units_failed(const Display *display, const cJSON *event) {
        fprintf(stderr, "%swarning:%s failed in the session of %s: %s\n", style(display, RED),
                style(display, RESET), text_of(event, "user"), text_of(event, "text"));
}

static void on_refused(const Display *display, const cJSON *event) {
        fprintf(stderr, "  %s", style(display, RED));
        print_user(event);
        fprintf(stderr, "%-7s %s was refused:%s %s\n", text_of(event, "job"),
                text_of(event, "unit"), style(display, RESET), text_of(event, "text"));
}

static void on_wait(const Display *display, const cJSON *event) {
        fprintf(stderr, "%s  ", style(display, FAINT));
        print_user(event);
        fprintf(stderr, "waiting for %s to %s: %.0f s of at most %.0f s%s\n",
                text_of(event, "unit"), text_of(event, "job"), seconds_of(event, "seconds"),
                seconds_of(event, "limit"), style(display, RESET));
}

static void on_unit_failed(const Display *display, const cJSON *event) {
        const char *active = text_of(event, "active"), *result = text_of(event, "result");
        const cJSON *line;

        if (strcmp(active, "active") == 0) { /* again, or still */
                active = "up and not well";
                result = "";
        }

        fputs(style(display, RED), stderr);
        print_user(event);
        fprintf(stderr, "%s is %s%s%s%s%s; its last words:\n", text_of(event, "unit"),
                *active ? active : "unknown", *result ? " (" : "", result, *result ? ")" : "",
                style(display, RESET));
        cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(event, "log")) {
                if (cJSON_IsString(line))
                        quote(display, line->valuestring);
        }
}

static void on_output(const Display *display, const cJSON *event) {
        quote(display, text_of(event, "text"));
}

static void on_started(const Display *display, const cJSON *event) {
        display_say(display, "newly running:", text_of(event, "text"));
}

static void on_unrelated(const Display *display, const cJSON *event) {
        display_say(display,
                    "failed meanwhile, without regard to this switch:", text_of(event, "text"));
}

/* The further lines of what a program has printed. */
static void quote_rest(const Display *display, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = NULL;

        if (copy && strtok_r(copy, "\n", &rest))
                for (char *line; (line = strtok_r(NULL, "\n", &rest));)
                        quote(display, line);
}

/* What comes before the switch is a line only where it explains the rest. */
static void on_probe(const Display *display, const cJSON *event) {
        const char *text = text_of(event, "text");
        bool before = strcmp(text_of(event, "when"), "before") == 0;
        bool ok = strcmp(text_of(event, "result"), "ok") == 0;

        if (before && !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "excused")))
                return;
        fprintf(stderr, "  %sprobe%s   %s: %s%s%.*s%s%s\n", style(display, BOLD),
                style(display, RESET), text_of(event, "name"), ok ? "" : style(display, RED),
                ok ? "" : "failed: ", (int) strcspn(text, "\n"), text,
                ok ? "" : style(display, RESET),
                before ? " (already before the switch, so it decides nothing)" : "");
        if (!ok)
                quote_rest(display, text);
}

static void on_probe_wait(const Display *display, const cJSON *event) {
        const char *text = text_of(event, "text");

        fprintf(stderr, "%s  waiting for the probe %s: %.0f s of at most %.0f s%s%s%s\n",
                style(display, FAINT), text_of(event, "name"), seconds_of(event, "seconds"),
                seconds_of(event, "limit"), *text ? "; " : "", text, style(display, RESET));
}

static void on_failed_before(const Display *display, const cJSON *event) {
        display_say(display, "still not well, as before this switch:", text_of(event, "text"));
}

static void on_skip(const Display *display, const cJSON *event) {
        display_say(display, "left as they are, though changed:", text_of(event, "text"));
}

static void on_reexecute(const Display *display, const cJSON *event) {
        display_say(display, text_of(event, "text"), NULL);
}

static void on_confirm(const Display *display, const cJSON *event) {
        display_say(display, "waiting to be confirmed:", text_of(event, "text"));
}

static void on_countdown(const Display *display, const cJSON *event) {
        fprintf(stderr, "%s  %.0f s left for 'enact confirm'%s\n", style(display, FAINT),
                seconds_of(event, "seconds"), style(display, RESET));
}

static void on_confirmed(const Display *display, const cJSON *event) {
        _cleanup_free_ char *user = NULL;
        uint64_t uid;

        if (json_number(event, "uid", UINT32_MAX, &uid) >= 0)
                user = past_user(uid);
        display_say(display, "confirmed by", user);
}

static void on_pinned(const Display *display, const cJSON *event) {
        display_say(display, "pinned:", text_of(event, "text"));
}

static void on_unpinned(const Display *display, const cJSON *event) {
        display_say(display, "unpinned:", text_of(event, "text"));
}

static void on_deleted(const Display *display, const cJSON *event) {
        display_say(display, "deleted:", text_of(event, "text"));
}

static void on_note(const Display *display, const cJSON *event) {
        if (json_string(event, "user")) {
                fprintf(stderr, "%snote:%s ", style(display, BOLD), style(display, RESET));
                print_user(event);
                fprintf(stderr, "%s\n", text_of(event, "text"));
                return;
        }
        display_say(display, "note:", text_of(event, "text"));
}

/* What could not be read, or was left out. */
static void on_plan(const Display *display, const cJSON *event) {
        const cJSON *plan = cJSON_GetObjectItemCaseSensitive(event, "plan"), *note;

        cJSON_ArrayForEach(note, cJSON_GetObjectItemCaseSensitive(plan, "notes")) {
                if (cJSON_IsString(note))
                        display_say(display, "note:", note->valuestring);
        }
}

/* The last word of a command that went well; errors are said by whoever asked. */
static void on_end(const Display *display, const cJSON *event) {
        uint64_t code;

        if (json_number(event, "exit", UINT8_MAX, &code) >= 0 && code == 0)
                display_say(display, "done:", text_of(event, "text"));
}

/* Units, users and scripts have written them, and a terminal would do what they say. */
static void clean_texts(cJSON *item) {
        cJSON *child;

        if (cJSON_IsString(item))
                text_strip_controls(item->valuestring);
        cJSON_ArrayForEach(child, item)
                clean_texts(child);
}

/** display_engine_event() - a RootSideHandler; @userdata is the Display. */
void display_engine_event(void *userdata, const cJSON *event, const char *line) {
        static const struct {
                const char *event;
                void (*show)(const Display *display, const cJSON *event);
        } shows[] = {
                { "dead-man", on_note },
                { "confirm", on_confirm },
                { "confirmed", on_confirmed },
                { "countdown", on_countdown },
                { "deleted", on_deleted },
                { "end", on_end },
                { "failed-before", on_failed_before },
                { "job-done", on_job_done },
                { "note", on_note },
                { "output", on_output },
                { "phase", on_phase },
                { "pinned", on_pinned },
                { "plan", on_plan },
                { "recover", on_note },
                { "probe", on_probe },
                { "probe-wait", on_probe_wait },
                { "reexecute", on_reexecute },
                { "refused", on_refused },
                { "skip", on_skip },
                { "started", on_started },
                { "swapoff", on_swapoff },
                { "swapoff-failed", on_swapoff_failed },
                { "unit-failed", on_unit_failed },
                { "units-failed", on_units_failed },
                { "unpinned", on_unpinned },
                { "unrelated", on_unrelated },
                { "user-failed", on_user_failed },
                { "wait", on_wait },
        };
        _cleanup_(cJSON_Deletep) cJSON *shown = NULL;
        Display *display = userdata;

        if (strcmp(text_of(event, "event"), "begin") == 0)
                (void) snprintf(display->id, sizeof(display->id), "%s", text_of(event, "id"));
        display->ended = display->ended || strcmp(text_of(event, "event"), "end") == 0;
        if (display->json) {
                puts(line);
                return;
        }
        shown = cJSON_Duplicate(event, /* recurse= */ true);
        clean_texts(shown);
        for (size_t i = 0; i < ELEMENTSOF(shows); i++)
                if (strcmp(shows[i].event, text_of(shown, "event")) == 0)
                        shows[i].show(display, shown);
}
