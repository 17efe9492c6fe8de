#include "clean.h"
#include "test.h"
#include "text.h"

#define NOW ((time_t) 1000000000)
#define DAY ((time_t) 24 * 3600)

/* Generations 1, 2, … of systems that are letters, each a day older than the next one; the last one
 * is of today and current. */
static void assert_chosen(const char *systems, const CleanWish *wish, char marked, Mark mark,
                          const char *going, const char *kept) {
        _cleanup_(clean_choice_done) CleanChoice choice = { 0 };
        char paths[26][16], text[2][256] = { "", "" };
        Generation generations[300];
        GenerationList list = { .items = generations, .n = strlen(systems) };
        MarkedSystem system = { .path = paths[marked ? marked - 'a' : 0], .marks = 1U << mark };
        Marks marks = { .systems = &system, .n = marked ? 1 : 0 };
        RetentionView view = { .list = &list, .marks = &marks };

        for (size_t i = 0; i < 26; i++)
                (void) snprintf(paths[i], sizeof(paths[i]), "/nix/store/%c", (char) ('a' + i));
        for (size_t i = 0; i < list.n; i++)
                generations[i] = (Generation){ .number = i + 1,
                                               .target = paths[systems[i] - 'a'],
                                               .created = NOW - (time_t) (list.n - 1 - i) * DAY,
                                               .current = i + 1 == list.n };

        ASSERT_OK(clean_choose(&view, wish, NOW, &choice));
        for (size_t i = 0; i < choice.going.n; i++)
                (void) snprintf(text[0] + strlen(text[0]), sizeof(text[0]) - strlen(text[0]),
                                "%llu ", (unsigned long long) choice.going.items[i].generation);
        for (size_t i = 0; i < choice.n_kept; i++)
                (void) snprintf(text[1] + strlen(text[1]), sizeof(text[1]) - strlen(text[1]),
                                "%llu ", (unsigned long long) choice.kept[i].generation->number);
        ASSERT_TEXT(text[0], going);
        ASSERT_TEXT(text[1], kept);
}

TEST(the_newest_stay_and_the_young_ones_stay) {
        assert_chosen("abcde", &(CleanWish){ .has_keep = true, .keep = 2 }, 0, 0, "1 2 3 ", "");
        assert_chosen("abcde", &(CleanWish){ .has_keep = true, .keep = 9 }, 0, 0, "", "");
        assert_chosen("abcde", &(CleanWish){ .has_keep = true }, 0, 0, "1 2 3 4 ", "5 ");
        assert_chosen("abcde", &(CleanWish){ .has_older = true, .older_sec = 3 * DAY - 1 }, 0, 0,
                      "1 2 ", "");
        assert_chosen("abcde", &(CleanWish){ .has_older = true, .older_sec = 3 * DAY }, 0, 0, "1 ",
                      "");
        assert_chosen("abcde", &(CleanWish){ .has_older = true }, 0, 0, "1 2 3 4 ", "");
        assert_chosen("", &(CleanWish){ .has_keep = true }, 0, 0, "", "");
}

TEST(both_together_take_what_both_would_take) {
        assert_chosen("abcde",
                      &(CleanWish){ .has_keep = true,
                                    .keep = 1,
                                    .has_older = true,
                                    .older_sec = 2 * DAY },
                      0, 0, "1 2 ", "");
        assert_chosen("abcde",
                      &(CleanWish){
                              .has_keep = true, .keep = 4, .has_older = true, .older_sec = 0 },
                      0, 0, "1 ", "");
}

TEST(what_is_something_to_the_host_is_kept_whatever_is_wished) {
        static const Mark marks[] = { MARK_DEFAULT, MARK_RUNNING,  MARK_BOOTED, MARK_PINNED,
                                      MARK_GOOD,    MARK_ROLLBACK, MARK_OPEN };

        for (size_t i = 0; i < ELEMENTSOF(marks); i++)
                assert_chosen("abc", &(CleanWish){ .has_keep = true }, 'b', marks[i], "1 ", "2 3 ");
        assert_chosen("abc", &(CleanWish){ .has_keep = true }, 'b', MARK_FAILED, "1 2 ", "3 ");
}

TEST(of_two_generations_of_one_system_that_is_needed_one_stays) {
        assert_chosen("abbc", &(CleanWish){ .has_keep = true, .keep = 1 }, 'b', MARK_BOOTED, "1 2 ",
                      "3 ");
}

TEST(what_does_not_fit_goes_the_next_time) {
        _cleanup_(clean_choice_done) CleanChoice choice = { 0 };
        Generation generations[UPKEEP_ITEMS_MAX + 10];
        GenerationList list = { .items = generations, .n = ELEMENTSOF(generations) };
        Marks marks = { 0 };
        RetentionView view = { .list = &list, .marks = &marks };

        for (size_t i = 0; i < list.n; i++)
                generations[i] = (Generation){ .number = i + 1,
                                               .target = (char *) "/nix/store/a",
                                               .created = 1 };
        for (size_t i = 0; i < list.n; i++)
                generations[i].target = (char *) (i % 2 ? "/nix/store/b" : "/nix/store/a");
        ASSERT_OK(clean_choose(&view, &(CleanWish){ .has_keep = true, .keep = 4 }, NOW, &choice));
        ASSERT_EQ(choice.going.n, UPKEEP_ITEMS_MAX);
        ASSERT_EQ(choice.n_left, 6);
}

TEST(what_comes_from_the_future_is_not_old) {
        _cleanup_(clean_choice_done) CleanChoice choice = { 0 };
        Generation generation = { .number = 1,
                                  .target = (char *) "/nix/store/a",
                                  .created = NOW + 1 };
        GenerationList list = { .items = &generation, .n = 1 };
        Marks marks = { 0 };
        RetentionView view = { .list = &list, .marks = &marks };

        ASSERT_OK(clean_choose(&view, &(CleanWish){ .has_older = true }, NOW, &choice));
        ASSERT_EQ(choice.going.n, 0);
}

TEST(an_age_is_days_or_has_a_letter) {
        static const struct {
                const char *text;
                uint64_t sec;
        } good[] = {
                { "0", 0 }, { "2", 172800 }, { "2d", 172800 }, { "1w", 604800 }, { "12h", 43200 }
        };
        static const char *const bad[] = { "",     "d",   "-1", "1m",
                                           "1.5d", "1 d", "d1", "999999999999999999w" };
        uint64_t sec;

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ASSERT_OK(clean_age_from_text(good[i].text, &sec));
                ASSERT_EQ(sec, good[i].sec);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(clean_age_from_text(bad[i], &sec), -EINVAL);
}
