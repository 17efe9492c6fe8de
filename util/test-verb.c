#include <fcntl.h>

#include "file.h"
#include "test.h"
#include "text.h"
#include "verb.h"

static int n_runs, given_argc;
static char **given_argv;

static int run(int argc, char **argv) {
        n_runs++;
        given_argc = argc;
        given_argv = argv;
        return 7;
}

static const Verb verb_switch = { .name = "switch", .synopsis = "[REF]", .help = "S", .run = run };
static const Verb verb_status = { .name = "status", .synopsis = "", .help = "T", .run = run };
static const Verb *const verbs[] = { &verb_switch, &verb_status, NULL };

/* Sends a standard descriptor into a new file; undivert() gives what came. */
static int divert(int fd, int *ret_saved) {
        _cleanup_free_ char *path = NULL;
        int file;

        ASSERT_OK(text_printf(&path, "%s/out", test_directory()));
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_TRUE(file >= 0);
        (void) fflush(stdout);
        *ret_saved = dup(fd);
        ASSERT_EQ(dup2(file, fd), fd);
        return file;
}

static void undivert(int fd, int saved, int file, char *text, size_t size) {
        ssize_t n;

        (void) fflush(stdout);
        ASSERT_EQ(dup2(saved, fd), fd);
        (void) fd_close(saved);
        n = pread(file, text, size - 1, 0);
        (void) fd_close(file);
        ASSERT_TRUE(n >= 0);
        text[n] = '\0';
}

/* Runs what the words ask for; @said gets what was said on standard error. */
static int dispatch(int argc, char **argv, char *said, size_t size) {
        int saved, file, code;

        n_runs = 0;
        file = divert(STDERR_FILENO, &saved);
        code = verb_dispatch(verbs, "tool", argc, argv);
        undivert(STDERR_FILENO, saved, file, said, size);
        return code;
}

TEST(a_verb_is_found_by_its_whole_name_only) {
        ASSERT_TRUE(verb_find(verbs, "switch") == &verb_switch);
        ASSERT_TRUE(verb_find(verbs, "status") == &verb_status);
        ASSERT_NULL(verb_find(verbs, "s"));
        ASSERT_NULL(verb_find(verbs, "switches"));
        ASSERT_NULL(verb_find(verbs, "Switch"));
        ASSERT_NULL(verb_find(verbs, ""));
}

TEST(a_verb_gets_its_words_and_gives_the_exit_code) {
        char name[] = "status", word[] = "--json", said[256];
        char *argv[] = { name, word, NULL };

        ASSERT_EQ(dispatch(2, argv, said, sizeof(said)), 7);
        ASSERT_EQ(n_runs, 1);
        ASSERT_EQ(given_argc, 2);
        ASSERT_TRUE(given_argv == argv);
        ASSERT_TEXT(said, "");
}

TEST(a_verb_that_is_not_there_is_wrong_usage_and_the_nearest_one_is_named) {
        char name[] = "swtich", said[256];
        char *argv[] = { name, NULL };

        ASSERT_EQ(dispatch(1, argv, said, sizeof(said)), 2);
        ASSERT_EQ(n_runs, 0);
        ASSERT_TEXT(said, "tool: there is no verb 'swtich'. Did you mean 'switch'? "
                          "'tool --help' lists them.\n");
}

TEST(nothing_is_suggested_where_nothing_is_near) {
        char name[] = "destroy", said[256];
        char *argv[] = { name, NULL };

        ASSERT_EQ(dispatch(1, argv, said, sizeof(said)), 2);
        ASSERT_TEXT(said, "tool: there is no verb 'destroy'. 'tool --help' lists them.\n");
}

TEST(help_lists_all_verbs_in_the_order_of_the_table) {
        int saved, file = divert(STDOUT_FILENO, &saved);
        char text[512], *switch_line, *status_line;

        verb_print_help(verbs, "tool");
        undivert(STDOUT_FILENO, saved, file, text, sizeof(text));

        ASSERT_CONTAINS(text, "Usage: tool VERB [OPTIONS]\n");
        switch_line = strstr(text, "  switch         [REF] ");
        status_line = strstr(text, "  status ");
        ASSERT_TRUE(switch_line && status_line && switch_line < status_line);
        ASSERT_CONTAINS(switch_line, " S\n");
        ASSERT_CONTAINS(status_line, " T\n");
}
