#include "test.h"
#include "text.h"

TEST(a_number_fills_the_whole_text) {
        uint64_t number = 7;

        ASSERT_OK(text_to_unsigned("120", 1000, &number));
        ASSERT_EQ(number, 120);
        ASSERT_OK(text_to_unsigned("18446744073709551615", UINT64_MAX, &number));
        ASSERT_TRUE(number == UINT64_MAX);
}

TEST(what_is_no_number_is_refused) {
        uint64_t number = 7;

        ASSERT_EQ(text_to_unsigned("", 9, &number), -EINVAL);
        ASSERT_EQ(text_to_unsigned("-1", 9, &number), -EINVAL);
        ASSERT_EQ(text_to_unsigned("1 ", 9, &number), -EINVAL);
        ASSERT_EQ(text_to_unsigned("0x1", 9, &number), -EINVAL);
        ASSERT_EQ(text_to_unsigned("10", 9, &number), -ERANGE);
        ASSERT_EQ(text_to_unsigned("18446744073709551616", UINT64_MAX, &number), -ERANGE);
        ASSERT_EQ(number, 7);
}

TEST(a_typo_is_one_edit_away) {
        ASSERT_EQ(text_distance("web", "web"), 0);
        ASSERT_EQ(text_distance("wbe", "web"), 2);
        ASSERT_EQ(text_distance("we", "web"), 1);
        ASSERT_EQ(text_distance("", "web"), 3);
}

TEST(prefix_suffix_and_blanks) {
        char blank[] = " \t a b \n";

        ASSERT_TEXT(text_after_prefix("path:/x", "path:"), "/x");
        ASSERT_NULL(text_after_prefix("pat", "path:"));
        ASSERT_TRUE(text_has_suffix("foo.service", ".service"));
        ASSERT_FALSE(text_has_suffix("ice", ".service"));
        ASSERT_TEXT(text_strip(blank), "a b");
}

TEST(utf8_is_told_from_other_bytes) {
        ASSERT_TRUE(text_is_utf8(""));
        ASSERT_TRUE(text_is_utf8("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"));
        ASSERT_FALSE(text_is_utf8("\xe4"));
        ASSERT_FALSE(text_is_utf8("cut \xe2\x82"));
        ASSERT_FALSE(text_is_utf8("too long \xc0\xaf \xe0\x80\xaf"));
        ASSERT_FALSE(text_is_utf8("half a pair \xed\xa0\x80"));
        ASSERT_FALSE(text_is_utf8("past the end \xf4\x90\x80\x80"));
}

TEST(what_is_no_utf8_becomes_a_question_mark) {
        _cleanup_free_ char *kept = text_to_utf8("gr\xc3\xbc\xc3\x9f \033[1m\tdich");
        _cleanup_free_ char *bytes = text_to_utf8("\xff-a\xc3");

        ASSERT_TEXT(kept, "gr\xc3\xbc\xc3\x9f \033[1m\tdich");
        ASSERT_TEXT(bytes, "?-a?");
}

static const char *stripped(char *text) {
        text_strip_controls(text);
        return text;
}

TEST(what_would_drive_a_terminal_is_left_out) {
        char colour[] = "\033[1;31mred\033[0m", title[] = "a\033]0;title\ab", cut[] = "a\033[",
             bell[] = "a\a\bb\x7f",
             eight_bit[] = "a\xc2\x9b"
                           "31mb \xc3\xa4 \xc2\xa0",
             redrawn[] = "one\n10%\r20%\rdone\r\n\tend";

        ASSERT_TEXT(stripped(colour), "red");
        ASSERT_TEXT(stripped(title), "ab");
        ASSERT_TEXT(stripped(cut), "a");
        ASSERT_TEXT(stripped(bell), "ab");
        ASSERT_TEXT(stripped(eight_bit), "a31mb \xc3\xa4 \xc2\xa0");
        ASSERT_TEXT(stripped(redrawn), "one\ndone\n\tend");
}
