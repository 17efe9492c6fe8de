/* Versions in the loader's order; each row was answered so by systemd-analyze 252 as well. */
#include "test.h"
#include "version-compare.h"

static int sign(int number) {
        return (number > 0) - (number < 0);
}

TEST(versions_are_in_the_order_of_the_specification) {
        static const struct {
                const char *low, *high;
        } cases[] = {
                { "", "1" },
                { "9", "10" },
                { "Generation 9 NixOS, built on 2026-12-31",
                  "Generation 10 NixOS, built on 2026-01-01" },
                { "1.2", "1.10" },
                { "1~rc1", "1" },
                { "1", "1^git" },
                { "1^git", "1.1" },
                { "1-1", "1.1" },
                { "1-1", "1^1" },
                { "a", "b" },
                { "a", "ab" },
                { "a", "1" },
                { "007", "8" },
                { "99999999999999999998", "99999999999999999999" },
                { "a", "aa" },
                { "Z", "a" },
                { "~. 1+0", "~.a+" },
                { "Z -.", "Z -" },
                { "^.0", "^" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (sign(version_compare(cases[i].low, cases[i].high)) != -1 ||
                    sign(version_compare(cases[i].high, cases[i].low)) != 1)
                        fail_msg("'%s' < '%s'", cases[i].low, cases[i].high);
                ASSERT_EQ(version_compare(cases[i].low, cases[i].low), 0);
        }
}

TEST(what_no_version_has_is_passed_over) {
        ASSERT_EQ(version_compare("1 (x)", "1x"), 0);
        ASSERT_EQ(version_compare("01", "1"), 0);
        ASSERT_EQ(version_compare(NULL, ""), 0);
        ASSERT_EQ(version_compare("ü1", "1"), 0);
}
