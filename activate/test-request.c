#include "request.h"
#include "test.h"

#define GOOD                                                                                                \
        "{\"version\":1,\"verb\":\"switch\",\"toplevel\":\"/nix/store/1-a\","                               \
        "\"profile\":\"system\",\"generation\":0,\"no-rollback\":false,\"force\":false,\"no-check\":false," \
        "\"unattended\":false,\"install-bootloader\":false,\"job-timeout\":0,\"confirm\":0,\"plan\":\"\",\"uid\":1000,\"judge-window\":\"\",\"probes\":[],\"force-host\":true,\"trial\":false,\"system\":\"\"}"

static int parse(const cJSON *object) {
        _cleanup_(request_done) Request request = { 0 };

        return request_from_json(object, &request);
}

static cJSON *good(void) {
        cJSON *object = NULL;

        ASSERT_OK(json_parse(GOOD, strlen(GOOD), &object));
        return object;
}

/* What comes of a good request in which @key holds @json instead; NULL: in which it is missing. */
static int parse_with(const char *key, const char *json) {
        _cleanup_(cJSON_Deletep) cJSON *object = good();

        if (json)
                (void) cJSON_ReplaceItemInObjectCaseSensitive(object, key, cJSON_Parse(json));
        else
                cJSON_DeleteItemFromObjectCaseSensitive(object, key);
        return parse(object);
}

static void assert_same(const Request *a, const Request *b) {
        ASSERT_EQ(a->verb, b->verb);
        ASSERT_TEXT(a->toplevel, b->toplevel);
        ASSERT_TEXT(a->system ? a->system : "", b->system);
        ASSERT_TEXT(a->profile, b->profile);
        ASSERT_EQ(a->generation, b->generation);
        ASSERT_EQ(a->no_rollback, b->no_rollback);
        ASSERT_EQ(a->force, b->force);
        ASSERT_EQ(a->install_bootloader, b->install_bootloader);
        ASSERT_EQ(a->confirm_sec, b->confirm_sec);
        ASSERT_EQ(a->uid, b->uid);
        ASSERT_EQ(a->has_judge_window, b->has_judge_window);
        ASSERT_EQ(a->judge_window_sec, b->judge_window_sec);
        ASSERT_TRUE(string_list_equal(&a->probes, &b->probes));
}

TEST(a_request_comes_out_as_it_went_in) {
        Request requests[] = {
                { .verb = REQUEST_SWITCH },
                { .verb = REQUEST_TEST, .no_rollback = true, .has_judge_window = true },
                { .verb = REQUEST_SWITCH, .has_judge_window = true, .judge_window_sec = 3600 },
                { .verb = REQUEST_SWITCH, .confirm_sec = REQUEST_CONFIRM_MAX },
                { .verb = REQUEST_SWITCH, .system = (char *) "/nix/store/2-b" },
                { .verb = REQUEST_BOOT, .install_bootloader = true, .uid = 1000 },
                { .verb = REQUEST_ROLLBACK, .generation = 41, .force = true },
                { .verb = REQUEST_ROLLBACK, .generation = UINT64_C(1) << 50 },
                { .verb = REQUEST_DRY_ACTIVATE, .uid = UINT32_MAX - 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                _cleanup_(request_done) Request again = { 0 };
                _cleanup_(cJSON_Deletep) cJSON *object = NULL, *read = NULL;
                _cleanup_free_ char *line = NULL;

                requests[i].toplevel = (char *) "/nix/store/1-\"quoted\" \\ \xc3\xa4";
                requests[i].profile = (char *) "system";
                ASSERT_OK(request_to_json(&requests[i], &object));
                ASSERT_OK(json_print(object, &line));
                ASSERT_NULL(strchr(line, '\n'));
                ASSERT_OK(json_parse(line, strlen(line), &read));
                ASSERT_OK(request_from_json(read, &again));
                assert_same(&requests[i], &again);
        }
}

TEST(probes_come_out_as_they_went_in) {
        Request request = { .toplevel = (char *) "/nix/store/1-a", .profile = (char *) "system" };
        _cleanup_(request_done) Request again = { 0 };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;

        ASSERT_OK(string_list_add(&request.probes, "tcp:localhost:22"));
        ASSERT_OK(string_list_add(&request.probes, "exec:/nix/store/1-x/bin/x"));
        ASSERT_OK(request_to_json(&request, &object));
        ASSERT_OK(request_from_json(object, &again));
        assert_same(&request, &again);
        string_list_done(&request.probes);
}

TEST(a_probe_that_nobody_could_ask_is_refused) {
        static const char *const bad[] = { "[1]", "[\"\"]", "[\"exec:/bin/sh\"]",
                                           "[\"http:file:///etc/shadow\"]",
                                           "[\"tcp:localhost:22\", null]" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(parse_with("probes", bad[i]), -EBADMSG);
        ASSERT_OK(parse_with("probes", "[\"tcp:localhost:22\"]"));
}

TEST(a_window_is_a_number_of_seconds_or_nothing) {
        static const char *const bad[] = { "\"soon\"", "\"-1\"", "\"3601\"", "\" 1\"", "2" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(parse_with("judge-window", bad[i]), -EBADMSG);
        ASSERT_OK(parse_with("judge-window", "\"0\""));
        ASSERT_OK(parse_with("judge-window", "\"3600\""));
}

TEST(each_verb_has_one_word) {
        for (RequestVerb verb = 0; verb < _REQUEST_VERB_MAX; verb++) {
                RequestVerb again = _REQUEST_VERB_MAX;

                ASSERT_OK(request_verb_from_string(request_verb_to_string(verb), &again));
                ASSERT_EQ(again, verb);
        }
}

TEST(a_word_that_is_no_verb_of_the_engine_is_refused) {
        static const char *const words[] = { "", "build", "Switch", "switch ", "plan", "serve" };
        RequestVerb verb;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                ASSERT_EQ(request_verb_from_string(words[i], &verb), -EINVAL);
        ASSERT_EQ(parse_with("verb", "\"build\""), -EBADMSG);
}

TEST(a_missing_key_is_refused_whichever_it_is) {
        _cleanup_(cJSON_Deletep) cJSON *object = good();
        const cJSON *item;

        ASSERT_OK(parse(object));
        cJSON_ArrayForEach(item, object) {
                ASSERT_EQ(parse_with(item->string, NULL), -EBADMSG);
        }
}

TEST(a_wrong_type_is_refused_whichever_key_has_it) {
        static const char *const values[] = { "null", "[]", "{}", "1.5" };
        _cleanup_(cJSON_Deletep) cJSON *object = good();
        const cJSON *item;

        cJSON_ArrayForEach(item, object) {
                for (size_t i = 0; i < ELEMENTSOF(values); i++)
                        if (!cJSON_IsArray(item) || strcmp(values[i], "[]") != 0)
                                ASSERT_EQ(parse_with(item->string, values[i]), -EBADMSG);
                if (!cJSON_IsNumber(item))
                        ASSERT_EQ(parse_with(item->string, "1"), -EBADMSG);
                if (!cJSON_IsString(item))
                        ASSERT_EQ(parse_with(item->string, "\"/1\""), -EBADMSG);
                if (!cJSON_IsBool(item))
                        ASSERT_EQ(parse_with(item->string, "true"), -EBADMSG);
        }
}

TEST(an_unknown_key_is_refused) {
        _cleanup_(cJSON_Deletep) cJSON *more = good(), *instead = good();

        ASSERT_TRUE(cJSON_AddStringToObject(more, "program", "/bin/sh"));
        ASSERT_EQ(parse(more), -EBADMSG);

        cJSON_DeleteItemFromObjectCaseSensitive(instead, "force");
        ASSERT_TRUE(cJSON_AddTrueToObject(instead, "Force"));
        ASSERT_EQ(parse(instead), -EBADMSG);
}

TEST(a_doubled_key_is_refused_also_in_the_place_of_another) {
        _cleanup_(cJSON_Deletep) cJSON *more = good(), *instead = good();

        ASSERT_TRUE(cJSON_AddStringToObject(more, "toplevel", "/nix/store/2-b"));
        ASSERT_EQ(parse(more), -EBADMSG);

        cJSON_DeleteItemFromObjectCaseSensitive(instead, "force");
        ASSERT_TRUE(cJSON_AddStringToObject(instead, "toplevel", "/nix/store/2-b"));
        ASSERT_EQ(parse(instead), -EBADMSG);
}

TEST(a_number_out_of_range_is_refused) {
        static const struct {
                const char *key, *value;
        } cases[] = {
                { "version", "0" },
                { "version", "2" },
                { "version", "-1" },
                { "uid", "-1" },
                { "uid", "4294967295" }, /* (uid_t) -1 is nobody */
                { "uid", "1e300" },
                { "confirm", "-1" },
                { "confirm", "86401" },
                { "generation", "-1" },
                { "generation", "9007199254740994" },
                { "generation", "1e300" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ASSERT_EQ(parse_with(cases[i].key, cases[i].value), -EBADMSG);
        ASSERT_OK(parse_with("uid", "4294967294"));
        ASSERT_OK(parse_with("generation", "9007199254740992"));
}

TEST(only_a_boot_can_be_a_trial) {
        _cleanup_(cJSON_Deletep) cJSON *object = good();

        ASSERT_EQ(parse_with("trial", "true"), -EBADMSG);
        (void) cJSON_ReplaceItemInObjectCaseSensitive(object, "trial", cJSON_CreateTrue());
        (void) cJSON_ReplaceItemInObjectCaseSensitive(object, "verb", cJSON_CreateString("boot"));
        ASSERT_OK(parse(object));
}

TEST(only_what_can_be_rolled_back_can_be_confirmed) {
        static const struct {
                const char *verb;
                int r;
        } cases[] = {
                { "\"switch\"", 0 },
                { "\"test\"", 0 },
                { "\"rollback\"", 0 },
                { "\"boot\"", -EBADMSG },
                { "\"dry-activate\"", -EBADMSG },
        };
        _cleanup_(cJSON_Deletep) cJSON *object = good();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(cJSON_Deletep) cJSON *asked = good();

                (void) cJSON_ReplaceItemInObjectCaseSensitive(asked, "verb",
                                                              cJSON_Parse(cases[i].verb));
                (void) cJSON_ReplaceItemInObjectCaseSensitive(asked, "confirm",
                                                              cJSON_CreateNumber(60));
                ASSERT_EQ(parse(asked), cases[i].r);
        }
        (void) cJSON_ReplaceItemInObjectCaseSensitive(object, "confirm", cJSON_CreateNumber(60));
        ASSERT_OK(parse(object));
        (void) cJSON_ReplaceItemInObjectCaseSensitive(object, "no-rollback", cJSON_CreateTrue());
        ASSERT_EQ(parse(object), -EBADMSG);
}

TEST(a_profile_name_that_could_lead_elsewhere_is_refused) {
        static const char *const bad[] = {
                "\"\"",         "\".\"",
                "\"..\"",       "\".x\"",
                "\"-x\"",       "\"a/b\"",
                "\"/a\"",       "\"a b\"",
                "\"a\\nb\"",    "\"\\u00e4\"",
                "\"a:b\"",      "\"$x\"",
                "\"a\\u0001\"", "\"system-1-link\"",
                "\"-link\"",
        };
        static const char *const fine[] = { "\"system\"", "\"web_2\"", "\"a.b-c\"", "\"7\"" };
        char name[204];

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(parse_with("profile", bad[i]), -EBADMSG);
        for (size_t i = 0; i < ELEMENTSOF(fine); i++)
                ASSERT_OK(parse_with("profile", fine[i]));

        (void) snprintf(name, sizeof(name), "\"%0200d\"", 0);
        ASSERT_OK(parse_with("profile", name));
        (void) snprintf(name, sizeof(name), "\"%0201d\"", 0);
        ASSERT_EQ(parse_with("profile", name), -EBADMSG);
}

TEST(a_toplevel_is_an_absolute_path) {
        ASSERT_EQ(parse_with("toplevel", "\"\""), -EBADMSG);
        ASSERT_EQ(parse_with("toplevel", "\"result\""), -EBADMSG);
        ASSERT_EQ(parse_with("toplevel", "\"../nix/store/1-a\""), -EBADMSG);
}

TEST(nothing_is_set_of_a_request_that_is_refused) {
        _cleanup_(request_done) Request request = { 0 };
        _cleanup_(cJSON_Deletep) cJSON *object = good();

        (void) cJSON_ReplaceItemInObjectCaseSensitive(object, "uid", cJSON_CreateNumber(-1));
        ASSERT_EQ(request_from_json(object, &request), -EBADMSG);
        ASSERT_NULL(request.toplevel);
        ASSERT_NULL(request.profile);
        ASSERT_EQ(request.uid, 0);
}
