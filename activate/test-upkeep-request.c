#include "test.h"
#include "upkeep-request.h"

#define ITEM "{\"generation\":3,\"toplevel\":\"/nix/store/1-a\"}"

static int parse(const char *text) {
        _cleanup_(upkeep_request_done) UpkeepRequest request = { 0 };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;

        ASSERT_OK(json_parse(text, strlen(text), &object));
        return upkeep_request_from_json(object, &request);
}

static void assert_bad(const char *head, const char *generations) {
        char text[1024];

        (void) snprintf(text, sizeof(text), "{%s,\"generations\":%s}", head, generations);
        ASSERT_EQ(parse(text), -EBADMSG);
}

#define HEAD "\"version\":1,\"verb\":\"delete\",\"profile\":\"system\""

TEST(a_request_comes_out_as_it_went_in) {
        for (UpkeepVerb verb = 0; verb < _UPKEEP_VERB_MAX; verb++) {
                _cleanup_(upkeep_request_done) UpkeepRequest request = { .verb = verb },
                                                             again = { 0 };
                _cleanup_(cJSON_Deletep) cJSON *object = NULL;

                request.profile = strdup("trial");
                ASSERT_OK(upkeep_request_add(&request, 3, "/nix/store/1-a \"b\""));
                ASSERT_OK(upkeep_request_add(&request, 0, "/nix/store/2-b"));
                ASSERT_OK(upkeep_request_to_json(&request, &object));
                ASSERT_TRUE(upkeep_request_is_meant(object));
                ASSERT_OK(upkeep_request_from_json(object, &again));
                ASSERT_EQ(again.verb, verb);
                ASSERT_TEXT(again.profile, "trial");
                ASSERT_EQ(again.n, 2);
                ASSERT_EQ(again.items[0].generation, 3);
                ASSERT_TEXT(again.items[0].toplevel, "/nix/store/1-a \"b\"");
                ASSERT_EQ(again.items[1].generation, 0);
        }
}

TEST(what_is_not_exactly_a_request_is_refused) {
        static const char *const heads[] = {
                "\"version\":2,\"verb\":\"delete\",\"profile\":\"system\"",
                "\"version\":1,\"verb\":\"switch\",\"profile\":\"system\"",
                "\"version\":1,\"verb\":\"delete\",\"profile\":\"../system\"",
                "\"version\":1,\"verb\":\"delete\",\"profile\":7",
                "\"version\":1,\"verb\":\"delete\"",
                "\"version\":1,\"verb\":\"delete\",\"verb\":\"pin\"",
                "\"version\":1,\"verb\":\"delete\",\"profile\":\"system\",\"force\":true",
        };
        static const char *const items[] = {
                "[]",
                "{}",
                "null",
                ITEM,
                "[3]",
                "[{\"generation\":-1,\"toplevel\":\"/a\"}]",
                "[{\"generation\":1.5,\"toplevel\":\"/a\"}]",
                "[{\"generation\":\"3\",\"toplevel\":\"/a\"}]",
                "[{\"generation\":3,\"toplevel\":\"a\"}]",
                "[{\"generation\":3,\"toplevel\":\"\"}]",
                "[{\"generation\":3}]",
                "[{\"generation\":3,\"generation\":3}]",
                "[{\"generation\":3,\"toplevel\":\"/a\",\"toplevel\":\"/b\"}]",
                "[" ITEM ",{\"generation\":9007199254740994,\"toplevel\":\"/a\"}]",
        };

        ASSERT_OK(parse("{" HEAD ",\"generations\":[" ITEM "," ITEM "]}"));
        for (size_t i = 0; i < ELEMENTSOF(heads); i++)
                assert_bad(heads[i], "[" ITEM "]");
        for (size_t i = 0; i < ELEMENTSOF(items); i++)
                assert_bad(HEAD, items[i]);
}

TEST(more_than_the_limit_is_refused_on_both_sides) {
        _cleanup_(upkeep_request_done) UpkeepRequest request = { .verb = UPKEEP_PIN },
                                                     again = { 0 };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        cJSON *array;

        request.profile = strdup("system");
        for (size_t i = 0; i < UPKEEP_ITEMS_MAX; i++)
                ASSERT_OK(upkeep_request_add(&request, i, "/nix/store/1-a"));
        ASSERT_EQ(upkeep_request_add(&request, 1, "/nix/store/1-a"), -E2BIG);

        ASSERT_OK(upkeep_request_to_json(&request, &object));
        array = cJSON_GetObjectItemCaseSensitive(object, "generations");
        ASSERT_TRUE(cJSON_AddItemToArray(array, cJSON_Parse(ITEM)));
        ASSERT_EQ(upkeep_request_from_json(object, &again), -EBADMSG);
}
