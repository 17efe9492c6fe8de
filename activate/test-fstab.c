/* fstab: what libmount makes of it, and what we take from that. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fstab.h"
#include "test.h"

static void parse(Fstab *fstab, const char *text) {
        ASSERT_OK(fstab_parse(fstab, text, strlen(text), -EBADF));
}

TEST(entries_are_known_by_their_units) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };
        const FstabEntry *entry;

        parse(&fstab, "# comment\n\n"
                      "/dev/disk/by-label/root / ext4 defaults 0 1\n"
                      "UUID=12-ab /my\\040data\\011x vfat rw,nofail\n"
                      "/swapfile none swap sw\n");
        ASSERT_EQ(fstab.n_mounts, 2);
        ASSERT_EQ(fstab.n_swaps, 1);
        entry = fstab_find_mount(&fstab, "-.mount");
        ASSERT_TEXT(entry->source, "/dev/disk/by-label/root");
        entry = fstab_find_mount(&fstab, "my\\x20data\\x09x.mount");
        ASSERT_TEXT(entry->target, "/my data\tx");
        ASSERT_TEXT(entry->options, "rw,nofail");
        ASSERT_TEXT(fstab_find_swap(&fstab, "swapfile.swap")->source, "/swapfile");
        ASSERT_NULL(fstab_find_swap(&fstab, "-.mount"));
        ASSERT_NULL(fstab_find_mount(&(Fstab){ 0 }, "-.mount"));
}

TEST(an_empty_table_has_no_entries) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        parse(&fstab, "");
        ASSERT_EQ(fstab.n_mounts + fstab.n_swaps, 0);
}

TEST(the_first_line_for_a_mount_point_counts) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        parse(&fstab, "/dev/a /x ext4 a\n/dev/b /x/ ext4 b\n/dev/c //x ext4 c\n");
        ASSERT_EQ(fstab.n_mounts, 1);
        ASSERT_TEXT(fstab.mounts[0].source, "/dev/a");
}

TEST(lines_that_are_none_are_counted) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        parse(&fstab, "nonsense\n/dev/a /x ext4\nand more\n");
        ASSERT_EQ(fstab.n_mounts, 1);
        ASSERT_TRUE(fstab.n_bad_lines > 0);
}

TEST(what_is_mounted_nowhere_is_no_mount) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        parse(&fstab, "/dev/a none ext4\n/dev/b relative ext4\n");
        ASSERT_EQ(fstab.n_mounts, 0);
}

TEST(a_nul_byte_makes_it_unreadable) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        ASSERT_EQ(fstab_parse(&fstab, "a\0b", 3, -EBADF), -EBADMSG);
}

TEST(tags_are_paths_of_udev) {
        static const char *const pairs[][2] = {
                { "/dev/sda1", "/dev/sda1" },
                { "UUID=12-ab", "/dev/disk/by-uuid/12-ab" },
                { "LABEL=\"a b/c\"", "/dev/disk/by-label/a\\x20b\\x2fc" },
                { "PARTUUID=1", "/dev/disk/by-partuuid/1" },
                { "PARTLABEL=x#+-.:=@_", "/dev/disk/by-partlabel/x#+-.:=@_" },
        };

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                _cleanup_free_ char *path = NULL;

                ASSERT_OK(fstab_device_path(pairs[i][0], &path));
                ASSERT_TEXT(path, pairs[i][1]);
        }
}

static void check_options(const char *options, const char *wanted) {
        const FstabEntry entry = { .options = (char *) options };
        _cleanup_free_ char *left = NULL;

        ASSERT_OK(fstab_entry_mount_options(&entry, &left));
        ASSERT_TEXT(left, wanted);
}

TEST(options_for_readers_are_left_out) {
        check_options("", "");
        check_options("defaults", "");
        check_options("rw,defaults,nofail,ro", "rw,ro");
        check_options("x-systemd.automount,X-mount.mkdir,rw", "rw");
        check_options("noauto,auto,fail,_netdev,comment=a", "");
        check_options("nofails,,x", "nofails,x");
        check_options("context=\"a,nofail,b\",rw", "context=\"a,nofail,b\",rw");
}

TEST(options_are_found_with_and_without_a_value) {
        const FstabEntry entry = { .options = (char *) "rw,x-systemd.automount,size=5,o=\"a,b\"" };

        ASSERT_TRUE(fstab_entry_has_option(&entry, "x-systemd.automount"));
        ASSERT_TRUE(fstab_entry_has_option(&entry, "size"));
        ASSERT_FALSE(fstab_entry_has_option(&entry, "x-systemd"));
        ASSERT_FALSE(fstab_entry_has_option(&entry, "b\""));
}

TEST(a_line_for_a_place_that_goes_up_makes_no_unit) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        parse(&fstab, "/dev/a /x/../y ext4\n/dev/b /x/./y ext4\n");
        ASSERT_EQ(fstab.n_mounts, 1);
        ASSERT_TEXT(fstab.mounts[0].unit, "x-y.mount");
}

TEST(places_are_followed_below_a_root) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };
        _cleanup_close_ int root_fd = open(test_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        static const char text[] = "/dev/a /link/x ext4\n/dev/b /loop ext4\n/dev/c /l/../y ext4\n";

        ASSERT_OK(mkdirat(root_fd, "l", 0755));
        ASSERT_OK(symlinkat("/real", root_fd, "link"));
        ASSERT_OK(symlinkat("loop", root_fd, "loop"));
        ASSERT_OK(fstab_parse(&fstab, text, strlen(text), root_fd));
        ASSERT_EQ(fstab.n_mounts, 3);
        ASSERT_TEXT(fstab_find_mount(&fstab, "real-x.mount")->target, "/link/x");
        ASSERT_TEXT(fstab_find_mount(&fstab, "loop.mount")->source, "/dev/b");
        ASSERT_TEXT(fstab_find_mount(&fstab, "y.mount")->source, "/dev/c");
}

TEST(automounts_are_known_by_both_their_options) {
        ASSERT_TRUE(fstab_entry_is_automount(&(FstabEntry){
                .unit = (char *) "d.mount", .options = (char *) "comment=systemd.automount" }));
        ASSERT_TRUE(fstab_entry_is_automount(&(FstabEntry){
                .unit = (char *) "d.mount", .options = (char *) "rw,x-systemd.automount" }));
        ASSERT_FALSE(fstab_entry_is_automount(&(FstabEntry){
                .unit = (char *) "-.mount", .options = (char *) "x-systemd.automount" }));
        ASSERT_FALSE(fstab_entry_is_automount(
                &(FstabEntry){ .unit = (char *) "d.mount", .options = (char *) "comment=x" }));
}

static bool same(const char *a, const char *b) {
        const FstabEntry x = { .options = (char *) a }, y = { .options = (char *) b };

        return fstab_entry_same_option(&x, &y, "o");
}

TEST(options_are_compared_with_their_last_value) {
        ASSERT_TRUE(same("", "rw"));
        ASSERT_TRUE(same("o=1", "rw,o=1"));
        ASSERT_TRUE(same("o=2,o=1", "o=1"));
        ASSERT_FALSE(same("o=1", "o=12"));
        ASSERT_FALSE(same("o", ""));
        ASSERT_FALSE(same("", "o"));
}
