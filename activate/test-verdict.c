#include "test.h"
#include "verdict.h"

static void assert_json(const Verdict *verdict, const char *wanted) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *line = NULL;

        ASSERT_OK(verdict_to_json(verdict, &object));
        ASSERT_OK(json_print(object, &line));
        ASSERT_TEXT(line, wanted);
}

TEST(nothing_bad_is_good) {
        _cleanup_(verdict_done) Verdict verdict = { 0 };

        assert_json(&verdict, "{\"verdict\":\"good\",\"bad\":[],\"unknown\":[],\"unrelated\":[],"
                              "\"why\":{}}");
        ASSERT_OK(string_list_add(&verdict.unrelated, "a.service"));
        ASSERT_OK(string_list_add(&verdict.failed_before, "b.service"));
        ASSERT_OK(verdict_add_why(&verdict, "b.service", "failed"));
        ASSERT_OK(verdict_add_why(&verdict, "b.service", "failed: exit-code"));
        assert_json(&verdict, "{\"verdict\":\"good\",\"bad\":[],\"unknown\":[],"
                              "\"unrelated\":[\"a.service\",\"b.service\"],"
                              "\"why\":{\"b.service\":\"failed: exit-code\"}}");
}

TEST(bad_is_another_word_than_could_not_tell_and_stronger) {
        _cleanup_(verdict_done) Verdict verdict = { 0 };

        ASSERT_OK(string_list_add(&verdict.unknown, "a.service"));
        ASSERT_TEXT(verdict_to_string(&verdict), "could not tell");
        ASSERT_OK(string_list_add(&verdict.bad, "b.service"));
        ASSERT_TEXT(verdict_to_string(&verdict), "bad");
}

TEST(a_probe_that_failed_is_bad_where_all_units_are_well) {
        _cleanup_(verdict_done) Verdict verdict = { 0 };

        ASSERT_OK(string_list_add(&verdict.failed_probes, "'web' (status 503)"));
        ASSERT_TEXT(verdict_to_string(&verdict), "bad");
}

TEST(each_unit_is_described_with_what_is_wrong) {
        _cleanup_(verdict_done) Verdict verdict = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(string_list_add(&verdict.bad, "a.service"));
        ASSERT_OK(string_list_add(&verdict.bad, "b.service"));
        ASSERT_OK(verdict_add_why(&verdict, "a.service", "is not there"));
        ASSERT_OK(verdict_describe(&verdict, &verdict.bad, &text));
        ASSERT_TEXT(text, "a.service (is not there), b.service (not well)");
}

TEST(of_very_many_only_the_first_are_kept) {
        _cleanup_(verdict_done) Verdict verdict = { 0 };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;

        for (int i = 0; i < 1000; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "u%d.service", i);
                ASSERT_OK(string_list_add(&verdict.bad, name));
                ASSERT_OK(verdict_add_why(&verdict, name, "failed"));
        }
        ASSERT_OK(verdict_to_json(&verdict, &object));
        ASSERT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(object, "bad")), 200);
        ASSERT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(object, "why")), 200);
}
