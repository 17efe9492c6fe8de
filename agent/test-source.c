#include <fcntl.h>

#include "error.h"
#include "file.h"
#include "source.h"
#include "test.h"
#include "text.h"

static const char *root; /* of a new tree, where we are; without a word in the environment */

static const char *in_tree(const char *path) {
        static char full[2][4096];
        static size_t i;

        i = (i + 1) % ELEMENTSOF(full);
        (void) snprintf(full[i], sizeof(full[i]), "%s/%s", root, path);
        return full[i];
}

static void tree(void) {
        static const char *const names[] = { "ENACT_FLAKE", "NH_OS_FLAKE", "NH_FLAKE",
                                             "NIXOS_CONFIG", "NIX_PATH" };

        root = test_directory();
        ASSERT_OK(file_make_directories(in_tree("etc"), 0755));
        ASSERT_OK(file_make_directories(in_tree("here"), 0755));
        ASSERT_OK(chdir(in_tree("here")));
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unsetenv(names[i]);
}

static void put(const char *path) {
        ASSERT_OK(file_write(AT_FDCWD, in_tree(path), "{ }", 0644));
}

/* What `nix build` is told, in one line; or the error. */
static char *found(const Options *options) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(source_freep) Source *source = NULL;
        char *text;

        if (source_new(options, "web", in_tree("etc"), &source, &error) < 0) {
                ASSERT_CONTAINS(error.message, "Nothing was changed.");
                ASSERT_OK(text_printf(&text, "%s: %s", error.name, error.message));
                return text;
        }
        ASSERT_OK(source_add_installable(source, "s", "a", &arguments));
        ASSERT_OK(string_list_join(&arguments, " ", &text));
        return text;
}

static void assert_found(const Options *options, const char *format) {
        _cleanup_free_ char *text = found(options), *wanted = NULL;
        const char *at = strchr(format, '@');

        ASSERT_OK(text_printf(&wanted, "%.*s%s%s", (int) (at ? at - format : (long) strlen(format)),
                              format, at ? root : "", at ? at + 1 : ""));
        ASSERT_TEXT(text, wanted);
}

static void assert_none(const Options *options, const char *words) {
        _cleanup_free_ char *text = found(options);

        ASSERT_CONTAINS(text, words);
}

TEST(a_flake_and_a_name_are_said_together_or_apart) {
        tree();
        assert_found(&(Options){ .flake = "x:y#db" }, "x:y#s.\"db\".a");
        assert_found(&(Options){ .flake = "x:y" }, "x:y#s.\"web\".a");
        assert_found(&(Options){ .flake = "x:y", .name = "db" }, "x:y#s.\"db\".a");
        assert_found(&(Options){ .flake = "x:y#", .name = "db" }, "x:y#s.\"db\".a");
        assert_none(&(Options){ .flake = "x:y#web", .name = "db" }, "Two names for one");

        (void) setenv("NH_OS_FLAKE", "x:y#mail", /* overwrite= */ 1);
        assert_found(&(Options){ 0 }, "x:y#s.\"mail\".a");
        assert_found(&(Options){ .name = "db" }, "x:y#s.\"db\".a");
}

TEST(a_file_is_taken_with_its_attribute_or_without) {
        tree();
        put("here/hosts.nix");
        assert_found(&(Options){ .file = "hosts.nix" }, "--file hosts.nix a");
        assert_found(&(Options){ .file = "hosts.nix", .attribute = "h.\"a.b\"" },
                     "--file hosts.nix h.\"a.b\".a");
        assert_found(&(Options){ .file = "<hosts>" }, "--file <hosts> a");
        assert_none(&(Options){ .file = "none.nix" },
                    "NoFlake: Cannot read the file 'none.nix': No such file");
}

TEST(an_attribute_alone_is_looked_for_in_the_usual_files) {
        const Options options = { .attribute = "web" };

        tree();
        assert_none(&options, "There is no file for the attribute 'web'");
        put("etc/system.nix");
        assert_found(&options, "--file @/etc/system.nix web.a");
        (void) setenv("NIX_PATH", "x=/y:nixos-system=/z", /* overwrite= */ 1);
        assert_found(&options, "--file <nixos-system> web.a");
        put("here/default.nix");
        assert_found(&options, "--file default.nix web.a");
        put("here/system.nix");
        assert_found(&options, "--file system.nix web.a");
}

TEST(where_nothing_is_named_a_flake_comes_first_then_a_file_then_channels) {
        const Options options = { 0 }, no_flake = { .no_flake = true };

        tree();
        assert_none(&options, "NH_OS_FLAKE");
        put("etc/configuration.nix");
        assert_found(&options, "--file <nixpkgs/nixos> a");
        put("etc/system.nix");
        assert_found(&options, "--file @/etc/system.nix a");
        put("etc/flake.nix");
        assert_found(&options, "@/etc#s.\"web\".a");
        assert_found(&no_flake, "--file @/etc/system.nix a");
}

TEST(a_channel_machine_shows_by_what_nixos_config_stands_for) {
        _cleanup_(string_list_done) StringList nix = { 0 };
        const Options no_flake = { .no_flake = true };

        tree();
        assert_none(&no_flake, "No configuration was named");
        (void) setenv("NIXOS_CONFIG", "/root/machine.nix", /* overwrite= */ 1);
        assert_found(&no_flake, "--file <nixpkgs/nixos> a");
        (void) unsetenv("NIXOS_CONFIG");
        (void) setenv("NIX_PATH", "nixos-config=/x.nix:nixpkgs=/y", /* overwrite= */ 1);
        assert_found(&no_flake, "--file <nixpkgs/nixos> a");
        (void) setenv("NIX_PATH", "my-nixos-config=/x.nix", /* overwrite= */ 1);
        assert_none(&no_flake, "No configuration was named");

        ASSERT_OK(string_list_add(&nix, "--include"));
        ASSERT_OK(string_list_add(&nix, "nixos-config=./test.nix"));
        assert_found(&(Options){ .no_flake = true, .nix = nix }, "--file <nixpkgs/nixos> a");
}
