#include <fcntl.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "room.h"
#include "test.h"
#include "text.h"

#define CLUSTER UINT64_C(512)

typedef struct Boot {
        int fd; /* the folder of the kernels */
        StringList payloads, in_use;
} Boot;

static void boot_done(Boot *boot) {
        (void) fd_close(boot->fd);
        string_list_done(&boot->payloads);
        string_list_done(&boot->in_use);
}

static Boot new_boot(void) {
        Boot boot = { .fd = -EBADF };

        ASSERT_OK(file_open_directory(AT_FDCWD, test_directory(), &boot.fd));
        return boot;
}

/* Makes @name in the directory that stands for the partition, of that size. */
static void put(const Boot *boot, const char *name, off_t bytes) {
        _cleanup_close_ int fd = openat(boot->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        ASSERT_TRUE(fd >= 0);
        ASSERT_OK(ftruncate(fd, bytes));
}

/* A file of that size anywhere stands for one in the store; answers the name that it has on the
 * partition. */
static char *new_payload(StringList *list, const char *name, off_t bytes) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        char *flat;

        ASSERT_OK(text_printf(&path, "%s/.store-%s", test_directory(), name));
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ASSERT_TRUE(fd >= 0);
        ASSERT_OK(ftruncate(fd, bytes));
        ASSERT_OK(string_list_add(list, path));
        ASSERT_OK(text_printf(&flat, "%s.efi", path + 1));
        for (char *c = flat; *c; c++)
                if (*c == '/')
                        *c = '-';
        return flat;
}

static RoomOnBoot look(const Boot *boot) {
        RoomOnBoot room;

        ASSERT_OK(room_on_boot(boot->fd, ".efi", CLUSTER, &boot->payloads, &boot->in_use, &room));
        return room;
}

TEST(what_is_not_there_is_counted_in_clusters_and_one_more) {
        _cleanup_(boot_done) Boot boot = new_boot();
        _cleanup_free_ char *kernel = new_payload(&boot.payloads, "kernel", 1000);
        _cleanup_free_ char *initrd = new_payload(&boot.payloads, "initrd", 512);

        ASSERT_EQ(look(&boot).needed_bytes, 3 * CLUSTER + 2 * CLUSTER);
        put(&boot, kernel, 1000);
        ASSERT_EQ(look(&boot).needed_bytes, 2 * CLUSTER);
        put(&boot, initrd, 600); /* it has secrets appended */
        ASSERT_EQ(look(&boot).needed_bytes, 0);
        ASSERT_EQ(look(&boot).freed_bytes, 0);
}

TEST(what_is_named_by_its_bytes_is_known_by_its_size) {
        _cleanup_(boot_done) Boot boot = new_boot();
        _cleanup_free_ _unused_ char *kernel = new_payload(&boot.payloads, "kernel", 1001);

        put(&boot, "0123abcd-by-what-is-in-it.efi", 1000);
        ASSERT_EQ(look(&boot).needed_bytes, 3 * CLUSTER);
        put(&boot, "0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi", 1001); /* of the store */
        ASSERT_EQ(look(&boot).needed_bytes, 3 * CLUSTER);
        put(&boot, "4567abcd-by-what-is-in-it.efi", 1001);
        ASSERT_EQ(look(&boot).needed_bytes, 0);
}

TEST(what_nothing_names_can_go) {
        _cleanup_(boot_done) Boot boot = new_boot();
        _cleanup_free_ _unused_ char *kernel = new_payload(&boot.payloads, "new", 3000);
        _cleanup_free_ char *other = new_payload(&boot.in_use, "old", 700);

        put(&boot, other, 700);
        ASSERT_EQ(look(&boot).freed_bytes, 0);
        put(&boot, "gone.efi", 700);
        ASSERT_EQ(look(&boot).freed_bytes, 2 * CLUSTER);
        ASSERT_EQ(look(&boot).needed_bytes, 7 * CLUSTER);
}

TEST(without_a_folder_all_is_needed) {
        _cleanup_(boot_done) Boot boot = new_boot();
        _cleanup_free_ _unused_ char *kernel = new_payload(&boot.payloads, "kernel", 1);
        RoomOnBoot room;

        ASSERT_OK(room_on_boot(-EBADF, "", CLUSTER, &boot.payloads, &boot.in_use, &room));
        ASSERT_EQ(room.needed_bytes, 2 * CLUSTER);
        ASSERT_EQ(room.freed_bytes, 0);
}

TEST(what_is_missing_is_looked_at_where_it_will_be_made) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/not/yet", test_directory()));
        ASSERT_OK(room_check(path, &error));
        ASSERT_TRUE(room_check("/proc/1/fd", &error) < 0); /* a file system without any room */
        ASSERT_TEXT(error.name, ENACT_ERROR_REFUSED);
        ASSERT_CONTAINS(error.message, "0 KiB and 0 files are free, and 1024 KiB and 16 files");
}
