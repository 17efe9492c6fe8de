/* What is on a partition, in a folder: entries of all kinds, files held to their names. */
#include <fcntl.h>
#include <sys/stat.h>

#include "boot-listing.h"
#include "error.h"
#include "file.h"
#include "test.h"
#include "text.h"

static int open_partition(void) {
        int fd = -EBADF;

        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &fd));
        return fd;
}

static void put(int fd, const char *path, const char *text) {
        _cleanup_free_ char *copy = strdup(path);

        for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                (void) mkdirat(fd, copy, 0755);
                *p = '/';
        }
        ASSERT_OK(file_write(fd, path, text, 0644));
}

static void put_ours(int fd, const char *text) {
        _cleanup_free_ char *stem = NULL, *path = NULL;

        ASSERT_OK(loader_entry_stem(text, false, &stem));
        ASSERT_OK(text_printf(&path, BOOT_ENTRIES_FOLDER "/%s.conf", stem));
        put(fd, path, text);
}

static void read_it(int fd, BootListing *listing) {
        ASSERT_OK(boot_listing_read(fd, fd, "/boot", listing, NULL));
}

TEST(an_empty_partition_has_nothing) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_close_ int fd = open_partition();

        read_it(fd, &listing);
        ASSERT_EQ(listing.n_entries + listing.n_payloads + listing.leftovers.n, 0);
}

TEST(entries_are_startable_if_their_program_is_there) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_close_ int fd = open_partition();

        put(fd, "k", "kernel");
        put(fd, BOOT_ENTRIES_FOLDER "/a.conf", "linux /k\n");
        put(fd, BOOT_ENTRIES_FOLDER "/b.conf", "linux /none\n");
        put(fd, BOOT_ENTRIES_FOLDER "/c.conf", "");
        put(fd, BOOT_ENTRIES_FOLDER "/d.conf", "linux /../k\n");
        put(fd, BOOT_ENTRIES_FOLDER "/e.conf", "efi \\k\n");
        put(fd, BOOT_ENTRIES_FOLDER "/auto-f.conf", "linux /k\n");
        put(fd, BOOT_UNIFIED_FOLDER "/u+2-1.efi", "");
        put(fd, BOOT_LOADER_CONF, "timeout 3\n");
        read_it(fd, &listing);
        ASSERT_EQ(listing.n_entries, 6);
        ASSERT_TRUE(listing.entries[0].startable);
        ASSERT_FALSE(listing.entries[1].startable);
        ASSERT_FALSE(listing.entries[2].startable);
        ASSERT_FALSE(listing.entries[3].startable);
        ASSERT_TRUE(listing.entries[4].startable);
        ASSERT_TRUE(listing.entries[5].unified);
        ASSERT_EQ(listing.entries[5].name.left, 2);
        ASSERT_EQ(listing.conf.lines.n, 1);
}

TEST(our_files_are_held_to_their_names) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_close_ int fd = open_partition();
        _cleanup_free_ char *name = NULL, *path = NULL;
        Digest digest;

        digest_of_bytes("kernel", 6, &digest);
        ASSERT_OK(payload_name_print(&digest, &name));
        ASSERT_OK(text_printf(&path, BOOT_PAYLOADS_FOLDER "/%s", name));
        put(fd, path, "kernel");
        put_ours(fd, "title x\n");
        put(fd, BOOT_ENTRIES_FOLDER "/nixos-0123456789.conf", "title y\n");
        read_it(fd, &listing);
        ASSERT_TRUE(listing.payloads[0].verified);
        ASSERT_FALSE(listing.entries[0].intact); /* nixos-0123456789 */
        ASSERT_TRUE(listing.entries[1].intact);
        boot_listing_done(&listing);

        put(fd, path, "kern");
        read_it(fd, &listing);
        ASSERT_FALSE(listing.payloads[0].verified);
        ASSERT_EQ(listing.payloads[0].size, 4);
        ASSERT_TRUE(boot_listing_payload(&listing, "efi/ENACT/x") == NULL);
        ASSERT_TRUE(boot_listing_payload(&listing, path) == &listing.payloads[0]);
}

TEST(what_a_killed_run_left_is_ours_to_take_away) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_close_ int fd = open_partition();
        _cleanup_free_ char *joined = NULL;

        put(fd, BOOT_ENTRIES_FOLDER "/nixos-0123456789+3-0.conf.tmp", "");
        put(fd, BOOT_ENTRIES_FOLDER "/else.conf.tmp", "");
        put(fd, BOOT_PAYLOADS_FOLDER "/x.efi.tmp", "");
        put(fd, BOOT_LOADER_CONF, "");
        put(fd, BOOT_LOADER_CONF ".tmp", "");
        read_it(fd, &listing);
        ASSERT_OK(string_list_join(&listing.leftovers, " ", &joined));
        ASSERT_TEXT(joined, "loader/loader.conf.tmp loader/entries/nixos-0123456789+3-0.conf.tmp "
                            "EFI/enact/x.efi.tmp");
}

TEST(garbage_is_listed_and_is_no_fault) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_close_ int fd = open_partition();
        _cleanup_close_ int file = -EBADF;

        put(fd, BOOT_ENTRIES_FOLDER "/a.conf", "");
        file = openat(fd, BOOT_ENTRIES_FOLDER "/a.conf", O_WRONLY);
        ASSERT_OK(file_append(file, "linux\0/k\n\xff", 10));
        ASSERT_OK(mkdirat(fd, BOOT_ENTRIES_FOLDER "/b.conf", 0755));
        ASSERT_OK(mkfifoat(fd, BOOT_ENTRIES_FOLDER "/c.conf", 0644));
        read_it(fd, &listing);
        ASSERT_EQ(listing.n_entries, 3);
        for (size_t i = 0; i < 3; i++)
                ASSERT_FALSE(listing.entries[i].startable);
}
