/* Names of units, as systemd-escape(1) and the manager form them. */
#include <errno.h>

#include "test.h"
#include "unit-name.h"

static void check_path(const char *path, const char *wanted) {
        _cleanup_free_ char *name = NULL;

        ASSERT_OK(unit_name_from_path(path, ".mount", &name));
        ASSERT_TEXT(name, wanted);
}

TEST(paths_are_escaped_as_systemd_does) {
        check_path("/", "-.mount");
        check_path("///", "-.mount");
        check_path("/nix/store", "nix-store.mount");
        check_path("//mnt//data/", "mnt-data.mount");
        check_path("/my data", "my\\x20data.mount");
        check_path("/srv/a-b", "srv-a\\x2db.mount");
        check_path("/.hidden/.x", "\\x2ehidden-.x.mount");
        check_path("/a.b_c:d", "a.b_c:d.mount");
        check_path("/\xc3\xa4", "\\xc3\\xa4.mount");
        check_path("/a\\b@c", "a\\x5cb\\x40c.mount");
        check_path("/./a/././b/.", "a-b.mount");
        check_path("/.", "-.mount");
        check_path("/a/.b/..c", "a-.b-..c.mount");
}

TEST(no_unit_stands_for_a_path_that_goes_up) {
        char *name;

        ASSERT_EQ(unit_name_from_path("/a/../b", ".mount", &name), -EINVAL);
        ASSERT_EQ(unit_name_from_path("/..", ".mount", &name), -EINVAL);
}

TEST(names_lead_back_to_paths) {
        static const char *const paths[] = { "/",           "/nix/store", "/my data",  "/srv/a-b",
                                             "/.hidden/.x", "/a.b_c:d",   "/\xc3\xa4", "/a\\b@c" };
        static const char *const none[] = { "a\\x2.mount", "a\\y20.mount", "a\\x00.mount", ".mount",
                                            "a" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_free_ char *name = NULL, *path = NULL;

                ASSERT_OK(unit_name_from_path(paths[i], ".automount", &name));
                ASSERT_OK(unit_name_to_path(name, &path));
                ASSERT_TEXT(path, paths[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(none); i++) {
                char *path;

                ASSERT_EQ(unit_name_to_path(none[i], &path), -EINVAL);
        }
}

static void check_template(const char *name, const char *wanted) {
        _cleanup_free_ char *template = NULL;

        ASSERT_OK(unit_name_template(name, &template));
        if (wanted)
                ASSERT_TEXT(template, wanted);
        else
                ASSERT_NULL(template);
}

TEST(instances_have_templates) {
        check_template("a@b.service", "a@.service");
        check_template("a@b.c.d.service", "a@.service");
        check_template("a@b@c.service", "a@.service");
        check_template("a@.service", NULL);
        check_template("a.service", NULL);
        check_template("a.b@c", NULL);
        check_template("a@b", NULL);
}

static void check_to_dash(const char *name, const char *wanted) {
        _cleanup_free_ char *shorter = NULL;

        ASSERT_OK(unit_name_to_dash(name, &shorter));
        if (wanted)
                ASSERT_TEXT(shorter, wanted);
        else
                ASSERT_NULL(shorter);
}

/* As systemd 252 looks for drop-ins. */
TEST(names_are_shortened_to_their_dashes) {
        check_to_dash("a-b-c.service", "a-b-.service");
        check_to_dash("a-b-.service", "a-.service");
        check_to_dash("a-.service", NULL);
        check_to_dash("a-b-c@x-y.z.service", "a-b-@x-y.z.service");
        check_to_dash("a-b-c@.service", "a-b-@.service");
        check_to_dash("a--b-.service", "a--.service");
        check_to_dash("a--.service", "a-.service");
        check_to_dash("-a.service", NULL);
        check_to_dash("-.mount", NULL);
        check_to_dash("--.mount", NULL);
        check_to_dash("a", NULL);
}

static void check_instance_of(const char *template, const char *instance, const char *wanted) {
        _cleanup_free_ char *name = NULL;

        ASSERT_OK(unit_name_instance_of(template, instance, &name));
        if (wanted)
                ASSERT_TEXT(name, wanted);
        else
                ASSERT_NULL(name);
}

TEST(an_instance_of_one_template_is_one_of_another) {
        check_instance_of("b@.service", "a@x.y.service", "b@x.y.service");
        check_instance_of("b@z.service", "a@x.service", NULL);
        check_instance_of("b.service", "a@x.service", NULL);
        check_instance_of("b@.service", "a.service", NULL);
        check_instance_of("b@.service", "a.b@c", NULL);
}

TEST(suffixes_are_replaced) {
        _cleanup_free_ char *name = NULL, *other = NULL;

        ASSERT_OK(unit_name_with_suffix("a.b.service", ".socket", &name));
        ASSERT_TEXT(name, "a.b.socket");
        ASSERT_OK(unit_name_with_suffix("a", ".socket", &other));
        ASSERT_TEXT(other, "a.socket");
}

TEST(names_are_valid_if_a_job_could_be_asked_for) {
        char longest[300];

        ASSERT_TRUE(unit_name_is_valid("a.service"));
        ASSERT_TRUE(unit_name_is_valid("a@b.c.service"));
        ASSERT_TRUE(unit_name_is_valid("-.mount"));
        ASSERT_TRUE(unit_name_is_valid("dev-disk-by\\x2dlabel-s.swap"));
        ASSERT_FALSE(unit_name_is_valid(""));
        ASSERT_FALSE(unit_name_is_valid(".service"));
        ASSERT_FALSE(unit_name_is_valid("a"));
        ASSERT_FALSE(unit_name_is_valid("a.unknown"));
        ASSERT_FALSE(unit_name_is_valid("a@.service"));
        ASSERT_FALSE(unit_name_is_valid("@a.service"));
        ASSERT_FALSE(unit_name_is_valid("a/b.service"));
        ASSERT_FALSE(unit_name_is_valid("a b.service"));
        ASSERT_FALSE(unit_name_is_valid("\xc3\xa4.service"));

        memset(longest, 'a', sizeof(longest));
        strcpy(longest + 248, ".service");
        ASSERT_FALSE(unit_name_is_valid(longest));
        strcpy(longest + 247, ".service");
        ASSERT_TRUE(unit_name_is_valid(longest));
}

TEST(what_may_be_another_name_is_of_one_type_and_instance) {
        static const struct {
                const char *name, *other;
                bool may;
        } cases[] = {
                { "a.service", "b.service", true },
                { "a.socket", "b.socket", true },
                { "a.timer", "b.timer", true },
                { "a.path", "b.path", true },
                { "a.target", "b.target", true },
                { "a.service", "b.socket", false },
                { "a.mount", "b.mount", false },
                { "a.slice", "b.slice", false },
                { "a@.service", "b@.service", true },
                { "a@x.service", "b@x.service", true },
                { "a@x.y.service", "b@x.y.service", true },
                { "a@x.service", "b@y.service", false },
                { "a@x.service", "b@xy.service", false },
                { "a@x.service", "b@.service", false },
                { "a@x.service", "b.service", false },
                { "a.service", "b@x.service", false },
                { "a", "b", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ASSERT_EQ(unit_name_may_be(cases[i].name, cases[i].other), cases[i].may);
}

TEST(specifiers_are_what_the_name_tells) {
        static const struct {
                const char *text, *unit, *wanted;
        } cases[] = {
                { "a.service", "b.socket", "a.service" },
                { "%p.service", "a.socket", "a.service" },
                { "%p@%i.service", "a@x.y.socket", "a@x.y.service" },
                { "%N.service", "a@x.socket", "a@x.service" },
                { "x-%n", "a.socket", "x-a.socket" },
                { "%j.service", "a-b-c@x.socket", "c.service" },
                { "%j.service", "a.socket", "a.service" },
                { "%P@%I.service", "a@x.socket", "a@x.service" },
                { "%J.service", "a-b.socket", "b.service" },
                { "a%%b%i.service", "a.socket", "a%b.service" },
                { "%P.service", "a-b.socket", NULL },
                { "a@%I.service", "a@x-y.socket", NULL },
                { "a@%I.service", "a@x\\x2dy.socket", NULL },
                { "%H.service", "a.socket", NULL },
                { "a%", "a.socket", NULL },
                { "", "a.socket", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = NULL;

                ASSERT_OK(unit_name_expand(cases[i].text, cases[i].unit, &text));
                if (cases[i].wanted)
                        ASSERT_TEXT(text, cases[i].wanted);
                else
                        ASSERT_NULL(text);
        }
}
