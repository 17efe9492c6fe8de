/* extlinux.conf as NixOS' generic-extlinux-compatible writes it, and as others do. */
#include "extlinux-conf.h"
#include "test.h"

static const char nixos[] =
        "# Generated file, all changes will be lost on nixos-rebuild!\n"
        "\n"
        "# Change this to e.g. nixos-42 to temporarily boot to an older.\n"
        "DEFAULT nixos-default\n"
        "\n"
        "MENU TITLE ------------------------------------------------------------\n"
        "TIMEOUT 50\n"
        "\n"
        "LABEL nixos-default\n"
        "  MENU LABEL NixOS - Default\n"
        "  LINUX ../nixos/two-linux-6.12-Image\n"
        "  INITRD ../nixos/two-initrd-initrd\n"
        "  APPEND init=/nix/store/two-nixos/init console=ttyS0,115200n8\n"
        "  FDTDIR ../nixos/two-dtbs\n"
        "\n"
        "LABEL nixos-1\n"
        "  MENU LABEL NixOS - Configuration 1 (2026-11-29 10:00 - 26.05)\n"
        "  LINUX ../nixos/one-linux-6.12-Image\n"
        "  INITRD ../nixos/one-initrd-initrd,../nixos/more\n"
        "  APPEND init=/nix/store/one-nixos/init\n"
        "  FDT ../nixos/one.dtb\n";

static void assert_default(const char *text, int answer, const char *name) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        const ListedEntry *entry = NULL;

        ASSERT_OK(extlinux_conf_parse(text, strlen(text), &menu));
        ASSERT_EQ(extlinux_default_find(&menu, &entry), answer);
        ASSERT_EQ(!entry, !name);
        if (name)
                ASSERT_TEXT(entry->name, name);
}

TEST(the_menu_that_nixos_writes_is_read) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        _cleanup_free_ char *toplevel = NULL;

        ASSERT_OK(extlinux_conf_parse(nixos, strlen(nixos), &menu));
        ASSERT_EQ(menu.n, 2);
        ASSERT_TEXT(menu.entries[0].title, "NixOS - Default");
        ASSERT_TEXT(menu.entries[0].kernel, "../nixos/two-linux-6.12-Image");
        ASSERT_TEXT(menu.entries[0].devicetrees, "../nixos/two-dtbs");
        ASSERT_OK(listed_entry_toplevel(&menu.entries[0], &toplevel));
        ASSERT_TEXT(toplevel, "/nix/store/two-nixos");
        ASSERT_EQ(menu.entries[1].initrds.n, 2);
        ASSERT_TEXT(menu.entries[1].devicetree, "../nixos/one.dtb");
}

TEST(the_default_is_a_label_else_the_first) {
        assert_default(nixos, 0, "nixos-default");
        assert_default("label a\nlabel b\ndefault b\n", 0, "b");
        assert_default("default gone\nlabel a\n", 0, "a");
        assert_default("label a\nlabel b\nmenu default\n", 0, "b");
        assert_default("label a\n\tMenu  Default\nDEFAULT b\nLabel b", 0, "b");
        assert_default("timeout 5\nlinux /k\n", LISTED_DEFAULT_NONE, NULL);
}

TEST(what_is_no_text_is_refused) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };

        ASSERT_EQ(extlinux_conf_parse("a\0", 2, &menu), -EBADMSG);
        ASSERT_EQ(extlinux_conf_parse("", LISTED_MENU_BYTES_MAX + 1, &menu), -EFBIG);
}

TEST(too_many_entries_are_refused) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        _cleanup_free_ char *text = calloc(LISTED_MENU_ENTRIES_MAX + 1, 8);

        assert_non_null(text);
        for (size_t i = 0; i <= LISTED_MENU_ENTRIES_MAX; i++)
                memcpy(text + 8 * i, "label x\n", 8);
        ASSERT_EQ(extlinux_conf_parse(text, (LISTED_MENU_ENTRIES_MAX + 1) * 8, &menu), -E2BIG);
}
