/*
 * The view of what Nix does: a few rows at the end of a terminal that are drawn anew while lines
 * pass above them.
 *
 * Between two drawings the cursor stands at the beginning of the first row. Terminals keep it at
 * its text when they are resized, so "erase from here on" takes away all rows, however they were
 * wrapped meanwhile, and never a line above them; and nothing has to be put back by whoever is
 * killed. Lines are kept until the next drawing and leave with it in one write, so that neither
 * flickers and thousands of lines a second cost no more drawings than a few.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "columns.h"
#include "progress-view.h"
#include "text.h"

#define BOLD         "\033[1m"
#define RED          "\033[31m"
#define FAINT        "\033[2m"
#define RESET        "\033[0m"
#define ERASE_ROW    "\033[K" /* from the cursor on, as the next one */
#define ERASE_ALL    "\033[J"

#define ROWS_MAX     10U
#define NAME_COLUMNS 12U /* of a name remain, or its details go */
#define LINES_BYTES_MAX                                                                            \
        ((size_t) 64 * 1024)     /* kept until the next drawing, but for the last one              \
                                  */
#define SECOND_USEC USEC_PER_SEC /* what is shorter is not worth a row or a word */
#define MIB         (1024.0 * 1024.0)

typedef struct Text {
        char *bytes;
        size_t n, allocated;
} Text;

struct ProgressView {
        int fd, own_fd; /* the same, or -EBADF */
        bool colour;
        bool asks; /* the terminal showed what is typed when the view began */
        bool drawn, gone;
        struct winsize size;
        Progress *progress;
        bool realising;
        uint64_t evaluating_usec; /* since when nothing is realised */
        FILE *lines;
        Text pending; /* what was printed on @lines */
        Text frame;   /* as it was drawn last */
        Text unsent;  /* what the terminal has not taken yet */
};

/* Rows in the making. */
typedef struct Frame {
        FILE *file;
        size_t columns; /* that may be used */
        size_t rows;    /* that may be used yet */
        size_t n;
        bool colour;
} Frame;

static const char *style(const Frame *frame, const char *sequence) {
        return frame->colour ? sequence : "";
}

/* @text, or its beginning and two dots; answers the columns that it takes. */
static size_t put_cut(Frame *frame, const char *text, size_t columns) {
        size_t width = columns_of(text), n;

        if (width <= columns) {
                fputs(text, frame->file);
                return width;
        }
        n = columns_fit(text, columns > 4 ? columns - 2 : columns, &width);
        fprintf(frame->file, "%.*s%s", (int) n, text, columns > 4 ? ".." : "");
        return width + (columns > 4 ? 2 : 0);
}

/* Begins a row; false where there is none left. */
static bool next_row(Frame *frame) {
        if (frame->rows == 0)
                return false;
        frame->rows--;
        if (frame->n++ > 0)
                fputs(ERASE_ROW "\r\n", frame->file);
        return true;
}

/* "building linux-6.1  buildPhase, 12 s"; without the details where the name has no room. */
static void put_row(Frame *frame, const char *what, const char *name, const char *details) {
        size_t left = frame->columns, n_details = columns_of(details), n_name = columns_of(name);

        if (!next_row(frame))
                return;
        fputs(style(frame, BOLD), frame->file);
        left -= put_cut(frame, what, left);
        fputs(style(frame, RESET), frame->file);
        if (left < 2)
                return;
        fputc(' ', frame->file);
        left--;

        if (n_name > NAME_COLUMNS)
                n_name = NAME_COLUMNS;
        if (n_details > 0 && n_name + 2 + n_details <= left) {
                (void) put_cut(frame, name, left - 2 - n_details);
                fprintf(frame->file, "  %s%s%s", style(frame, FAINT), details, style(frame, RESET));
        } else
                (void) put_cut(frame, name, left);
}

static void put_faint_row(Frame *frame, const char *text) {
        if (!next_row(frame))
                return;
        fputs(style(frame, FAINT), frame->file);
        (void) put_cut(frame, text, frame->columns);
        fputs(style(frame, RESET), frame->file);
}

static void print_duration(FILE *f, uint64_t usec) {
        uint64_t seconds = usec / USEC_PER_SEC;

        if (seconds < 60)
                fprintf(f, "%ju s", (uintmax_t) seconds);
        else if (seconds < 3600)
                fprintf(f, "%ju min %ju s", (uintmax_t) (seconds / 60), (uintmax_t) (seconds % 60));
        else
                fprintf(f, "%ju h %ju min", (uintmax_t) (seconds / 3600),
                        (uintmax_t) (seconds / 60 % 60));
}

static void print_amount(FILE *f, NixAmount amount) {
        if (amount.expected > 0)
                fprintf(f, "%.1f of %.1f MiB", (double) amount.done / MIB,
                        (double) amount.expected / MIB);
        else
                fprintf(f, "%.1f MiB", (double) amount.done / MIB);
}

static void put_item(Frame *frame, const ProgressItem *item, uint64_t now_usec) {
        static const char *const words[_PROGRESS_KIND_MAX] = {
                [PROGRESS_BUILD] = "building",
                [PROGRESS_COPY] = "copying",
                [PROGRESS_FETCH] = "fetching",
        };
        _cleanup_free_ char *details = NULL;
        const char *before = "";
        size_t size;
        FILE *f;

        if (item->kind == PROGRESS_STEP) {
                put_faint_row(frame, item->name);
                return;
        }
        f = open_memstream(&details, &size);
        if (!f)
                return;
        if (item->phase && *item->phase) {
                fprintf(f, "%.*s", (int) columns_fit(item->phase, 24, NULL), item->phase);
                before = ", ";
        }
        if (item->amount.done > 0) {
                fputs(before, f);
                print_amount(f, item->amount);
                before = ", ";
        }
        if (now_usec - item->begun_usec >= SECOND_USEC) {
                fputs(before, f);
                print_duration(f, now_usec - item->begun_usec);
        }
        if (fclose(f) == 0)
                put_row(frame, words[item->kind], item->name, details);
}

/* Of what Nix only has words for, the newest that takes its time. */
static const ProgressItem *find_step(const Progress *progress, uint64_t now_usec) {
        const ProgressItem *item = progress_newest(progress, PROGRESS_STEP);

        while (item && now_usec - item->begun_usec < SECOND_USEC)
                item = item->previous;
        return item;
}

static void put_items(Frame *frame, const Progress *progress, uint64_t now_usec) {
        const ProgressItem *step = find_step(progress, now_usec);
        size_t n = 0, n_shown;

        for (ProgressKind kind = 0; kind < PROGRESS_STEP; kind++)
                n += progress_n(progress, kind);
        if (step && frame->rows > n)
                put_item(frame, step, now_usec);
        n_shown = n <= frame->rows ? n : frame->rows > 0 ? frame->rows - 1 : 0;
        for (ProgressKind kind = 0; kind < PROGRESS_STEP; kind++)
                for (const ProgressItem *i = progress_oldest(progress, kind); i && n_shown > 0;
                     i = i->next, n_shown--, n--)
                        put_item(frame, i, now_usec);
        if (n > 0) {
                _cleanup_free_ char *more = NULL;

                if (text_printf(&more, "and %zu more", n) >= 0)
                        put_faint_row(frame, more);
        }
}

/* One more part of the last row, unless it or one before it had no room. */
static void put_part(Frame *frame, size_t *left, const char *colour, const char *text) {
        size_t n = columns_of(text), n_comma = *left < frame->columns ? 2 : 0;

        if (n + n_comma > *left) {
                if (n_comma == 0)
                        (void) put_cut(frame, text, *left);
                *left = 0;
                return;
        }
        *left -= n + n_comma;
        fprintf(frame->file, "%s%s%s%s", n_comma ? ", " : "", style(frame, colour), text,
                *colour ? style(frame, RESET) : "");
}

static void put_format(Frame *frame, size_t *left, const char *colour, const char *format, ...)
        _printf_(4, 5);

static void put_format(Frame *frame, size_t *left, const char *colour, const char *format, ...) {
        char *text = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0)
                return;
        put_part(frame, left, colour, text);
        free(text);
}

static void put_time(Frame *frame, size_t *left, uint64_t usec) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return;
        print_duration(f, usec);
        if (fclose(f) == 0)
                put_part(frame, left, FAINT, text);
}

/* "built 3 of 20, 1 failed, copied 10 of 100, 120.0 of 800.0 MiB, 62 s" */
static void put_summary(Frame *frame, const Progress *progress, uint64_t now_usec) {
        NixCount builds = progress_builds(progress), copies = progress_copies(progress);
        NixAmount copied = progress_copied(progress);
        uint64_t n_failed = progress_totals(progress).n_failed;
        size_t left = frame->columns;

        if (builds.expected + copies.expected == 0 || !next_row(frame))
                return;
        if (builds.expected > 0)
                put_format(frame, &left, "", "built %ju of %ju", (uintmax_t) builds.done,
                           (uintmax_t) builds.expected);
        if (n_failed > 0)
                put_format(frame, &left, RED, "%ju failed", (uintmax_t) n_failed);
        if (copies.expected > 0)
                put_format(frame, &left, "", "copied %ju of %ju", (uintmax_t) copies.done,
                           (uintmax_t) copies.expected);
        if (copied.done > 0 && copied.expected > 0)
                put_format(frame, &left, "", "%.1f of %.1f MiB", (double) copied.done / MIB,
                           (double) copied.expected / MIB);
        put_time(frame, &left, now_usec - progress_begun(progress));
}

static void put_evaluating(Frame *frame, const Progress *progress, uint64_t now_usec) {
        _cleanup_free_ char *time = NULL;
        size_t size;
        FILE *f = open_memstream(&time, &size);

        if (!f)
                return;
        print_duration(f, now_usec - progress_begun(progress));
        if (fclose(f) == 0)
                put_row(frame, "evaluating", progress_evaluating(progress), time);
}

/* After a build comes an end at once, or it was one that the evaluation wants. */
static bool is_evaluating(const ProgressView *view, uint64_t now_usec) {
        return *progress_evaluating(view->progress) && !view->realising &&
               now_usec - view->evaluating_usec >= SECOND_USEC / 2;
}

static int compose(const ProgressView *view, uint64_t now_usec, Text *ret, size_t *ret_rows) {
        NixCount builds = progress_builds(view->progress), copies = progress_copies(view->progress);
        const bool summary = builds.expected + copies.expected > 0;
        Frame frame = {
                .columns = view->size.ws_col - 1U,
                .rows = view->size.ws_row > 1 ? view->size.ws_row - 1U : 1,
                .colour = view->colour,
        };
        size_t reserved = summary ? 1 : 0;

        if (frame.rows > ROWS_MAX)
                frame.rows = ROWS_MAX;
        frame.file = open_memstream(&ret->bytes, &ret->n);
        if (!frame.file)
                return -ENOMEM;
        frame.rows -= reserved;
        if (is_evaluating(view, now_usec))
                put_evaluating(&frame, view->progress, now_usec);
        put_items(&frame, view->progress, now_usec);
        frame.rows += reserved;
        put_summary(&frame, view->progress, now_usec);
        if (fclose(frame.file) != 0)
                return -ENOMEM;
        *ret_rows = frame.n;
        return 0;
}

static int text_append(Text *text, const char *bytes, size_t n) {
        size_t allocated = text->allocated ? text->allocated : 1024;
        char *more;

        while (allocated < text->n + n)
                allocated *= 2;
        if (allocated > text->allocated) {
                more = realloc(text->bytes, allocated);
                if (!more)
                        return -ENOMEM;
                text->bytes = more;
                text->allocated = allocated;
        }
        if (n > 0)
                memcpy(text->bytes + text->n, bytes, n);
        text->n += n;
        return 0;
}

static void text_drop(Text *text, size_t n) {
        if (n == 0)
                return;
        text->n -= n;
        memmove(text->bytes, text->bytes + n, text->n);
}

/* What the terminal takes within so many milliseconds of doing nothing; -1: all of it. One that is
 * gone takes nothing any more, and there is nobody to tell. */
static void send(ProgressView *view, int patience_msec) {
        struct pollfd ready = { .fd = view->fd, .events = POLLOUT };
        size_t done = 0;

        while (done < view->unsent.n && !view->gone) {
                ssize_t n;

                if (poll(&ready, 1, patience_msec) <= 0 && patience_msec >= 0)
                        break;
                n = write(view->fd, view->unsent.bytes + done, view->unsent.n - done);
                if (n < 0 && errno == EAGAIN && patience_msec >= 0)
                        break;
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        view->gone = true;
                if (n > 0)
                        done += (size_t) n;
        }
        text_drop(&view->unsent, done);
}

static void put(ProgressView *view, const char *bytes, size_t n) {
        if (!view->gone && text_append(&view->unsent, bytes, n) < 0)
                view->gone = true;
}

/* How much of what was printed are whole lines. */
static size_t n_whole(const Text *pending) {
        const char *last = pending->n > 0 ? memrchr(pending->bytes, '\n', pending->n) : NULL;

        return last ? (size_t) (last - pending->bytes) + 1 : 0;
}

/* The rows give way to the lines; they come again with the next drawing. */
static void write_lines(ProgressView *view) {
        size_t n = n_whole(&view->pending);

        if (n == 0)
                return;
        if (view->drawn)
                put(view, "\r" ERASE_ALL, strlen("\r" ERASE_ALL));
        view->drawn = false;
        put(view, view->pending.bytes, n);
        text_drop(&view->pending, n);
        send(view, -1);
}

static ssize_t on_print(void *cookie, const char *bytes, size_t n) {
        ProgressView *view = cookie;

        if (!view->gone && text_append(&view->pending, bytes, n) < 0)
                return 0;
        if (view->pending.n > LINES_BYTES_MAX)
                write_lines(view);
        return (ssize_t) n;
}

static void learn_size(ProgressView *view, struct winsize *ret) {
        if (ioctl(view->fd, TIOCGWINSZ, ret) < 0 || ret->ws_col == 0 || ret->ws_row == 0)
                *ret = (struct winsize){ .ws_col = 80, .ws_row = 24 }; /* a serial line */
}

static bool shows_what_is_typed(int fd) {
        struct termios state;

        return tcgetattr(fd, &state) < 0 || (state.c_lflag & ECHO);
}

/* ssh and its kind, which ask for a password. */
static bool is_asked_for_a_secret(const ProgressView *view) {
        return view->asks && !shows_what_is_typed(view->fd);
}

/* A job of a shell that does not wait for it. */
static bool is_in_background(const ProgressView *view) {
        pid_t group = tcgetpgrp(view->fd);

        return group > 0 && group != getpgrp();
}

static bool is_same(const Text *a, const Text *b) {
        return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static void draw(ProgressView *view, bool resized, const Text *frame, size_t n_rows) {
        _cleanup_free_ char *bytes = NULL;
        size_t n, n_lines = n_whole(&view->pending);
        FILE *f = open_memstream(&bytes, &n);

        if (!f)
                return;
        fputs("\r", f);
        if (view->drawn && (n_lines > 0 || resized || n_rows == 0))
                fputs(ERASE_ALL, f);
        if (n_lines > 0)
                (void) fwrite(view->pending.bytes, 1, n_lines, f);
        (void) fwrite(frame->bytes, 1, frame->n, f);
        if (n_rows > 0)
                fputs(ERASE_ALL "\r", f);
        if (n_rows > 1)
                fprintf(f, "\033[%zuA", n_rows - 1);
        if (fclose(f) != 0)
                return;

        text_drop(&view->pending, n_lines);
        view->drawn = n_rows > 0;
        put(view, bytes, n);
        send(view, 0);
}

/**
 * progress_view_draw() - show how things are now, and the lines that were printed
 *
 * Cheap where nothing has changed. A terminal that does not keep up is not waited for, but for more
 * lines than can be kept.
 */
void progress_view_draw(ProgressView *view, uint64_t now_usec) {
        struct winsize size;
        Text frame = { 0 };
        size_t n_rows;
        bool resized;

        (void) fflush(view->lines);
        send(view, 0);
        if (is_in_background(view)) {
                view->drawn = false; /* the cursor is where the shell has it */
                write_lines(view);
                return;
        }
        if (view->gone || view->unsent.n > 0 || is_asked_for_a_secret(view))
                return;

        learn_size(view, &size);
        resized = size.ws_col != view->size.ws_col || size.ws_row != view->size.ws_row;
        view->size = size;
        if (compose(view, now_usec, &frame, &n_rows) >= 0 &&
            (resized || n_whole(&view->pending) > 0 || view->drawn != (n_rows > 0) ||
             (view->drawn && !is_same(&frame, &view->frame)))) {
                Text last = view->frame;

                draw(view, resized, &frame, n_rows);
                view->frame = frame;
                frame = last;
        }
        free(frame.bytes);
}

/** progress_view_take() - follow an event; a view that lacks memory for it is only less complete.
 */
void progress_view_take(ProgressView *view, const NixEvent *event, uint64_t now_usec) {
        if (event->realising != view->realising && event->kind != NIX_EVENT_TICK) {
                view->realising = event->realising;
                view->evaluating_usec = now_usec;
        }
        (void) progress_take(view->progress, event, now_usec);
}

/** progress_view_lines() - where to print whole lines that pass above the rows; the view's own. */
FILE *progress_view_lines(ProgressView *view) {
        return view->lines;
}

/** progress_view_progress() - what it shows. */
const Progress *progress_view_progress(const ProgressView *view) {
        return view->progress;
}

/* The same terminal, but one that does not make us wait: whoever else writes on @fd wants to. */
static int open_again(int fd) {
        _cleanup_free_ char *path = NULL;

        if (text_printf(&path, "/proc/self/fd/%d", fd) < 0)
                return -EBADF;
        return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/** progress_view_is_possible() - whether it is a terminal that can move its cursor. */
bool progress_view_is_possible(int fd) {
        const char *term = getenv("TERM");

        return term && *term && strcmp(term, "dumb") != 0 && strcmp(term, "unknown") != 0 &&
               isatty(fd);
}

/**
 * progress_view_new() - a view that has drawn nothing yet
 * @fd:       of a terminal; stays the caller's
 * @now_usec: by the clock of all later calls
 *
 * Return: 0 or -ENOMEM.
 */
int progress_view_new(int fd, bool colour, uint64_t now_usec, ProgressView **ret) {
        const cookie_io_functions_t functions = { .write = on_print };
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        int r;

        assert(ret);

        view = calloc(1, sizeof(*view));
        if (!view)
                return -ENOMEM;
        view->own_fd = open_again(fd);
        view->fd = view->own_fd >= 0 ? view->own_fd : fd;
        view->colour = colour;
        view->evaluating_usec = now_usec;
        view->asks = shows_what_is_typed(fd);
        learn_size(view, &view->size);
        r = progress_new(now_usec, &view->progress);
        if (r < 0)
                return r;
        view->lines = fopencookie(view, "w", functions);
        if (!view->lines)
                return -ENOMEM;

        *ret = TAKE_PTR(view);
        return 0;
}

/** progress_view_free() - take the rows away, and write what was printed. */
ProgressView *progress_view_free(ProgressView *view) {
        if (!view)
                return NULL;

        if (view->lines)
                (void) fclose(view->lines);
        write_lines(view);
        if (view->drawn)
                put(view, "\r" ERASE_ALL, strlen("\r" ERASE_ALL));
        put(view, view->pending.bytes, view->pending.n);
        send(view, -1);
        fd_close(view->own_fd);
        free(view->unsent.bytes);
        progress_free(view->progress);
        free(view->pending.bytes);
        free(view->frame.bytes);
        free(view);
        return NULL;
}
