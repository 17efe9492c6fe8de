/* The loader's version: out of LoaderInfo, out of the binary, and what follows from it. */
#include "loader-version.h"
#include "test.h"

static LoaderVersion parsed(const char *text) {
        LoaderVersion version = { 0 };

        ASSERT_OK(loader_version_parse(text, &version));
        return version;
}

TEST(a_version_is_read_with_what_the_distribution_adds) {
        static const struct {
                const char *text;
                unsigned major, minor;
        } cases[] = {
                { "systemd-boot 252.39-1~deb12u2", 252, 39 },
                { "systemd-boot 260", 260, 0 },
                { "systemd-boot 258.3", 258, 3 },
                { "systemd-boot 260~rc1", 260, 0 },
                { "systemd-boot x", 0, 0 },
                { "GRUB 2.12", 0, 0 },
                { "systemd-boot 99999999999999999999", 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loader_version_done) LoaderVersion version = parsed(cases[i].text);

                ASSERT_EQ(version.major, cases[i].major);
                ASSERT_EQ(version.minor, cases[i].minor);
                ASSERT_TEXT(version.text, cases[i].text);
        }
}

TEST(a_binary_says_its_version_between_marks) {
        static const char binary[] =
                "MZ\0\0#### LoaderInfo\0#### LoaderInfo: systemd-boot 252.39-1 ####\0x";
        static const char endless[] = "#### LoaderInfo: systemd-boot 252 ###";
        _cleanup_(loader_version_done) LoaderVersion version = { 0 }, none = { 0 };

        ASSERT_OK(loader_version_from_binary(binary, sizeof(binary), &version));
        ASSERT_TEXT(version.text, "systemd-boot 252.39-1");
        ASSERT_EQ(version.major, 252);
        ASSERT_EQ(loader_version_from_binary(endless, sizeof(endless), &none), -ENOENT);
        ASSERT_EQ(loader_version_from_binary("", 0, &none), -ENOENT);
}

TEST(what_a_loader_does_goes_by_its_version) {
        static const struct {
                const char *text;
                bool counts, hides, prefers;
        } cases[] = {
                { "systemd-boot 238", false, false, false },
                { "systemd-boot 252.39", true, false, false },
                { "systemd-boot 258.2", true, false, false },
                { "systemd-boot 258.3", true, true, false },
                { "systemd-boot 259", true, true, false },
                { "systemd-boot 260.1", true, true, true },
                { "another 260", false, false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loader_version_done) LoaderVersion version = parsed(cases[i].text);

                ASSERT_EQ(loader_version_counts(&version), cases[i].counts);
                ASSERT_EQ(loader_version_hides_counters(&version), cases[i].hides);
                ASSERT_EQ(loader_version_prefers(&version), cases[i].prefers);
        }
}
