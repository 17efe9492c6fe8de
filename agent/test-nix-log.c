#include <dirent.h>
#include <fcntl.h>

#include "file.h"
#include "nix-log.h"
#include "test.h"
#include "text.h"

/* What a case is expected to give: its events (counters only at the end of a build), then the
 * verdict. */
static void write_event(const NixEvent *event, void *userdata) {
        FILE *f = userdata;

        if (event->kind == NIX_EVENT_PROGRESS || event->kind == NIX_EVENT_AMOUNT ||
            event->kind == NIX_EVENT_STEP_STARTED || event->kind == NIX_EVENT_STEP_FINISHED)
                return;
        fprintf(f, "%s", nix_event_kind_to_string(event->kind));
        if (event->name)
                fprintf(f, " %s", event->name);
        if (event->kind == NIX_EVENT_MESSAGE)
                fprintf(f, " %u", event->level);
        if (event->text)
                fprintf(f, ": %s", event->text);
        if (event->kind >= NIX_EVENT_BUILD_FINISHED && event->kind <= NIX_EVENT_BUILD_CANCELLED)
                fprintf(f, " [%ju/%ju, %ju failed]", event->builds.done, event->builds.expected,
                        event->builds.failed);
        fputc('\n', f);
}

static void write_verdict(FILE *f, const NixLog *log) {
        _cleanup_free_ char *error = NULL;
        NixFailedBuild failed;

        fprintf(f, "== %s, %s\n", nix_failure_to_string(nix_log_failure(log, 1)),
                nix_log_error_has_position(log) ? "with a position" : "no position");
        for (size_t i = 0; nix_log_failed_build(log, i, &failed); i++)
                fprintf(f, "== %s: %zu of %zu lines, the last: %s\n", failed.derivation,
                        failed.lines->n, failed.n_lines,
                        failed.lines->n ? failed.lines->items[failed.lines->n - 1] : "");
        ASSERT_OK(nix_log_error(log, &error));
        fprintf(f, "%s\n", error);
}

/* Feeds @bytes in pieces of @step and gives all that came out as one text. */
static char *account(const char *bytes, size_t n, size_t step) {
        _cleanup_(nix_log_freep) NixLog *log = NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        ASSERT_OK(nix_log_new(write_event, f, &log));
        for (size_t i = 0; i < n; i += step)
                ASSERT_OK(nix_log_feed(log, bytes + i, n - i < step ? n - i : step));
        ASSERT_OK(nix_log_finish(log));
        write_verdict(f, log);
        fclose(f);
        return text;
}

static void check_case(int cases_fd, const char *name) {
        _cleanup_free_ char *log = NULL, *expected = NULL, *whole = NULL, *pieces = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t n;

        ASSERT_OK(file_open_directory(cases_fd, name, &fd));
        ASSERT_OK(file_read(fd, "log", FILE_SMALL_MAX, &log, &n));
        whole = account(log, n, n);
        pieces = account(log, n, 7);
        ASSERT_TEXT(pieces, whole);

        if (getenv("ENACT_UPDATE_EXPECTED")) {
                ASSERT_OK(file_write(fd, "expected", whole, 0644));
                return;
        }
        print_message("  case %s\n", name);
        ASSERT_OK(file_read(fd, "expected", FILE_SMALL_MAX, &expected, NULL));
        ASSERT_TEXT(whole, expected);
}

TEST(each_recorded_log_gives_its_expected_account) {
        _cleanup_close_ int fd = -EBADF;
        struct dirent *entry;
        size_t n_cases = 0;
        DIR *directory;

        ASSERT_OK(file_open_directory(AT_FDCWD, TESTS_DATA "/nix-log", &fd));
        directory = opendir(TESTS_DATA "/nix-log");
        assert_non_null(directory);
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.' && entry->d_type == DT_DIR) {
                        check_case(fd, entry->d_name);
                        n_cases++;
                }
        closedir(directory);
        ASSERT_TRUE(n_cases > 20);
}

static NixFailure failure_of(const char *text, int exit_status) {
        _cleanup_(nix_log_freep) NixLog *log = NULL;

        ASSERT_OK(nix_log_new(NULL, NULL, &log));
        ASSERT_OK(nix_log_feed(log, text, strlen(text)));
        ASSERT_OK(nix_log_finish(log));
        return nix_log_failure(log, exit_status);
}

TEST(nothing_at_all_is_an_evaluation_that_failed) {
        ASSERT_EQ(failure_of("", 1), NIX_FAILURE_EVALUATION);
}

TEST(an_exit_status_may_say_build_by_itself) {
        ASSERT_EQ(failure_of("", 100), NIX_FAILURE_BUILD);
        ASSERT_EQ(failure_of("", 102), NIX_FAILURE_BUILD);
        ASSERT_EQ(failure_of("", 127), NIX_FAILURE_EVALUATION);
}

TEST(a_log_that_breaks_off_in_a_build_is_a_failed_build) {
        ASSERT_EQ(failure_of("@nix {\"action\":\"start\",\"id\":1,\"type\":102}\n"
                             "@nix {\"action\":\"start\",\"id\":2,\"type\":105,"
                             "\"fields\":[\"/nix/store/x-a.drv\",\"\",1,1]}\n",
                             1),
                  NIX_FAILURE_BUILD);
}

TEST(ids_beyond_what_a_double_holds_are_told_apart) {
        static const char log[] =
                "@nix {\"action\":\"start\",\"id\":18446744073709551614,\"type\":105,"
                "\"fields\":[\"/nix/store/x-a.drv\",\"\",1,1]}\n"
                "@nix {\"action\":\"start\",\"id\":18446744073709551615,\"type\":105,"
                "\"fields\":[\"/nix/store/x-b.drv\",\"\",1,1]}\n"
                "@nix {\"action\":\"result\",\"fields\":[\"of b\"],\"id\":18446744073709551615,"
                "\"type\":101}\n";
        _cleanup_free_ char *text = account(log, strlen(log), strlen(log));

        ASSERT_CONTAINS(text, "build-line b: of b\n");
}

TEST(what_is_not_understood_is_a_plain_line) {
        static const char *const lines[] = {
                "fatal: not a git repository",  "@nix", "@nix ", "@nix {", "@nix []",
                "@nix {\"action\":\"msg\"} {}",
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_free_ char *text = account(lines[i], strlen(lines[i]), 3), *wanted = NULL;

                ASSERT_OK(text_printf(&wanted, "plain: %s\n", lines[i]));
                ASSERT_CONTAINS(text, wanted);
        }
}

TEST(unknown_actions_types_and_shapes_are_passed_over) {
        static const char log[] =
                "@nix {}\n"
                "@nix {\"action\":7}\n"
                "@nix {\"action\":\"dance\",\"id\":1}\n"
                "@nix {\"action\":\"start\",\"id\":1}\n"
                "@nix {\"action\":\"start\",\"id\":-1,\"type\":105}\n"
                "@nix {\"action\":\"start\",\"id\":1,\"type\":105}\n"
                "@nix {\"action\":\"start\",\"id\":1,\"type\":105,\"fields\":[5]}\n"
                "@nix {\"action\":\"start\",\"id\":1,\"type\":10113}\n"
                "@nix {\"action\":\"result\",\"id\":1,\"type\":110,\"fields\":{}}\n"
                "@nix {\"action\":\"stop\",\"id\":99}\n"
                "@nix {\"action\":\"msg\",\"level\":0}\n";
        _cleanup_free_ char *text = account(log, strlen(log), 1);

        ASSERT_TEXT(text, "== evaluation, no position\n\n");
}

TEST(a_line_without_end_is_cut) {
        const size_t n = 3 * 1024 * 1024;
        _cleanup_free_ char *line = malloc(n), *text = NULL;

        assert_non_null(line);
        memset(line, 'x', n);
        line[n - 3] = '\n';
        text = account(line, n, 4096);
        ASSERT_TRUE(strlen(text) < 1024 * 1024 + 8192);
        ASSERT_CONTAINS(text, "x\nplain: xx\n");
}

TEST(the_text_of_many_errors_is_bounded_and_keeps_the_last) {
        _cleanup_(nix_log_freep) NixLog *log = NULL;
        _cleanup_free_ char *filler = malloc(1000), *error = NULL;

        assert_non_null(filler);
        memset(filler, 'y', 999);
        filler[999] = '\0';
        ASSERT_OK(nix_log_new(NULL, NULL, &log));
        for (unsigned i = 0; i < 500; i++) {
                _cleanup_free_ char *line = NULL;

                ASSERT_OK(text_printf(&line,
                                      "@nix {\"action\":\"msg\",\"level\":0,\"raw_msg\":\"\","
                                      "\"msg\":\"error: %u %s\"}\n",
                                      i, filler));
                ASSERT_OK(nix_log_feed(log, line, strlen(line)));
        }
        ASSERT_OK(nix_log_error(log, &error));
        ASSERT_TRUE(strlen(error) < 66000);
        ASSERT_CONTAINS(error, "499 yyy");
}

TEST(colours_control_characters_and_redrawn_lines_are_cleaned) {
        static const char log[] =
                "10%\r20%\rdone\r\n\033[31;1mred\033[0m \033]8;;x\aup\033\b\001\n";
        _cleanup_free_ char *text = account(log, strlen(log), 2);

        ASSERT_CONTAINS(text, "plain: done\nplain: red up\n");
}

/* The moments: how far copies are, one by one and together, and what Nix says it does. */
static void write_moment(const NixEvent *event, void *userdata) {
        FILE *f = userdata;

        if (event->kind == NIX_EVENT_AMOUNT)
                fprintf(f, "%ju %s %ju/%ju", (uintmax_t) event->id, event->name, event->amount.done,
                        event->amount.expected);
        else if (event->kind == NIX_EVENT_STEP_STARTED || event->kind == NIX_EVENT_STEP_FINISHED)
                fprintf(f, "%s %s", nix_event_kind_to_string(event->kind), event->text);
        else
                return;
        fprintf(f, ", %ju/%ju\n", event->copied.done, event->copied.expected);
}

TEST(copies_say_how_far_they_are_one_by_one_and_together) {
        static const char text[] =
                "@nix {\"action\":\"start\",\"id\":1,\"level\":0,\"text\":\"\",\"type\":102}\n"
                "@nix {\"action\":\"start\",\"id\":2,\"level\":0,\"text\":\"\",\"type\":103}\n"
                "@nix {\"action\":\"start\",\"id\":3,\"level\":6,\"text\":\"\\u001b[1mlooking\",\"type\":0}\n"
                "@nix {\"action\":\"result\",\"fields\":[100,700],\"id\":2,\"type\":106}\n"
                "@nix {\"action\":\"result\",\"fields\":[101,9],\"id\":2,\"type\":106}\n"
                "@nix {\"action\":\"stop\",\"id\":3}\n"
                "@nix {\"action\":\"start\",\"fields\":[\"/nix/store/x-a\",\"c\",\"d\"],\"id\":4,\"type\":100}\n"
                "@nix {\"action\":\"start\",\"fields\":[\"/nix/store/x-b\",\"c\",\"d\"],\"id\":5,\"type\":100}\n"
                "@nix {\"action\":\"result\",\"fields\":[100,300,0,0],\"id\":4,\"type\":105}\n"
                "@nix {\"action\":\"result\",\"fields\":[50,400,0,0],\"id\":5,\"type\":105}\n"
                "@nix {\"action\":\"result\",\"fields\":[300,300,0,0],\"id\":4,\"type\":105}\n"
                "@nix {\"action\":\"result\",\"fields\":[1,-1,\"x\"],\"id\":5,\"type\":105}\n"
                "@nix {\"action\":\"start\",\"id\":6,\"text\":\"waiting for a "
                "machine\",\"type\":111}\n"
                "@nix {\"action\":\"start\",\"id\":7,\"text\":\"something new\",\"type\":300}\n"
                "@nix {\"action\":\"result\",\"fields\":[1,1,0,0],\"id\":99,\"type\":105}\n";
        _cleanup_(nix_log_freep) NixLog *log = NULL;
        _cleanup_free_ char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        ASSERT_OK(nix_log_new(write_moment, f, &log));
        ASSERT_OK(nix_log_feed(log, text, strlen(text)));
        fclose(f);
        ASSERT_TEXT(out, "step-started looking, 0/0\n"
                         "step-finished looking, 0/700\n"
                         "4 a 100/300, 100/700\n"
                         "5 b 50/400, 150/700\n"
                         "4 a 300/300, 350/700\n"
                         "5 b 1/0, 350/700\n"
                         "step-started waiting for a machine, 350/700\n");
}
