#include "columns.h"
#include "test.h"

static void check_fit(const char *text, size_t max, size_t bytes, size_t columns) {
        size_t got;

        ASSERT_EQ(columns_fit(text, max, &got), bytes);
        ASSERT_EQ(got, columns);
}

TEST(a_letter_takes_one_column) {
        ASSERT_EQ(columns_of(""), 0);
        ASSERT_EQ(columns_of("linux-6.1"), 9);
        ASSERT_EQ(columns_of("\303\251t\303\251"), 3);
}

TEST(wide_characters_take_two_and_accents_none) {
        ASSERT_EQ(columns_of("\346\227\245\346\234\254"), 4);
        ASSERT_EQ(columns_of("\360\237\230\200"), 2);
        ASSERT_EQ(columns_of("e\314\201"), 1);
        ASSERT_EQ(columns_of("\357\274\241\342\200\215"), 2);
}

TEST(no_character_is_cut) {
        check_fit("abc", 0, 0, 0);
        check_fit("abc", 2, 2, 2);
        check_fit("abc", 9, 3, 3);
        check_fit("a\346\227\245b", 2, 1, 1);
        check_fit("a\346\227\245b", 3, 4, 3);
        check_fit("e\314\201x", 1, 3, 1);
}

TEST(what_is_no_utf_8_is_a_column_for_each_byte) {
        ASSERT_EQ(columns_of("\200\377\303"), 3);
        ASSERT_EQ(columns_of("\346\227"), 2);
        ASSERT_EQ(columns_of("\346a"), 2);
}
