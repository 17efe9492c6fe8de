#include "lock-file.h"
#include "test.h"

#define NODE(rev, modified, inputs)                                                                \
        "{\"inputs\":" inputs ",\"locked\":{\"lastModified\":" modified ",\"rev\":\"" rev          \
        "\",\"type\":\"github\"},\"original\":{\"owner\":\"NixOS\",\"repo\":\"nixpkgs\","          \
        "\"ref\":\"nixos-24.05\",\"type\":\"github\"}}"

static int parse(const char *text, LockFile *lock) {
        return lock_file_parse(text, strlen(text), lock);
}

TEST(inputs_are_listed_by_path_and_those_that_follow_are_not) {
        _cleanup_(lock_file_done) LockFile lock = { 0 };
        const LockedInput *input;

        ASSERT_OK(parse(
                "{\"version\":7,\"root\":\"root\",\"nodes\":{"
                "\"nixpkgs_2\":" NODE(
                        "aaaa", "1714000000",
                        "{}") ","
                              "\"hm\":" NODE(
                                      "bbbb", "1715000000",
                                      "{\"nixpkgs\":[\"nixpkgs\"],\"u\":\"u\"}") ","
                                                                                 "\"u\":{\"locked\":{\"narHash\":\"sha256-x\",\"path\":\"/u\",\"type\":\"path\"},"
                                                                                 "\"original\":{\"path\":\"/u\",\"type\":\"path\"},\"flake\":false},"
                                                                                 "\"root\":{\"inputs\":{\"nixpkgs\":\"nixpkgs_2\",\"home-manager\":\"hm\"}}}}",
                &lock));
        ASSERT_EQ(lock.n, 3);
        input = lock_file_find(&lock, "nixpkgs");
        ASSERT_TEXT(input->revision, "aaaa");
        ASSERT_TEXT(input->reference, "github:NixOS/nixpkgs/nixos-24.05");
        ASSERT_EQ(input->modified, 1714000000);
        input = lock_file_find(&lock, "home-manager/u");
        ASSERT_TEXT(input->revision, "sha256-x");
        ASSERT_TEXT(input->reference, "path:/u");
        ASSERT_EQ(input->modified, 0);
        ASSERT_NULL(lock_file_find(&lock, "home-manager/nixpkgs"));
}

TEST(what_is_no_lock_file_is_refused) {
        static const char *const texts[] = {
                "",
                "[]",
                "{}",
                "{\"nodes\":{}}",
                "{\"nodes\":{\"root\":1},\"root\":\"root\"}",
                "{\"nodes\":{\"root\":{\"inputs\":{\"a\":\"b\"}}},\"root\":\"root\"}",
                /* around for ever */
                "{\"nodes\":{\"root\":{\"inputs\":{\"a\":\"root\"}}},\"root\":\"root\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(lock_file_done) LockFile lock = { 0 };

                ASSERT_EQ(parse(texts[i], &lock), -EBADMSG);
        }
}

TEST(a_flake_without_inputs_has_none) {
        _cleanup_(lock_file_done) LockFile lock = { 0 }, missing = { 0 };

        ASSERT_OK(parse("{\"version\":7,\"root\":\"root\",\"nodes\":{\"root\":{}}}", &lock));
        ASSERT_EQ(lock.n, 0);
        ASSERT_NULL(lock_file_find(&lock, "nixpkgs"));
        ASSERT_OK(lock_file_read("/none", &missing));
        ASSERT_EQ(missing.n, 0);
}
