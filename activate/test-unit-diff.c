/* What changed between two definitions: which keys are named, and what the sum of them is. */
#include "test.h"
#include "unit-diff.h"

static UnitFile *parse(const char *text) {
        UnitFile *file;

        ASSERT_OK(unit_file_new(&file));
        ASSERT_OK(unit_file_parse(file, "x.service", text, strlen(text)));
        ASSERT_OK(unit_file_finish(file));
        return file;
}

static UnitChange change_of(const char *old_text, const char *new_text) {
        _cleanup_(unit_file_freep) UnitFile *old = parse(old_text), *new = parse(new_text);
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };

        ASSERT_OK(unit_diff_make(&diff, old, new));
        return diff.change;
}

TEST(equal_files_differ_in_nothing) {
        ASSERT_EQ(change_of("", ""), UNIT_EQUAL);
        ASSERT_EQ(change_of("[A]\nX=1\nX=2\n", "[A]\nX=1\nX=2\n"), UNIT_EQUAL);
}

TEST(what_differs_is_named_with_its_values) {
        _cleanup_(unit_file_freep) UnitFile *old = parse("[Service]\nA=1\nB=1\nC=1\n");
        _cleanup_(unit_file_freep) UnitFile *new = parse("[Service]\nA=1\nB=2\nB=3\nD=1\n");
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };

        ASSERT_OK(unit_diff_make(&diff, old, new));
        ASSERT_EQ(diff.change, UNIT_RESTART);
        ASSERT_EQ(diff.n_differences, 3);
        ASSERT_TEXT(diff.differences[0].key, "B");
        ASSERT_EQ(diff.differences[0].new->values.n, 2);
        ASSERT_TEXT(diff.differences[1].key, "C");
        ASSERT_NULL(diff.differences[1].new);
        ASSERT_TEXT(diff.differences[2].key, "D");
        ASSERT_NULL(diff.differences[2].old);
}

TEST(the_greater_change_wins) {
        ASSERT_EQ(change_of("[Service]\nExecReload=1\n", "[Service]\nExecReload=2\n"), UNIT_RELOAD);
        ASSERT_EQ(change_of("[Service]\nExecReload=1\nA=1\n", "[Service]\nExecReload=2\nA=2\n"),
                  UNIT_RESTART);
}

TEST(of_sections_that_come_or_go_each_row_of_the_table_holds) {
        ASSERT_EQ(change_of("", "[Unit]\n"), UNIT_EQUAL);
        ASSERT_EQ(change_of("[Unit]\n", ""), UNIT_EQUAL);
        ASSERT_EQ(change_of("", "[Service]\n"), UNIT_RESTART);
        ASSERT_EQ(change_of("[Service]\n", ""), UNIT_RESTART);
        ASSERT_EQ(change_of("", "[Service]\nExecReload=1\n"), UNIT_RELOAD);
        ASSERT_EQ(change_of("[Service]\nExecReload=1\n", ""), UNIT_EQUAL);
        ASSERT_EQ(change_of("", "[Unit]\n[X]\n"), UNIT_RESTART);
        ASSERT_EQ(change_of("", "[Unit]\nX-Reload-Triggers=1\n"), UNIT_RELOAD);
        ASSERT_EQ(change_of("[Unit]\nX-Reload-Triggers=1\n", ""), UNIT_EQUAL);
}

TEST(bytes_are_compared_where_nobody_can_read) {
        _cleanup_(unit_file_freep) UnitFile *old = NULL, *new = NULL;
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };

        ASSERT_OK(unit_file_new(&old));
        ASSERT_OK(unit_file_add_opaque(old, "x.service", "1"));
        ASSERT_OK(unit_file_finish(old));
        ASSERT_OK(unit_file_new(&new));
        ASSERT_OK(unit_file_add_opaque(new, "x.service", "2"));
        ASSERT_OK(unit_file_finish(new));

        ASSERT_OK(unit_diff_make(&diff, old, new));
        ASSERT_EQ(diff.change, UNIT_RESTART);
        ASSERT_EQ(diff.n_differences, 1);
        ASSERT_NULL(diff.differences[0].section);
}
