/* The plan for people: what is shown of values, and what is kept from a terminal. */
#include "plan-print.h"
#include "test.h"

static char *print_reason(PlanReason *why) {
        PlanEntry entry = { .unit = (char *) "a.service", .why = why, .n_why = 1 };
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        assert_non_null(out);
        plan_print_reasons(&entry, out);
        ASSERT_OK(fclose(out));
        return text;
}

static char *print_value(const char *value) {
        _cleanup_(string_list_done) StringList old = { 0 }, new = { 0 };
        PlanReason why = {
                .file = (char *) "a.service",
                .section = (char *) "Service",
                .key = (char *) "Key",
        };

        ASSERT_OK(string_list_add(&new, value));
        why.old = old;
        why.new = new;
        return print_reason(&why);
}

TEST(a_key_is_shown_with_both_values) {
        _cleanup_free_ char *text = print_value("1");

        ASSERT_TEXT(text, "      a.service [Service] Key: nothing -> \"1\"\n");
}

TEST(of_a_long_value_the_end_is_shown_from_a_whole_character_on) {
        _cleanup_free_ char *value = calloc(1, 400), *text = NULL;

        for (int i = 0; i < 100; i++)
                strcat(value, "€");
        strcat(value, "x");
        text = print_value(value);
        ASSERT_CONTAINS(text, "\"…€€€");
        ASSERT_CONTAINS(text, "€x\"\n");
        ASSERT_TRUE(strlen(text) < 150);
}

TEST(no_control_character_reaches_a_terminal) {
        _cleanup_free_ char *text = print_value("\033[31mred\a\n");

        ASSERT_CONTAINS(text, "\"\\x1b[31mred\\x07\\x0a\"\n");
}

TEST(a_rule_is_shown_as_a_sentence) {
        PlanReason why = { .rule = PLAN_RULE_GONE };
        _cleanup_free_ char *text = print_reason(&why);

        ASSERT_TEXT(text, "      the new system does not have it\n");
}

TEST(a_plan_with_nothing_in_it_says_so) {
        Plan plan = { 0 };
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        plan_print(&plan, out);
        ASSERT_OK(fclose(out));
        ASSERT_TEXT(text, "  no unit changes\n");
        free(text);
}
