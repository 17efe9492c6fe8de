/* Boot entries: names of all styles with their counters, and lines there and back. */
#include "loader-entry.h"
#include "test.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static EntryName parsed(const char *file) {
        EntryName name = { 0 };

        ASSERT_OK(entry_name_parse(file, &name));
        return name;
}

TEST(counters_are_what_stands_behind_the_last_plus) {
        static const struct {
                const char *file, *stem;
                bool counted;
                unsigned left, done;
        } cases[] = {
                { "x.conf", "x", false, 0, 0 },
                { "x.CONF", "x", false, 0, 0 },
                { "x+3.conf", "x", true, 3, 0 },
                { "x+2-1.conf", "x", true, 2, 1 },
                { "x+0-3.conf", "x", true, 0, 3 },
                { "a+b+3.conf", "a+b", true, 3, 0 },
                { "a+3+b.conf", "a+3+b", false, 0, 0 },
                { "x+.conf", "x+", false, 0, 0 },
                { "x+3-.conf", "x+3-", false, 0, 0 },
                { "x+3-1-2.conf", "x+3-1-2", false, 0, 0 },
                { "x+-1.conf", "x+-1", false, 0, 0 },
                { "x+99999999999.conf", "x+99999999999", false, 0, 0 },
                { "+3.conf", "+3", false, 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(entry_name_done) EntryName name = parsed(cases[i].file);

                ASSERT_TEXT(name.stem, cases[i].stem);
                ASSERT_EQ(name.counted, cases[i].counted);
                ASSERT_EQ(name.left, cases[i].left);
                ASSERT_EQ(name.done, cases[i].done);
                ASSERT_EQ(entry_name_is_bad(&name), cases[i].counted && cases[i].left == 0);
        }
}

TEST(what_no_loader_shows_is_no_entry) {
        static const char *const files[] = {
                ".x.conf", "auto-windows.conf", "x.conf.tmp", "AUTO-x.conf", "x.efi", ".conf", "x"
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_(entry_name_done) EntryName name = { 0 };

                ASSERT_EQ(entry_name_parse(files[i], &name), LOADER_ENTRY_UNSEEN);
        }
}

TEST(names_tell_whose_entry_it_is) {
        static const struct {
                const char *file;
                EntryStyle style;
                const char *profile;
                uint64_t generation;
                const char *specialisation;
        } cases[] = {
                { "nixos-0123456789.conf", ENTRY_ENACT },
                { "nixos-0a23456789+3-0.conf", ENTRY_ENACT },
                { "enact-0a23456789.conf", ENTRY_ENACT_EXTRA },
                { "enact-0a234567.conf", ENTRY_FOREIGN },
                { "nixos-0A23456789.conf", ENTRY_FOREIGN },
                { "nixos-012345678.conf", ENTRY_FOREIGN },
                { "nixos-" HEX64 ".conf", ENTRY_NIXOS_HASHED },
                { "nixos-" HEX64 "+2-1.conf", ENTRY_NIXOS_HASHED },
                { "nixos-generation-7.conf", ENTRY_NIXOS_NUMBERED, NULL, 7, NULL },
                { "nixos-generation-7+1.conf", ENTRY_NIXOS_NUMBERED, NULL, 7, NULL },
                { "nixos-work-generation-12.conf", ENTRY_NIXOS_NUMBERED, "work", 12, NULL },
                { "nixos-generation-7-specialisation-a b.conf", ENTRY_NIXOS_NUMBERED, NULL, 7,
                  "a b" },
                { "nixos-p-generation-1-specialisation-generation-x.conf", ENTRY_NIXOS_NUMBERED,
                  "p", 1, "generation-x" },
                { "nixos-my-generation-2-generation-1.conf", ENTRY_NIXOS_NUMBERED,
                  "my-generation-2", 1, NULL },
                { "nixos-generation-.conf", ENTRY_FOREIGN },
                { "nixos-generation-7x.conf", ENTRY_FOREIGN },
                { "nixos-generation-7-specialisation-.conf", ENTRY_FOREIGN },
                { "nixosx-generation-7.conf", ENTRY_FOREIGN },
                { "memtest86.conf", ENTRY_FOREIGN },
                { "windows_11.conf", ENTRY_FOREIGN },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(entry_name_done) EntryName name = parsed(cases[i].file);

                if (name.style != cases[i].style)
                        fail_msg("%s", cases[i].file);
                ASSERT_EQ(name.generation, cases[i].generation);
                ASSERT_EQ(!name.profile, !cases[i].profile);
                if (name.profile)
                        ASSERT_TEXT(name.profile, cases[i].profile);
                ASSERT_EQ(!name.specialisation, !cases[i].specialisation);
                if (name.specialisation)
                        ASSERT_TEXT(name.specialisation, cases[i].specialisation);
        }
}

TEST(names_are_printed_with_both_counters_and_no_bytes_that_loaders_mind) {
        _cleanup_free_ char *plain = NULL, *counted = NULL, *bad = NULL;

        ASSERT_OK(entry_name_print("nixos-0123456789", false, 0, 0, &plain));
        ASSERT_TEXT(plain, "nixos-0123456789.conf");
        ASSERT_OK(entry_name_print("nixos-0123456789", true, 3, 0, &counted));
        ASSERT_TEXT(counted, "nixos-0123456789+3-0.conf");
        ASSERT_TRUE(strlen(counted) <= 26); /* fits one sector of a directory */
        ASSERT_EQ(entry_name_print("a b", false, 0, 0, &bad), -EINVAL);
        ASSERT_EQ(entry_name_print("a/b", false, 0, 0, &bad), -EINVAL);
        ASSERT_EQ(entry_name_print("", false, 0, 0, &bad), -EINVAL);
        ASSERT_EQ(entry_name_print(".a", false, 0, 0, &bad), -EINVAL);
}

TEST(lines_are_read_as_the_loader_reads_them) {
        static const char text[] =
                "title  NixOS\r\n# a comment\n  version\t1 2 \noptions a\n"
                "options b=\"c d\"\nlinux /k\nlinux /k2\ninitrd /a\ninitrd /b\nunknown x\n"
                "efi\nsort-key s\nmachine-id m";
        _cleanup_(loader_entry_done) LoaderEntry entry = { 0 };

        ASSERT_OK(loader_entry_parse(text, strlen(text), &entry));
        ASSERT_TEXT(entry.title, "NixOS");
        ASSERT_TEXT(entry.version, "1 2");
        ASSERT_TEXT(entry.options, "a b=\"c d\"");
        ASSERT_TEXT(entry.kernel, "/k2");
        ASSERT_NULL(entry.efi);
        ASSERT_EQ(entry.initrds.n, 2);
        ASSERT_TEXT(entry.initrds.items[1], "/b");
        ASSERT_TEXT(entry.sort_key, "s");
        ASSERT_TEXT(entry.machine_id, "m");
}

TEST(what_is_printed_reads_back_the_same) {
        static const char text[] =
                "#enact generation 3\n#enact created 2026-11-23\n"
                "title NixOS (x)\nsort-key nixos\nversion Generation 3\nmachine-id m\n"
                "linux /EFI/enact/a.efi\ninitrd /EFI/enact/b.efi\ndevicetree /d\n"
                "options init=/nix/store/x/init a=1\n";
        _cleanup_(loader_entry_done) LoaderEntry entry = { 0 };
        _cleanup_free_ char *again = NULL, *stem = NULL;

        ASSERT_OK(loader_entry_parse(text, strlen(text), &entry));
        ASSERT_OK(loader_entry_print(&entry, &again));
        ASSERT_TEXT(again, text);
        ASSERT_TEXT(loader_entry_note(&entry, "generation"), "3");
        ASSERT_TEXT(loader_entry_note(&entry, "created"), "2026-11-23");
        ASSERT_NULL(loader_entry_note(&entry, "gen"));
        ASSERT_OK(loader_entry_stem("abc", false, &stem));
        ASSERT_TEXT(stem, "nixos-ba7816bf8f"); /* of SHA-256's own test vector */
}

TEST(no_value_ends_its_line) {
        LoaderEntry entry = { .title = (char *) "a\nlinux /x" };
        _cleanup_free_ char *text = NULL;

        ASSERT_EQ(loader_entry_print(&entry, &text), -EINVAL);
}

TEST(the_system_of_an_entry_is_that_of_its_only_init) {
        static const struct {
                const char *options, *toplevel;
        } cases[] = {
                { "init=/nix/store/x-nixos/init a", "/nix/store/x-nixos" },
                { "a init=/nix/store/x-nixos/init", "/nix/store/x-nixos" },
                { "systemd.init=/nix/store/x/init", NULL },
                { "init=/nix/store/x/init init=/nix/store/y/init", NULL },
                { "init=/bin/sh", NULL },
                { "init=init", NULL },
                { "quiet", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                LoaderEntry entry = { .options = (char *) cases[i].options };
                _cleanup_free_ char *toplevel = NULL;

                ASSERT_EQ(loader_entry_toplevel(&entry, &toplevel),
                          cases[i].toplevel ? 0 : -ENOENT);
                if (cases[i].toplevel)
                        ASSERT_TEXT(toplevel, cases[i].toplevel);
        }
}

TEST(any_name_of_a_specialisation_is_one_word_and_comes_back) {
        static const char *const names[] = { "quiet", "a b", "ü+/x", "-", "+20" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *encoded = NULL, *text = NULL, *file = NULL;

                ASSERT_OK(loader_entry_encode(names[i], &encoded));
                ASSERT_OK(entry_name_print(encoded, false, 0, 0, &file));
                ASSERT_OK(loader_entry_decode(encoded, &text));
                ASSERT_TEXT(text, names[i]);
        }
        {
                _cleanup_free_ char *text = NULL;

                ASSERT_EQ(loader_entry_decode("a+", &text), -EBADMSG);
                ASSERT_EQ(loader_entry_decode("a+0", &text), -EBADMSG);
                ASSERT_EQ(loader_entry_decode("a+00", &text), -EBADMSG);
                ASSERT_EQ(loader_entry_decode("a b", &text), -EBADMSG);
        }
}
