#include <sys/mman.h>

#include "file.h"
#include "options.h"
#include "test.h"
#include "text.h"

#define WORDS_MAX 32

/* One command line, taken apart as main() would have it: words in memory that can be written. */
typedef struct Case {
        char *argv[WORDS_MAX + 1];
        int argc, index;
        unsigned groups; /* 0: all */
        Options options;
        char said[512];
} Case;

static void case_done(Case *c) {
        options_done(&c->options);
        for (size_t i = 0; i < WORDS_MAX; i++)
                free(c->argv[i]);
}

/* getopt(3) moves the words of argv[], so what is to be freed is kept apart. */
static int parse_moved(Case *c) {
        char *argv[WORDS_MAX + 1];
        int r;

        memcpy(argv, c->argv, sizeof(argv));
        r = options_parse(c->groups ? c->groups : ~0U, c->argc, argv, &c->options, &c->index);
        if (r >= 0) /* the words that are left, in order; the rest need not be looked at */
                for (int i = c->index; i < c->argc; i++) {
                        size_t n = strlen(c->said);

                        (void) snprintf(c->said + n, sizeof(c->said) - n, "[%s]", argv[i]);
                }
        return r;
}

/* Parses @line, split at blanks. What is said, or else the words that are left, is in c->said. */
static int parse(Case *c, const char *line) {
        _cleanup_free_ char *copy = strdup(line);
        _cleanup_close_ int file = -EBADF, saved = -EBADF;
        char *rest = NULL;
        ssize_t n;
        int r;

        for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
                ASSERT_TRUE(c->argc < WORDS_MAX);
                c->argv[c->argc++] = strdup(word);
        }

        file = memfd_create("said", MFD_CLOEXEC);
        saved = dup(STDERR_FILENO);
        ASSERT_TRUE(file >= 0 && saved >= 0);
        ASSERT_EQ(dup2(file, STDERR_FILENO), STDERR_FILENO);
        r = parse_moved(c);
        ASSERT_EQ(dup2(saved, STDERR_FILENO), STDERR_FILENO);

        n = pread(file, c->said + strlen(c->said), sizeof(c->said) - 1 - strlen(c->said), 0);
        ASSERT_TRUE(n >= 0);
        return r;
}

static void assert_nix(const char *line, const char *wanted) {
        _cleanup_(case_done) Case c = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(parse(&c, line));
        ASSERT_OK(string_list_join(&c.options.nix, " ", &text));
        ASSERT_TEXT(text, wanted);
        ASSERT_TEXT(c.said, "");
}

static void assert_wrong(const char *line, const char *wanted) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_EQ(parse(&c, line), -EINVAL);
        ASSERT_TEXT(c.said, wanted);
}

TEST(without_options_the_profile_is_that_of_the_system) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_OK(parse(&c, "switch"));
        ASSERT_TEXT(c.options.profile, "system");
        ASSERT_NULL(c.options.flake);
        ASSERT_NULL(c.options.store_path);
        ASSERT_FALSE(c.options.json || c.options.no_rollback || c.options.force ||
                     c.options.install_bootloader || c.options.has_judge_window);
        ASSERT_EQ(c.options.probes.n, 0);
        ASSERT_EQ(c.options.nix.n, 0);
        ASSERT_EQ(c.index, 1);
}

TEST(our_own_options_are_ours) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_OK(parse(&c, "switch --flake .#web --store-path /nix/store/1-a --profile-name p "
                            "--no-rollback --force --unattended --install-bootloader --json"));
        ASSERT_TEXT(c.options.flake, ".#web");
        ASSERT_TEXT(c.options.store_path, "/nix/store/1-a");
        ASSERT_TEXT(c.options.profile, "p");
        ASSERT_TRUE(c.options.no_rollback);
        ASSERT_TRUE(c.options.force);
        ASSERT_TRUE(c.options.unattended);
        ASSERT_TRUE(c.options.install_bootloader);
        ASSERT_TRUE(c.options.json);
        ASSERT_EQ(c.options.nix.n, 0);
}

TEST(our_own_options_have_the_short_forms_of_nixos_rebuild) {
        _cleanup_(case_done) Case apart = { 0 }, joined = { 0 };

        ASSERT_OK(parse(&apart, "switch -F .#web -p p"));
        ASSERT_TEXT(apart.options.flake, ".#web");
        ASSERT_TEXT(apart.options.profile, "p");
        ASSERT_OK(parse(&joined, "switch -F.#web -pp --store-path=/nix/store/1-a"));
        ASSERT_TEXT(joined.options.flake, ".#web");
        ASSERT_TEXT(joined.options.profile, "p");
        ASSERT_TEXT(joined.options.store_path, "/nix/store/1-a");
}

TEST(what_the_judge_is_to_do_can_be_said) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_OK(parse(&c,
                        "switch --judge-window 0 --probe tcp:localhost:22 --probe=http:http://a/"));
        ASSERT_TRUE(c.options.has_judge_window);
        ASSERT_EQ(c.options.judge_window_sec, 0);
        ASSERT_EQ(c.options.probes.n, 2);
        ASSERT_TEXT(c.options.probes.items[1], "http:http://a/");
        assert_wrong("switch --judge-window soon",
                     "enact: --judge-window takes a number of seconds up to 3600, not 'soon'.\n");
        assert_wrong("switch --probe exec:/bin/sh",
                     "enact: --probe takes a program below /nix/store, not 'exec:/bin/sh'.\n");
        assert_wrong("switch --probe ping:a", "enact: --probe takes http:URL, tcp:HOST:PORT, "
                                              "systemd:UNIT or exec:PROGRAM, not 'ping:a'.\n");
}

TEST(the_last_of_two_counts) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_OK(parse(&c, "switch --flake a --flake b"));
        ASSERT_TEXT(c.options.flake, "b");
}

TEST(the_options_of_nix_are_handed_on_in_order_with_their_words) {
        assert_nix("switch --impure --cores 4 --option sandbox false --show-trace",
                   "--impure --cores 4 --option sandbox false --show-trace");
        assert_nix("switch --override-input nixpkgs path:/x --update-input a",
                   "--override-input nixpkgs path:/x --update-input a");
        assert_nix("switch --builders= --offline", "--builders  --offline");
        assert_nix("switch --max-jobs=2 --include=x=/y", "--max-jobs 2 --include x=/y");
}

TEST(each_option_of_nix_that_is_known_is_handed_on_as_it_is) {
        static const char flags[] =
                "--accept-flake-config --commit-lock-file --fallback --impure --keep-failed "
                "--keep-going --no-update-lock-file --no-write-lock-file --offline "
                "--print-build-logs --recreate-lock-file --refresh --repair --show-trace";
        _cleanup_free_ char *line = NULL;

        ASSERT_OK(text_printf(&line, "switch %s", flags));
        assert_nix(line, flags);
}

TEST(short_options_of_nix_become_the_long_ones) {
        assert_nix("switch -j 2 -I x=/y -k -K -L",
                   "--max-jobs 2 --include x=/y --keep-going --keep-failed --print-build-logs");
        assert_nix("switch -kKLj2", "--keep-going --keep-failed --print-build-logs --max-jobs 2");
}

TEST(what_looks_like_an_option_is_a_word_where_a_word_is_due) {
        assert_nix("switch --option --impure --json", "--option --impure --json");
        assert_nix("switch --cores --json", "--cores --json");
}

TEST(ours_between_those_of_nix_are_not_handed_on) {
        _cleanup_(case_done) Case c = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(parse(&c, "switch --impure --json -k --flake . --option a b --force"));
        ASSERT_OK(string_list_join(&c.options.nix, " ", &text));
        ASSERT_TEXT(text, "--impure --keep-going --option a b");
        ASSERT_TEXT(c.options.flake, ".");
        ASSERT_TRUE(c.options.json && c.options.force);
}

TEST(all_behind_two_dashes_is_handed_on_unread) {
        assert_nix("switch -- --json --no-such-option word -x", "--json --no-such-option word -x");
        assert_nix("switch --impure -- -- --json", "--impure -- --json");
        assert_nix("switch --", "");
}

TEST(words_are_left_to_the_verb_wherever_options_stand) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_OK(parse(&c, "rollback 41 --json --option a b 42 -k 43"));
        ASSERT_TEXT(c.said, "[41][42][43]");
        ASSERT_TRUE(c.options.json);
        ASSERT_EQ(c.options.nix.n, 4);
}

TEST(words_before_two_dashes_are_left_to_the_verb_too) {
        _cleanup_(case_done) Case c = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(parse(&c, "rollback 41 --json -- --impure x"));
        ASSERT_TEXT(c.said, "[41]");
        ASSERT_OK(string_list_join(&c.options.nix, " ", &text));
        ASSERT_TEXT(text, "--impure x");
}

TEST(two_dashes_that_are_the_word_of_an_option_end_nothing) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_OK(parse(&c, "rollback --store-path -- 41"));
        ASSERT_TEXT(c.options.store_path, "--");
        ASSERT_TEXT(c.said, "[41]");
        ASSERT_EQ(c.options.nix.n, 0);
}

TEST(a_flake_without_a_word_is_the_one_around_here) {
        static const struct {
                const char *line, *flake, *said;
        } cases[] = {
                { "switch --flake", ".", "" },        { "switch -F", ".", "" },
                { "switch --flake --json", ".", "" }, { "switch --flake=.#a b", ".#a", "[b]" },
                { "switch -F.#a", ".#a", "" },        { "switch -F .#a b", ".#a", "[b]" },
                { "switch --flake .#a", ".#a", "" },  { "switch --flake -- .#a", ".", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(case_done) Case c = { 0 };

                ASSERT_OK(parse(&c, cases[i].line));
                ASSERT_TEXT(c.options.flake, cases[i].flake);
                ASSERT_TEXT(c.said, cases[i].said);
        }
}

TEST(a_system_is_named_in_the_words_of_nixos_rebuild_and_of_nh) {
        _cleanup_(case_done) Case c = { 0 }, nh = { 0 }, file = { 0 };

        ASSERT_OK(parse(&c, "switch -c red --rollback --no-flake"));
        ASSERT_TEXT(c.options.specialisation, "red");
        ASSERT_TRUE(c.options.rollback && c.options.no_flake);
        ASSERT_OK(parse(&nh, "switch -s red -H web -S"));
        ASSERT_TEXT(nh.options.specialisation, "red");
        ASSERT_TEXT(nh.options.name, "web");
        ASSERT_TRUE(nh.options.no_specialisation);
        ASSERT_OK(parse(&file, "switch -f hosts.nix -A web"));
        ASSERT_TEXT(file.options.file, "hosts.nix");
        ASSERT_TEXT(file.options.attribute, "web");
}

TEST(what_is_for_other_hosts_is_answered_by_name) {
        static const char *const lines[] = { "switch --target-host a", "build --build-host=a",
                                             "switch --sudo", "test --use-remote-sudo" };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_(case_done) Case c = { 0 };

                ASSERT_EQ(parse(&c, lines[i]), -EINVAL);
                ASSERT_CONTAINS(c.said, "comes with 'enact deploy'");
        }
}

TEST(what_nixos_rebuild_has_for_its_own_insides_has_no_effect) {
        assert_nix("switch --fast --no-reexec --no-build-nix --use-substitutes -Q --log-format raw "
                   "--no-ssh-tty",
                   "");
}

TEST(what_a_verb_has_no_use_for_is_refused) {
        _cleanup_(case_done) Case c = { .groups = OPTIONS_JSON };

        ASSERT_EQ(parse(&c, "status --flake ."), -EINVAL);
        ASSERT_TEXT(c.said, "enact: 'status' takes no option '--flake'.\n");
}

TEST(two_options_that_name_a_system_exclude_each_other) {
        static const char *const bad[] = {
                "switch --flake . --file a",        "switch --flake . --attr a",
                "switch --flake . --no-flake",      "switch --hostname a --file b",
                "switch --store-path a --flake .",  "switch --store-path a --attr b",
                "switch --store-path a --rollback", "switch -c red -S",
        };
        static const char *const good[] = {
                "switch --flake . --rollback",
                "switch --file a --attr b",
                "switch --flake . -H a",
                "switch",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad) + ELEMENTSOF(good); i++) {
                const bool is_bad = i < ELEMENTSOF(bad);
                _cleanup_(case_done) Case c = { 0 };

                ASSERT_OK(parse(&c, is_bad ? bad[i] : good[i - ELEMENTSOF(bad)]));
                ASSERT_EQ(options_check_source(&c.options, "switch"), is_bad ? -EINVAL : 0);
        }
}

TEST(each_row_of_the_table_can_be_read_by_its_name_and_by_its_letter) {
        size_t n;
        const OptionInfo *table = options_table(&n);

        for (size_t i = 0; i < n; i++) {
                const char *word = !table[i].word                        ? "" :
                                   strcmp(table[i].name, "probe") == 0   ? "tcp:a:1" :
                                   strcmp(table[i].name, "elevate") == 0 ? "sudo" :
                                   strchr(table[i].word, ' ')            ? "1 2" :
                                                                           "1";

                for (int by_letter = 0; by_letter <= (table[i].letter != 0); by_letter++) {
                        _cleanup_(case_done) Case c = { .groups = table[i].groups };
                        _cleanup_free_ char *line = NULL;

                        ASSERT_OK(by_letter ?
                                          text_printf(&line, "v -%c %s", table[i].letter, word) :
                                          text_printf(&line, "v --%s %s", table[i].name, word));
                        if (parse(&c, line) < 0 && !strstr(c.said, "comes with 'enact deploy'"))
                                fail_msg("%s: %s", line, c.said);
                }
        }
}

TEST(a_time_to_confirm_in_is_a_number_of_seconds_up_to_a_day) {
        static const char *const bad[] = { "0", "-1", "86401", "1m", "soon", "1.5" };
        _cleanup_(case_done) Case c = { 0 }, most = { 0 };

        ASSERT_OK(parse(&c, "switch --confirm 60"));
        ASSERT_EQ(c.options.confirm_sec, 60);
        ASSERT_OK(parse(&most, "switch --confirm=86400"));
        ASSERT_EQ(most.options.confirm_sec, 86400);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *line = NULL, *said = NULL;

                ASSERT_OK(text_printf(&line, "switch --confirm %s", bad[i]));
                ASSERT_OK(text_printf(&said,
                                      "enact: --confirm takes a number of seconds, at most a day, "
                                      "not '%s'.\n",
                                      bad[i]));
                assert_wrong(line, said);
        }
}

TEST(an_unknown_option_is_named) {
        assert_wrong("switch --no-such",
                     "enact: the option '--no-such' of 'switch' is not known.\n");
        assert_wrong("switch --json -x", "enact: the option '-x' of 'switch' is not known.\n");
        assert_wrong("switch -kx", "enact: the option '-x' of 'switch' is not known.\n");
        assert_wrong("boot word --no-such",
                     "enact: the option '--no-such' of 'boot' is not known.\n");
}

TEST(an_option_without_its_word_is_named) {
        assert_wrong("switch --file",
                     "enact: the option '--file' of 'switch' is missing its word.\n");
        assert_wrong("switch -f", "enact: the option '-f' of 'switch' is missing its word.\n");
        assert_wrong("switch --cores",
                     "enact: the option '--cores' of 'switch' is missing its word.\n");
        assert_wrong("switch --option",
                     "enact: the option '--option' of 'switch' is missing its word.\n");
        assert_wrong("switch --option a", "enact: --option takes two words.\n");
        assert_wrong("switch --override-input a", "enact: --override-input takes two words.\n");
}

TEST(a_word_for_an_option_that_takes_none_is_refused) {
        _cleanup_(case_done) Case c = { 0 };

        ASSERT_EQ(parse(&c, "switch --json=yes"), -EINVAL);
        ASSERT_CONTAINS(c.said, "'--json=yes' of 'switch'");
}
