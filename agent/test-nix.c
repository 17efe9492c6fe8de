#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "error.h"
#include "file.h"
#include "nix.h"
#include "test.h"
#include "text.h"

#define A_SYSTEM "/nix/store/2xjsikaqd78pknh6rg1mhw2pc06b9x10-nixos-system-web"

/* One call of nix_build() with the stand-in for nix, and what came of it. */
typedef struct Case {
        const char *log;    /* a case of tests/data/nix-log */
        const char *result; /* NULL: nix fails */
        const char *status, *names, *linger, *name, *out_link, *path, *file, *attribute;
        const StringList *options;
        bool interrupt, interrupt_in_silence, open_to_all;
} Case;

static const char *directory;
static char plain[4096], record[4096];
static unsigned n_begun, n_ended, n_ticks;

static void on_event(const NixEvent *event, void *userdata) {
        const Case *c = userdata;

        n_begun += event->kind == NIX_EVENT_EVALUATING;
        n_ended += event->kind == NIX_EVENT_ENDED;
        n_ticks += event->kind == NIX_EVENT_TICK;
        if ((event->kind == NIX_EVENT_PLAIN && c->interrupt) ||
            (event->kind == NIX_EVENT_TICK && c->interrupt_in_silence))
                (void) kill(getpid(), SIGINT);
}

static void set(const char *name, const char *value) {
        if (value)
                (void) setenv(name, value, /* overwrite= */ 1);
        else
                (void) unsetenv(name);
}

static int build(const Case *c, NixOutput **ret, sd_bus_error *error) {
        Flake flake = { .reference = (char *) ".", .name = (char *) (c->name ? c->name : "web") };
        Source source = {
                .flake = c->file ? NULL : &flake,
                .file = (char *) c->file,
                .attribute = (char *) (c->attribute ? c->attribute : ""),
        };
        _cleanup_free_ char *log = NULL;

        directory = test_directory();
        (void) snprintf(record, sizeof(record), "%s/record", directory);
        if (c->log)
                ASSERT_OK(text_printf(&log, "%s/nix-log/%s/log", TESTS_DATA, c->log));
        if (c->open_to_all)
                ASSERT_OK(chmod(directory, 01777));
        set("PATH", c->path ? c->path : TESTS_BIN ":/usr/bin:/bin");
        set("XDG_RUNTIME_DIR", directory);
        set("STAND_IN_RECORD", record);
        set("STAND_IN_LOG", c->interrupt ? plain : log);
        set("STAND_IN_RESULT", c->result);
        set("STAND_IN_STATUS", c->status);
        set("STAND_IN_NAMES", c->names);
        set("STAND_IN_LINGER", c->linger);

        return nix_build(&(const NixRequest){ .source = &source,
                                              .set = "nixosConfigurations",
                                              .attribute = "config.system.build.toplevel",
                                              .out_link = c->out_link,
                                              .options = c->options,
                                              .handler = on_event,
                                              .userdata = (void *) c },
                         ret, error);
}

static void assert_fails(const Case *c, const char *error_name, const char *words) {
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_TRUE(build(c, &output, &error) < 0);
        ASSERT_NULL(output);
        ASSERT_TRUE(sd_bus_error_is_set(&error));
        ASSERT_TEXT(error.name, error_name);
        ASSERT_CONTAINS(error.message, words);
        ASSERT_CONTAINS(error.message, "Nothing was changed.");
}

static void assert_calls(const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(file_read(AT_FDCWD, record, FILE_SMALL_MAX, &text, NULL));
        ASSERT_TEXT(text, wanted);
}

TEST(a_build_gives_its_store_path_and_a_link_that_goes_with_it) {
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *link = NULL, *target = NULL;
        struct stat st;

        ASSERT_OK(build(&(Case){ .log = "good", .result = A_SYSTEM }, &output, &error));
        ASSERT_TEXT(output->store_path, A_SYSTEM);
        ASSERT_CONTAINS(output->link->directory, directory);
        ASSERT_OK(stat(output->link->directory, &st));
        ASSERT_EQ(st.st_mode & 07777, 0700);
        ASSERT_OK(text_printf(&link, "%s/result", output->link->directory));
        ASSERT_OK(file_readlink(AT_FDCWD, link, &target));
        ASSERT_TEXT(target, A_SYSTEM);

        output = nix_output_free(output);
        ASSERT_EQ(lstat(link, &st), -1);
}

TEST(a_directory_that_anybody_may_write_is_not_used_for_the_link) {
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *home = test_directory();

        set("HOME", home);
        set("XDG_CACHE_HOME", NULL);
        ASSERT_OK(build(&(Case){ .result = A_SYSTEM, .open_to_all = true }, &output, &error));
        ASSERT_CONTAINS(output->link->directory, home);
        ASSERT_CONTAINS(output->link->directory, "/.cache/enact/build-");
}

/* In the folder of links of @home: what a process that is @alive has there. */
static char *leave_link(const char *home, const char *name, int *alive_fd) {
        _cleanup_free_ char *folder = NULL;
        char *link = NULL;

        ASSERT_OK(text_printf(&folder, "%s/.cache/enact/%s", home, name));
        ASSERT_OK(file_make_directories(folder, 0700));
        ASSERT_OK(text_printf(&link, "%s/result", folder));
        ASSERT_OK(symlink(A_SYSTEM, link));
        if (alive_fd) {
                ASSERT_OK(file_open_directory(AT_FDCWD, folder, alive_fd));
                ASSERT_OK(flock(*alive_fd, LOCK_EX));
        }
        return link;
}

TEST(what_killed_ones_have_left_is_swept_and_what_others_use_is_not) {
        _cleanup_(nix_output_freep) NixOutput *output = NULL, *other = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_close_ int alive_fd = -EBADF;
        const char *home = test_directory();
        _cleanup_free_ char *dead = leave_link(home, "build-dead01", NULL);
        _cleanup_free_ char *alive = leave_link(home, "build-alive1", &alive_fd);
        _cleanup_free_ char *foreign = leave_link(home, "mine", NULL);
        struct stat st;

        set("HOME", home);
        set("XDG_CACHE_HOME", NULL);
        ASSERT_OK(build(&(Case){ .result = A_SYSTEM, .open_to_all = true }, &other, &error));
        ASSERT_OK(build(&(Case){ .result = A_SYSTEM, .open_to_all = true }, &output, &error));
        ASSERT_EQ(lstat(dead, &st), -1);
        *strrchr(dead, '/') = '\0';
        ASSERT_EQ(lstat(dead, &st), -1);
        ASSERT_OK(lstat(alive, &st));
        ASSERT_OK(lstat(foreign, &st));
        ASSERT_OK(lstat(other->link->path, &st));
        ASSERT_OK(lstat(output->link->path, &st));
}

TEST(one_nix_build_is_all_that_success_costs) {
        _cleanup_(string_list_done) StringList options = { 0 };
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *link = NULL, *wanted = NULL;

        ASSERT_OK(string_list_add(&options, "-k"));
        ASSERT_OK(string_list_add(&options, "--impure"));
        ASSERT_OK(text_printf(&link, "%s/result", test_directory()));
        ASSERT_OK(build(&(Case){ .result = A_SYSTEM, .out_link = link, .options = &options },
                        &output, &error));
        ASSERT_NULL(output->link);
        ASSERT_OK(text_printf(&wanted,
                              "--extra-experimental-features nix-command flakes build --keep-going "
                              "--impure --log-format internal-json --out-link %s "
                              ".#nixosConfigurations.\"web\".config.system.build.toplevel\n",
                              link));
        assert_calls(wanted);
}

TEST(a_missing_nix_is_said) {
        assert_fails(&(Case){ .path = "/nowhere" }, ENACT_ERROR_NO_NIX, "no program 'nix'");
}

TEST(a_result_outside_the_store_is_refused) {
        static const char *const paths[] = {
                "/tmp/x",
                A_SYSTEM "/bin",
                "/nix/store/x",
                "/nix/storeroom",
                "/nix/store/../../tmp",
                "/nix/store/2xjsikaqd78pknh6rg1mhw2pc06b9x10-",
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                assert_fails(&(Case){ .result = paths[i] }, ENACT_ERROR_BUILD, "no store path");
}

TEST(a_failed_build_names_the_derivation_and_shows_its_log) {
        assert_fails(&(Case){ .log = "build-failed" }, ENACT_ERROR_BUILD,
                     "Last 25 of 41 log lines of 'bad':\n  > line 16\n");
        assert_fails(&(Case){ .log = "build-failed" }, ENACT_ERROR_BUILD,
                     "nix log /nix/store/2xjsikaqd78pknh6rg1mhw2pc06b9x10-bad.drv");
        assert_fails(&(Case){ .log = "build-at-import-failed", .status = "100" }, ENACT_ERROR_BUILD,
                     "ifd broken");
}

TEST(a_failed_copy_has_its_own_error) {
        assert_fails(&(Case){ .log = "copy-failed" }, ENACT_ERROR_COPY, "Cannot fetch what host");
}

TEST(an_error_in_the_code_needs_no_second_evaluation) {
        _cleanup_free_ char *calls = NULL;

        assert_fails(&(Case){ .log = "evaluation-syntax" }, ENACT_ERROR_EVALUATION,
                     "syntax error, unexpected ';'");
        ASSERT_OK(file_read(AT_FDCWD, record, FILE_SMALL_MAX, &calls, NULL));
        ASSERT_NULL(strstr(calls, " eval "));
}

TEST(an_unknown_host_is_told_with_those_there_are) {
        assert_fails(&(Case){ .log = "evaluation-unknown-host",
                              .name = "wbe",
                              .names = "[\"db\",\"web\"]" },
                     ENACT_ERROR_UNKNOWN_HOST,
                     "Flake '.' has no host 'wbe'. It has: db, web. Did you mean 'web'?");
        assert_fails(&(Case){ .log = "evaluation-unknown-host", .name = "x", .names = "[]" },
                     ENACT_ERROR_UNKNOWN_HOST, "It has: none.");
}

TEST(a_file_is_built_by_its_attribute) {
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *calls = NULL;

        ASSERT_OK(build(&(Case){ .result = A_SYSTEM, .file = "a.nix", .attribute = "h.web" },
                        &output, &error));
        ASSERT_OK(file_read(AT_FDCWD, record, FILE_SMALL_MAX, &calls, NULL));
        ASSERT_CONTAINS(calls, " --file a.nix h.web.config.system.build.toplevel\n");
        ASSERT_TRUE(strchr(calls, '\n') == calls + strlen(calls) - 1);
}

TEST(an_unknown_attribute_of_a_file_is_told_with_those_beside_it) {
        _cleanup_free_ char *calls = NULL;

        assert_fails(&(Case){ .log = "evaluation-unknown-host",
                              .file = "a.nix",
                              .attribute = "h.\"x.y\".wbe",
                              .names = "[\"db\",\"web\"]" },
                     ENACT_ERROR_UNKNOWN_HOST,
                     "'h.\"x.y\"' of file 'a.nix' has no attribute 'wbe'. It has: db, web. "
                     "Did you mean 'web'?");
        ASSERT_OK(file_read(AT_FDCWD, record, FILE_SMALL_MAX, &calls, NULL));
        ASSERT_CONTAINS(
                calls,
                " eval --log-format internal-json --json --file a.nix h.\"x.y\" --apply x: ");

        assert_fails(&(Case){ .log = "evaluation-unknown-host",
                              .file = "a.nix",
                              .attribute = "\"x.y\"",
                              .names = "[\"x.z\"]" },
                     ENACT_ERROR_UNKNOWN_HOST,
                     "File 'a.nix' has no attribute 'x.y'. It has: x.z. Did you mean 'x.z'?");
        assert_fails(
                &(Case){ .log = "evaluation-unknown-host", .file = "a.nix", .names = "[\"web\"]" },
                ENACT_ERROR_UNKNOWN_HOST,
                "File 'a.nix' has no attribute 'config'. It has: web. Say by --attr where");
}

TEST(another_error_of_a_known_host_stays_what_it_is) {
        assert_fails(&(Case){ .log = "evaluation-throw", .names = "[\"web\"]" },
                     ENACT_ERROR_EVALUATION,
                     "Cannot evaluate host 'web' of flake '.': no such luck");
        assert_fails(&(Case){ .log = "evaluation-throw" }, ENACT_ERROR_EVALUATION, "no such luck");
}

TEST(only_what_nix_eval_knows_is_passed_to_it) {
        _cleanup_(string_list_done) StringList options = { 0 };
        _cleanup_free_ char *calls = NULL;

        ASSERT_OK(string_list_add(&options, "--rebuild"));
        ASSERT_OK(string_list_add(&options, "--profile"));
        ASSERT_OK(string_list_add(&options, "p"));
        ASSERT_OK(string_list_add(&options, "--impure"));
        assert_fails(&(Case){ .log = "evaluation-throw", .options = &options },
                     ENACT_ERROR_EVALUATION, "no such luck");
        ASSERT_OK(file_read(AT_FDCWD, record, FILE_SMALL_MAX, &calls, NULL));
        ASSERT_CONTAINS(calls, "flakes eval --impure --log-format internal-json --json "
                               ".#nixosConfigurations --apply builtins.attrNames\n");
}

TEST(an_interrupt_reaches_nix_and_is_told) {
        (void) snprintf(plain, sizeof(plain), "%s/plain", test_directory());
        ASSERT_OK(file_write(AT_FDCWD, plain, "a plain line\n", 0600));
        assert_fails(&(Case){ .interrupt = true, .linger = "wait" }, ENACT_ERROR_INTERRUPTED,
                     "Interrupted.");
}

TEST(time_passes_while_nix_says_nothing) {
        assert_fails(&(Case){ .interrupt_in_silence = true, .linger = "wait" },
                     ENACT_ERROR_INTERRUPTED, "Interrupted.");
        ASSERT_TRUE(n_ticks > 0);
}

TEST(whoever_is_told_a_beginning_is_told_the_end) {
        n_begun = n_ended = 0;
        assert_fails(&(Case){ .path = "/nowhere" }, ENACT_ERROR_NO_NIX, "no program 'nix'");
        ASSERT_EQ(n_begun, 1);
        ASSERT_EQ(n_ended, 1);
        assert_fails(&(Case){ .log = "build-failed" }, ENACT_ERROR_BUILD, "");
        ASSERT_EQ(n_begun, 2);
        ASSERT_EQ(n_ended, 2);
}

TEST(what_outlives_nix_is_not_waited_for) {
        struct timespec before, after;

        (void) clock_gettime(CLOCK_MONOTONIC, &before);
        assert_fails(&(Case){ .log = "build-failed", .linger = "leave" }, ENACT_ERROR_BUILD, "");
        (void) clock_gettime(CLOCK_MONOTONIC, &after);
        ASSERT_TRUE(after.tv_sec - before.tv_sec < 3);
}

TEST(signals_are_as_before_when_nix_has_ended) {
        sigset_t before, after;

        (void) sigprocmask(SIG_BLOCK, NULL, &before);
        assert_fails(&(Case){ .log = "build-failed" }, ENACT_ERROR_BUILD, "");
        (void) sigprocmask(SIG_BLOCK, NULL, &after);
        ASSERT_EQ(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
        ASSERT_EQ(sigismember(&before, SIGCHLD), sigismember(&after, SIGCHLD));
}
