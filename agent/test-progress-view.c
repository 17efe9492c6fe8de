#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>

#include "columns.h"
#include "progress-view.h"
#include "test.h"
#include "text.h"

#define SECOND    UINT64_C(1000000)
#define LINES_MAX 512
#define CELLS_MAX 256

/* A terminal that knows what the view uses and refuses anything else. Its lines are those that were
 * written, however wide it is now: one that wraps them anew when it is resized keeps them too. */
typedef struct Terminal {
        int master, slave;
        unsigned columns, rows;
        char cells[LINES_MAX][CELLS_MAX][8];
        size_t line, column;
        size_t n_bytes; /* that came */
        bool may_wrap;  /* what is printed above the rows may */
} Terminal;

static size_t width(const Terminal *t, size_t line) {
        size_t n = CELLS_MAX;

        while (n > 0 && !*t->cells[line][n - 1])
                n--;
        return n;
}

static size_t last_line(const Terminal *t) {
        size_t n = LINES_MAX - 1;

        while (n > t->line && width(t, n) == 0)
                n--;
        return n;
}

static void resize(Terminal *t, unsigned columns, unsigned rows) {
        t->columns = columns;
        t->rows = rows;
        ASSERT_OK(ioctl(t->master, TIOCSWINSZ,
                        &(struct winsize){ .ws_col = (unsigned short) columns,
                                           .ws_row = (unsigned short) rows }));
}

static void open_terminal(Terminal *t, unsigned columns, unsigned rows) {
        memset(t, 0, sizeof(*t));
        ASSERT_OK(openpty(&t->master, &t->slave, NULL, NULL, NULL));
        ASSERT_TRUE(fcntl(t->master, F_SETFL, O_NONBLOCK) >= 0);
        ASSERT_TRUE(fcntl(t->slave, F_SETFL, O_NONBLOCK) >= 0);
        resize(t, columns, rows);
        (void) setenv("TERM", "xterm", 1);
}

static void close_terminal(Terminal *t) {
        t->master = fd_close(t->master);
        t->slave = fd_close(t->slave);
}

static void erase(Terminal *t, size_t line, size_t column) {
        memset(t->cells[line][column], 0, (CELLS_MAX - column) * sizeof(t->cells[0][0]));
}

static const char *on_escape(Terminal *t, const char *p) {
        char *end;
        unsigned long n = strtoul(p + 1, &end, 10);

        ASSERT_EQ(*p, '[');
        while (*end == ';')
                (void) strtoul(end + 1, &end, 10);
        if (*end == 'K')
                erase(t, t->line, t->column);
        else if (*end == 'J') {
                erase(t, t->line, t->column);
                for (size_t i = t->line + 1; i < LINES_MAX; i++)
                        erase(t, i, 0);
        } else if (*end == 'A') {
                /* These are rows of the screen, as only lines that do not wrap are. */
                for (; n > 0; n--) {
                        ASSERT_TRUE(width(t, t->line) < t->columns);
                        ASSERT_TRUE(t->line > 0);
                        t->line--;
                }
        } else if (*end != 'm')
                fail_msg("unknown sequence '%s'", p);
        return end + 1;
}

static const char *on_character(Terminal *t, const char *p) {
        size_t n = 1, columns;
        char c[8] = { 0 };

        while (((unsigned char) p[n] & 0xc0) == 0x80)
                n++;
        ASSERT_TRUE((unsigned char) *p >= ' ' && n < sizeof(c) && t->column + 2 < CELLS_MAX);
        memcpy(c, p, n);
        columns = columns_of(c);
        memcpy(t->cells[t->line][t->column], c, sizeof(c));
        if (columns == 2)
                memcpy(t->cells[t->line][t->column + 1], "\001", 2);
        t->column += columns;
        if (!t->may_wrap)
                ASSERT_TRUE(t->column < t->columns);
        return p + n;
}

/* What the view has written, on the screen. A mark behind it tells where that ends: what was
 * written is on its way for a while. */
static void receive(Terminal *t) {
        static char bytes[1 << 20];
        bool marked = false;
        size_t n = 0;

        for (;;) {
                struct pollfd ready = { .fd = t->master, .events = POLLIN };
                ssize_t k;

                marked = marked || write(t->slave, "\005", 1) == 1;
                ASSERT_TRUE(poll(&ready, 1, marked ? -1 : 0) >= 0);
                k = read(t->master, bytes + n, sizeof(bytes) - 1 - n);
                if (k > 0)
                        n += (size_t) k;
                if (n > 0 && bytes[n - 1] == '\005')
                        break;
        }
        bytes[--n] = '\0';
        t->n_bytes += n;
        for (const char *p = bytes; *p;)
                if (*p == '\033')
                        p = on_escape(t, p + 1);
                else if (*p == '\r' || *p == '\n') {
                        t->column = 0;
                        if (*p++ == '\n')
                                t->line++;
                        ASSERT_TRUE(t->line < LINES_MAX);
                } else
                        p = on_character(t, p);
        ASSERT_TRUE(last_line(t) - t->line < t->rows);
}

/* All lines, each with its newline; those from the cursor on after a ">". */
static char *screen(Terminal *t) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        receive(t);
        assert_non_null(f);
        for (size_t i = 0; i <= last_line(t); i++) {
                if (i == t->line)
                        fputc('>', f);
                for (size_t k = 0; k < width(t, i); k++) {
                        const char *c = t->cells[i][k];

                        fputs(*c == '\001' ? "" : *c ? c : " ", f);
                }
                fputc('\n', f);
        }
        fclose(f);
        return text;
}

static void check(Terminal *t, const char *wanted) {
        _cleanup_free_ char *text = screen(t);

        ASSERT_TEXT(text, wanted);
        ASSERT_EQ(t->column, 0);
}

static ProgressView *begin(Terminal *t) {
        ProgressView *view = NULL;

        ASSERT_TRUE(progress_view_is_possible(t->slave));
        ASSERT_OK(progress_view_new(t->slave, /* colour= */ true, 0, &view));
        return view;
}

static void take(ProgressView *view, uint64_t usec, NixEvent event) {
        event.realising = event.kind != NIX_EVENT_EVALUATING;
        progress_view_take(view, &event, usec);
}

static const NixCount builds = { .done = 3, .expected = 20, .running = 2 };
static const NixCount copies = { .done = 10, .expected = 100, .running = 1 };
static const NixAmount copied = { .done = 120 << 20, .expected = 800 << 20 };

/* Two builds and a copy. */
static void fill(ProgressView *view) {
        take(view, 0, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 1, .name = "linux-6.1" });
        take(view, SECOND, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 2, .name = "vim-9" });
        take(view, SECOND, (NixEvent){ .kind = NIX_EVENT_COPY_STARTED, .id = 3, .name = "glibc" });
        take(view, SECOND,
             (NixEvent){ .kind = NIX_EVENT_BUILD_PHASE, .id = 1, .text = "buildPhase" });
        take(view, SECOND,
             (NixEvent){ .kind = NIX_EVENT_AMOUNT,
                         .id = 3,
                         .amount = { 12 << 20, 40 << 20 },
                         .builds = builds,
                         .copies = copies,
                         .copied = copied });
}

TEST(an_evaluation_is_shown_when_it_takes_its_time) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        take(view, 0, (NixEvent){ .kind = NIX_EVENT_EVALUATING, .name = "web" });
        progress_view_draw(view, SECOND / 10);
        check(&t, ">\n");
        progress_view_draw(view, SECOND);
        check(&t, ">evaluating web  1 s\n");
        progress_view_draw(view, 75 * SECOND);
        check(&t, ">evaluating web  1 min 15 s\n");

        view = progress_view_free(view);
        check(&t, ">\n");
        close_terminal(&t);
}

TEST(what_is_built_and_copied_and_how_much_is_left) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        fill(view);
        progress_view_draw(view, 3 * SECOND);
        check(&t, ">building linux-6.1  buildPhase, 3 s\n"
                  "building vim-9  2 s\n"
                  "copying glibc  12.0 of 40.0 MiB, 2 s\n"
                  "built 3 of 20, copied 10 of 100, 120.0 of 800.0 MiB, 3 s\n");

        take(view, 4 * SECOND,
             (NixEvent){ .kind = NIX_EVENT_BUILD_FAILED, .id = 1, .builds = { 3, 20, 1, 1 } });
        take(view, 4 * SECOND,
             (NixEvent){ .kind = NIX_EVENT_COPY_FINISHED, .id = 3, .builds = { 3, 20, 1, 1 } });
        progress_view_draw(view, 4 * SECOND);
        check(&t, ">building vim-9  3 s\nbuilt 3 of 20, 1 failed, 4 s\n");
        view = progress_view_free(view);
        check(&t, ">\n");
        close_terminal(&t);
}

TEST(lines_pass_above_the_rows_and_stay) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 40, 24);
        view = begin(&t);
        fprintf(progress_view_lines(view), "first\n");
        fill(view);
        check(&t, ">\n");
        progress_view_draw(view, SECOND);
        check(&t, "first\n>building linux-6.1  buildPhase, 1 s\nbuilding vim-9\n"
                  "copying glibc  12.0 of 40.0 MiB\nbuilt 3 of 20, copied 10 of 100\n");
        t.may_wrap = true;
        fprintf(progress_view_lines(view), "one that is longer than the terminal has columns\nha");
        progress_view_draw(view, SECOND);
        fprintf(progress_view_lines(view), "lf\n");
        view = progress_view_free(view);
        check(&t, "first\none that is longer than the terminal has columns\nhalf\n>\n");
        close_terminal(&t);
}

TEST(nothing_is_written_while_nothing_changes) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;
        size_t n;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        fill(view);
        progress_view_draw(view, SECOND);
        receive(&t);
        n = t.n_bytes;
        ASSERT_TRUE(n > 0);
        progress_view_draw(view, SECOND + SECOND / 2);
        receive(&t);
        ASSERT_EQ(t.n_bytes, n);
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(more_than_has_room_is_counted) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        _cleanup_free_ char *text = NULL;
        static Terminal t;

        open_terminal(&t, 80, 5);
        view = begin(&t);
        for (uint64_t i = 1; i <= 30; i++)
                take(view, 0,
                     (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED,
                                 .id = i,
                                 .name = "a",
                                 .builds = builds });
        progress_view_draw(view, SECOND);
        check(&t, ">building a  1 s\nbuilding a  1 s\nand 28 more\nbuilt 3 of 20, 1 s\n");

        resize(&t, 80, 1);
        progress_view_draw(view, SECOND);
        check(&t, ">built 3 of 20, 1 s\n");
        resize(&t, 80, 100);
        progress_view_draw(view, SECOND);
        text = screen(&t);
        ASSERT_CONTAINS(text, "and 22 more\n");
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(of_what_has_only_words_the_newest_that_takes_its_time_is_shown) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        take(view, 0, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = 1, .name = "looking" });
        take(view, SECOND, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = 2, .name = "asking" });
        progress_view_draw(view, SECOND);
        check(&t, ">looking\n");
        progress_view_draw(view, 2 * SECOND);
        check(&t, ">asking\n");
        take(view, 2 * SECOND, (NixEvent){ .kind = NIX_EVENT_STEP_FINISHED, .id = 2 });
        take(view, 2 * SECOND, (NixEvent){ .kind = NIX_EVENT_STEP_FINISHED, .id = 1 });
        progress_view_draw(view, 2 * SECOND);
        check(&t, ">\n");
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(each_width_has_rows_that_do_not_wrap) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 20, 24);
        view = begin(&t);
        take(view, 0, (NixEvent){ .kind = NIX_EVENT_EVALUATING, .name = "web.example.org" });
        progress_view_draw(view, SECOND);
        check(&t, ">evaluating web.ex..\n");
        fill(view);
        take(view, SECOND,
             (NixEvent){ .kind = NIX_EVENT_FETCH_STARTED,
                         .id = 4,
                         .name = "\346\227\245\346\234\254\350\252\236\346\227\245\346\234\254",
                         .builds = builds,
                         .copies = copies });
        progress_view_draw(view, SECOND);
        check(&t, ">building linux-6.1\nbuilding vim-9\ncopying glibc\n"
                  "fetching \346\227\245\346\234\254\350\252\236\346\227\245\346\234\254\n"
                  "built 3 of 20\n");
        for (unsigned columns = 1; columns <= 100; columns++) {
                resize(&t, columns, 24);
                progress_view_draw(view, 100 * SECOND);
                receive(&t);
        }
        view = progress_view_free(view);
        check(&t, ">\n");
        close_terminal(&t);
}

TEST(a_resize_takes_nothing_away_above_and_leaves_nothing_behind) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        fprintf(progress_view_lines(view), "above\n");
        fill(view);
        progress_view_draw(view, SECOND);
        receive(&t);
        resize(&t, 30, 24);
        progress_view_draw(view, SECOND);
        check(&t, "above\n>building linux-6.1\nbuilding vim-9\ncopying glibc\nbuilt 3 of 20\n");
        resize(&t, 60, 24);
        progress_view_draw(view, SECOND);
        view = progress_view_free(view);
        check(&t, "above\n>\n");
        close_terminal(&t);
}

TEST(a_terminal_of_unknown_size_is_taken_for_a_usual_one) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 0, 0);
        t.columns = 80;
        t.rows = 24;
        view = begin(&t);
        fill(view);
        progress_view_draw(view, SECOND);
        receive(&t);
        ASSERT_EQ(last_line(&t), 3);
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(whoever_asks_for_a_password_has_the_terminal) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        struct termios state;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        fill(view);
        ASSERT_OK(tcgetattr(t.slave, &state));
        state.c_lflag &= ~(tcflag_t) ECHO;
        ASSERT_OK(tcsetattr(t.slave, TCSANOW, &state));
        progress_view_draw(view, SECOND);
        check(&t, ">\n");
        state.c_lflag |= ECHO;
        ASSERT_OK(tcsetattr(t.slave, TCSANOW, &state));
        progress_view_draw(view, SECOND);
        receive(&t);
        ASSERT_EQ(last_line(&t), 3);
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(a_terminal_that_has_gone_away_is_no_fault) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        fill(view);
        progress_view_draw(view, SECOND);
        t.master = fd_close(t.master);
        for (unsigned i = 0; i < 10000; i++) {
                fprintf(progress_view_lines(view), "nobody reads this line\n");
                progress_view_draw(view, (2 + i) * SECOND);
        }
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(a_terminal_that_does_not_keep_up_is_not_waited_for_by_rows) {
        _cleanup_(progress_view_freep) ProgressView *view = NULL;
        static Terminal t;

        open_terminal(&t, 80, 24);
        view = begin(&t);
        fill(view);
        /* Nobody reads: each is another frame. */
        for (uint64_t i = 1; i < 100000; i++)
                progress_view_draw(view, i * SECOND);
        receive(&t);
        progress_view_draw(view, 3 * SECOND);
        receive(&t);
        ASSERT_EQ(last_line(&t), 3);
        view = progress_view_free(view);
        close_terminal(&t);
}

TEST(what_is_no_terminal_or_a_dumb_one_gets_no_view) {
        int fds[2];
        static Terminal t;

        open_terminal(&t, 80, 24);
        ASSERT_TRUE(progress_view_is_possible(t.slave));
        (void) setenv("TERM", "dumb", 1);
        ASSERT_FALSE(progress_view_is_possible(t.slave));
        (void) unsetenv("TERM");
        ASSERT_FALSE(progress_view_is_possible(t.slave));
        (void) setenv("TERM", "xterm", 1);
        ASSERT_OK(pipe(fds));
        ASSERT_FALSE(progress_view_is_possible(fds[1]));
        (void) fd_close(fds[0]);
        (void) fd_close(fds[1]);
        close_terminal(&t);
}
