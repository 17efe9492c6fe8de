#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "history.h"
#include "test.h"
#include "text.h"

#define A "/nix/store/1-a"
#define B "/nix/store/2-b"

/* A state directory with a history/ in it. */
static const char *new_state(void) {
        const char *directory = test_directory();
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/history", directory));
        ASSERT_OK(mkdir(path, 0755));
        return directory;
}

static void put_file(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/history/%s", directory, name));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

static HistoryEntry entry(const char *id) {
        return (HistoryEntry){
                .id = (char *) id,
                .verb = (char *) "switch",
                .from = (char *) A,
                .to = (char *) B,
                .text = (char *) "done",
        };
}

TEST(an_entry_comes_out_as_it_went_in) {
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();
        const HistoryEntry *got;
        HistoryEntry e = entry("20240229T120000-1");

        e.begun = 1709208000;
        e.ended = 1709208007;
        e.uid = UINT32_MAX - 1;
        e.exit_code = 130;
        e.from = (char *) "";
        e.text = (char *) "Cannot start 'a.service':\n  \"no\" \xc3\xa4";
        ASSERT_OK(history_write(directory, &e));
        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 1);
        got = &history.entries[0];
        ASSERT_TEXT(got->id, e.id);
        ASSERT_TEXT(got->verb, e.verb);
        ASSERT_TEXT(got->from, e.from);
        ASSERT_TEXT(got->to, e.to);
        ASSERT_TEXT(got->text, e.text);
        ASSERT_EQ(got->begun, e.begun);
        ASSERT_EQ(got->ended, e.ended);
        ASSERT_EQ(got->uid, e.uid);
        ASSERT_EQ(got->exit_code, e.exit_code);
}

TEST(an_entry_is_found_by_its_whole_id) {
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();
        const HistoryEntry e = entry("20240229-120000-1"), f = entry("20240229-120000-10");

        ASSERT_NULL(history_find(&history, "20240229-120000-1"));
        ASSERT_OK(history_write(directory, &e));
        ASSERT_OK(history_write(directory, &f));
        ASSERT_OK(history_read(directory, &history));
        ASSERT_TEXT(history_find(&history, f.id)->id, f.id);
        ASSERT_TEXT(history_find(&history, e.id)->id, e.id);
        ASSERT_NULL(history_find(&history, "20240229-120000"));
}

TEST(what_the_judge_saw_comes_out_as_it_went_in) {
        static const char text[] = "{\"verdict\":\"bad\",\"bad\":[\"a.service\"],\"probes\":[]}";
        _cleanup_(cJSON_Deletep) cJSON *evidence = cJSON_Parse(text);
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();
        _cleanup_free_ char *line = NULL;
        HistoryEntry with = entry("1"), without = entry("2");

        with.evidence = evidence;
        ASSERT_OK(history_write(directory, &with));
        ASSERT_OK(history_write(directory, &without));
        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 2);
        ASSERT_OK(json_print(history.entries[0].evidence, &line));
        ASSERT_TEXT(line, text);
        ASSERT_NULL(history.entries[1].evidence);
}

TEST(entries_are_in_order_of_their_ids) {
        static const char *const ids[] = { "20240301T000000-9", "20231231T235959-1",
                                           "20240301T000000-8" };
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();

        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                HistoryEntry e = entry(ids[i]);

                ASSERT_OK(history_write(directory, &e));
        }
        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 3);
        ASSERT_TEXT(history.entries[0].id, ids[1]);
        ASSERT_TEXT(history.entries[1].id, ids[2]);
        ASSERT_TEXT(history.entries[2].id, ids[0]);
}

TEST(the_same_id_again_replaces_its_entry) {
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();
        HistoryEntry e = entry("1");

        ASSERT_OK(history_write(directory, &e));
        e.exit_code = 3;
        ASSERT_OK(history_write(directory, &e));
        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 1);
        ASSERT_EQ(history.entries[0].exit_code, 3);
}

TEST(two_hundred_entries_are_kept_and_the_oldest_go) {
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();

        put_file(directory, "notes.txt", "not an entry, so not removed either");
        for (int i = 0; i < 203; i++) {
                _cleanup_free_ char *id = NULL;
                HistoryEntry e;

                ASSERT_OK(text_printf(&id, "%03d", i));
                e = entry(id);
                ASSERT_OK(history_write(directory, &e));
        }
        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 200);
        ASSERT_TEXT(history.entries[0].id, "003");
        ASSERT_TEXT(history.entries[199].id, "202");
        {
                _cleanup_free_ char *path = NULL;

                ASSERT_OK(text_printf(&path, "%s/history/notes.txt", directory));
                ASSERT_OK(access(path, F_OK));
        }
}

TEST(without_a_history_there_are_no_entries) {
        _cleanup_(history_done) History history = { 0 };

        ASSERT_OK(history_read("/nonexistent", &history));
        ASSERT_EQ(history.n, 0);
}

TEST(what_cannot_be_kept_is_an_error) {
        HistoryEntry e = entry("1");

        ASSERT_EQ(history_write("/nonexistent", &e), -ENOENT);
}

#define RECORD(version, exit, rest)                                                                \
        "{\"version\":" version ",\"id\":\"x\",\"verb\":\"switch\",\"from\":\"" A "\",\"to\":\"" B \
        "\",\"begun\":1,\"ended\":2,\"uid\":0,\"exit\":" exit rest "}"

TEST(a_damaged_entry_is_passed_over_and_hides_no_other) {
        static const char *const damaged[] = {
                "",
                "{",
                "[]",
                "{}",
                "no JSON at all",
                RECORD("1", "0", ""),                          /* no text */
                RECORD("1", "0", ",\"text\":7"),               /* a wrong type */
                RECORD("2", "0", ",\"text\":\"\""),            /* a version that is not ours */
                RECORD("1", "-1", ",\"text\":\"\""),           /* no exit code */
                RECORD("1", "256", ",\"text\":\"\""),          /* nor this */
                RECORD("1", "0", ",\"text\":\"\"") " trailer", /* more than one record */
        };
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();
        _cleanup_free_ char *path = NULL;

        for (size_t i = 0; i < ELEMENTSOF(damaged); i++) {
                _cleanup_free_ char *name = NULL;

                ASSERT_OK(text_printf(&name, "1-%02zu.json", i));
                put_file(directory, name, damaged[i]);
        }
        ASSERT_OK(text_printf(&path, "%s/history/1-directory.json", directory));
        ASSERT_OK(mkdir(path, 0755));
        put_file(directory, "0.json", RECORD("1", "0", ",\"text\":\"first\""));
        put_file(directory, "2.json", RECORD("1", "0", ",\"text\":\"last\""));
        put_file(directory, ".3.json", RECORD("1", "0", ",\"text\":\"hidden\""));
        put_file(directory, "4.json.0", RECORD("1", "0", ",\"text\":\"temporary\""));

        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 2);
        ASSERT_TEXT(history.entries[0].text, "first");
        ASSERT_TEXT(history.entries[1].text, "last");
}

TEST(evidence_of_a_wrong_type_hides_no_entry) {
        _cleanup_(history_done) History history = { 0 };
        const char *directory = new_state();

        put_file(directory, "1.json", RECORD("1", "0", ",\"text\":\"\",\"evidence\":7"));
        put_file(directory, "2.json", RECORD("1", "0", ",\"text\":\"\",\"evidence\":[]"));
        ASSERT_OK(history_read(directory, &history));
        ASSERT_EQ(history.n, 2);
        ASSERT_NULL(history.entries[0].evidence);
        ASSERT_NULL(history.entries[1].evidence);
}
