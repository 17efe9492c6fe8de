/* Which entry boots: the table of variables, loader.conf and sort order, for old and new loaders.
 */
#include "boot-default.h"
#include "test.h"
#include "text.h"

#define ENTRIES_MAX 8U

typedef struct Menu {
        MenuEntry entries[ENTRIES_MAX];
        size_t n;
} Menu;

static void menu_done(Menu *menu) {
        for (size_t i = 0; i < menu->n; i++)
                menu_entry_done(&menu->entries[i]);
}

/* As NixOS writes them: its sort key, and the number in the version. */
static MenuEntry *add(Menu *menu, const char *file, unsigned generation) {
        MenuEntry *entry = &menu->entries[menu->n++];

        *entry = (MenuEntry){ .file = strdup(file), .startable = true };
        (void) entry_name_parse(file, &entry->name);
        if (generation > 0) {
                entry->entry.sort_key = strdup("nixos");
                ASSERT_OK(text_printf(&entry->entry.version, "Generation %u", generation));
        }
        return entry;
}

static void assert_boots(const Menu *menu, const BootWishes *wishes, const char *file,
                         BootReason reason) {
        BootDefault found;

        ASSERT_OK(boot_default_find(menu->entries, menu->n, wishes, &found));
        if (!file) {
                ASSERT_NULL(found.entry);
        } else {
                assert_non_null(found.entry);
                ASSERT_TEXT(found.entry->file, file);
        }
        ASSERT_TEXT(boot_reason_to_string(found.reason), boot_reason_to_string(reason));
}

static BootWishes loader(unsigned major) {
        return (BootWishes){ .version.major = major };
}

TEST(the_newest_generation_boots_where_nobody_says_anything) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(252);

        assert_boots(&menu, &wishes, NULL, BOOT_NOTHING);
        add(&menu, "zzz.conf", 0);
        add(&menu, "nixos-generation-9.conf", 9);
        add(&menu, "nixos-generation-10.conf", 10);
        add(&menu, "aaa.conf", 0);
        assert_boots(&menu, &wishes, "nixos-generation-10.conf", BOOT_SORT_ORDER);
}

TEST(a_bad_entry_is_last_and_a_hidden_one_is_none) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(252);

        add(&menu, "nixos-1.conf", 1);
        add(&menu, "nixos-3+0-3.conf", 3);
        add(&menu, "nixos-2+1-2.conf", 2);
        assert_boots(&menu, &wishes, "nixos-2+1-2.conf", BOOT_SORT_ORDER);
        menu.entries[2].startable = false;
        assert_boots(&menu, &wishes, "nixos-1.conf", BOOT_SORT_ORDER);
        menu.entries[0].startable = false;
        assert_boots(&menu, &wishes, "nixos-3+0-3.conf", BOOT_SORT_ORDER);
}

TEST(each_wish_beats_those_below_it) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(260);

        add(&menu, "a.conf", 1);
        add(&menu, "b.conf", 2);
        add(&menu, "c.conf", 3);
        wishes.conf_default = "a*";
        assert_boots(&menu, &wishes, "a.conf", BOOT_CONF_DEFAULT);
        wishes.conf_preferred = "b.conf";
        assert_boots(&menu, &wishes, "b.conf", BOOT_CONF_PREFERRED);
        wishes.variable_default = "C.CONF";
        assert_boots(&menu, &wishes, "c.conf", BOOT_VARIABLE_DEFAULT);
        wishes.one_shot = "a.conf";
        assert_boots(&menu, &wishes, "a.conf", BOOT_ONE_SHOT);
        wishes.one_shot = "gone.conf";
        assert_boots(&menu, &wishes, "c.conf", BOOT_VARIABLE_DEFAULT);
}

TEST(only_new_loaders_know_preferred_and_pass_over_bad_ones_with_it) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(252);

        add(&menu, "nixos-2+0-3.conf", 2);
        add(&menu, "nixos-1.conf", 1);
        wishes.conf_preferred = "nixos-2.conf";
        wishes.conf_default = "nixos-*";
        assert_boots(&menu, &wishes, "nixos-1.conf", BOOT_CONF_DEFAULT);
        wishes.version.major = 260;
        assert_boots(&menu, &wishes, "nixos-1.conf", BOOT_CONF_DEFAULT);
        menu.entries[0].name.left = 1;
        assert_boots(&menu, &wishes, "nixos-2+0-3.conf", BOOT_CONF_PREFERRED);
}

TEST(an_exact_default_finds_a_counted_entry_in_some_loaders_only) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(257);

        add(&menu, "nixos-2+0-3.conf", 2);
        add(&menu, "nixos-1.conf", 1);
        wishes.conf_default = "nixos-2.conf";
        assert_boots(&menu, &wishes, "nixos-1.conf", BOOT_SORT_ORDER);
        wishes.version.major = 259; /* the endless loop of a bad entry */
        assert_boots(&menu, &wishes, "nixos-2+0-3.conf", BOOT_CONF_DEFAULT);
}

TEST(saved_is_the_one_that_was_booted_last) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(252);

        add(&menu, "a.conf", 1);
        add(&menu, "b.conf", 2);
        wishes.conf_default = "@saved";
        assert_boots(&menu, &wishes, "b.conf", BOOT_SORT_ORDER);
        wishes.last_booted = "a.conf";
        assert_boots(&menu, &wishes, "a.conf", BOOT_CONF_DEFAULT);
}

TEST(where_a_unified_image_may_come_first_nobody_is_sure) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(252);
        BootDefault found;

        add(&menu, "a.conf", 1);
        add(&menu, "linux.efi", 0)->unified = true;
        ASSERT_OK(boot_default_find(menu.entries, menu.n, &wishes, &found));
        ASSERT_TRUE(found.uncertain);
        wishes.conf_default = "a.conf";
        ASSERT_OK(boot_default_find(menu.entries, menu.n, &wishes, &found));
        ASSERT_FALSE(found.uncertain);
}

TEST(of_two_alike_the_one_with_more_tries_comes_first) {
        _cleanup_(menu_done) Menu menu = { 0 };
        BootWishes wishes = loader(260);

        add(&menu, "a+1-2.conf", 1);
        add(&menu, "a+2-1.conf", 1);
        assert_boots(&menu, &wishes, "a+2-1.conf", BOOT_SORT_ORDER);
}
