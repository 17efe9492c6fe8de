#include <fcntl.h>

#include "error.h"
#include "file.h"
#include "string-list.h"
#include "test.h"
#include "text.h"

#define PREFIX "org.enact.Error."

static char *read_source(const char *path) {
        _cleanup_free_ char *whole = NULL;
        char *text = NULL;

        ASSERT_OK(text_printf(&whole, PROJECT_ROOT "/%s", path));
        ASSERT_OK(file_read(AT_FDCWD, whole, FILE_SMALL_MAX, &text, NULL));
        return text;
}

static int code_of(const char *name) {
        const sd_bus_error error = { .name = name, .message = "x" };

        return error_to_exit_code(&error);
}

/* `org.enact.Error.Busy`, or `.Busy` beside such a one -> the whole name; NULL after the last. */
static char *next_name(const char **text) {
        const char *start = strchr(*text, '`'), *end = start ? strchr(start + 1, '`') : NULL;
        const char *name = start ? text_after_prefix(start + 1, PREFIX) : NULL;
        char *whole = NULL;

        if (!end)
                return NULL;
        if (!name) {
                ASSERT_EQ(start[1], '.');
                name = start + 2;
        }
        ASSERT_OK(text_printf(&whole, PREFIX "%.*s", (int) (end - name), name));
        *text = end + 1;
        return whole;
}

/* A row of the second table: | `NAME`, `.NAME` | CODE | words |. Other lines are passed over. */
static void take_row(char *line, StringList *names) {
        _cleanup_free_ char *cells = strdup(line);
        char *rest = NULL, *name_cell, *code_cell;
        const char *text;
        uint64_t code;
        char *name;

        if (!text_after_prefix(line, "| `" PREFIX))
                return;
        name_cell = strtok_r(cells, "|", &rest);
        code_cell = strtok_r(NULL, "|", &rest);
        ASSERT_TRUE(code_cell);
        ASSERT_OK(text_to_unsigned(text_strip(code_cell), 255, &code));

        text = name_cell;
        while ((name = next_name(&text))) {
                if ((uint64_t) code_of(name) != code)
                        fail_msg("%s is documented with exit code %d and has %d", name, (int) code,
                                 code_of(name));
                ASSERT_OK(string_list_take(names, name));
        }
}

static void read_document(StringList *names) {
        _cleanup_free_ char *document = read_source("docs/exit-codes.md");
        char *rest = NULL;

        for (char *line = strtok_r(document, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                take_row(line, names);
        string_list_sort_unique(names);
}

/* The names that error.h defines. */
static void read_header(StringList *names) {
        _cleanup_free_ char *header = read_source("activate/error.h");

        for (const char *p = header; (p = strstr(p, "\"" PREFIX)); p++)
                ASSERT_OK(string_list_take(names, strndup(p + 1, strcspn(p + 1, "\""))));
        string_list_sort_unique(names);
}

TEST(each_documented_name_has_the_exit_code_that_is_documented) {
        _cleanup_(string_list_done) StringList names = { 0 };

        read_document(&names);
        ASSERT_TRUE(names.n > 0);
}

TEST(the_document_names_all_there_are_and_no_others) {
        _cleanup_(string_list_done) StringList documented = { 0 }, defined = { 0 };
        _cleanup_free_ char *in_document = NULL, *in_header = NULL;

        read_document(&documented);
        read_header(&defined);
        ASSERT_OK(string_list_join(&documented, "\n", &in_document));
        ASSERT_OK(string_list_join(&defined, "\n", &in_header));
        ASSERT_TEXT(in_document, in_header);
}

TEST(each_exit_code_of_a_name_is_in_the_table_of_codes) {
        _cleanup_free_ char *document = read_source("docs/exit-codes.md");
        _cleanup_(string_list_done) StringList names = { 0 };

        read_header(&names);
        for (size_t i = 0; i < names.n; i++) {
                _cleanup_free_ char *row = NULL;

                ASSERT_OK(text_printf(&row, "\n| %d | ", code_of(names.items[i])));
                ASSERT_CONTAINS(document, row);
        }
}

TEST(without_an_error_the_exit_code_is_0) {
        const sd_bus_error none = SD_BUS_ERROR_NULL;

        ASSERT_EQ(error_to_exit_code(&none), 0);
        ASSERT_EQ(error_to_exit_code(NULL), 0);
}

TEST(a_name_that_is_not_ours_is_a_plain_failure) {
        ASSERT_EQ(code_of("org.freedesktop.DBus.Error.NoReply"), 1);
        ASSERT_EQ(code_of(PREFIX "Bus"), 1);
        ASSERT_EQ(code_of(PREFIX "Busy2"), 1);
}

TEST(each_exit_code_has_a_word_for_how_a_switch_ended) {
        static const struct {
                int code;
                const char *outcome;
        } cases[] = {
                { 0, "done" },        { 1, "failed" },         { 2, "failed" },
                { 3, "rolled-back" }, { 4, "units-failed" },   { 5, "rollback-failed" },
                { 6, "busy" },        { 100, "needs-reboot" }, { 130, "interrupted" },
                { 255, "failed" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ASSERT_TEXT(error_exit_code_to_outcome(cases[i].code), cases[i].outcome);
}
