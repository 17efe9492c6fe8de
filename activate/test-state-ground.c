/* What is mounted over the record of a switch. Real mounts, in a mount namespace of the test's own.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "file.h"
#include "state-ground.h"
#include "test.h"
#include "text.h"

static const char *place; /* <place>/var/lib/enact is the state directory of a test */

/* It ends with the process, and all mounts in it. */
static void enter_namespace(void) {
        static bool entered;

        if (!entered &&
            (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
                skip();
        entered = true;
}

static char *at(const char *name) {
        char *path;

        ASSERT_OK(text_printf(&path, "%s/%s", place, name));
        return path;
}

static void put(const char *name, const char *text) {
        _cleanup_free_ char *path = at(name);

        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

static void assert_says(const char *name, const char *wanted) {
        _cleanup_free_ char *path = at(name), *line = NULL;

        ASSERT_OK(file_read_line(AT_FDCWD, path, &line));
        ASSERT_TEXT(line, wanted);
}

static void cover(const char *name) {
        _cleanup_free_ char *path = at(name);

        ASSERT_OK(mount("none", path, "tmpfs", 0, NULL));
}

static void uncover(const char *name) {
        _cleanup_free_ char *path = at(name);

        ASSERT_OK(umount2(path, MNT_DETACH));
}

static StateGround new_ground(void) {
        _cleanup_free_ char *directory = NULL;
        StateGround ground = { 0 };
        int r;

        enter_namespace();
        place = test_directory();
        directory = at("var/lib/enact");
        ASSERT_OK(file_make_directories(directory, 0755));
        put("var/lib/enact/record", "open");
        r = state_ground_look(directory, &ground);
        if (r == -EOPNOTSUPP)
                skip();
        ASSERT_OK(r);
        return ground;
}

static void assert_kept(const StateGround *ground, const char *told) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = state_ground_keep(ground, &error);

        if (!told) {
                ASSERT_OK(r);
                return;
        }
        ASSERT_TRUE(r < 0);
        ASSERT_CONTAINS(error.message, told);
        ASSERT_CONTAINS(error.message, "taken away again");
        assert_says("var/lib/enact/record", "open");
        ASSERT_OK(state_ground_keep(ground, NULL));
}

TEST(nothing_is_taken_away_where_nothing_was_mounted) {
        _cleanup_(state_ground_done) StateGround ground = new_ground();

        assert_kept(&ground, NULL);
        assert_says("var/lib/enact/record", "open");
}

TEST(what_is_mounted_at_the_directory_itself_is_taken_away) {
        _cleanup_(state_ground_done) StateGround ground = new_ground();

        cover("var/lib/enact");
        assert_kept(&ground, "/var/lib/enact' in the middle");
}

TEST(so_is_what_is_mounted_above_it_and_several_mounts_at_one_place) {
        _cleanup_(state_ground_done) StateGround ground = new_ground();

        cover("var/lib");
        cover("var/lib");
        assert_kept(&ground, "/var/lib' in the middle");
}

TEST(a_file_that_is_open_there_is_no_hindrance) {
        _cleanup_(state_ground_done) StateGround ground = new_ground();
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;

        cover("var/lib");
        path = at("var/lib/used");
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_TRUE(fd >= 0);
        assert_kept(&ground, "/var/lib' in the middle");
}

TEST(a_mount_that_was_there_before_stays) {
        _cleanup_(state_ground_done) _unused_ StateGround first = new_ground();
        _cleanup_(state_ground_done) StateGround second = { 0 };
        _cleanup_free_ char *directory = at("var/lib/enact");

        cover("var");
        ASSERT_OK(file_make_directories(directory, 0755));
        put("var/lib/enact/record", "open");
        ASSERT_OK(state_ground_look(directory, &second));
        assert_kept(&second, NULL);
        cover("var/lib");
        assert_kept(&second, "/var/lib' in the middle");
        assert_says("var/lib/enact/record", "open");
        uncover("var");
}

TEST(what_replaces_a_mount_that_is_gone_stays_for_the_record_is_not_below_it) {
        _cleanup_(state_ground_done) _unused_ StateGround first = new_ground();
        _cleanup_(state_ground_done) StateGround second = { 0 };
        _cleanup_free_ char *directory = at("var/lib/enact");

        cover("var");
        ASSERT_OK(file_make_directories(directory, 0755));
        ASSERT_OK(state_ground_look(directory, &second));
        uncover("var");
        cover("var");
        put("var/other", "stays");
        assert_kept(&second, NULL);
        assert_says("var/other", "stays");
        uncover("var");
}

TEST(mounts_beside_it_and_below_it_are_nobodys_business) {
        _cleanup_(state_ground_done) StateGround ground = new_ground();
        _cleanup_free_ char *beside = at("var/lib/other"), *below = at("var/lib/enact/below");

        ASSERT_OK(file_make_directories(beside, 0755));
        ASSERT_OK(file_make_directories(below, 0755));
        cover("var/lib/other");
        cover("var/lib/enact/below");
        put("var/lib/other/it", "stays");
        put("var/lib/enact/below/it", "stays");
        assert_kept(&ground, NULL);
        assert_says("var/lib/other/it", "stays");
        assert_says("var/lib/enact/below/it", "stays");
        uncover("var/lib/other");
        uncover("var/lib/enact/below");
}

TEST(a_directory_that_is_gone_is_left_to_who_writes_there) {
        _cleanup_(state_ground_done) StateGround ground = new_ground();
        _cleanup_free_ char *record = at("var/lib/enact/record"), *directory = at("var/lib/enact");

        ASSERT_OK(unlink(record));
        ASSERT_OK(rmdir(directory));
        assert_kept(&ground, NULL);
}

TEST(what_one_process_has_noted_another_one_reads) {
        _cleanup_(state_ground_done) StateGround ground = new_ground(), read = { 0 };
        _cleanup_free_ char *file = at("ground.json");

        ASSERT_EQ(state_ground_read(file, &read), -ENOENT);
        ASSERT_OK(state_ground_write(&ground, file));
        ASSERT_OK(state_ground_read(file, &read));
        ASSERT_TEXT(read.directory, ground.directory);
        cover("var/lib");
        assert_kept(&read, "/var/lib' in the middle");
}

TEST(what_does_not_fit_together_is_damage) {
        static const char *const texts[] = {
                "",
                "{}",
                "{\"version\":2,\"directory\":\"/a\",\"mounts\":[\"1\",\"2\"]}",
                "{\"version\":1,\"directory\":\"/a\",\"mounts\":[\"1\"]}",
                "{\"version\":1,\"directory\":\"/a\",\"mounts\":[\"1\",\"2\",\"3\"]}",
                "{\"version\":1,\"directory\":\"a\",\"mounts\":[\"1\",\"2\"]}",
                "{\"version\":1,\"directory\":\"/\",\"mounts\":[\"1\",\"2\"]}",
                "{\"version\":1,\"directory\":\"/a\",\"mounts\":[\"1\",\"x\"]}",
                "{\"version\":1,\"directory\":\"/a\",\"mounts\":[1,2]}",
        };
        StateGround ground;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                ASSERT_EQ(state_ground_parse(texts[i], strlen(texts[i]), &ground), -EBADMSG);
}

TEST(where_nothing_was_noted_nothing_is_done) {
        static const StateGround none = { 0 };

        ASSERT_OK(state_ground_keep(&none, NULL));
}
