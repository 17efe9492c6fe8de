#include <fcntl.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "flake.h"
#include "test.h"
#include "text.h"

static const char *root; /* of a new tree */

/* Good until the third call from now. */
static const char *in_tree(const char *path) {
        static char full[3][4096];
        static size_t i;

        i = (i + 1) % ELEMENTSOF(full);
        (void) snprintf(full[i], sizeof(full[i]), "%s/%s", root, path);
        return full[i];
}

static void tree(void) {
        root = test_directory();
        ASSERT_OK(file_make_directories(in_tree("flake/sub"), 0755));
        ASSERT_OK(file_make_directories(in_tree("empty/sub"), 0755));
        ASSERT_OK(file_make_directories(in_tree("empty/.git"), 0755));
        ASSERT_OK(file_write(AT_FDCWD, in_tree("flake/flake.nix"), "{ }", 0644));
        (void) unsetenv("ENACT_FLAKE");
        (void) unsetenv("NH_FLAKE");
        (void) unsetenv("NH_OS_FLAKE");
}

static void assert_parses(const char *argument, const char *reference, const char *installable) {
        _cleanup_(flake_freep) Flake *f = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = NULL;

        if (flake_new(argument, "this.host", &f, &error) < 0)
                fail_msg("'%s': %s", argument, error.message);
        ASSERT_TEXT(f->reference, reference);
        ASSERT_OK(flake_installable(f, "s", "a", &text));
        ASSERT_TRUE(strlen(text) > strlen(reference));
        ASSERT_TEXT(text + strlen(reference), installable);
}

static void assert_refused(const char *argument, const char *name, const char *words) {
        _cleanup_(flake_freep) Flake *f = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_TRUE(flake_new(argument, "this.host", &f, &error) < 0);
        ASSERT_NULL(f);
        ASSERT_TEXT(error.name, name);
        ASSERT_CONTAINS(error.message, words);
        ASSERT_CONTAINS(error.message, "Nothing was changed.");
}

TEST(what_lies_elsewhere_is_passed_on_unchanged) {
        static const char *const references[] = {
                "nixpkgs",
                "nixpkgs/nixos-24.05",
                "github:me/hosts",
                "github:me/hosts?dir=nix",
                "git+ssh://git@example.org/hosts",
                "flake:hosts",
                "git+https://example.org/h?ref=x",
                "path:/no%2Fsuch",
        };

        for (size_t i = 0; i < ELEMENTSOF(references); i++)
                assert_parses(references[i], references[i], "#s.\"this.host\".a");
}

TEST(the_name_follows_the_first_hash) {
        assert_parses("x:y#web", "x:y", "#s.\"web\".a");
        assert_parses("x:y#my.host", "x:y", "#s.\"my.host\".a");
        assert_parses("x:y#\"my.host\"", "x:y", "#s.\"my.host\".a");
        assert_parses("x:y#me@host", "x:y", "#s.\"me@host\".a");
        assert_parses("x:y#", "x:y", "#s.\"this.host\".a");
        assert_parses("x:y#a#b", "x:y", "#s.\"a%23b\".a");
        assert_parses("x:y#a%^$[] \\", "x:y", "#s.\"a%25%5E%24%5B%5D%20%5C\".a");
        assert_parses("x:y#\303\251", "x:y", "#s.\"%C3%A9\".a");
}

TEST(a_name_that_nix_cannot_write_is_refused) {
        assert_refused("x:y#a\"b", ENACT_ERROR_USAGE, "a\"b");
        assert_refused("x:y#\"a", ENACT_ERROR_USAGE, "\"a");
        assert_refused("x:y#\"\"", ENACT_ERROR_USAGE, "empty");
}

TEST(a_missing_host_name_is_the_default_one) {
        _cleanup_(flake_freep) Flake *f = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_OK(flake_new("x:y", NULL, &f, &error));
        ASSERT_TEXT(f->name, "default");
        ASSERT_TRUE(f->name_is_default);
}

TEST(a_directory_needs_a_flake_in_it_or_above_it) {
        tree();
        assert_parses(in_tree("flake#web"), in_tree("flake"), "#s.\"web\".a");
        assert_parses(in_tree("flake/sub"), in_tree("flake/sub"), "#s.\"this.host\".a");
        assert_refused(in_tree("none"), ENACT_ERROR_NO_FLAKE, "There is no directory");
        assert_refused(in_tree("flake/flake.nix/x"), ENACT_ERROR_NO_FLAKE, "Not a directory");
        assert_refused(in_tree("empty"), ENACT_ERROR_NO_FLAKE, "/empty'. ");
        assert_refused(in_tree("empty/sub"), ENACT_ERROR_NO_FLAKE, "nor above it up to");
}

TEST(the_file_stands_for_its_directory) {
        _cleanup_free_ char *directory = NULL, *url = NULL, *directory_url = NULL;

        tree();
        directory = strdup(in_tree("flake"));
        assert_parses(in_tree("flake/flake.nix#web"), directory, "#s.\"web\".a");
        ASSERT_OK(text_printf(&url, "path:%s/flake.nix", directory));
        ASSERT_OK(text_printf(&directory_url, "path:%s", directory));
        assert_parses(url, directory_url, "#s.\"this.host\".a");
}

TEST(a_relative_path_is_taken_from_here) {
        _cleanup_free_ char *before = getcwd(NULL, 0);

        tree();
        ASSERT_OK(chdir(in_tree("flake")));
        assert_parses(".", ".", "#s.\"this.host\".a");
        assert_parses("#web", ".", "#s.\"web\".a");
        assert_parses("./sub", "./sub", "#s.\"this.host\".a");
        assert_parses("flake.nix", ".", "#s.\"this.host\".a");
        assert_parses("path:.", "path:.", "#s.\"this.host\".a");
        assert_refused("./none", ENACT_ERROR_NO_FLAKE, "'./none'");
        ASSERT_OK(chdir(before));
}

TEST(a_path_url_has_its_flake_in_place) {
        _cleanup_free_ char *url = NULL, *sub = NULL;

        tree();
        ASSERT_OK(text_printf(&url, "path:%s", in_tree("flake")));
        assert_parses(url, url, "#s.\"this.host\".a");
        ASSERT_OK(text_printf(&sub, "path:%s", in_tree("flake/sub")));
        assert_refused(sub, ENACT_ERROR_NO_FLAKE, "no flake.nix in");
}

TEST(a_git_repository_of_somebody_else_is_refused_before_nix_starts) {
        _cleanup_free_ char *url = NULL;

        if (geteuid() != 0)
                skip();
        tree();
        (void) unsetenv("SUDO_UID");
        (void) setenv("HOME", root, /* overwrite= */ 1);
        ASSERT_OK(system("exec git init -q --bare \"$HOME/flake/.git\""));
        ASSERT_OK(chown(in_tree("flake"), 65534, 65534));
        assert_refused(in_tree("flake"), ENACT_ERROR_NO_FLAKE, "safe.directory");
        ASSERT_OK(text_printf(&url, "git+file://%s", in_tree("flake")));
        assert_refused(url, ENACT_ERROR_NO_FLAKE, "belongs to 'nobody'");

        (void) setenv("SUDO_UID", "65534", /* overwrite= */ 1);
        assert_parses(in_tree("flake"), in_tree("flake"), "#s.\"this.host\".a");
        (void) unsetenv("SUDO_UID");
}

TEST(without_an_argument_the_environment_comes_first) {
        _cleanup_free_ char *first = NULL, *second = NULL, *third = NULL, *wanted = NULL,
                            *of_systems = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        tree();
        (void) setenv("NH_FLAKE", "b#x", /* overwrite= */ 1);
        ASSERT_OK(flake_find_default("/none", &second, &error));
        ASSERT_TEXT(second, "b#x");
        (void) setenv("NH_OS_FLAKE", "c", /* overwrite= */ 1);
        ASSERT_OK(flake_find_default("/none", &of_systems, &error));
        ASSERT_TEXT(of_systems, "c");
        (void) setenv("ENACT_FLAKE", "a", /* overwrite= */ 1);
        ASSERT_OK(flake_find_default("/none", &first, &error));
        ASSERT_TEXT(first, "a");

        (void) setenv("ENACT_FLAKE", "", /* overwrite= */ 1);
        (void) unsetenv("NH_FLAKE");
        (void) unsetenv("NH_OS_FLAKE");
        ASSERT_OK(file_make_directories(in_tree("etc"), 0755));
        ASSERT_OK(symlink("../flake/flake.nix", in_tree("etc/flake.nix")));
        ASSERT_OK(flake_find_default(in_tree("etc/flake.nix"), &third, &error));
        ASSERT_OK(file_realpath(in_tree("flake"), &wanted));
        ASSERT_TEXT(third, wanted);
}

TEST(no_flake_anywhere_is_an_answer_and_one_that_cannot_be_opened_is_an_error) {
        _cleanup_free_ char *found = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        tree();
        ASSERT_EQ(flake_find_default("/none/flake.nix", &found, &error), FLAKE_NONE);
        ASSERT_OK(symlink("/none/flake.nix", in_tree("flake.nix")));
        ASSERT_TRUE(flake_find_default(in_tree("flake.nix"), &found, &error) < 0);
        ASSERT_TEXT(error.name, ENACT_ERROR_NO_FLAKE);
        ASSERT_CONTAINS(error.message, "cannot be opened: No such file or directory");
        ASSERT_NULL(found);
}
