#include <fcntl.h>
#include <sys/stat.h>

#include "channels.h"
#include "error.h"
#include "file.h"
#include "test.h"
#include "text.h"

static const char *root; /* of a tree with channels, and a stand-in for nix-channel on PATH */

static char *in_tree(const char *path) {
        char *full;

        ASSERT_OK(text_printf(&full, "%s/%s", root, path));
        return full;
}

static void put(const char *path, const char *text, mode_t mode) {
        _cleanup_free_ char *full = in_tree(path);

        ASSERT_OK(file_write(AT_FDCWD, full, text, mode));
}

static void tree(int status) {
        static const char *const channels[] = { "nixos", "extra", "other" };
        _cleanup_free_ char *script = NULL;

        root = test_directory();
        for (size_t i = 0; i < ELEMENTSOF(channels); i++) {
                _cleanup_free_ char *path = NULL;

                ASSERT_OK(text_printf(&path, "%s/channels/%s", root, channels[i]));
                ASSERT_OK(file_make_directories(path, 0755));
        }
        put("channels/extra/.update-on-nixos-rebuild", "", 0644);
        put("channels/manifest.nix", "[ ]", 0644);
        ASSERT_OK(text_printf(&script, "#!/bin/sh\necho \"$*\" >> '%s/calls'\nexit %d\n", root,
                              status));
        put("nix-channel", script, 0755);
        (void) setenv("PATH", root, /* overwrite= */ 1);
}

static int update(bool all, sd_bus_error *error) {
        _cleanup_free_ char *channels = in_tree("channels");
        Display display = { 0 };

        return channels_update(channels, all, &display, error);
}

static void assert_calls(const char *wanted) {
        _cleanup_free_ char *path = in_tree("calls"), *calls = NULL;

        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &calls, NULL));
        ASSERT_TEXT(calls, wanted);
}

TEST(an_upgrade_is_of_nixos_and_of_those_that_ask_for_it) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (geteuid() != 0)
                skip();
        tree(0);
        ASSERT_OK(update(false, &error));
        assert_calls("--update extra\n--update nixos\n");
}

TEST(an_upgrade_of_all_is_of_each) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (geteuid() != 0)
                skip();
        tree(0);
        ASSERT_OK(update(true, &error));
        assert_calls("--update extra\n--update nixos\n--update other\n");
}

TEST(a_channel_that_cannot_be_fetched_ends_it) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (geteuid() != 0)
                skip();
        tree(1);
        ASSERT_TRUE(update(false, &error) < 0);
        ASSERT_TEXT(error.name, ENACT_ERROR_COPY);
        ASSERT_CONTAINS(error.message, "Cannot update the channel 'extra'");
        assert_calls("--update extra\n");
}

TEST(a_machine_without_channels_has_nothing_to_upgrade) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Display display = { 0 };

        ASSERT_OK(channels_update("/none", false, &display, &error));
}
