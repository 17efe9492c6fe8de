#include "retention.h"
#include "test.h"
#include "text.h"

/* Systems are letters, and generation 1 holds the first one of @generations. */
typedef struct Case {
        const char *generations;
        uint64_t current, keep;
        struct {
                char system;
                Mark mark;
        } marks[4];
        const char *going; /* numbers, in their order */
} Case;

static void assert_going(const Case *c) {
        char paths[26][16], text[256] = "";
        Generation generations[26];
        GenerationList list = { .items = generations, .n = strlen(c->generations) };
        MarkedSystem systems[ELEMENTSOF(c->marks)];
        Marks marks = { .systems = systems };
        RetentionView view = { .list = &list, .marks = &marks };
        _cleanup_(upkeep_request_done) UpkeepRequest going = { 0 };

        for (size_t i = 0; i < 26; i++)
                (void) snprintf(paths[i], sizeof(paths[i]), "/nix/store/%c", (char) ('a' + i));
        for (size_t i = 0; i < list.n; i++)
                generations[i] = (Generation){ .number = i + 1,
                                               .target = paths[c->generations[i] - 'a'],
                                               .current = i + 1 == c->current };
        for (; marks.n < ELEMENTSOF(systems) && c->marks[marks.n].system; marks.n++)
                systems[marks.n] = (MarkedSystem){ .path = paths[c->marks[marks.n].system - 'a'],
                                                   .marks = 1U << c->marks[marks.n].mark };
        if (c->current > 0)
                view.current = generations[c->current - 1].target;

        ASSERT_OK(retention_choose(&view, c->keep, &going));
        for (size_t i = 0; i < going.n; i++) {
                size_t n = strlen(text);

                (void) snprintf(text + n, sizeof(text) - n, "%s%llu", i > 0 ? " " : "",
                                (unsigned long long) going.items[i].generation);
                ASSERT_TEXT(going.items[i].toplevel,
                            generations[going.items[i].generation - 1].target);
        }
        ASSERT_TEXT(text, c->going);
}

TEST(the_oldest_beyond_the_newest_go_and_nothing_that_is_something_to_the_host) {
        /* clang-format off */
        static const Case cases[] = {
                { "abcde", 5, 0, { { 0 } }, "" }, /* not said: all stay */
                { "abcde", 5, 5, { { 0 } }, "" },
                { "abcde", 5, 9, { { 0 } }, "" },
                { "abcde", 5, 2, { { 0 } }, "1 2 3" },
                { "abcde", 5, 1, { { 0 } }, "1 2 3 4" },
                { "",      0, 2, { { 0 } }, "" },
                /* The newest stay beside the current one, not instead of it. */
                { "abcde", 2, 2, { { 0 } }, "1 3" },
                { "abcde", 2, 1, { { 0 } }, "1 3 4" },
                { "abcde", 0, 2, { { 0 } }, "1 2 3" }, /* of a profile that stands for nothing */
                { "abcde", 5, 2, { { 'b', MARK_PINNED } },   "1 3" },
                { "abcde", 5, 2, { { 'a', MARK_DEFAULT } },  "2 3" },
                { "abcde", 5, 2, { { 'a', MARK_RUNNING } },  "2 3" },
                { "abcde", 5, 2, { { 'a', MARK_BOOTED } },   "2 3" },
                { "abcde", 5, 2, { { 'c', MARK_GOOD } },     "1 2" },
                { "abcde", 5, 2, { { 'c', MARK_ROLLBACK } }, "1 2" },
                { "abcde", 5, 2, { { 'c', MARK_OPEN } },     "1 2" },
                { "abcde", 5, 2, { { 'c', MARK_FAILED } },   "1 2 3" }, /* has a root of its own */
                { "abcde", 5, 1, { { 'a', MARK_BOOTED }, { 'b', MARK_PINNED }, { 'd', MARK_ROLLBACK } }, "3" },
                /* One system more than once: its last generation stays; a pin is on all of them. */
                { "abac",  4, 1, { { 'a', MARK_RUNNING } }, "1 2" },
                { "abca",  4, 1, { { 'a', MARK_RUNNING } }, "1 2 3" },
                { "abac",  4, 1, { { 'a', MARK_PINNED } },  "2" },
                { "abac",  1, 1, { { 0 } },                 "2 3" },
        };
        /* clang-format on */

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_going(&cases[i]);
}

TEST(what_does_not_fit_into_one_request_goes_the_next_time) {
        static Generation generations[UPKEEP_ITEMS_MAX + 10];
        GenerationList list = { .items = generations, .n = ELEMENTSOF(generations) };
        const Marks marks = { 0 };
        const RetentionView view = { .list = &list, .marks = &marks };
        _cleanup_(upkeep_request_done) UpkeepRequest going = { 0 };

        for (size_t i = 0; i < list.n; i++)
                generations[i] = (Generation){ .number = i + 1, .target = (char *) "/nix/store/x" };
        ASSERT_OK(retention_choose(&view, 1, &going));
        ASSERT_EQ(going.n, UPKEEP_ITEMS_MAX);
        ASSERT_EQ(going.items[0].generation, 1);
}
