/* The rules: each has a name of its own and a line for people, and docs/plan.md has them all. */
#include <fcntl.h>

#include "file.h"
#include "plan-rule.h"
#include "test.h"
#include "text.h"

#define DOCUMENT    PROJECT_ROOT "/docs/plan.md"
#define ROW_BEGINS  "\n| `"
#define RULES_BEGIN "\n## Rules\n"

TEST(every_rule_has_a_name_of_its_own_and_a_text) {
        for (int rule = PLAN_RULE_NONE + 1; rule < _PLAN_RULE_MAX; rule++) {
                assert_non_null(plan_rule_to_string((PlanRule) rule));
                assert_non_null(plan_rule_to_text((PlanRule) rule));
                for (int other = PLAN_RULE_NONE + 1; other < rule; other++)
                        assert_string_not_equal(plan_rule_to_string((PlanRule) rule),
                                                plan_rule_to_string((PlanRule) other));
        }
}

TEST(the_document_lists_the_rules_and_no_others) {
        _cleanup_free_ char *text = NULL;
        size_t n_rows = 0;
        char *rules;

        ASSERT_OK(file_read(AT_FDCWD, DOCUMENT, FILE_SMALL_MAX, &text, NULL));
        rules = strstr(text, RULES_BEGIN);
        assert_non_null(rules);

        for (int rule = PLAN_RULE_NONE + 1; rule < _PLAN_RULE_MAX; rule++) {
                _cleanup_free_ char *row = NULL;

                ASSERT_OK(text_printf(&row, "%s%s` | ", ROW_BEGINS,
                                      plan_rule_to_string((PlanRule) rule)));
                ASSERT_CONTAINS(rules, row);
        }
        for (const char *p = rules; (p = strstr(p, ROW_BEGINS)); p++)
                n_rows++;
        ASSERT_EQ(n_rows, _PLAN_RULE_MAX - 1);
}
