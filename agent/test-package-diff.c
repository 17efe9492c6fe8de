#include "package-diff.h"
#include "test.h"

#define STORE "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-"

static void assert_split(const char *path, const char *name, const char *version) {
        _cleanup_free_ char *got_name = NULL, *got_version = NULL;

        ASSERT_OK(package_split(path, &got_name, &got_version));
        ASSERT_TEXT(got_name, name);
        ASSERT_TEXT(got_version, version);
}

TEST(a_store_path_is_a_name_and_a_version) {
        assert_split(STORE "firefox-120.0.1", "firefox", "120.0.1");
        assert_split(STORE "glibc-2.38-66-bin", "glibc", "2.38-66");
        assert_split(STORE "python3.11-requests-2.31.0", "python3.11-requests", "2.31.0");
        assert_split(STORE "unit-sshd.service", "unit-sshd.service", "");
        assert_split(STORE "system-path", "system-path", "");
        assert_split(STORE "source", "source", "");
        assert_split(STORE "-1.0", "-1.0", "");
        assert_split(STORE "a-", "a-", "");
        assert_split("x", "x", "");
}

static Closure closure(const char *text) {
        Closure c = { 0 };

        ASSERT_OK(closure_parse(text, &c));
        return c;
}

TEST(what_nix_prints_is_paths_and_sizes) {
        _cleanup_(closure_done) Closure c =
                closure("/nix/store/1-a  \t      12345\n/nix/store/2-b\t7\n");

        ASSERT_EQ(c.n, 2);
        ASSERT_TEXT(c.paths[0].path, "/nix/store/1-a");
        ASSERT_EQ(c.paths[0].bytes, 12345);
        ASSERT_EQ(closure_bytes(&c), 12352);
}

TEST(what_is_no_path_and_size_is_refused) {
        static const char *const texts[] = { "/nix/store/1-a\n", "/nix/store/1-a x\n", "a 1\n",
                                             "/nix/store/1-a 1 2\n", "/nix/store/1-a -1\n" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(closure_done) Closure c = { 0 };

                ASSERT_EQ(closure_parse(texts[i], &c), -EBADMSG);
        }
}

static void assert_change(const PackageChange *change, const char *name, const char *old,
                          const char *new, int64_t bytes) {
        _cleanup_free_ char *old_versions = NULL, *new_versions = NULL;

        ASSERT_OK(string_list_join(&change->old, ",", &old_versions));
        ASSERT_OK(string_list_join(&change->new, ",", &new_versions));
        ASSERT_TEXT(change->name, name);
        ASSERT_TEXT(old_versions, old);
        ASSERT_TEXT(new_versions, new);
        ASSERT_TRUE(change->bytes == bytes);
}

TEST(packages_differ_by_version_or_by_much) {
        _cleanup_(package_diff_done) PackageDiff diff = { 0 };
        _cleanup_(closure_done) Closure old =
                closure(STORE "both-1.0 100\n" STORE "gone-2.0 300\n" STORE "up-1.0 100\n" STORE
                              "up-1.0-lib 50\n" STORE "text 100\n" STORE "fat 100\n" STORE
                              "rebuilt-3 9000\n" STORE "many-1 1\n" STORE "many-2 1\n");
        _cleanup_(closure_done) Closure new =
                closure(STORE "both-1.0 200\n" STORE "come-7 400\n" STORE "up-1.1 120\n" STORE
                              "up-1.1-lib 60\n" STORE "text 900\n" STORE "fat 9000\n" STORE
                              "other-text 10\n" STORE "rebuilt-3 100\n" STORE "many-2 1\n" STORE
                              "many-3 1\n");

        ASSERT_OK(package_diff_make(&old, &new, &diff));
        ASSERT_EQ(diff.n, 6);
        assert_change(&diff.changes[0], "come", "", "7", 400);
        assert_change(&diff.changes[1], "fat", "", "", 8900);
        assert_change(&diff.changes[2], "gone", "2.0", "", -300);
        assert_change(&diff.changes[3], "many", "1", "3", 0);
        assert_change(&diff.changes[4], "rebuilt", "", "", -8900);
        assert_change(&diff.changes[5], "up", "1.0", "1.1", 30);
}

TEST(a_closure_does_not_differ_from_itself) {
        _cleanup_(package_diff_done) PackageDiff diff = { 0 };
        _cleanup_(closure_done) Closure c = closure(STORE "a-1 100000\n" STORE "b 1\n"),
                                        none = { 0 };

        ASSERT_OK(package_diff_make(&c, &c, &diff));
        ASSERT_EQ(diff.n, 0);
        package_diff_done(&diff);
        ASSERT_OK(package_diff_make(&none, &none, &diff));
        ASSERT_EQ(diff.n, 0);
}
