/* Where paths lead below a root of their own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path-walk.h"
#include "test.h"

static int root_fd = -EBADF;

static void make_root(void) {
        static const char *const links[][2] = {
                { "real", "link" },
                { "/real/sub", "absolute" },
                { "/missing/deep", "dangling" },
                { "../../../real", "outside" },
                { "link", "chain" },
                { "loop", "loop" },
                { "gone/../real", "through-gone" },
        };

        if (root_fd >= 0)
                return;
        root_fd = open(test_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        ASSERT_TRUE(root_fd >= 0);
        ASSERT_OK(mkdirat(root_fd, "real", 0755));
        ASSERT_OK(mkdirat(root_fd, "real/sub", 0755));
        ASSERT_OK(mknodat(root_fd, "file", S_IFREG | 0644, 0));
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                ASSERT_OK(symlinkat(links[i][0], root_fd, links[i][1]));
        ASSERT_OK(symlinkat("../sub", root_fd, "real/up"));
}

static void leads(const char *path, const char *wanted) {
        _cleanup_free_ char *got = NULL;

        make_root();
        ASSERT_OK(path_walk(root_fd, path, &got));
        ASSERT_TEXT(got, wanted);
}

static void fails(const char *path, int wanted) {
        char *got;

        make_root();
        ASSERT_EQ(path_walk(root_fd, path, &got), wanted);
}

TEST(what_has_no_link_stays) {
        leads("/", "/");
        leads("", "/");
        leads("/real/sub", "/real/sub");
        leads("//real/./sub/", "/real/sub");
        leads("/file", "/file");
}

TEST(links_are_followed_below_the_root) {
        leads("/link/sub", "/real/sub");
        leads("/link", "/real");
        leads("/chain/sub", "/real/sub");
        leads("/absolute", "/real/sub");
        leads("/absolute/x", "/real/sub/x");
        leads("/outside", "/real");
}

TEST(what_is_not_there_stays_as_it_is_written) {
        leads("/missing/a/b", "/missing/a/b");
        leads("/link/new", "/real/new");
        leads("/dangling", "/missing/deep");
        leads("/dangling/x", "/missing/deep/x");
}

TEST(up_is_one_up_from_where_the_way_has_come) {
        leads("/real/../link", "/real");
        leads("/absolute/..", "/real");
        leads("/absolute/../..", "/");
        leads("/../../real", "/real");
        leads("/link/sub/..", "/real");
}

TEST(ways_that_nobody_can_go_are_errors) {
        fails("/loop", -ELOOP);
        fails("/file/x", -ENOTDIR);
        fails("/through-gone", -ENOENT);
        fails("/missing/../real", -ENOENT);
}
