#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "file.h"
#include "test.h"
#include "text.h"
#include "unit-lists.h"

#define A "/nix/store/a-system"
#define B "/nix/store/b-system"

static char *path_of(const char *directory, const char *name) {
        char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", directory, name));
        return path;
}

static void write_list(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = path_of(directory, name);

        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

static void assert_list(const char *directory, const char *name, const char *wanted) {
        _cleanup_free_ char *path = path_of(directory, name), *text = NULL;

        ASSERT_OK(file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL));
        ASSERT_TEXT(text, wanted);
}

static bool is_there(const char *directory, const char *name) {
        _cleanup_free_ char *path = path_of(directory, name);

        return access(path, F_OK) == 0;
}

static void assert_joined(const StringList *list, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(string_list_join(list, " ", &text));
        ASSERT_TEXT(text, wanted);
}

/* A plan of start, restart and reload lists alone. */
static Plan plan_of(const char *to, PlanEntry *start, PlanEntry *reload) {
        Plan plan = { .to = (char *) to };

        plan.lists[PLAN_START] = (PlanList){ .entries = start, .n = start ? 1 : 0 };
        plan.lists[PLAN_RELOAD] = (PlanList){ .entries = reload, .n = reload ? 1 : 0 };
        return plan;
}

TEST(a_nul_byte_spoils_its_own_line_only) {
        _cleanup_(string_list_done) StringList units = { 0 }, notes = { 0 };
        const char *directory = test_directory();
        _cleanup_free_ char *path = path_of(directory, LIST_ACTIVATION_RESTART);
        static const char text[] = "a.service\nb\0.service\nc.service\n";
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        ASSERT_EQ(fwrite(text, 1, sizeof(text) - 1, file), sizeof(text) - 1);
        ASSERT_EQ(fclose(file), 0);
        ASSERT_OK(unit_lists_read(directory, LIST_ACTIVATION_RESTART, &units, &notes));
        assert_joined(&units, "a.service b?.service c.service");
}

TEST(a_list_is_read_line_by_line_and_blank_lines_are_no_units) {
        _cleanup_(string_list_done) StringList units = { 0 }, notes = { 0 };
        const char *directory = test_directory();

        write_list(directory, LIST_ACTIVATION_RESTART, "a.service\n\n  \n b.service \nc.service");
        ASSERT_OK(unit_lists_read(directory, LIST_ACTIVATION_RESTART, &units, &notes));
        assert_joined(&units, "a.service b.service c.service");
}

TEST(where_there_is_no_list_nothing_is_listed) {
        _cleanup_(string_list_done) StringList units = { 0 }, notes = { 0 };

        ASSERT_OK(unit_lists_read(test_directory(), LIST_ACTIVATION_RELOAD, &units, &notes));
        ASSERT_EQ(units.n, 0);
}

TEST(what_is_still_to_be_done_is_written_and_forgotten_step_by_step) {
        const char *directory = test_directory();
        PlanEntry start = { .unit = (char *) "s.service" };
        PlanEntry reload = { .unit = (char *) "r.service" };
        const Plan plan = plan_of(A, &start, &reload);

        ASSERT_OK(unit_lists_write_plan(directory, &plan));
        assert_list(directory, "start-list", "s.service\n");
        assert_list(directory, "reload-list", "r.service\n");
        ASSERT_FALSE(is_there(directory, "restart-list"));

        unit_lists_remove_action(directory, PLAN_RELOAD);
        ASSERT_FALSE(is_there(directory, "reload-list"));
        assert_list(directory, "start-list", "s.service\n");

        unit_lists_remove_action(directory, PLAN_START);
        ASSERT_FALSE(is_there(directory, "start-list"));
        ASSERT_FALSE(is_there(directory, "lists-system"));
}

TEST(a_list_of_before_does_not_stay_when_there_is_nothing_more_to_do) {
        const char *directory = test_directory();
        PlanEntry start = { .unit = (char *) "s.service" };
        const Plan first = plan_of(A, &start, NULL), second = plan_of(A, NULL, NULL);

        ASSERT_OK(unit_lists_write_plan(directory, &first));
        ASSERT_OK(unit_lists_write_plan(directory, &second));
        ASSERT_FALSE(is_there(directory, "start-list"));
}

TEST(leftovers_are_for_the_system_that_was_on_its_way) {
        _cleanup_(plan_leftovers_done) PlanLeftovers same = { 0 }, other = { 0 };
        _cleanup_(string_list_done) StringList notes = { 0 };
        const char *directory = test_directory();
        PlanEntry start = { .unit = (char *) "s.service" };
        const Plan plan = plan_of(A, &start, NULL);

        ASSERT_OK(unit_lists_write_plan(directory, &plan));
        ASSERT_OK(unit_lists_read_leftovers(directory, A, &same, &notes));
        assert_joined(&same.start, "s.service");
        ASSERT_EQ(notes.n, 0);

        ASSERT_OK(unit_lists_read_leftovers(directory, B, &other, &notes));
        ASSERT_EQ(other.start.n, 0);
        ASSERT_EQ(notes.n, 1);
        ASSERT_CONTAINS(notes.items[0], A);
}

TEST(what_is_no_list_is_noted_and_set_aside_when_one_is_written) {
        _cleanup_(plan_leftovers_done) PlanLeftovers leftovers = { 0 };
        _cleanup_(string_list_done) StringList notes = { 0 };
        const char *directory = test_directory();
        _cleanup_free_ char *path = path_of(directory, "start-list");
        _cleanup_free_ char *other = path_of(directory, "reload-list");
        PlanEntry start = { .unit = (char *) "s.service" };
        const Plan plan = plan_of(A, &start, NULL);

        ASSERT_OK(mkdir(path, 0755));
        ASSERT_OK(mkdir(other, 0755));
        write_list(directory, "restart-list", "x.service\n");
        ASSERT_OK(unit_lists_read_leftovers(directory, A, &leftovers, &notes));
        assert_joined(&leftovers.restart, "x.service");
        ASSERT_CONTAINS(notes.items[0], path);
        ASSERT_CONTAINS(notes.items[0], "Is a directory");
        ASSERT_CONTAINS(notes.items[1], other);

        ASSERT_OK(unit_lists_write_plan(directory, &plan));
        assert_list(directory, "start-list", "s.service\n");
        ASSERT_FALSE(is_there(directory, "reload-list"));
}

TEST(leftovers_of_nixos_own_program_name_no_system_and_are_for_any) {
        _cleanup_(plan_leftovers_done) PlanLeftovers leftovers = { 0 };
        _cleanup_(string_list_done) StringList notes = { 0 };
        const char *directory = test_directory();

        write_list(directory, "restart-list", "x.service\n");
        ASSERT_OK(unit_lists_read_leftovers(directory, B, &leftovers, &notes));
        assert_joined(&leftovers.restart, "x.service");
        ASSERT_EQ(notes.n, 1);
        ASSERT_CONTAINS(notes.items[0], "does not say for which system");
}
