/*
 * STORE_DIRECTORY is a constant, so a system that toplevel_open() takes can only lie in the host's
 * own store; the scenarios in tests/host open such ones. Here are the refusals that need none, and
 * what works on a system that is open.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "test.h"
#include "text.h"
#include "toplevel.h"

static void assert_refused(const char *path, const char *words) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(toplevel_freep) Toplevel *toplevel = NULL;

        ASSERT_TRUE(toplevel_open(path, &toplevel, &error) < 0);
        ASSERT_NULL(toplevel);
        ASSERT_TEXT(error.name, ENACT_ERROR_NOT_A_SYSTEM);
        ASSERT_CONTAINS(error.message, words);
        ASSERT_CONTAINS(error.message, "Nothing was changed.");
}

/* An object as toplevel_open() makes it, of a directory anywhere. */
static Toplevel *new_toplevel(void) {
        Toplevel *toplevel = calloc(1, sizeof(*toplevel));

        assert_non_null(toplevel);
        toplevel->path = strdup(test_directory());
        assert_non_null(toplevel->path);
        return toplevel;
}

static void put_file(const Toplevel *toplevel, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(toplevel_sub_path(toplevel, name, &path));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0600));
}

TEST(a_path_that_leads_nowhere_is_refused) {
        _cleanup_free_ char *link = NULL, *words = NULL;

        assert_refused("/nonexistent/system", "No system at '/nonexistent/system'");
        assert_refused("", "No system at ''");

        ASSERT_OK(text_printf(&link, "%s/result", test_directory()));
        ASSERT_OK(symlink("/nix/store/0-gone", link));
        ASSERT_OK(text_printf(&words, "No system at '%s'", link));
        assert_refused(link, words);
}

TEST(a_path_outside_the_store_is_refused_whatever_is_there) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = new_toplevel();

        put_file(toplevel, "nixos-version", "24.05");
        put_file(toplevel, "activate", "");
        assert_refused(toplevel->path, "is no path of the Nix store");
        assert_refused("/", "is no path of the Nix store");
}

TEST(a_link_is_told_with_what_it_leads_to) {
        _cleanup_free_ char *link = NULL;

        ASSERT_OK(text_printf(&link, "%s/result", test_directory()));
        ASSERT_OK(symlink("/usr", link));
        assert_refused(link, "is no path of the Nix store (it is '/usr')");
}

TEST(the_store_itself_and_the_way_out_of_it_are_refused) {
        assert_refused("/nix/store", "/nix/store"); /* with or without one on this machine */
        assert_refused("/nix/store/", "/nix/store/");
        assert_refused("/nix/store/..", "/nix/store/..");
        assert_refused("/nix/store/../../usr", "/nix/store/../../usr");
}

TEST(a_path_below_a_system_is_beside_its_own) {
        const Toplevel toplevel = { .path = (char *) "/nix/store/1-a" };
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(toplevel_sub_path(&toplevel, "etc/systemd/system", &path));
        ASSERT_TEXT(path, "/nix/store/1-a/etc/systemd/system");
}

TEST(the_scripts_are_where_the_wrapper_says_and_else_in_the_system_itself) {
        static const char script[] = "#! /bin/sh -e\nexport OUT='/nix/store/2-scripts'\nexec x\n";
        _cleanup_(toplevel_freep) Toplevel *toplevel = new_toplevel();

        ASSERT_TEXT(toplevel_scripts(toplevel), toplevel->path);
        ASSERT_OK(wrapper_parse(script, strlen(script), &toplevel->wrapper));
        ASSERT_TEXT(toplevel_scripts(toplevel), "/nix/store/2-scripts");
}

TEST(the_first_line_of_a_file_is_read_without_its_newline) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = new_toplevel();
        _cleanup_free_ char *line = NULL, *bare = NULL;
        char *missing = NULL;

        put_file(toplevel, "init-interface-version", "systemd 252\nmore\n");
        put_file(toplevel, "system", "x86_64-linux");
        ASSERT_OK(toplevel_read_line(toplevel, "init-interface-version", &line));
        ASSERT_TEXT(line, "systemd 252");
        ASSERT_OK(toplevel_read_line(toplevel, "system", &bare));
        ASSERT_TEXT(bare, "x86_64-linux");
        ASSERT_EQ(toplevel_read_line(toplevel, "nixos-version", &missing), -ENOENT);
        ASSERT_NULL(missing);
}

TEST(the_unit_directory_is_opened_through_links) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = new_toplevel();
        _cleanup_free_ char *etc = NULL, *systemd = NULL, *system = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *elsewhere = test_directory();

        ASSERT_EQ(toplevel_open_units(toplevel, &fd), -ENOENT);
        ASSERT_EQ(fd, -EBADF);

        ASSERT_OK(toplevel_sub_path(toplevel, "etc", &etc));
        ASSERT_OK(symlink(elsewhere, etc));
        ASSERT_OK(text_printf(&systemd, "%s/systemd", elsewhere));
        ASSERT_OK(mkdir(systemd, 0700));
        ASSERT_OK(text_printf(&system, "%s/system", systemd));
        ASSERT_OK(mkdir(system, 0700));
        ASSERT_OK(toplevel_open_units(toplevel, &fd));
        ASSERT_TRUE(fd >= 0);
}

TEST(freeing_none_is_nothing) {
        ASSERT_NULL(toplevel_free(NULL));
}
