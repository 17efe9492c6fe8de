/* Which directory is the state's while a switch is open. */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "file.h"
#include "record.h"
#include "state-directory.h"
#include "test.h"
#include "text.h"

typedef struct Places {
        char *usual, *otherwise;
} Places;

static Places new_places(void) {
        Places places = { 0 };

        ASSERT_OK(text_printf(&places.usual, "%s/usual", test_directory()));
        ASSERT_OK(text_printf(&places.otherwise, "%s/otherwise", test_directory()));
        return places;
}

static void places_done(Places *places) {
        free(places->usual);
        free(places->otherwise);
}

static void put(const char *directory, const char *name, time_t written) {
        const struct timespec times[] = { { .tv_sec = written }, { .tv_sec = written } };
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(file_make_directories(directory, 0755));
        ASSERT_OK(text_printf(&path, "%s/%s", directory, name));
        ASSERT_OK(file_write(AT_FDCWD, path, "{}", 0644));
        ASSERT_OK(utimensat(AT_FDCWD, path, times, 0));
}

TEST(without_an_open_record_neither_is_preferred) {
        _cleanup_(places_done) Places places = new_places();
        bool both = true;

        ASSERT_NULL(state_directory_with_record(places.usual, places.otherwise, &both));
        ASSERT_FALSE(both);
        put(places.usual, "lock", 100);
        put(places.otherwise, "transaction.damaged", 100);
        ASSERT_NULL(state_directory_with_record(places.usual, places.otherwise, NULL));
}

TEST(the_place_of_an_open_record_decides) {
        _cleanup_(places_done) Places places = new_places();
        bool both = true;

        put(places.otherwise, RECORD_NAME, 100);
        ASSERT_TEXT(state_directory_with_record(places.usual, places.otherwise, &both),
                    places.otherwise);
        ASSERT_FALSE(both);
        ASSERT_TEXT(state_directory_with_record(places.otherwise, places.usual, &both),
                    places.otherwise);
}

TEST(a_previous_record_is_open_as_well) {
        _cleanup_(places_done) Places places = new_places();

        put(places.otherwise, RECORD_PREVIOUS, 100);
        ASSERT_TEXT(state_directory_with_record(places.usual, places.otherwise, NULL),
                    places.otherwise);
}

TEST(of_two_the_one_that_was_written_later_counts) {
        _cleanup_(places_done) Places places = new_places();
        bool both = false;

        put(places.usual, RECORD_NAME, 100);
        put(places.otherwise, RECORD_NAME, 101);
        ASSERT_TEXT(state_directory_with_record(places.usual, places.otherwise, &both),
                    places.otherwise);
        ASSERT_TRUE(both);
        put(places.usual, RECORD_NAME, 101);
        ASSERT_TEXT(state_directory_with_record(places.usual, places.otherwise, &both),
                    places.usual);
        ASSERT_TRUE(both);
}

/* The kernel's own kinds: /dev/shm is in memory where there is one. */
TEST(what_is_in_memory_is_not_durable) {
        struct statfs st;

        if (statfs("/dev/shm", &st) < 0 || st.f_type != TMPFS_MAGIC)
                skip();
        ASSERT_FALSE(state_directory_is_durable("/dev/shm"));
        ASSERT_FALSE(state_directory_is_durable("/dev/shm/not/there/yet"));
}

TEST(what_is_not_there_is_made_in_what_is) {
        _cleanup_(places_done) Places places = new_places();
        struct statfs st;

        if (statfs(test_directory(), &st) < 0 || st.f_type == TMPFS_MAGIC)
                skip();
        ASSERT_TRUE(state_directory_is_durable(places.usual));
        put(places.usual, "lock", 100);
        ASSERT_TRUE(state_directory_is_durable(places.usual));
        ASSERT_FALSE(state_directory_is_durable("relative"));
}
