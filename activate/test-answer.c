#include "answer.h"
#include "test.h"

#define ID "20261122-214501-123456"

static int parse(const char *text) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_(answer_done) Answer answer = { 0 };

        ASSERT_OK(json_parse(text, strlen(text), &object));
        return answer_from_json(object, &answer);
}

TEST(an_answer_comes_out_as_it_went_in) {
        for (AnswerVerb verb = 0; verb < _ANSWER_VERB_MAX; verb++) {
                const Answer answer = { .verb = verb, .id = (char *) ID };
                _cleanup_(cJSON_Deletep) cJSON *object = NULL;
                _cleanup_(answer_done) Answer again = { 0 };

                ASSERT_OK(answer_to_json(&answer, &object));
                ASSERT_OK(answer_from_json(object, &again));
                ASSERT_EQ(again.verb, verb);
                ASSERT_TEXT(again.id, ID);
        }
}

TEST(what_is_no_answer_is_refused) {
        static const char *const bad[] = {
                "{}",
                "{\"version\":1,\"answer\":\"confirm\"}",
                "{\"version\":1,\"id\":\"" ID "\"}",
                "{\"answer\":\"confirm\",\"id\":\"" ID "\"}",
                "{\"version\":2,\"answer\":\"confirm\",\"id\":\"" ID "\"}",
                "{\"version\":1,\"answer\":\"confirm\",\"id\":\"" ID "\",\"uid\":0}",
                "{\"version\":1,\"answer\":\"confirm\",\"id\":\"" ID "\",\"id\":\"1\"}",
                "{\"version\":1,\"answer\":\"confirm\",\"answer\":\"cancel\"}",
                "{\"version\":1,\"answer\":\"switch\",\"id\":\"" ID "\"}",
                "{\"version\":1,\"answer\":\"\",\"id\":\"" ID "\"}",
                "{\"version\":1,\"answer\":1,\"id\":\"" ID "\"}",
                "{\"version\":1,\"answer\":\"confirm\",\"id\":7}",
        };

        ASSERT_OK(parse("{\"version\":1,\"answer\":\"confirm\",\"id\":\"" ID "\"}"));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(parse(bad[i]), -EBADMSG);
}

TEST(an_id_that_could_lead_elsewhere_is_refused) {
        static const char *const bad[] = {
                "\"\"", "\".\"", "\"..\"", "\"1/../2\"", "\"/1\"", "\"1 2\"", "\"x\"", "\"1\\n\"",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char text[128];

                (void) snprintf(text, sizeof(text),
                                "{\"version\":1,\"answer\":\"cancel\",\"id\":%s}", bad[i]);
                ASSERT_EQ(parse(text), -EBADMSG);
        }
}
