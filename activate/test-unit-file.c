/* Unit files: the grammar as it is, where a fixture of a plan would not show it. */
#include "test.h"
#include "text.h"
#include "unit-file.h"

static UnitFile *parse(const char *text) {
        UnitFile *file;

        ASSERT_OK(unit_file_new(&file));
        ASSERT_OK(unit_file_parse(file, "x.service", text, strlen(text)));
        ASSERT_OK(unit_file_finish(file));
        return file;
}

static int parse_bad(const char *text, size_t n) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;

        ASSERT_OK(unit_file_new(&file));
        return unit_file_parse(file, "x.service", text, n);
}

/* All values of a key with a bar between them, or NULL if there is no such key. */
static char *values(const UnitFile *file, const char *section, const char *key) {
        const UnitKey *found = unit_file_find(file, section, key);
        char *text;

        if (!found)
                return NULL;
        ASSERT_OK(string_list_join(&found->values, "|", &text));
        return text;
}

#define ASSERT_VALUES(file, section, key, wanted)                                                  \
        do {                                                                                       \
                _cleanup_free_ char *text = values((file), (section), (key));                      \
                assert_non_null(text);                                                             \
                ASSERT_TEXT(text, (wanted));                                                       \
        } while (0)

TEST(values_are_kept_in_order) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("[Service]\nA=2\nB=x\nA=1\nA=2\n");

        ASSERT_VALUES(file, "Service", "A", "2|1|2");
        ASSERT_VALUES(file, "Service", "B", "x");
        ASSERT_NULL(unit_file_find(file, "Service", "C"));
        ASSERT_NULL(unit_file_find(file, "Unit", "A"));
}

TEST(a_drop_in_adds_to_the_file_and_a_key_knows_its_file) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;

        ASSERT_OK(unit_file_new(&file));
        ASSERT_OK(unit_file_parse(file, "x.service", "[Service]\nA=1\nB=1\n", 18));
        ASSERT_OK(unit_file_parse(file, "x.service.d/o.conf", "[Service]\nA=2\n", 14));
        ASSERT_OK(unit_file_finish(file));

        ASSERT_VALUES(file, "Service", "A", "1|2");
        ASSERT_TEXT(unit_file_find(file, "Service", "A")->file, "x.service.d/o.conf");
        ASSERT_TEXT(unit_file_find(file, "Service", "B")->file, "x.service");
}

TEST(an_empty_value_forgets_those_before_it) {
        _cleanup_(unit_file_freep) UnitFile *file =
                parse("[Service]\nA=1\nA=\nA=2\nA=3\nB=1\nB=\nC=\nC=\n");

        ASSERT_VALUES(file, "Service", "A", "2|3");
        ASSERT_VALUES(file, "Service", "B", "");
        ASSERT_VALUES(file, "Service", "C", "");
        ASSERT_NULL(unit_file_value(file, "Service", "B"));
        ASSERT_TEXT(unit_file_value(file, "Service", "A"), "3");
}

TEST(lines_are_joined_as_systemd_joins_them) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("[Service]\n"
                                                          "A=one\\\n"
                                                          "   two \\\n"
                                                          "# no part of it\n"
                                                          "   ; nor this\n"
                                                          "three;four\n"
                                                          "B=back\\\\\n"
                                                          "C=odd\\\\\\\n"
                                                          "end\n"
                                                          "D=open\\");

        ASSERT_VALUES(file, "Service", "A", "one two  three;four");
        ASSERT_VALUES(file, "Service", "B", "back\\\\");
        ASSERT_VALUES(file, "Service", "C", "odd\\\\ end");
        ASSERT_VALUES(file, "Service", "D", "open");
}

TEST(a_blank_line_ends_what_is_continued) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("[Service]\nA=one\\\n\nB=two\n");

        ASSERT_VALUES(file, "Service", "A", "one");
        ASSERT_VALUES(file, "Service", "B", "two");
}

TEST(sections_are_listed_once_and_install_is_not) {
        _cleanup_(unit_file_freep) UnitFile *file =
                parse("[Unit]\n[Service]\nA=1\n[Install]\nWantedBy=x\n[Unit]\nB=1\n");
        size_t n;

        ASSERT_EQ(unit_file_sections(file)->n, 2);
        ASSERT_TRUE(unit_file_has_section(file, "Unit"));
        ASSERT_FALSE(unit_file_has_section(file, "Install"));
        ASSERT_NULL(unit_file_find(file, "Install", "WantedBy"));
        (void) unit_file_section_keys(file, "Unit", &n);
        ASSERT_EQ(n, 1);
        ASSERT_NULL(unit_file_section_keys(file, "Mount", &n));
        (void) unit_file_keys(file, &n);
        ASSERT_EQ(n, 2);
}

TEST(a_section_without_keys_is_one) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("[X-Empty]\n");

        ASSERT_TRUE(unit_file_has_section(file, "X-Empty"));
}

TEST(an_empty_file_has_nothing) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("");

        ASSERT_EQ(unit_file_sections(file)->n, 0);
        ASSERT_NULL(unit_file_find(file, "Unit", "A"));
        ASSERT_TRUE(unit_file_boolean(file, "Unit", "A", true));
        ASSERT_TRUE(unit_file_boolean(NULL, "Unit", "A", true));
}

TEST(a_line_that_assigns_nothing_is_passed_over) {
        _cleanup_(unit_file_freep) UnitFile *file =
                parse("stray\nC=0\n[Service]\nA=1\nstray words\n=3\nB=2\n");
        size_t n;

        ASSERT_VALUES(file, "Service", "A", "1");
        ASSERT_VALUES(file, "Service", "B", "2");
        (void) unit_file_keys(file, &n);
        ASSERT_EQ(n, 2);
}

TEST(a_byte_order_mark_is_no_part_of_the_text) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("\xef\xbb\xbf[Service]\nA=1\n");

        ASSERT_VALUES(file, "Service", "A", "1");
}

TEST(what_is_no_unit_file_is_refused) {
        ASSERT_EQ(parse_bad("[Unit\n", 6), -EBADMSG);
        ASSERT_EQ(parse_bad("[Unit] x\n", 9), -EBADMSG);
        ASSERT_EQ(parse_bad("[\n", 2), -EBADMSG);
        ASSERT_EQ(parse_bad("[Unit]\nA=\0\n", 11), -EBADMSG);
        ASSERT_EQ(parse_bad("[Unit]\nA=\xff\n", 11), -EBADMSG);
}

TEST(a_comment_may_hold_any_bytes) {
        _cleanup_(unit_file_freep) UnitFile *file = parse("# caf\xe9\n[Service]\n; \xff\nA=1\n");

        ASSERT_VALUES(file, "Service", "A", "1");
}

TEST(opaque_parts_are_told_apart_by_name_and_fingerprint) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;

        ASSERT_OK(unit_file_new(&file));
        ASSERT_OK(unit_file_add_opaque(file, "x.service", "1"));
        ASSERT_OK(unit_file_finish(file));
        ASSERT_EQ(unit_file_opaques(file)->n, 1);
        ASSERT_TEXT(unit_file_opaques(file)->items[0], "x.service 1");
}

TEST(booleans_of_nixos_are_exact_and_those_of_systemd_are_not) {
        _cleanup_(unit_file_freep) UnitFile *file =
                parse("[Unit]\nX-A=on\nX-B=On\nX-C=y\nX-D=1\nX-D=\nA=On\nB=y\nC=T\nD=off\nE=2\n");

        ASSERT_TRUE(unit_file_boolean(file, "Unit", "X-A", false));
        ASSERT_FALSE(unit_file_boolean(file, "Unit", "X-B", true));
        ASSERT_FALSE(unit_file_boolean(file, "Unit", "X-C", true));
        ASSERT_TRUE(unit_file_boolean(file, "Unit", "X-D", true));
        ASSERT_FALSE(unit_file_boolean(file, "Unit", "X-D", false));
        ASSERT_TRUE(unit_file_boolean(file, "Unit", "A", false));
        ASSERT_TRUE(unit_file_boolean(file, "Unit", "B", false));
        ASSERT_TRUE(unit_file_boolean(file, "Unit", "C", false));
        ASSERT_FALSE(unit_file_boolean(file, "Unit", "D", true));
        ASSERT_FALSE(unit_file_boolean(file, "Unit", "E", true));
}

TEST(many_lines_are_no_trouble) {
        enum { LINES = 200000 };
        _cleanup_free_ char *text = malloc(LINES * 16 + 16);
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        char *end = stpcpy(text, "[Service]\n");

        for (int i = 0; i < LINES; i++)
                end += sprintf(end, "K%d=%d\n", i % 1000, i);
        file = parse(text);
        ASSERT_EQ(unit_file_find(file, "Service", "K7")->values.n, LINES / 1000);
        ASSERT_TEXT(unit_file_value(file, "Service", "K7"), "199007");
}
