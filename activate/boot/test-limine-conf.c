/* limine.conf as NixOS' installer writes it, and as others do. */
#include "limine-conf.h"
#include "test.h"

static const char nixos[] = "timeout: 5\n"
                            "editor_enabled: no\n"
                            "graphics: yes\n"
                            "default_entry: 2\n"
                            "\n"
                            "# NixOS boot entries start here\n"
                            "/+NixOS default profile\n"
                            "//Generation 2\n"
                            "protocol: linux\n"
                            "comment: NixOS 26.05 (Linux 6.12), built on 2026-11-30\n"
                            "kernel_path: boot():/limine/kernels/two-bzImage#00ff\n"
                            "cmdline: init=/nix/store/two-nixos/init loglevel=4 a:b\n"
                            "module_path: boot():/limine/kernels/two-initrd\n"
                            "//Generation 1\n"
                            "protocol: linux\n"
                            "KERNEL_PATH: boot():/limine/kernels/one-bzImage\n"
                            "cmdline: init=/nix/store/one-nixos/init\n"
                            "module_path: boot():/limine/kernels/one-initrd\n"
                            "# NixOS boot entries end here\n"
                            "\n"
                            "/memtest86\n"
                            "  protocol: chainload\n"
                            "  path: boot():///efi/memtest86/memtest86.efi\n";

static void assert_default(const char *text, int answer, const char *title) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        const ListedEntry *entry = NULL;

        ASSERT_OK(limine_conf_parse(text, strlen(text), &menu));
        ASSERT_EQ(limine_default_find(&menu, &entry), answer);
        ASSERT_EQ(!entry, !title);
        if (title)
                ASSERT_TEXT(entry->title, title);
}

TEST(the_menu_that_nixos_writes_is_read) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        _cleanup_free_ char *toplevel = NULL;

        ASSERT_OK(limine_conf_parse(nixos, strlen(nixos), &menu));
        ASSERT_EQ(menu.n, 4);
        ASSERT_TRUE(menu.entries[0].group && menu.entries[0].open);
        ASSERT_TEXT(menu.entries[1].kernel, "boot():/limine/kernels/two-bzImage#00ff");
        ASSERT_TEXT(menu.entries[1].options, "init=/nix/store/two-nixos/init loglevel=4 a:b");
        ASSERT_OK(listed_entry_toplevel(&menu.entries[1], &toplevel));
        ASSERT_TEXT(toplevel, "/nix/store/two-nixos");
        ASSERT_TEXT(menu.entries[2].kernel, "boot():/limine/kernels/one-bzImage");
        ASSERT_EQ(menu.entries[3].depth, 0);
}

TEST(the_default_is_counted_among_what_is_shown) {
        assert_default(nixos, 0, "Generation 2");
        assert_default("default_entry: 3\n/a\n//b\n/c\n/d\n", 0, "d");
        assert_default("default_entry: 3\n/+a\n//b\n/c\n/d\n", 0, "c");
        assert_default("default_entry: 1\n/+a\n//b\n", LISTED_DEFAULT_UNTOLD, NULL);
        assert_default("default_entry: 9\n/a\n", LISTED_DEFAULT_NONE, NULL);
        assert_default("/a\n/b\n", 0, "a");
        assert_default("timeout: 1\n", LISTED_DEFAULT_NONE, NULL);
}

TEST(what_is_no_number_or_remembered_cannot_be_told) {
        assert_default("default_entry: 0\n/a\n", LISTED_DEFAULT_UNTOLD, NULL);
        assert_default("default_entry: a\n/a\n", LISTED_DEFAULT_UNTOLD, NULL);
        assert_default("remember_last_entry: yes\n/a\n", LISTED_DEFAULT_UNTOLD, NULL);
}

TEST(what_is_no_text_or_too_deep_is_refused) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        static const char deep[] = "/////////////////x\n";

        ASSERT_EQ(limine_conf_parse("a\0", 2, &menu), -EBADMSG);
        ASSERT_EQ(limine_conf_parse("", LISTED_MENU_BYTES_MAX + 1, &menu), -EFBIG);
        ASSERT_EQ(limine_conf_parse(deep, strlen(deep), &menu), -E2BIG);
}
