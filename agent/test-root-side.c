#include <fcntl.h>

#include "config.h"
#include "error.h"
#include "file.h"
#include "root-side.h"
#include "test.h"
#include "text.h"

#define SOMEBODY 1000

static char *old_path;

/* A directory of stand-ins for those programs, which PATH then is; they are never run. */
static const char *become_only(const char *const *programs, size_t n) {
        const char *directory = test_directory();

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                ASSERT_OK(text_printf(&path, "%s/%s", directory, programs[i]));
                ASSERT_OK(file_write(AT_FDCWD, path, "#!/bin/false\n", 0755));
        }
        old_path = strdup(getenv("PATH"));
        (void) setenv("PATH", directory, /* overwrite= */ 1);
        return directory;
}

static void restore_path(void) {
        (void) setenv("PATH", old_path, /* overwrite= */ 1);
        free(TAKE_PTR(old_path));
}

static void assert_command(uid_t uid, const char *wanted) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(string_list_done) StringList command = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(root_side_command(uid, NULL, &command, &error));
        ASSERT_FALSE(sd_bus_error_is_set(&error));
        ASSERT_OK(string_list_join(&command, " ", &text));
        ASSERT_TEXT(text, wanted);
}

TEST(root_needs_nobody_to_become_root) {
        static const char *const all[] = { "run0", "sudo", "doas", "pkexec" };

        (void) become_only(all, ELEMENTSOF(all));
        assert_command(0, ENACT_ENGINE " serve");
        restore_path();
}

TEST(the_first_there_is_of_run0_sudo_doas_and_pkexec_is_taken) {
        static const char *const programs[] = { "run0", "sudo", "doas", "pkexec" };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                const char *directory = become_only(programs + i, ELEMENTSOF(programs) - i);
                _cleanup_free_ char *wanted = NULL;

                ASSERT_OK(text_printf(&wanted, "%s/%s%s " ENACT_ENGINE " serve", directory,
                                      programs[i],
                                      strcmp(programs[i], "pkexec") == 0 ? "" : " --"));
                assert_command(SOMEBODY, wanted);
                restore_path();
        }
}

TEST(another_program_is_taken_where_it_is_wanted) {
        static const char *const programs[] = { "sudo", "doas" };
        const char *directory = become_only(programs, ELEMENTSOF(programs));
        _cleanup_(string_list_done) StringList command = { 0 };
        _cleanup_free_ char *wanted = NULL;
        static const struct {
                const char *elevate, *says;
        } refused[] = {
                { "run0", "'run0', by which to become it (--elevate or $ENACT_ELEVATE), is not" },
                { "none", "nobody is to be asked for it" },
                { "su", "is none of run0, sudo, doas and pkexec" },
        };

        ASSERT_OK(root_side_command(SOMEBODY, "doas", &command, NULL));
        ASSERT_OK(text_printf(&wanted, "%s/doas", directory));
        ASSERT_TEXT(command.items[0], wanted);
        string_list_done(&command);

        (void) setenv("ENACT_ELEVATE", "doas", /* overwrite= */ 1);
        ASSERT_OK(root_side_command(SOMEBODY, NULL, &command, NULL));
        ASSERT_TEXT(command.items[0], wanted);
        string_list_done(&command);
        (void) setenv("ENACT_ELEVATE", "", /* overwrite= */ 1);
        ASSERT_OK(root_side_command(SOMEBODY, NULL, &command, NULL));
        ASSERT_CONTAINS(command.items[0], "/sudo");
        (void) unsetenv("ENACT_ELEVATE");

        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

                ASSERT_TRUE(root_side_command(SOMEBODY, refused[i].elevate, &command, &error) < 0);
                ASSERT_TEXT(error.name, ENACT_ERROR_NOT_ROOT);
                ASSERT_CONTAINS(error.message, refused[i].says);
        }
        restore_path();
}

TEST(what_cannot_be_run_is_passed_over) {
        static const char *const programs[] = { "sudo", "doas" };
        const char *directory = become_only(programs, ELEMENTSOF(programs));
        _cleanup_free_ char *sudo = NULL, *wanted = NULL;

        ASSERT_OK(text_printf(&sudo, "%s/sudo", directory));
        ASSERT_OK(chmod(sudo, 0644));
        ASSERT_OK(text_printf(&wanted, "%s/doas -- " ENACT_ENGINE " serve", directory));
        assert_command(SOMEBODY, wanted);
        restore_path();
}

TEST(without_any_of_them_there_is_no_way_and_that_is_said) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(string_list_done) StringList command = { 0 };

        (void) become_only(NULL, 0);
        ASSERT_TRUE(root_side_command(SOMEBODY, NULL, &command, &error) < 0);
        restore_path();
        ASSERT_EQ(command.n, 0);
        ASSERT_TEXT(error.name, ENACT_ERROR_NOT_ROOT);
        ASSERT_CONTAINS(error.message, "run0, sudo, doas or pkexec");
        ASSERT_CONTAINS(error.message, "Nothing was changed.");
}
