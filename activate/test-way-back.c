#include "test.h"
#include "way-back.h"

#define A "/nix/store/1-a"
#define B "/nix/store/2-b"
#define C "/nix/store/3-c"
#define D "/nix/store/4-d"

#define ENTRY(v, f, t, code)                                                                       \
        {                                                                                          \
                .id = (char *) "1", .verb = (char *) (v), .from = (char *) (f),                    \
                .to = (char *) (t), .exit_code = (code)                                            \
        }

static WayBack find(const HistoryEntry *entries, size_t n, const char *running) {
        const History history = { .entries = (HistoryEntry *) entries, .n = n };
        const GenerationList none = { 0 };
        WayBack way;

        ASSERT_OK(way_back_find(&none, &history, running, &way));
        ASSERT_EQ(way.generation, 0);
        return way;
}

/* Where a rollback from @running leads; "" for nowhere. */
static const char *target(const HistoryEntry *entries, size_t n, const char *running) {
        const WayBack way = find(entries, n, running);

        return way.toplevel ? way.toplevel : "";
}

TEST(without_a_history_it_leads_nowhere) {
        ASSERT_TEXT(target(NULL, 0, B), "");
}

TEST(it_leads_to_what_ran_before_the_newest_switch_to_the_running_system) {
        const HistoryEntry entries[] = {
                ENTRY("switch", C, B, 0),
                ENTRY("switch", B, A, 0),
                ENTRY("switch", A, B, 0),
        };

        ASSERT_TEXT(target(entries, 1, B), C);
        ASSERT_TEXT(target(entries, 2, A), B);
        ASSERT_TEXT(target(entries, 3, B), A);
}

TEST(after_a_reboot_it_leads_to_what_ran_before_that) {
        const HistoryEntry entries[] = {
                ENTRY("switch", D, A, 0), ENTRY("switch", A, B, 0),   ENTRY("switch", B, C, 0),
                ENTRY("boot", C, B, 0),   ENTRY("rollback", B, C, 0),
        };

        ASSERT_TEXT(target(entries, 3, A), C); /* somebody's choice in the menu, or another tool */
        ASSERT_TEXT(target(entries, 4, C), B); /* it has not been booted yet */
        ASSERT_TEXT(target(entries, 4, B), C);
        ASSERT_TEXT(target(entries, 5, C), B);
}

TEST(what_needs_a_reboot_runs_after_it) {
        const HistoryEntry entries[] = { ENTRY("switch", A, B, 0), ENTRY("switch", B, C, 100) };

        ASSERT_TEXT(target(entries, 2, B), A);
        ASSERT_TEXT(target(entries, 2, C), B);
}

TEST(a_test_counts_until_a_reboot_has_undone_it) {
        const HistoryEntry entries[] = {
                ENTRY("switch", A, B, 0), ENTRY("test", B, C, 0),   ENTRY("test", C, D, 0),
                ENTRY("switch", B, D, 0), ENTRY("switch", D, D, 0),
        };

        ASSERT_TEXT(target(entries, 2, C), B);
        ASSERT_TEXT(target(entries, 2, B), A);
        ASSERT_TEXT(target(entries, 3, D), C);
        ASSERT_TEXT(target(entries, 3, B), A);
        ASSERT_TEXT(target(entries, 4, D), B);
}

TEST(a_test_that_became_a_switch_is_not_undone) {
        const HistoryEntry entries[] = { ENTRY("test", A, B, 0), ENTRY("switch", B, B, 0) };

        ASSERT_TEXT(target(entries, 2, A), B);
}

TEST(a_rollback_after_a_rollback_leads_further_back) {
        const HistoryEntry entries[] = {
                ENTRY("switch", A, B, 0),   ENTRY("switch", B, C, 0),   ENTRY("switch", C, D, 0),
                ENTRY("rollback", D, C, 0), ENTRY("rollback", C, B, 0), ENTRY("rollback", B, A, 0),
        };

        ASSERT_TEXT(target(entries, 4, C), B);
        ASSERT_TEXT(target(entries, 5, B), A);
        ASSERT_TEXT(target(entries, 6, A), "");
}

TEST(a_rollback_to_what_the_history_does_not_know_leaves_the_one_before) {
        const HistoryEntry entries[] = { ENTRY("switch", A, B, 0), ENTRY("rollback", B, C, 0) };

        ASSERT_TEXT(target(entries, 2, C), A);
        ASSERT_TEXT(target(entries + 1, 1, C), "");
}

TEST(what_did_not_make_a_system_run_does_not_count) {
        const HistoryEntry entries[] = {
                ENTRY("switch", A, B, 0),   ENTRY("switch", B, C, 1), /* failed */
                ENTRY("switch", B, C, 3),                             /* was rolled back */
                ENTRY("switch", B, C, 5),                             /* neither there nor back */
                ENTRY("switch", B, C, 130),                           /* stopped before it began */
                ENTRY("switch", B, B, 0),   ENTRY("switch", "", B, 0),
        };

        ASSERT_TEXT(target(entries, ELEMENTSOF(entries), B), A);
        ASSERT_TEXT(target(entries + 1, ELEMENTSOF(entries) - 1, B), "");
}

TEST(what_has_failed_is_passed_over) {
        const HistoryEntry entries[] = {
                ENTRY("switch", D, A, 0), ENTRY("switch", A, B, 4), ENTRY("switch", B, C, 0),
                ENTRY("switch", C, B, 0), ENTRY("switch", B, C, 0),
        };
        WayBack way = find(entries, 3, C);

        ASSERT_TEXT(way.toplevel, A);
        ASSERT_TEXT(way.failed, B);
        ASSERT_TEXT(target(entries, 2, B), A);
        ASSERT_TEXT(target(entries, 5, C), B); /* found good since */

        way = find(entries + 1, 1, C);
        ASSERT_TEXT(way.toplevel, A);
        way = find(entries + 2, 1, C);
        ASSERT_TEXT(way.toplevel, B);
        ASSERT_NULL(way.failed);
}

TEST(where_all_have_failed_it_leads_nowhere) {
        const HistoryEntry entries[] = { ENTRY("switch", "", B, 4), ENTRY("switch", B, C, 0) };
        const WayBack way = find(entries, 2, C);

        ASSERT_NULL(way.toplevel);
        ASSERT_TEXT(way.failed, B);
}

TEST(a_generation_that_has_failed_is_passed_over) {
        HistoryEntry entries[] = { ENTRY("switch", D, B, 3) };
        Generation generations[] = {
                { .number = 1, .target = (char *) A },
                { .number = 2, .target = (char *) B },
                { .number = 3, .target = (char *) D, .current = true },
        };
        const History history = { .entries = entries, .n = 1 };
        GenerationList list = { .items = generations, .n = 3 };
        WayBack way;

        ASSERT_OK(way_back_find(&list, &history, D, &way));
        ASSERT_TEXT(way.toplevel, A);
        ASSERT_EQ(way.generation, 1);

        list = (GenerationList){ .items = generations + 1, .n = 2 };
        ASSERT_OK(way_back_find(&list, &history, D, &way));
        ASSERT_NULL(way.toplevel);
        ASSERT_TEXT(way.failed, B);
}
