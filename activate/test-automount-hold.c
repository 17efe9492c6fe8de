/* Automount units that are held back. */
#include <fcntl.h>

#include "automount-hold.h"
#include "file.h"
#include "test.h"
#include "text.h"

static void check_condition(const char *automount, const char *wanted) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *directory = test_directory();

        ASSERT_OK(automount_hold(directory, automount));
        ASSERT_OK(text_printf(&path, "%s/%s.d/50-enact-mounted.conf", directory, automount));
        ASSERT_OK(file_read(AT_FDCWD, path, 4096, &text, NULL));
        ASSERT_CONTAINS(text, wanted);
}

TEST(the_place_is_told_as_a_unit_file_wants_it) {
        check_condition("srv-data.automount", "[Unit]\nConditionPathIsMountPoint=!/srv/data\n");
        check_condition("my\\x20data-100\\x25.automount", "=!/my data/100%%\n");
}

TEST(held_twice_it_is_held_once) {
        const char *directory = test_directory();

        ASSERT_OK(automount_hold(directory, "d.automount"));
        ASSERT_OK(automount_hold(directory, "d.automount"));
}

TEST(a_place_that_no_line_can_hold_is_refused) {
        ASSERT_EQ(automount_hold(test_directory(), "a\\x0ab.automount"), -EINVAL);
        ASSERT_EQ(automount_hold(test_directory(), "a\\x5c.automount"), -EINVAL);
        ASSERT_EQ(automount_hold(test_directory(), "a\\x20.automount"), -EINVAL);
        ASSERT_EQ(automount_hold(test_directory(), "a\\zz.automount"), -EINVAL);
}
