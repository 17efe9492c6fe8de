#include <fcntl.h>
#include <unistd.h>

#include "file.h"
#include "record.h"
#include "test.h"
#include "text.h"

static void put_text(const char *directory, const char *text) {
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/transaction.json", directory));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

static Record sample(void) {
        return (Record){
                .id = (char *) "20260101-000000-000001",
                .phase = (char *) "activate",
                .engine = (char *) "/usr/libexec/enact/enact-activate",
                .to = (char *) "/nix/store/2-b",
                .request = { .toplevel = (char *) "/nix/store/2-b", .profile = (char *) "system" },
                .highest = 41,
                .old_default = (char *) "/nix/store/1-a",
                .lease_sec = 30,
                .judge_deadline = UINT64_C(1) << 39,
                .confirm_deadline = UINT64_C(1) << 40,
                .committing = true,
                .rebooting = true,
                .trial = (char *) "one-shot",
                .waits = true,
                .staged_entry = true,
        };
}

TEST(a_record_comes_out_as_it_went_in) {
        const char *directory = test_directory();
        _cleanup_(record_done) Record got = { 0 };
        Record record = sample();

        ASSERT_OK(string_list_add(&record.stopped, "a.service"));
        record.evidence = cJSON_Parse("{\"verdict\":\"bad\"}");
        ASSERT_OK(string_list_add(&record.failing, "b.service"));
        ASSERT_OK(record_write(directory, &record));
        string_list_done(&record.stopped);
        string_list_done(&record.failing);
        cJSON_Delete(record.evidence);
        ASSERT_OK(record_read(directory, &got));
        ASSERT_TEXT(json_string(got.evidence, "verdict"), "bad");
        ASSERT_TEXT(got.id, record.id);
        ASSERT_TEXT(got.phase, "activate");
        ASSERT_TEXT(got.from, "");
        ASSERT_TEXT(got.to, "/nix/store/2-b");
        ASSERT_TEXT(got.request.profile, "system");
        ASSERT_EQ(got.highest, 41);
        ASSERT_TEXT(got.old_default, "/nix/store/1-a");
        ASSERT_EQ(got.lease_sec, 30);
        ASSERT_TRUE(got.judge_deadline == record.judge_deadline);
        ASSERT_TRUE(got.confirm_deadline == record.confirm_deadline);
        ASSERT_TRUE(got.committing && got.rebooting && !got.activates && !got.given_up);
        ASSERT_TEXT(got.trial, "one-shot");
        ASSERT_TRUE(got.waits && got.staged_entry);
        ASSERT_EQ(got.stopped.n, 1);
        ASSERT_TEXT(got.stopped.items[0], "a.service");
        ASSERT_EQ(got.failing.n, 1);
        ASSERT_TEXT(got.failing.items[0], "b.service");
}

TEST(a_record_from_before_the_boot_default_was_kept_can_be_read) {
        static const char *const later[] = { "old-default", "lease", "judge-deadline" };
        _cleanup_free_ char *path = NULL, *text = NULL, *line = NULL;
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const char *directory = test_directory();
        _cleanup_(record_done) Record got = { 0 };
        const Record record = sample();
        size_t n;

        ASSERT_OK(record_write(directory, &record));
        ASSERT_OK(text_printf(&path, "%s/transaction.json", directory));
        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n));
        ASSERT_OK(json_parse(text, n, &object));
        for (size_t i = 0; i < ELEMENTSOF(later); i++)
                cJSON_DeleteItemFromObjectCaseSensitive(object, later[i]);
        ASSERT_OK(json_print(object, &line));
        put_text(directory, line);
        ASSERT_OK(record_read(directory, &got));
        ASSERT_TEXT(got.old_default, "");
        ASSERT_EQ(got.lease_sec, 0);
        ASSERT_EQ(got.highest, 41);
}

TEST(where_there_is_none_nothing_is_open) {
        _cleanup_(record_done) Record record = { 0 };

        ASSERT_EQ(record_read(test_directory(), &record), -ENOENT);
}

TEST(a_record_that_was_cut_is_damaged) {
        const char *directory = test_directory();
        _cleanup_free_ char *path = NULL, *text = NULL;
        Record record = sample();
        size_t n;

        ASSERT_OK(record_write(directory, &record));
        ASSERT_OK(text_printf(&path, "%s/transaction.json", directory));
        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n));
        for (size_t cut = 0; cut < n - 1; cut++) {
                _cleanup_(record_done) Record got = { 0 };

                ASSERT_EQ(record_parse(text, cut, &got), -EBADMSG);
        }
}

TEST(a_newer_record_names_the_program_that_can_read_it) {
        const char *directory = test_directory();
        _cleanup_(record_done) Record record = { 0 };

        put_text(directory, "{\"version\":2,\"engine\":\"/nix/store/9-enact/bin/x\",\"new\":[]}");
        ASSERT_EQ(record_read(directory, &record), RECORD_NEWER);
        ASSERT_TEXT(record.engine, "/nix/store/9-enact/bin/x");
}

TEST(a_record_of_another_kind_names_the_program_that_can_read_it) {
        const char *const texts[] = {
                "{\"version\":1,\"kind\":\"home\",\"engine\":\"/e\"}",
                "{\"version\":1,\"kind\":7,\"engine\":\"/e\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(record_done) Record record = { 0 };

                ASSERT_EQ(record_parse(texts[i], strlen(texts[i]), &record), RECORD_NEWER);
                ASSERT_TEXT(record.engine, "/e");
        }
}

/* The sample as it is written. */
static cJSON *sample_object(void) {
        const char *directory = test_directory();
        _cleanup_free_ char *path = NULL, *text = NULL;
        Record record = sample();
        cJSON *object;
        size_t n;

        ASSERT_OK(record_write(directory, &record));
        ASSERT_OK(text_printf(&path, "%s/transaction.json", directory));
        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n));
        ASSERT_OK(json_parse(text, n, &object));
        return object;
}

static int parse_object(const cJSON *object) {
        _cleanup_(record_done) Record record = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(json_print(object, &text));
        return record_parse(text, strlen(text), &record);
}

TEST(keys_that_are_not_known_are_passed_over) {
        _cleanup_(cJSON_Deletep) cJSON *object = sample_object();
        cJSON *request = cJSON_GetObjectItemCaseSensitive(object, "request");

        ASSERT_TRUE(cJSON_AddStringToObject(object, "mood", "sunny"));
        ASSERT_TRUE(cJSON_AddArrayToObject(object, "entries"));
        ASSERT_TRUE(cJSON_AddNumberToObject(request, "urgency", 7));
        ASSERT_OK(parse_object(object));
}

/* What records did not have from the beginning. */
static bool may_be_missing(const char *key) {
        static const char *const keys[] = {
                "kind",   "evidence",   "old-default", "lease", "judge-deadline", "rebooting",
                "probes", "force-host", "trial",       "waits", "staged-entry",   "system",
        };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strcmp(keys[i], key) == 0)
                        return true;
        return false;
}

TEST(a_key_that_is_missing_is_damage_whichever_it_is) {
        _cleanup_(cJSON_Deletep) cJSON *object = sample_object();
        const cJSON *request = cJSON_GetObjectItemCaseSensitive(object, "request"), *item;

        cJSON_ArrayForEach(item, object) {
                _cleanup_(cJSON_Deletep) cJSON *less = cJSON_Duplicate(object, 1);

                cJSON_DeleteItemFromObjectCaseSensitive(less, item->string);
                ASSERT_EQ(parse_object(less), may_be_missing(item->string) ? 0 : -EBADMSG);
        }
        cJSON_ArrayForEach(item, request) {
                _cleanup_(cJSON_Deletep) cJSON *less = cJSON_Duplicate(object, 1);

                cJSON_DeleteItemFromObjectCaseSensitive(
                        cJSON_GetObjectItemCaseSensitive(less, "request"), item->string);
                ASSERT_EQ(parse_object(less), may_be_missing(item->string) ? 0 : -EBADMSG);
        }
}

TEST(a_boot_was_tried_once_all_was_ready_for_it) {
        Record record = sample();

        record.phase = (char *) "trial";
        ASSERT_TRUE(record_was_tried(&record));
        record.waits = false;
        ASSERT_FALSE(record_was_tried(&record));
        record.phase = (char *) "check";
        ASSERT_TRUE(record_was_tried(&record));
        record.trial = (char *) "";
        ASSERT_FALSE(record_was_tried(&record));
}

TEST(what_nothing_is_known_of_is_an_empty_text) {
        _cleanup_(record_done) Record record = { .from = strdup("/nix/store/a") };

        ASSERT_OK(record_fill(&record));
        ASSERT_TEXT(record.from, "/nix/store/a");
        ASSERT_TEXT(record.to, "");
        ASSERT_TEXT(record.trial, "");
        ASSERT_FALSE(record_was_tried(&record));
}

TEST(a_damaged_record_is_set_aside_and_known_until_it_is_forgotten) {
        const char *directory = test_directory();
        _cleanup_(record_done) Record record = { 0 };

        put_text(directory, "{\"version\":1,");
        ASSERT_EQ(record_read(directory, &record), -EBADMSG);
        ASSERT_FALSE(record_was_damaged(directory));
        ASSERT_OK(record_set_aside(directory));
        ASSERT_EQ(record_read(directory, &record), -ENOENT);
        ASSERT_TRUE(record_was_damaged(directory));
        record_forget_damage(directory);
        ASSERT_FALSE(record_was_damaged(directory));
}

TEST(a_wrong_type_is_no_record) {
        static const char *const texts[] = {
                "{}",
                "{\"version\":0}",
                "{\"version\":\"1\"}",
                "{\"version\":1,\"request\":{}}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(record_done) Record record = { 0 };

                ASSERT_EQ(record_parse(texts[i], strlen(texts[i]), &record), -EBADMSG);
        }
}

TEST(a_previous_record_that_stands_alone_is_the_open_one) {
        const char *directory = test_directory();
        _cleanup_(record_done) Record read = { 0 }, ended = { 0 };
        Record first = sample();

        ASSERT_OK(record_take_up(directory)); /* none yet */
        ASSERT_OK(record_write(directory, &first));
        ASSERT_OK(record_take_up(directory));
        ASSERT_OK(record_keep_previous(directory));
        ASSERT_OK(record_take_up(directory));
        ASSERT_OK(record_read(directory, &read));
        ASSERT_TEXT(read.id, first.id);
        ASSERT_OK(record_end(directory, /* settled= */ false)); /* nothing comes back */
        ASSERT_EQ(record_read(directory, &ended), -ENOENT);
}

TEST(a_previous_record_is_open_again_unless_it_was_settled) {
        const char *directory = test_directory();
        _cleanup_(record_done) Record both = { 0 }, back = { 0 }, gone = { 0 };
        Record first = sample(), second = sample();

        second.id = (char *) "20260101-000000-000002";
        ASSERT_OK(record_keep_previous(directory)); /* none yet */
        ASSERT_OK(record_write(directory, &first));
        ASSERT_OK(record_keep_previous(directory));
        ASSERT_OK(record_read(directory, &both)); /* killed here, it is not lost */
        ASSERT_TEXT(both.id, first.id);
        ASSERT_OK(record_write(directory, &second));
        ASSERT_OK(record_end(directory, /* settled= */ false));
        ASSERT_OK(record_read(directory, &back));
        ASSERT_TEXT(back.id, first.id);

        ASSERT_OK(record_keep_previous(directory));
        ASSERT_OK(record_write(directory, &second));
        ASSERT_OK(record_end(directory, /* settled= */ true));
        ASSERT_EQ(record_read(directory, &gone), -ENOENT);
}
