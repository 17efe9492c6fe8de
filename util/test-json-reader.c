/* Long JSON, front to back: what it is made of is found, and what is no JSON is refused. */
#include "json-reader.h"
#include "test.h"

/* The numbers of an array added up, or an error. */
static int sum(const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        JsonReader reader;
        int r, n = 0;

        r = json_reader_begin(&reader, copy, strlen(copy));
        if (r >= 0)
                r = json_reader_open(&reader, '[');
        if (r < 0)
                return r;
        while ((r = json_reader_next(&reader, ']')) == JSON_READER_MORE) {
                _cleanup_(cJSON_Deletep) cJSON *value = NULL;

                r = json_reader_value(&reader, &value);
                if (r < 0)
                        return r;
                n += cJSON_IsNumber(value) ? value->valueint : 0;
        }
        if (r >= 0)
                r = json_reader_end(&reader);
        return r < 0 ? r : n;
}

TEST(elements_come_one_by_one) {
        ASSERT_EQ(sum("[]"), 0);
        ASSERT_EQ(sum("[7]"), 7);
        ASSERT_EQ(sum(" [ 1 , 2,4\t,\r\n[100,\"]\"],8 ] \n"), 15);
}

TEST(what_is_no_array_is_refused) {
        static const char *const bad[] = {
                "",
                " ",
                "1",
                "{}",
                "[",
                "[1",
                "[1,",
                "[1,]",
                "[,1]",
                "[1 2]",
                "[1}",
                "[1]]",
                "[1] 2",
                "[1],[2]",
                "[\"a\",b",
                "[1, \"a]",
                "[[1]",
                "[\xef\xbb\xbf"
                "1]",
                "[\x01"
                "1]",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (sum(bad[i]) != -EBADMSG)
                        fail_msg("'%s' was taken", bad[i]);
}

static void ask_member(JsonReader *reader, const char *key) {
        const char *read;

        ASSERT_EQ(json_reader_next(reader, '}'), JSON_READER_MORE);
        ASSERT_OK(json_reader_key(reader, &read));
        ASSERT_TEXT(read, key);
}

TEST(members_have_a_name_and_a_value) {
        char text[] = " { \"ab\" : { \"x\":1 } , \"list\":[3], \"c\":\"d\",\"e\":null}";
        _cleanup_(cJSON_Deletep) cJSON *value = NULL, *element = NULL;
        JsonReader reader;
        const char *read;

        ASSERT_OK(json_reader_begin(&reader, text, strlen(text)));
        ASSERT_OK(json_reader_open(&reader, '{'));
        ask_member(&reader, "ab");
        ASSERT_OK(json_reader_value(&reader, &value));
        ASSERT_TRUE(cJSON_HasObjectItem(value, "x"));

        /* A list may be gone into, too. */
        ask_member(&reader, "list");
        ASSERT_OK(json_reader_open(&reader, '['));
        ASSERT_EQ(json_reader_next(&reader, ']'), JSON_READER_MORE);
        ASSERT_OK(json_reader_value(&reader, &element));
        ASSERT_EQ(element->valueint, 3);
        ASSERT_EQ(json_reader_next(&reader, ']'), 0);

        ask_member(&reader, "c");
        ASSERT_OK(json_reader_text(&reader, &read));
        ASSERT_TEXT(read, "d");
        ask_member(&reader, "e");
        ASSERT_OK(json_reader_text(&reader, &read));
        ASSERT_NULL(read);
        ASSERT_EQ(json_reader_next(&reader, '}'), 0);
        ASSERT_OK(json_reader_end(&reader));
}

TEST(escapes_are_what_they_stand_for) {
        char text[] = "\"\\\"\\\\\\n\\u0041\\u20ac\\ud83d\\ude00\\u00e9\" ";
        JsonReader reader;
        const char *read;

        ASSERT_OK(json_reader_begin(&reader, text, strlen(text)));
        ASSERT_OK(json_reader_text(&reader, &read));
        ASSERT_TEXT(read, "\"\\\nA\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9");
        ASSERT_OK(json_reader_end(&reader));
}

TEST(what_is_no_text_is_refused) {
        static const char *const bad[] = { "", "\"", "\"a", "\"a\\\"", "\"\\x\"", "\"\\ud83d\"" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *copy = strdup(bad[i]);
                const char *read;
                JsonReader reader;

                ASSERT_OK(json_reader_begin(&reader, copy, strlen(copy)));
                if (json_reader_text(&reader, &read) != -EBADMSG)
                        fail_msg("'%s' was taken", bad[i]);
        }
}

TEST(a_name_is_a_text_and_stands_before_a_colon) {
        static const char *const bad[] = { "{1:2}", "{\"a\"}", "{\"a\",1}", "{\"a", "{}" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *copy = strdup(bad[i]);
                JsonReader reader;
                const char *key;

                ASSERT_OK(json_reader_begin(&reader, copy, strlen(copy)));
                ASSERT_OK(json_reader_open(&reader, '{'));
                ASSERT_EQ(json_reader_key(&reader, &key), -EBADMSG);
        }
}

TEST(nothing_behind_the_end_is_read) {
        char text[] = "[12]", with_nul[] = "[1\0]";
        JsonReader reader;
        cJSON *value;

        ASSERT_OK(json_reader_begin(&reader, text, 2));
        ASSERT_OK(json_reader_open(&reader, '['));
        ASSERT_EQ(json_reader_next(&reader, ']'), JSON_READER_MORE);
        ASSERT_OK(json_reader_value(&reader, &value));
        ASSERT_EQ(value->valueint, 1);
        cJSON_Delete(value);
        ASSERT_EQ(json_reader_next(&reader, ']'), -EBADMSG);
        ASSERT_EQ(json_reader_begin(&reader, with_nul, sizeof(with_nul) - 1), -EBADMSG);
}

TEST(deep_nesting_is_refused) {
        char deep[200] = "1,", *p = deep + 2;
        JsonReader reader;
        cJSON *value;

        memset(p, '[', 80);
        memset(p + 80, ']', 80);
        ASSERT_OK(json_reader_begin(&reader, deep, strlen(deep)));
        ASSERT_OK(json_reader_value(&reader, &value));
        cJSON_Delete(value);

        ASSERT_OK(json_reader_begin(&reader, p, strlen(p)));
        ASSERT_EQ(json_reader_value(&reader, &value), -EBADMSG);
}
