#include "json.h"
#include "test.h"

static int parse(const char *text, cJSON **ret) {
        return json_parse(text, strlen(text), ret);
}

TEST(only_one_whole_object_is_taken) {
        static const char *const bad[] = {
                "", " ", "[]", "7", "\"a\"", "{", "{} {}", "{}x", "{\"a\":}", "nul", "{'a':1}",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(cJSON_Deletep) cJSON *object = NULL;

                ASSERT_EQ(parse(bad[i], &object), -EBADMSG);
                ASSERT_NULL(object);
        }
}

TEST(blanks_around_the_object_are_fine_and_a_nul_behind_it_is_not) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;

        ASSERT_EQ(json_parse("{}\0", 3, &object), -EBADMSG);
        ASSERT_OK(parse(" {\"a\":\"b\"}\r\n", &object));
        ASSERT_TEXT(json_string(object, "a"), "b");
}

TEST(deep_nesting_is_refused_and_brackets_in_text_are_not_nesting) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        char deep[300] = "{\"a\":", flat[300] = "{\"a\":\"\\\"";

        memset(deep + strlen(deep), '[', 100);
        ASSERT_EQ(parse(deep, &object), -EBADMSG);
        memset(flat + strlen(flat), '[', 100);
        strcat(flat, "\"}");
        ASSERT_OK(parse(flat, &object));
}

TEST(a_number_is_whole_and_within_its_limit) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        uint64_t number = 7;

        ASSERT_OK(parse("{\"a\":5,\"b\":-1,\"c\":1.5,\"d\":\"5\",\"e\":1e300,\"f\":0}", &object));
        ASSERT_EQ(json_number(object, "b", 9, &number), -EBADMSG);
        ASSERT_EQ(json_number(object, "c", 9, &number), -EBADMSG);
        ASSERT_EQ(json_number(object, "d", 9, &number), -EBADMSG);
        ASSERT_EQ(json_number(object, "e", UINT64_MAX, &number), -EBADMSG);
        ASSERT_EQ(json_number(object, "a", 4, &number), -EBADMSG);
        ASSERT_EQ(json_number(object, "none", 9, &number), -ENOENT);
        ASSERT_EQ(number, 7);
        ASSERT_OK(json_number(object, "a", 5, &number));
        ASSERT_EQ(number, 5);
        ASSERT_OK(json_number(object, "f", 5, &number));
        ASSERT_EQ(number, 0);
}

TEST(what_is_of_another_type_is_absent) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;

        ASSERT_OK(parse("{\"a\":1,\"b\":true,\"B\":\"x\"}", &object));
        ASSERT_NULL(json_string(object, "a"));
        ASSERT_NULL(json_string(object, "none"));
        ASSERT_NULL(json_string(object, "b"));
}

TEST(lists_are_printed_on_one_line) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_(string_list_done) StringList list = { 0 };
        _cleanup_free_ char *line = NULL;

        ASSERT_OK(json_add_strings(object, "none", &list));
        ASSERT_OK(string_list_add(&list, "a\n\"b"));
        ASSERT_OK(json_add_strings(object, "some", &list));
        ASSERT_OK(json_print(object, &line));
        ASSERT_TEXT(line, "{\"none\":[],\"some\":[\"a\\n\\\"b\"]}");
}
