#include <fcntl.h>
#include <sys/wait.h>

#include "confirmation.h"
#include "file.h"
#include "test.h"
#include "text.h"

static const Confirmation confirmed = { .word = CONFIRMATION_CONFIRMED, .uid = 1000 };
static const Confirmation refused = { .word = CONFIRMATION_REFUSED, .uid = 7 };
static const Confirmation late = { .word = CONFIRMATION_LATE };

TEST(nothing_is_decided_as_long_as_nobody_says_a_word) {
        Confirmation got = confirmed;

        ASSERT_EQ(confirmation_read(test_directory(), "1", &got), -ENOENT);
        ASSERT_EQ(got.uid, 1000);
}

TEST(the_first_word_stands_and_whoever_is_second_hears_it) {
        const char *directory = test_directory();
        Confirmation got = { 0 };

        ASSERT_EQ(confirmation_decide(directory, "1", &confirmed, &got), 0);
        ASSERT_EQ(got.word, CONFIRMATION_CONFIRMED);
        ASSERT_EQ(confirmation_decide(directory, "1", &late, &got), CONFIRMATION_DECIDED);
        ASSERT_EQ(got.word, CONFIRMATION_CONFIRMED);
        ASSERT_EQ(got.uid, 1000);
        ASSERT_EQ(confirmation_read(directory, "1", &got), 0);
        ASSERT_EQ(got.word, CONFIRMATION_CONFIRMED);
}

TEST(a_word_for_one_switch_is_none_for_another) {
        const char *directory = test_directory();
        Confirmation got = { 0 };

        ASSERT_EQ(confirmation_decide(directory, "1", &confirmed, &got), 0);
        ASSERT_EQ(confirmation_read(directory, "10", &got), -ENOENT);
        ASSERT_EQ(confirmation_decide(directory, "10", &refused, &got), 0);
        ASSERT_EQ(got.word, CONFIRMATION_REFUSED);
        ASSERT_EQ(got.uid, 7);
}

TEST(what_was_said_to_switches_that_are_over_is_forgotten_and_nothing_else) {
        const char *directory = test_directory();
        _cleanup_free_ char *other = NULL;
        Confirmation got = { 0 };

        ASSERT_OK(text_printf(&other, "%s/transaction.json", directory));
        ASSERT_OK(file_write(AT_FDCWD, other, "{}", 0644));
        ASSERT_EQ(confirmation_decide(directory, "1", &confirmed, &got), 0);
        ASSERT_EQ(confirmation_decide(directory, "2", &late, &got), 0);
        confirmation_forget(directory);
        ASSERT_EQ(confirmation_read(directory, "1", &got), -ENOENT);
        ASSERT_EQ(confirmation_read(directory, "2", &got), -ENOENT);
        ASSERT_OK(access(other, F_OK));
}

TEST(where_nothing_can_be_written_nothing_was_said) {
        Confirmation got = { 0 };

        ASSERT_EQ(confirmation_decide("/nonexistent", "1", &confirmed, &got), -ENOENT);
        confirmation_forget("/nonexistent");
}

TEST(a_damaged_word_is_no_consent) {
        const char *directory = test_directory();
        _cleanup_free_ char *path = NULL;
        Confirmation got = late;

        ASSERT_OK(text_printf(&path, "%s/confirmation-1", directory));
        ASSERT_OK(file_write(AT_FDCWD, path, "{\"word\":\"yes\",\"uid\":0}", 0644));
        ASSERT_EQ(confirmation_read(directory, "1", &got), -EBADMSG);
        ASSERT_EQ(got.word, CONFIRMATION_LATE);
}

/* Of many that speak at once. */
TEST(exactly_one_of_many_decides) {
        const char *directory = test_directory();
        int n_first = 0;

        for (int i = 0; i < 16; i++) {
                if (fork() == 0) {
                        const Confirmation mine = { .uid = (uid_t) i };
                        Confirmation got = { 0 };
                        int r = confirmation_decide(directory, "1", &mine, &got);

                        _exit(r == 0 && got.uid == (uid_t) i ? 1 :
                              r == CONFIRMATION_DECIDED      ? 2 :
                                                               3);
                }
        }
        for (int i = 0; i < 16; i++) {
                int status = 0;

                ASSERT_TRUE(wait(&status) > 0);
                ASSERT_TRUE(WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 2);
                n_first += WEXITSTATUS(status) == 1;
        }
        ASSERT_EQ(n_first, 1);
}
