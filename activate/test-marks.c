#include "marks.h"
#include "noted-default.h"
#include "record.h"
#include "test-host.h"

#define A "/nix/store/1-a"
#define B "/nix/store/2-b"
#define C "/nix/store/3-c"
#define D "/nix/store/4-d"

static Marks marks;

static void look(const Host *host, const char *profile) {
        const TransactionPlaces places = {
                .state = host->state,
                .profiles = host->profiles,
                .roots = host->roots,
                .running = host->running,
        };

        marks_done(&marks);
        ASSERT_OK(marks_read(&places, host->booted, profile, &marks, NULL));
}

static void assert_marks(const char *path, unsigned wanted) {
        ASSERT_EQ(marks_of(&marks, path), wanted);
}

TEST(a_host_without_anything_has_no_marks) {
        _cleanup_(host_done) Host host = { 0 };
        _cleanup_free_ char *nowhere = NULL;

        host = new_host();
        nowhere = below(host.directory, "nowhere");
        look(&host, "system");
        ASSERT_EQ(marks.n, 0);
        ASSERT_FALSE(marks.open);

        free(host.roots);
        host.roots = TAKE_PTR(nowhere);
        look(&host, "system");
        ASSERT_EQ(marks.n, 0);
}

TEST(what_runs_and_what_was_booted_are_marked_by_the_paths_they_lead_to) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *real = NULL, *path = below(host.directory, "roots");

        ASSERT_OK(file_realpath(path, &real));
        put_link(&host, "running", "roots");
        put_link(&host, "booted", "running");
        look(&host, "system");
        assert_marks(real, 1U << MARK_RUNNING | 1U << MARK_BOOTED);
}

TEST(roots_are_marked_whatever_their_names_are) {
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "roots/good", A);
        put_link(&host, "roots/pins/x", A);
        put_link(&host, "roots/pins/y", B);
        put_link(&host, "roots/failed/z", C);
        put_link(&host, "roots/failed/.z.0123", "/nix/store/4-d");
        look(&host, "system");
        assert_marks(A, 1U << MARK_GOOD | 1U << MARK_PINNED);
        assert_marks(B, 1U << MARK_PINNED);
        assert_marks(C, 1U << MARK_FAILED);
        ASSERT_EQ(marks.n, 3);
}

TEST(the_boot_default_is_what_the_system_profile_stands_for) {
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "profiles/system-1-link", A);
        put_link(&host, "profiles/system", "system-1-link");
        look(&host, "system");
        assert_marks(A, 1U << MARK_DEFAULT);
        look(&host, "trial");
        assert_marks(A, 1U << MARK_DEFAULT);
}

TEST(the_boot_default_is_what_an_installer_was_told_last) {
        _cleanup_(host_done) Host host = new_host();
        const TransactionPlaces places = { .state = host.state, .profiles = host.profiles };

        put_link(&host, "profiles/system-1-link", A);
        put_link(&host, "profiles/system", "system-1-link");
        ASSERT_OK(noted_default_write(&places, B));
        put_history(&host, "1", "switch", A, B, 0);
        put_history(&host, "2", "switch", B, C, 4); /* kept, whether it became the default or not */
        look(&host, "system");
        assert_marks(B, 1U << MARK_DEFAULT);
        assert_marks(C, 0);
}

TEST(the_way_back_is_the_recorded_path_and_else_the_generation_before) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *real = NULL, *path = below(host.directory, "roots");

        ASSERT_OK(file_realpath(path, &real));
        put_link(&host, "running", "roots");
        put_link(&host, "profiles/system-3-link", A);
        put_link(&host, "profiles/system-7-link", B);
        put_link(&host, "profiles/system-9-link", C);
        put_link(&host, "profiles/system", "system-7-link");
        look(&host, "system");
        assert_marks(A, 1U << MARK_ROLLBACK);
        assert_marks(C, 0);

        put_history(&host, "1", "switch", C, real, 0);
        look(&host, "system");
        assert_marks(A, 0);
        assert_marks(C, 1U << MARK_ROLLBACK);
}

TEST(the_way_back_does_not_lead_to_what_a_rollback_has_left) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *real = NULL, *path = below(host.directory, "roots");

        ASSERT_OK(file_realpath(path, &real));
        put_link(&host, "running", "roots");
        put_link(&host, "profiles/system-3-link", A);
        put_link(&host, "profiles/system-7-link", B);
        put_link(&host, "profiles/system-9-link", real);
        put_link(&host, "profiles/system", "system-9-link");
        put_history(&host, "1", "rollback", B, real, 0);
        look(&host, "system");
        assert_marks(B, 0);
        assert_marks(A, 1U << MARK_ROLLBACK);

        put_history(&host, "2", "rollback", A, real, 0);
        look(&host, "system");
        assert_marks(A, 0);
}

TEST(where_no_generation_is_current_none_is_the_one_before) {
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "profiles/system-3-link", A);
        put_link(&host, "profiles/system-7-link", B);
        put_link(&host, "profiles/system", C);
        look(&host, "system");
        assert_marks(A, 0);
        assert_marks(B, 0);
        assert_marks(C, 1U << MARK_DEFAULT);
}

TEST(the_systems_of_a_switch_that_has_not_ended_are_marked) {
        _cleanup_(host_done) Host host = new_host();

        put_record(&host, "{\"from\":\"" A "\",\"to\":\"" B "\",\"old-profile\":\"" C
                          "\",\"old-default\":\"" D "\"}");
        look(&host, "system");
        ASSERT_TRUE(marks.open);
        assert_marks(A, 1U << MARK_OPEN);
        assert_marks(B, 1U << MARK_OPEN);
        assert_marks(C, 1U << MARK_OPEN);
        assert_marks(D, 1U << MARK_OPEN);

        put_record(&host, "{\"from\":\"\",\"to\":7");
        look(&host, "system");
        ASSERT_TRUE(marks.open);
        ASSERT_EQ(marks.n, 0);
}

TEST(a_previous_record_is_one_as_well) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *path = below(host.state, RECORD_NAME);
        _cleanup_free_ char *previous = below(host.state, RECORD_PREVIOUS);

        put_record(&host, "{\"from\":\"" A "\",\"to\":\"" B "\"}");
        ASSERT_OK(rename(path, previous));
        look(&host, "system");
        ASSERT_TRUE(marks.open);
        assert_marks(A, 1U << MARK_OPEN);
        assert_marks(B, 1U << MARK_OPEN);

        put_record(&host, "{\"from\":\"" C "\",\"to\":\"" D "\"}");
        look(&host, "system");
        assert_marks(A, 1U << MARK_OPEN); /* what the new one is to put right */
        assert_marks(C, 1U << MARK_OPEN);
}
