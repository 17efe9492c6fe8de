#include "progress.h"
#include "test.h"
#include "text.h"

static void take(Progress *progress, uint64_t usec, NixEvent event) {
        ASSERT_OK(progress_take(progress, &event, usec));
}

static Progress *begin(void) {
        Progress *progress = NULL;

        ASSERT_OK(progress_new(1000, &progress));
        return progress;
}

/* "a b c": what is under way, oldest first; the same is found from either end. */
static void check(const Progress *progress, ProgressKind kind, const char *wanted) {
        _cleanup_free_ char *text = strdup("");
        size_t n = 0;

        for (const ProgressItem *i = progress_oldest(progress, kind); i; i = i->next, n++) {
                _cleanup_free_ char *before = text;

                ASSERT_TRUE(i->kind == kind);
                ASSERT_OK(text_printf(&text, "%s%s%s", before, *before ? " " : "", i->name));
                ASSERT_TRUE(i->next ? i->next->previous == i :
                                      progress_newest(progress, kind) == i);
        }
        ASSERT_TEXT(text, wanted);
        ASSERT_EQ(progress_n(progress, kind), n);
}

TEST(what_is_under_way_is_in_the_order_of_its_beginning) {
        _cleanup_(progress_freep) Progress *p = begin();

        take(p, 1, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 1, .name = "a" });
        take(p, 2, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 2, .name = "b" });
        take(p, 3, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 3, .name = "c" });
        take(p, 4, (NixEvent){ .kind = NIX_EVENT_COPY_STARTED, .id = 4, .name = "d" });
        take(p, 5, (NixEvent){ .kind = NIX_EVENT_FETCH_STARTED, .id = 5, .name = "e" });
        check(p, PROGRESS_BUILD, "a b c");
        check(p, PROGRESS_COPY, "d");
        check(p, PROGRESS_FETCH, "e");
        ASSERT_EQ(progress_newest(p, PROGRESS_BUILD)->begun_usec, 3);

        take(p, 6, (NixEvent){ .kind = NIX_EVENT_BUILD_FINISHED, .id = 2 });
        check(p, PROGRESS_BUILD, "a c");
        take(p, 6, (NixEvent){ .kind = NIX_EVENT_BUILD_FAILED, .id = 3 });
        check(p, PROGRESS_BUILD, "a");
        take(p, 6, (NixEvent){ .kind = NIX_EVENT_BUILD_CANCELLED, .id = 1 });
        take(p, 6, (NixEvent){ .kind = NIX_EVENT_COPY_FINISHED, .id = 4 });
        check(p, PROGRESS_BUILD, "");
        check(p, PROGRESS_COPY, "");
        ASSERT_EQ(progress_totals(p).n_built, 1);
        ASSERT_EQ(progress_totals(p).n_failed, 1);
        ASSERT_EQ(progress_totals(p).n_copied, 1);
}

TEST(each_has_its_phase_and_its_amount) {
        _cleanup_(progress_freep) Progress *p = begin();

        take(p, 1, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 1, .name = "a" });
        take(p, 1, (NixEvent){ .kind = NIX_EVENT_COPY_STARTED, .id = 2, .name = "b" });
        take(p, 2, (NixEvent){ .kind = NIX_EVENT_BUILD_PHASE, .id = 1, .text = "buildPhase" });
        take(p, 2, (NixEvent){ .kind = NIX_EVENT_BUILD_PHASE, .id = 1, .text = "fixupPhase" });
        take(p, 3, (NixEvent){ .kind = NIX_EVENT_AMOUNT, .id = 2, .amount = { 10, 30 } });
        take(p, 3, (NixEvent){ .kind = NIX_EVENT_AMOUNT, .id = 2, .amount = { 25, 30 } });
        ASSERT_TEXT(progress_oldest(p, PROGRESS_BUILD)->phase, "fixupPhase");
        ASSERT_EQ(progress_oldest(p, PROGRESS_COPY)->amount.done, 25);
        ASSERT_EQ(progress_totals(p).copied_bytes, 25);
}

TEST(counters_are_those_of_the_last_event_that_has_them) {
        _cleanup_(progress_freep) Progress *p = begin();

        take(p, 1, (NixEvent){ .kind = NIX_EVENT_EVALUATING, .name = "web" });
        take(p, 1,
             (NixEvent){ .kind = NIX_EVENT_PROGRESS,
                         .builds = { 1, 4, 2, 1 },
                         .copies = { 5, 6, 0, 0 },
                         .copied = { 7, 8 } });
        take(p, 2, (NixEvent){ .kind = NIX_EVENT_TICK });
        take(p, 2, (NixEvent){ .kind = NIX_EVENT_ENDED });
        ASSERT_EQ(progress_builds(p).expected, 4);
        ASSERT_EQ(progress_copies(p).done, 5);
        ASSERT_EQ(progress_copied(p).expected, 8);
        ASSERT_TEXT(progress_evaluating(p), "web");
}

TEST(what_never_began_changes_nothing) {
        _cleanup_(progress_freep) Progress *p = begin();

        take(p, 1, (NixEvent){ .kind = NIX_EVENT_BUILD_PHASE, .id = 9, .text = "x" });
        take(p, 1, (NixEvent){ .kind = NIX_EVENT_AMOUNT, .id = 9, .amount = { 1, 2 } });
        take(p, 1, (NixEvent){ .kind = NIX_EVENT_STEP_FINISHED, .id = 9 });
        take(p, 1, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = 1, .name = "a" });
        take(p, 1, (NixEvent){ .kind = NIX_EVENT_BUILD_STARTED, .id = 1, .name = "again" });
        check(p, PROGRESS_BUILD, "");
        check(p, PROGRESS_STEP, "a");
}

TEST(more_than_anybody_can_see_is_not_kept) {
        _cleanup_(progress_freep) Progress *p = begin();

        for (uint64_t i = 0; i < 10000; i++)
                take(p, 1, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = i, .name = "a" });
        ASSERT_EQ(progress_n(p, PROGRESS_STEP), 4096);
        for (uint64_t i = 0; i < 10000; i++)
                take(p, 1, (NixEvent){ .kind = NIX_EVENT_STEP_FINISHED, .id = i });
        check(p, PROGRESS_STEP, "");
}

TEST(a_name_is_one_line_of_utf_8_and_not_endless) {
        _cleanup_(progress_freep) Progress *p = begin();
        char name[1001];

        take(p, 1, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = 1, .name = "a\nb\tc\377" });
        ASSERT_TEXT(progress_newest(p, PROGRESS_STEP)->name, "a b c?");

        for (size_t i = 0; i < 1000; i++)
                name[i] = "x\303\251"[i == 0 ? 0 : 1 + (i + 1) % 2];
        name[1000] = '\0';
        take(p, 1, (NixEvent){ .kind = NIX_EVENT_STEP_STARTED, .id = 2, .name = name });
        ASSERT_EQ(strlen(progress_newest(p, PROGRESS_STEP)->name), 255);
        ASSERT_NULL(strchr(progress_newest(p, PROGRESS_STEP)->name, '?'));
}
