#include <fcntl.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "identity.h"
#include "test.h"
#include "text.h"

/* Directories below the test's own stand for systems: nothing but their /etc is read. */
static Toplevel *new_system(const char *name, const char *hostname, const char *fstab) {
        Toplevel *toplevel = calloc(1, sizeof(*toplevel));
        _cleanup_free_ char *etc = NULL, *path = NULL, *table = NULL;

        assert_non_null(toplevel);
        ASSERT_OK(text_printf(&toplevel->path, "%s/%s", test_directory(), name));
        ASSERT_OK(toplevel_sub_path(toplevel, "etc", &etc));
        ASSERT_OK(mkdir(toplevel->path, 0755));
        ASSERT_OK(mkdir(etc, 0755));
        ASSERT_OK(toplevel_sub_path(toplevel, "etc/hostname", &path));
        ASSERT_OK(toplevel_sub_path(toplevel, "etc/fstab", &table));
        if (hostname)
                ASSERT_OK(file_write(AT_FDCWD, path, hostname, 0644));
        if (fstab)
                ASSERT_OK(file_write(AT_FDCWD, table, fstab, 0644));
        return toplevel;
}

static void assert_taken(const Toplevel *old, const Toplevel *new) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_OK(identity_check(old, new, &error));
        ASSERT_FALSE(sd_bus_error_is_set(&error));
}

static void assert_refused(const Toplevel *old, const Toplevel *new, const char *words) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_TRUE(identity_check(old, new, &error) < 0);
        ASSERT_TEXT(error.name, ENACT_ERROR_OTHER_HOST);
        ASSERT_CONTAINS(error.message, words);
        ASSERT_CONTAINS(error.message, "Nothing was changed");
}

TEST(a_system_with_another_name_is_another_hosts) {
        _cleanup_(toplevel_freep) Toplevel *web = new_system("1", "web\n", NULL);
        _cleanup_(toplevel_freep) Toplevel *same = new_system("2", "web\n", NULL);
        _cleanup_(toplevel_freep) Toplevel *mail = new_system("3", "mail\n", NULL);

        assert_taken(web, same);
        assert_refused(web, mail, "is the system of a host 'mail', and this one is 'web'");
}

TEST(where_one_has_no_name_of_its_own_nothing_can_be_said) {
        _cleanup_(toplevel_freep) Toplevel *web = new_system("1", "web\n", NULL);
        _cleanup_(toplevel_freep) Toplevel *none = new_system("2", NULL, NULL);
        _cleanup_(toplevel_freep) Toplevel *empty = new_system("3", "\n", NULL);

        assert_taken(NULL, web);
        assert_taken(web, none);
        assert_taken(none, web);
        assert_taken(empty, web);
        assert_taken(web, empty);
}

TEST(a_root_device_that_is_not_here_is_another_hosts) {
        _cleanup_(toplevel_freep) Toplevel *plain = new_system("1", NULL, "/dev/null / ext4\n");
        _cleanup_(toplevel_freep) Toplevel *gone =
                new_system("2", NULL, "/dev/null /srv ext4\n/dev/nonexistent / ext4\n");
        _cleanup_(toplevel_freep) Toplevel *tag =
                new_system("3", NULL, "UUID=0000-nobody / ext4 defaults 0 1\n");

        assert_taken(NULL, plain);
        assert_refused(plain, gone, "is on '/dev/nonexistent', which this host does not have");
        assert_refused(NULL, tag, "is on '/dev/disk/by-uuid/0000-nobody'");
        assert_taken(gone, gone); /* it was found before */
}

TEST(what_is_no_device_is_not_looked_for) {
        static const char *const tables[] = {
                "rpool/root / zfs\n",
                "tmpfs / tmpfs\n",
                "server:/export / nfs\n",
                "/dev/nonexistent:/dev/other / bcachefs\n",
                "/dev/nonexistent /srv ext4\n",
                "/dev/nonexistent none swap\n",
                "",
        };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_(toplevel_freep) Toplevel *system = NULL;
                const char name[] = { (char) ('a' + i), '\0' };

                system = new_system(name, NULL, tables[i]);
                assert_taken(NULL, system);
        }
}
