#include <fcntl.h>

#include "clock.h"
#include "event.h"
#include "file.h"
#include "test.h"
#include "text.h"

static char path[4096];

static EventLog *new_log(void) {
        EventLog *log = NULL;
        int fd;

        (void) snprintf(path, sizeof(path), "%s/events", test_directory());
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_TRUE(fd >= 0);
        ASSERT_OK(event_log_new(fd, /* journal= */ false, &log));
        return log;
}

static char *told(void) {
        char *text = NULL;

        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL));
        return text;
}

TEST(each_event_is_one_line_in_the_order_they_were_told) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_free_ char *text = NULL;
        cJSON *event = event_new("job-end");

        event_add_text(event, "unit", "a.service");
        event_add_number(event, "seconds", 1.5);
        event_say(log, "phase", "phase", "stage");
        event_emit(log, event);
        text = told();
        ASSERT_TEXT(text, "{\"event\":\"phase\",\"phase\":\"stage\"}\n"
                          "{\"event\":\"job-end\",\"unit\":\"a.service\",\"seconds\":1.5}\n");
}

TEST(a_line_is_a_whole_object_whatever_the_text_holds) {
        static const char said[] = "two\nlines \"quoted\" \\ \x01\x1b[31m\t\r \xc3\xa4";
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n;

        event_say(log, "output", "line", said);
        text = told();
        n = strcspn(text, "\n");
        ASSERT_TEXT(text + n, "\n");
        for (size_t i = 0; i < n; i++)
                ASSERT_TRUE((unsigned char) text[i] >= ' ');
        ASSERT_OK(json_parse(text, strlen(text), &object));
        ASSERT_TEXT(json_string(object, "event"), "output");
        ASSERT_TEXT(json_string(object, "line"), said);
}

TEST(a_large_number_stays_whole) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_free_ char *text = NULL;
        cJSON *event = event_new("end");

        event_add_number(event, "time", 1709208007123456.0);
        event_emit(log, event);
        text = told();
        ASSERT_TEXT(text, "{\"event\":\"end\",\"time\":1709208007123456}\n");
}

TEST(a_message_id_is_in_the_form_of_the_journal) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_free_ char *text = NULL;
        cJSON *event = event_new("end");

        event_add_message_id(event, MESSAGE_SWITCH_ENDED);
        event_emit(log, event);
        text = told();
        ASSERT_CONTAINS(text, "\"message-id\":\"8f0197c44e5d437a9c5e21d3660bae92\"");
}

/* The message ids of event.h, each as 32 digits and a newline. */
static char *ids_of_header(void) {
        _cleanup_free_ char *header = NULL;
        char *ids = strdup("");

        ASSERT_OK(file_read(AT_FDCWD, PROJECT_ROOT "/activate/event.h", FILE_SMALL_MAX, &header,
                            NULL));
        for (const char *p = header; (p = strstr(p, "SD_ID128_MAKE("));) {
                char id[33] = "", *more = NULL;
                size_t n = 0;

                for (p += strlen("SD_ID128_MAKE("); *p != ')'; p++)
                        if (strchr("0123456789abcdef", *p)) {
                                ASSERT_TRUE(n < 32);
                                id[n++] = *p;
                        }
                ASSERT_EQ(n, 32);
                ASSERT_NULL(strstr(ids, id)); /* one for each */
                ASSERT_OK(text_printf(&more, "%s%s\n", ids, id));
                free(ids);
                ids = more;
        }
        return ids;
}

TEST(the_catalog_explains_each_message_id_and_no_other) {
        _cleanup_free_ char *ids = ids_of_header(), *catalog = NULL;
        size_t n_explained = 0;

        ASSERT_OK(file_read(AT_FDCWD, PROJECT_ROOT "/units/enact.catalog", FILE_SMALL_MAX, &catalog,
                            NULL));
        for (char *p = catalog; (p = strstr(p, "\n-- ")); p += 4) {
                char id[33] = "";

                ASSERT_EQ(sscanf(p, "\n-- %32[0-9a-f]\nSubject: ", id), 1);
                ASSERT_CONTAINS(ids, id);
                n_explained++;
        }
        ASSERT_TRUE(n_explained > 0);
        ASSERT_EQ(n_explained, strlen(ids) / 33);
}

TEST(the_last_word_of_a_switch_has_the_id_of_how_it_ended) {
        const struct {
                int exit_code;
                sd_id128_t id;
        } cases[] = {
                { 0, MESSAGE_SWITCH_ENDED },       { 1, MESSAGE_SWITCH_FAILED },
                { 3, MESSAGE_SWITCH_ROLLED_BACK }, { 4, MESSAGE_SWITCH_FAILED },
                { 5, MESSAGE_ROLLBACK_FAILED },    { 130, MESSAGE_SWITCH_FAILED },
                { 100, MESSAGE_SWITCH_ENDED },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(cJSON_Deletep) cJSON *event = event_new("end");
                char id[SD_ID128_STRING_MAX];

                event_add_end_id(event, cases[i].exit_code);
                ASSERT_TEXT(json_string(event, "message-id"), sd_id128_to_string(cases[i].id, id));
        }
}

TEST(a_text_that_is_not_there_is_left_out) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_free_ char *text = NULL;

        event_say(log, "end", "error", NULL);
        text = told();
        ASSERT_TEXT(text, "{\"event\":\"end\"}\n");
}

TEST(a_timed_story_tells_when) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        uint64_t before = clock_monotonic_usec(), usec;
        _cleanup_free_ char *text = NULL;

        event_log_add_times(log);
        event_say(log, "phase", "phase", "stage");
        text = told();
        ASSERT_OK(json_parse(text, strlen(text), &object));
        ASSERT_OK(json_number(object, "usec", clock_monotonic_usec(), &usec));
        ASSERT_TRUE(usec >= before);
}

TEST(an_event_that_is_not_there_is_nothing) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_free_ char *text = NULL;

        event_add_text(NULL, "unit", "a.service");
        event_add_number(NULL, "exit", 1);
        event_add_message_id(NULL, MESSAGE_SWITCH_ENDED);
        event_emit(log, NULL);
        text = told();
        ASSERT_TEXT(text, "");
        ASSERT_NULL(event_log_free(NULL));
}

TEST(what_cannot_be_written_is_dropped) {
        _cleanup_(event_log_freep) EventLog *log = NULL;
        int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

        ASSERT_TRUE(fd >= 0);
        ASSERT_OK(event_log_new(fd, /* journal= */ false, &log));
        event_say(log, "phase", "phase", "stage");
        ASSERT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC); /* still its own, and open */
}

TEST(a_program_that_never_stops_talking_leaves_room) {
        _cleanup_(event_log_freep) EventLog *log = new_log();
        _cleanup_free_ char *text = NULL;
        char line[4001] = "";
        const char *note;
        size_t n;

        memset(line, 'y', sizeof(line) - 1);
        for (int i = 0; i < 5000; i++)
                event_say(log, "output", "text", line);
        event_say(log, "end", NULL, NULL);

        ASSERT_OK(file_read(AT_FDCWD, path, (size_t) 32 * 1024 * 1024, &text, &n));
        ASSERT_TRUE(n > (size_t) 15 * 1024 * 1024 && n < (size_t) 17 * 1024 * 1024);
        note = strstr(text, "{\"event\":\"note\"");
        ASSERT_TRUE(note);
        ASSERT_TEXT(strchr(note, '\n'), "\n{\"event\":\"end\"}\n");
}
