#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "file.h"
#include "profile.h"
#include "test.h"
#include "text.h"

#define A "/nix/store/1-a"
#define B "/nix/store/2-b"

static const char *directory;
static void (*on_wait)(void);
static int n_waits;

/*
 * In the place of the C library's: profile_lock() waits by it and by nothing else. So its ten
 * seconds take no time here, and a test can do in between what another program would.
 */
int poll(_unused_ struct pollfd *fds, _unused_ nfds_t n, _unused_ int timeout) {
        n_waits++;
        if (on_wait)
                on_wait();
        return 0;
}

static Profile *new_profile(void) {
        Profile *profile = NULL;

        n_waits = 0;
        on_wait = NULL;
        directory = test_directory();
        ASSERT_OK(profile_open(directory, "system", /* make= */ false, &profile));
        return profile;
}

static Profile *locked_profile(void) {
        Profile *profile = new_profile();

        ASSERT_OK(profile_lock(profile));
        return profile;
}

static char *path_of(const char *name) {
        char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", directory, name));
        return path;
}

static void make_link(const char *target, const char *name) {
        _cleanup_free_ char *path = path_of(name);

        ASSERT_OK(symlink(target, path));
}

static void make_file(const char *text, const char *name) {
        _cleanup_free_ char *path = path_of(name);

        ASSERT_OK(file_write(AT_FDCWD, path, text, 0600));
}

static bool is_there(const char *name) {
        _cleanup_free_ char *path = path_of(name);
        struct stat st;

        return lstat(path, &st) == 0;
}

static void assert_link(const char *name, const char *wanted) {
        _cleanup_free_ char *path = path_of(name), *target = NULL;

        ASSERT_OK(file_readlink(AT_FDCWD, path, &target));
        ASSERT_TEXT(target, wanted);
}

static void assert_added(Profile *profile, const char *target, uint64_t number, bool made) {
        uint64_t got = 0;
        bool is_made = !made;

        ASSERT_OK(profile_add(profile, target, &got, &is_made));
        ASSERT_EQ(got, number);
        ASSERT_EQ(is_made, made);
}

static void assert_current(const Profile *profile, const char *wanted) {
        _cleanup_free_ char *target = NULL;

        ASSERT_OK(profile_current(profile, &target));
        ASSERT_TEXT(target, wanted);
}

TEST(a_name_that_can_be_no_profile_is_refused) {
        static const char *const names[] = {
                "", ".", "..", ".x", "a/b", "/system", "system-1-link"
        };
        Profile *profile = NULL;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ASSERT_EQ(profile_new(AT_FDCWD, names[i], &profile), -EINVAL);
        ASSERT_NULL(profile);
}

TEST(a_missing_directory_is_an_error_of_opening_it) {
        Profile *profile = NULL;

        ASSERT_EQ(profile_open("/nonexistent", "system", /* make= */ true, &profile), -ENOENT);
        ASSERT_NULL(profile);
}

TEST(an_empty_directory_has_no_generation_and_no_current_one) {
        _cleanup_(profile_freep) Profile *profile = new_profile();
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        char *target = NULL;

        ASSERT_OK(profile_list(profile, &list));
        ASSERT_EQ(list.n, 0);
        ASSERT_NULL(generation_list_find(&list, 1));
        ASSERT_EQ(profile_current(profile, &target), -ENOENT);
        ASSERT_NULL(target);
}

TEST(the_first_generation_is_number_1_and_the_profile_stays_until_it_is_set) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        assert_added(profile, A, 1, /* made= */ true);
        assert_link("system-1-link", A);
        ASSERT_FALSE(is_there("system"));

        ASSERT_OK(profile_set(profile, 1));
        assert_current(profile, A);
}

TEST(the_profile_is_a_relative_link) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        assert_added(profile, A, 1, /* made= */ true);
        ASSERT_OK(profile_set(profile, 1));
        assert_link("system", "system-1-link");
}

TEST(a_number_is_one_more_than_the_highest_and_gaps_are_not_filled) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        make_link(A, "system-2-link");
        make_link(A, "system-41-link");
        make_link(A, "system-9-link");
        assert_added(profile, B, 42, /* made= */ true);
}

TEST(the_newest_generation_is_used_again_if_it_holds_the_same_path) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        assert_added(profile, A, 1, /* made= */ true);
        assert_added(profile, A, 1, /* made= */ false);
}

TEST(an_older_generation_is_not_used_again) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        assert_added(profile, A, 1, /* made= */ true);
        assert_added(profile, B, 2, /* made= */ true);
        ASSERT_OK(profile_set(profile, 1));
        assert_added(profile, A, 3, /* made= */ true);
        assert_current(profile, A);
}

TEST(generations_are_listed_by_number_with_the_current_one_marked) {
        _cleanup_(profile_freep) Profile *profile = new_profile();
        _cleanup_(generation_list_done) GenerationList list = { 0 };

        make_link(A, "system-10-link");
        make_link(B, "system-9-link");
        make_link(A, "system-1-link");
        make_link("system-9-link", "system");
        ASSERT_OK(profile_list(profile, &list));
        ASSERT_EQ(list.n, 3);
        ASSERT_EQ(list.items[0].number, 1);
        ASSERT_EQ(list.items[1].number, 9);
        ASSERT_EQ(list.items[2].number, 10);
        ASSERT_TEXT(list.items[1].target, B);
        ASSERT_FALSE(list.items[0].current);
        ASSERT_TRUE(list.items[1].current);
        ASSERT_FALSE(list.items[2].current);
        ASSERT_TRUE(generation_list_find(&list, 9) == &list.items[1]);
        ASSERT_NULL(generation_list_find(&list, 2));
}

TEST(the_time_of_a_generation_is_that_of_its_link) {
        _cleanup_(profile_freep) Profile *profile = new_profile();
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1234567890 } };
        _cleanup_free_ char *path = path_of("system-1-link");

        make_link(A, "system-1-link");
        ASSERT_OK(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
        ASSERT_OK(profile_list(profile, &list));
        ASSERT_EQ(list.items[0].created, 1234567890);
}

TEST(what_is_no_generation_of_the_profile_is_passed_over) {
        static const char *const names[] = {
                "system-x-link",   "system--link",     "system-1-link.tmp", "system-1",
                "system-1-2-link", "system-+1-link",   "system- 1-link",    "other-7-link",
                "systemd-7-link",  ".system-7-link.0", "system-link",       "xsystem-7-link",
        };
        _cleanup_(profile_freep) Profile *profile = locked_profile();
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        _cleanup_free_ char *path = path_of("system-6-link");

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                make_link(A, names[i]);
        make_file("no link", "system-5-link");
        ASSERT_OK(mkdir(path, 0700));

        ASSERT_OK(profile_list(profile, &list));
        ASSERT_EQ(list.n, 0);
        assert_added(profile, A, 1, /* made= */ true);
}

TEST(a_number_that_nix_would_write_otherwise_is_no_generation) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        make_link(A, "system-07-link");
        make_link(A, "system-99999999999999999999-link");
        assert_added(profile, A, 1, /* made= */ true);
        ASSERT_OK(profile_set(profile, 1));
        assert_current(profile, A);
}

TEST(another_profile_beside_it_has_its_own_numbers) {
        _cleanup_(profile_freep) Profile *profile = locked_profile(), *other = NULL;
        _cleanup_close_ int dir_fd = -EBADF;

        assert_added(profile, A, 1, /* made= */ true);
        ASSERT_OK(file_open_directory(AT_FDCWD, directory, &dir_fd));
        ASSERT_OK(profile_new(dir_fd, "system-1", &other));
        ASSERT_OK(profile_lock(other));
        assert_added(other, B, 1, /* made= */ true);
        assert_link("system-1-1-link", B);
        assert_added(profile, B, 2, /* made= */ true);
}

TEST(a_profile_of_another_name_lies_in_a_folder_of_its_own) {
        _cleanup_(profile_freep) Profile *profile = NULL;

        ASSERT_EQ(profile_open(directory, "trial", /* make= */ false, &profile), -ENOENT);
        ASSERT_OK(profile_open(directory, "trial", /* make= */ true, &profile));
        ASSERT_OK(profile_lock(profile));
        assert_added(profile, A, 1, /* made= */ true);
        assert_link("system-profiles/trial-1-link", A);
}

TEST(what_holds_a_store_path_is_taken_before_a_new_generation_is_made) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();
        uint64_t number = 0;
        bool made = true;

        assert_added(profile, A, 1, /* made= */ true);
        assert_added(profile, B, 2, /* made= */ true);
        assert_added(profile, A, 3, /* made= */ true);
        ASSERT_OK(profile_set(profile, 2));

        ASSERT_OK(profile_obtain(profile, A, 1, /* any= */ false, &number, &made));
        ASSERT_EQ(number, 1);
        ASSERT_OK(profile_obtain(profile, B, 0, /* any= */ false, &number, &made));
        ASSERT_EQ(number, 2);
        ASSERT_OK(profile_obtain(profile, A, 2, /* any= */ true, &number, &made));
        ASSERT_EQ(number, 3);
        ASSERT_FALSE(made);

        ASSERT_OK(profile_remove(profile, 3));
        ASSERT_OK(profile_obtain(profile, B, 7, /* any= */ true, &number, &made));
        ASSERT_EQ(number, 2);
        ASSERT_OK(profile_remove(profile, 1));
        ASSERT_OK(profile_obtain(profile, A, 3, /* any= */ true, &number, &made));
        ASSERT_EQ(number, 3);
        ASSERT_TRUE(made);
}

TEST(a_profile_that_holds_a_store_path_itself_stands_for_that) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();
        _cleanup_(generation_list_done) GenerationList list = { 0 };

        make_link(A, "system");
        assert_current(profile, A);
        assert_added(profile, A, 1, /* made= */ true);
        ASSERT_OK(profile_list(profile, &list));
        ASSERT_FALSE(list.items[0].current);
}

TEST(a_profile_that_names_its_generation_by_an_absolute_path_stands_for_it) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        _cleanup_free_ char *path = path_of("system-2-link");

        make_link(A, "system-1-link");
        make_link(B, "system-2-link");
        make_link(path, "system");
        assert_current(profile, B);
        ASSERT_OK(profile_list(profile, &list));
        ASSERT_FALSE(list.items[0].current);
        ASSERT_TRUE(list.items[1].current);
        ASSERT_EQ(profile_remove(profile, 2), -EBUSY);
        ASSERT_OK(profile_remove(profile, 1));
}

TEST(a_profile_whose_generation_is_gone_stands_for_nothing) {
        _cleanup_(profile_freep) Profile *profile = new_profile();
        char *target = NULL;

        make_link("system-3-link", "system");
        ASSERT_EQ(profile_current(profile, &target), -ENOENT);
}

TEST(the_current_generation_is_not_removed) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        assert_added(profile, A, 1, /* made= */ true);
        assert_added(profile, B, 2, /* made= */ true);
        ASSERT_OK(profile_set(profile, 1));
        ASSERT_EQ(profile_remove(profile, 1), -EBUSY);
        assert_current(profile, A);

        ASSERT_OK(profile_remove(profile, 2));
        ASSERT_FALSE(is_there("system-2-link"));
        ASSERT_EQ(profile_remove(profile, 2), -ENOENT);
}

TEST(a_removed_highest_number_is_given_again) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();

        assert_added(profile, A, 1, /* made= */ true);
        ASSERT_OK(profile_set(profile, 1));
        assert_added(profile, B, 2, /* made= */ true);
        ASSERT_OK(profile_remove(profile, 2));
        assert_added(profile, B, 2, /* made= */ true);
}

TEST(nothing_but_links_is_left_behind) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_added(profile, A, 1, /* made= */ true);
        ASSERT_OK(profile_set(profile, 1));
        profile_unlock(profile);
        ASSERT_OK(unlinkat(fd, "system", 0));
        ASSERT_OK(unlinkat(fd, "system-1-link", 0));
        ASSERT_OK(rmdir(directory));
}

/* The other program that follows Nix' protocol. */
static int other_fd = -EBADF;

static void other_takes_lock(void) {
        _cleanup_free_ char *path = path_of("system.lock");

        other_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_TRUE(other_fd >= 0);
        ASSERT_OK(flock(other_fd, LOCK_EX | LOCK_NB));
}

static void other_lets_go(void) {
        _cleanup_free_ char *path = path_of("system.lock");

        ASSERT_OK(unlink(path));
        ASSERT_EQ(write(other_fd, "d", 1), 1);
        other_fd = fd_close(other_fd);
        on_wait = NULL;
}

TEST(the_lock_is_the_one_that_nix_takes_and_is_removed_after_use) {
        _cleanup_(profile_freep) Profile *profile = locked_profile();
        _cleanup_free_ char *path = path_of("system.lock");
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
        struct stat st;

        ASSERT_TRUE(fd >= 0);
        ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), -1);

        profile_unlock(profile);
        ASSERT_FALSE(is_there("system.lock"));
        ASSERT_OK(flock(fd, LOCK_EX | LOCK_NB));
        ASSERT_OK(fstat(fd, &st)); /* who waited for it sees that it is stale */
        ASSERT_EQ(st.st_size, 1);
        ASSERT_EQ(n_waits, 0);
}

TEST(it_can_be_locked_again_and_is_let_go_with_its_object) {
        Profile *profile = locked_profile();

        profile_unlock(profile);
        profile_unlock(profile);
        ASSERT_OK(profile_lock(profile));
        ASSERT_TRUE(is_there("system.lock"));
        ASSERT_NULL(profile_free(profile));
        ASSERT_FALSE(is_there("system.lock"));
}

TEST(a_lock_file_that_nobody_holds_is_no_obstacle) {
        _cleanup_(profile_freep) Profile *profile = new_profile();

        make_file("", "system.lock");
        ASSERT_OK(profile_lock(profile));
        ASSERT_EQ(n_waits, 0);
}

TEST(a_lock_that_another_program_holds_is_waited_for) {
        _cleanup_(profile_freep) Profile *profile = new_profile();

        other_takes_lock();
        on_wait = other_lets_go;
        ASSERT_OK(profile_lock(profile));
        ASSERT_EQ(n_waits, 1);
        ASSERT_TRUE(is_there("system.lock")); /* a new one, ours */
}

TEST(a_lock_that_is_held_for_ten_seconds_is_an_answer) {
        _cleanup_(profile_freep) Profile *profile = new_profile();

        other_takes_lock();
        ASSERT_EQ(profile_lock(profile), PROFILE_LOCKED);
        ASSERT_EQ(n_waits, 200);
        other_lets_go();
        ASSERT_OK(profile_lock(profile));
}

TEST(a_lock_file_that_is_marked_as_gone_and_is_there_all_the_same_is_no_obstacle_for_long) {
        _cleanup_(profile_freep) Profile *profile = new_profile();
        _cleanup_free_ char *path = path_of("system.lock");
        struct stat st;

        make_file("d", "system.lock");
        ASSERT_OK(profile_lock(profile));
        ASSERT_EQ(n_waits, 1);
        ASSERT_OK(stat(path, &st));
        ASSERT_EQ(st.st_size, 0);
}

TEST(a_marked_lock_file_that_somebody_holds_is_left_to_them) {
        _cleanup_(profile_freep) Profile *profile = new_profile();
        _cleanup_free_ char *path = path_of("system.lock");
        _cleanup_close_ int fd = -EBADF;

        make_file("d", "system.lock");
        fd = open(path, O_RDWR | O_CLOEXEC);
        ASSERT_OK(flock(fd, LOCK_EX | LOCK_NB));
        ASSERT_EQ(profile_lock(profile), PROFILE_LOCKED);
        ASSERT_TRUE(is_there("system.lock"));
}

TEST(a_link_in_place_of_the_lock_is_not_followed) {
        _cleanup_(profile_freep) Profile *profile = new_profile();

        make_link("/dev/null", "system.lock");
        ASSERT_EQ(profile_lock(profile), -ELOOP);
}
