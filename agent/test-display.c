#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>

#include "display.h"
#include "test.h"
#include "text.h"

/* What a display is told. */
typedef void (*Story)(Display *display);

static void tell(Display *display, NixEvent event) {
        event.realising = event.kind != NIX_EVENT_EVALUATING;
        display_nix_event(&event, display);
}

static void a_build_fails(Display *display) {
        StringList lines = { 0 };
        const NixCount two = { .expected = 2, .running = 1 };

        ASSERT_OK(string_list_add(&lines, "make: *** all"));
        tell(display, (NixEvent){ .kind = NIX_EVENT_EVALUATING, .name = "web" });
        tell(display, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED,
                                  .id = 1,
                                  .name = "bad",
                                  .path = "/nix/store/x-bad.drv",
                                  .builds = two });
        tell(display, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = 2, .name = "looking" });
        tell(display, (NixEvent){ .kind = NIX_EVENT_BUILD_LINE,
                                  .id = 1,
                                  .name = "bad",
                                  .text = "make: *** all",
                                  .builds = two });
        tell(display, (NixEvent){ .kind = NIX_EVENT_TICK });
        tell(display, (NixEvent){ .kind = NIX_EVENT_BUILD_FAILED,
                                  .id = 1,
                                  .name = "bad",
                                  .path = "/nix/store/x-bad.drv",
                                  .lines = &lines,
                                  .n_lines = 30,
                                  .builds = { 0, 2, 0, 1 } });
        tell(display, (NixEvent){ .kind = NIX_EVENT_TICK });
        tell(display, (NixEvent){ .kind = NIX_EVENT_ENDED });
        display_say(display, "afterwards", NULL);
        string_list_done(&lines);
}

static void a_build_and_a_copy_are_done(Display *display) {
        tell(display, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 1, .name = "a" });
        tell(display, (NixEvent){ .kind = NIX_EVENT_COPY_STARTED, .id = 2, .name = "b" });
        tell(display,
             (NixEvent){ .kind = NIX_EVENT_AMOUNT, .id = 2, .amount = { 3 << 20, 3 << 20 } });
        tell(display, (NixEvent){ .kind = NIX_EVENT_COPY_FINISHED, .id = 2 });
        tell(display, (NixEvent){ .kind = NIX_EVENT_BUILD_FINISHED, .id = 1 });
        tell(display, (NixEvent){ .kind = NIX_EVENT_ENDED });
}

static void counters_move_often(Display *display) {
        for (uint64_t i = 1; i <= 1000; i++) {
                tell(display, (NixEvent){ .kind = NIX_EVENT_PROGRESS,
                                          .builds = { i, 1000, 3, 0 },
                                          .copied = { 2 * i, 4000 } });
                if (i % 100 == 0)
                        tell(display, (NixEvent){ .kind = NIX_EVENT_TICK });
        }
        tell(display, (NixEvent){ .kind = NIX_EVENT_ENDED });
}

typedef struct Setting {
        const char *term, *no_color;
        bool json, build_logs, no_terminal, in_background;
} Setting;

static char *read_all(int fd) {
        char *text = NULL, bytes[4096];
        size_t size;
        FILE *f = open_memstream(&text, &size);
        ssize_t n;

        assert_non_null(f);
        while ((n = read(fd, bytes, sizeof(bytes))) > 0)
                (void) fwrite(bytes, 1, (size_t) n, f);
        fclose(f);
        return text;
}

/* All that comes out of a process that shows a story, on a terminal or a pipe. */
static char *shown(const Setting *setting, Story story) {
        struct winsize size = { .ws_col = 80, .ws_row = 24 };
        int fds[2] = { -EBADF, -EBADF };
        char *text;
        pid_t pid;
        int fd = -EBADF;

        (void) fflush(stdout);
        if (setting->no_terminal) {
                ASSERT_OK(pipe(fds));
                fd = fds[0];
                pid = fork();
        } else
                pid = forkpty(&fd, NULL, NULL, &size);
        assert_true(pid >= 0);
        if (pid == 0) {
                Display display;

                if (setting->in_background) {
                        pid = fork();
                        if (pid != 0)
                                _exit(pid < 0 || waitpid(pid, NULL, 0) != pid);
                        (void) setpgid(0, 0);
                }
                if (setting->no_terminal) {
                        (void) dup2(fds[1], STDOUT_FILENO);
                        (void) dup2(fds[1], STDERR_FILENO);
                }
                (void) setenv("TERM", setting->term ? setting->term : "xterm", 1);
                (void) setenv("NO_COLOR", setting->no_color ? setting->no_color : "", 1);
                display_open(&display, setting->json);
                display.build_logs = setting->build_logs;
                story(&display);
                (void) fflush(stdout);
                _exit(0);
        }
        (void) fd_close(fds[1]);
        text = read_all(fd);
        (void) fd_close(fd);
        ASSERT_EQ(waitpid(pid, NULL, 0), pid);
        return text;
}

static const char failure[] = "failed to build bad: /nix/store/x-bad.drv\n"
                              "Last 1 of 30 log lines of 'bad':\n"
                              "  > make: *** all\n"
                              "For all of them: nix log /nix/store/x-bad.drv\n";

TEST(a_pipe_gets_a_line_for_what_begins_and_what_fails) {
        _cleanup_free_ char *text = shown(&(Setting){ .no_terminal = true }, a_build_fails);
        _cleanup_free_ char *wanted = NULL;

        ASSERT_OK(text_printf(&wanted, "evaluating web\nbuilding bad\n%safterwards\n", failure));
        ASSERT_TEXT(text, wanted);
}

TEST(with_all_build_lines_a_failed_build_needs_not_repeat_its_last) {
        _cleanup_free_ char *text =
                shown(&(Setting){ .no_terminal = true, .build_logs = true }, a_build_fails);

        ASSERT_TEXT(text, "evaluating web\nbuilding bad\n  bad> make: *** all\n"
                          "failed to build bad: /nix/store/x-bad.drv\nafterwards\n");
}

TEST(a_dumb_terminal_gets_the_lines_of_a_pipe) {
        _cleanup_free_ char *text = shown(&(Setting){ .term = "dumb" }, a_build_fails);

        ASSERT_CONTAINS(text, "evaluating web\r\nbuilding bad\r\nfailed to build bad");
        ASSERT_NULL(strchr(text, '\033'));
}

TEST(a_terminal_gets_rows_that_are_taken_away) {
        _cleanup_free_ char *text = shown(&(Setting){ 0 }, a_build_fails);

        ASSERT_CONTAINS(text, "\033[1mbuilding\033[0m bad");
        ASSERT_CONTAINS(text, "built 0 of 2");
        ASSERT_CONTAINS(text, "\033[31mfailed to build\033[0m bad");
        ASSERT_CONTAINS(text, "\r\033[J\033[1mafterwards\033[0m\r\n");
}

TEST(without_colours_there_are_rows_all_the_same) {
        _cleanup_free_ char *text = shown(&(Setting){ .no_color = "1" }, a_build_fails);

        ASSERT_CONTAINS(text, "building bad");
        ASSERT_CONTAINS(text, "built 0 of 2");
        for (const char *p = text; (p = strchr(p, '\033')); p++)
                ASSERT_TRUE(p[1] == '[' && p[2 + strspn(p + 2, "0123456789;")] != 'm');
}

TEST(a_job_in_the_background_has_lines_and_no_rows) {
        _cleanup_free_ char *text =
                shown(&(Setting){ .no_color = "1", .in_background = true }, a_build_fails);

        ASSERT_CONTAINS(text, "failed to build bad: /nix/store/x-bad.drv\r\nLast 1 of 30");
        ASSERT_NULL(strchr(text, '\033'));
        ASSERT_NULL(strstr(text, "built 0 of 2"));
}

TEST(what_was_done_is_the_line_that_remains) {
        _cleanup_free_ char *text =
                shown(&(Setting){ .no_color = "1" }, a_build_and_a_copy_are_done);
        _cleanup_free_ char *piped =
                shown(&(Setting){ .no_terminal = true }, a_build_and_a_copy_are_done);

        ASSERT_CONTAINS(text, "built 1, copied 1 (3.0 MiB) in 0.");
        ASSERT_TEXT(piped, "building a\ncopying b\n");
}

TEST(as_json_counters_come_now_and_then_and_last_of_all) {
        _cleanup_free_ char *text =
                shown(&(Setting){ .no_terminal = true, .json = true }, counters_move_often);
        size_t n = 0;

        for (const char *p = text; *p; p++)
                n += *p == '\n';
        ASSERT_TRUE(n >= 1 && n < 100);
        ASSERT_TRUE(text_has_suffix(
                text, "{\"event\":\"nix\",\"kind\":\"progress\",\"builds\":{\"done\":1000,"
                      "\"expected\":1000,\"running\":3,\"failed\":0},\"copies\":{\"done\":0,"
                      "\"expected\":0,\"running\":0,\"failed\":0},\"bytes\":{\"done\":2000,"
                      "\"expected\":4000}}\n"));
}

TEST(as_json_a_failed_build_has_its_last_lines) {
        _cleanup_free_ char *text =
                shown(&(Setting){ .no_terminal = true, .json = true }, a_build_fails);

        ASSERT_CONTAINS(text, "\"kind\":\"build-failed\",\"name\":\"bad\",\"path\":"
                              "\"/nix/store/x-bad.drv\",\"log\":[\"make: *** all\"]}");
        ASSERT_NULL(strstr(text, "tick"));
        ASSERT_NULL(strstr(text, "looking"));
}
