/* loader.conf: one key changes, and every other line stays as somebody wrote it. */
#include "loader-conf.h"
#include "test.h"

static void read_conf(const char *text, LoaderConf *conf) {
        *conf = (LoaderConf){ 0 };
        ASSERT_OK(loader_conf_parse(text, strlen(text), conf));
}

static void assert_set(const char *before, const char *value, const char *after) {
        _cleanup_(loader_conf_done) LoaderConf conf = { 0 };
        _cleanup_free_ char *text = NULL;

        read_conf(before, &conf);
        ASSERT_OK(loader_conf_set(&conf, "default", value));
        ASSERT_OK(loader_conf_print(&conf, &text));
        ASSERT_TEXT(text, after);
}

TEST(all_lines_are_kept) {
        static const char text[] = "timeout 5\n# by hand\n\n  unknown-key  x y\ndefaults z\n";

        assert_set(text, "a.conf",
                   "timeout 5\n# by hand\n\n  unknown-key  x y\ndefaults z\ndefault a.conf\n");
        assert_set(text, NULL, text);
}

TEST(a_key_keeps_its_place_and_is_there_once) {
        assert_set("default old\ntimeout 5\n default\tolder\n", "new.conf",
                   "default new.conf\ntimeout 5\n");
        assert_set("timeout 5\ndefault old", NULL, "timeout 5\n");
        assert_set("default\ndefault old\n", "n", "default\ndefault n\n");
        assert_set("", "n", "default n\n");
        assert_set("", NULL, "");
}

TEST(the_last_line_of_a_key_counts) {
        _cleanup_(loader_conf_done) LoaderConf conf = { 0 };
        _cleanup_free_ char *value = NULL, *none = NULL;

        read_conf("default a\r\ndefault  b \r\ndefault\n#default c\ndefaults d\n", &conf);
        ASSERT_OK(loader_conf_get(&conf, "default", &value));
        ASSERT_TEXT(value, "b");
        ASSERT_EQ(loader_conf_get(&conf, "preferred", &none), -ENOENT);
}

TEST(what_is_no_line_is_refused) {
        _cleanup_(loader_conf_done) LoaderConf conf = { 0 };
        static char big[LOADER_CONF_BYTES_MAX + 1];

        ASSERT_EQ(loader_conf_set(&conf, "default", "a\neditor 1"), -EINVAL);
        ASSERT_EQ(loader_conf_set(&conf, "default", ""), -EINVAL);
        ASSERT_EQ(loader_conf_parse("a\0b", 3, &conf), -EBADMSG);
        ASSERT_EQ(loader_conf_parse(big, sizeof(big), &conf), -EFBIG);
}
