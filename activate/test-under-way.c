#include "file-lock.h"
#include "test.h"
#include "text.h"
#include "under-way.h"

#define ID "20261122-214501-123456"

static void assert_id(const char *command, const char *wanted) {
        _cleanup_free_ char *id = NULL;

        ASSERT_OK(under_way_id(command, &id));
        if (wanted)
                ASSERT_TEXT(id, wanted);
        else
                ASSERT_NULL(id);
}

TEST(an_engine_is_known_by_its_command_line) {
        assert_id("/usr/libexec/enact/enact-activate run " ID, ID);
        assert_id("/nix/store/1-x run y/enact-activate run " ID, ID);
}

TEST(whatever_else_holds_the_lock_is_no_engine) {
        assert_id("", NULL);
        assert_id("unknown", NULL);
        assert_id("/nix/store/1-a/bin/switch-to-configuration switch", NULL);
        assert_id("enact-activate recover", NULL);
        assert_id("enact-activate run ", NULL);
        assert_id("enact-activate run ../" ID, NULL);
        assert_id("enact-activate run " ID " x", NULL);
        assert_id("enact-activate dead-man " ID, NULL);
}

TEST(without_a_lock_nothing_is_under_way) {
        UnderWay found = { 0 };

        ASSERT_EQ(under_way_find(test_directory(), test_directory(), &found), UNDER_WAY_NOTHING);
        ASSERT_EQ(under_way_find("/nonexistent", "/nonexistent", &found), UNDER_WAY_NOTHING);
}

TEST(whoever_holds_the_lock_is_found) {
        _cleanup_free_ char *path = NULL;
        const char *directory = test_directory();
        _cleanup_close_ int fd = -EBADF;
        UnderWay found = { 0 };

        ASSERT_OK(text_printf(&path, "%s/lock", directory));
        ASSERT_OK(file_lock(path, &fd));
        ASSERT_OK(under_way_find(directory, test_directory(), &found));
        ASSERT_EQ(found.pid, getpid());
        ASSERT_NULL(found.id);
        ASSERT_CONTAINS(found.command, "test-under-way");
        under_way_done(&found);
}

TEST(whoever_holds_only_the_lock_of_nixos_is_found_too) {
        _cleanup_free_ char *path = NULL;
        const char *directory = test_directory();
        _cleanup_close_ int fd = -EBADF;
        UnderWay found = { 0 };

        ASSERT_OK(text_printf(&path, "%s/switch-to-configuration.lock", directory));
        ASSERT_OK(file_lock(path, &fd));
        ASSERT_OK(under_way_find(test_directory(), directory, &found));
        ASSERT_EQ(found.pid, getpid());
        under_way_done(&found);
}
