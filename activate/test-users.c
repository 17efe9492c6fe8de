#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "clock.h"
#include "test.h"
#include "text.h"
#include "users.h"

#define LONG  (60 * USEC_PER_SEC)
#define SHORT (USEC_PER_SEC / 5)

/* What came back from the workers. */
typedef struct Heard {
        StringList texts, failures;
} Heard;

static void heard_done(Heard *heard) {
        string_list_done(&heard->texts);
        string_list_done(&heard->failures);
}

static void on_event(const User *user, const cJSON *event, void *userdata) {
        Heard *heard = userdata;
        const char *text = json_string(event, "text");
        char *line;

        ASSERT_OK(text_printf(&line, "%s: %s", user->name, text ? text : ""));
        ASSERT_OK(string_list_take(&heard->texts, line));
}

static void on_failure(const User *user, const char *why, void *userdata) {
        Heard *heard = userdata;
        char *line;

        ASSERT_OK(text_printf(&line, "%s: %s", user->name, why));
        ASSERT_OK(string_list_take(&heard->failures, line));
}

/* Two users who are both whoever runs the test: nobody else can be become without root. */
static UserList two_users(User *users) {
        static const char *const names[] = { "ann", "ben" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                users[i] = (User){
                        .uid = getuid(),
                        .gid = getgid(),
                        .name = (char *) names[i],
                        .home = (char *) "/",
                        .runtime_directory = (char *) "/run/user/none",
                };
        return (UserList){ .items = users, .n = ELEMENTSOF(names) };
}

/* What @limits leaves open is filled in here. */
static void run_work_within(int (*work)(const User *user, EventLog *log, void *userdata),
                            const UsersWork *limits, Heard *heard) {
        User users[2];
        const UserList list = two_users(users);
        UsersWork users_work_ = *limits;

        users_work_.users = &list;
        users_work_.work = work;
        users_work_.on_event = on_event;
        users_work_.on_failure = on_failure;
        users_work_.userdata = heard;
        ASSERT_OK(users_work(&users_work_));
        string_list_sort(&heard->texts);
        string_list_sort(&heard->failures);
}

static void run_work(int (*work)(const User *user, EventLog *log, void *userdata),
                     uint64_t limit_usec, Heard *heard) {
        const UsersWork limits = { .limit_usec = limit_usec };

        run_work_within(work, &limits, heard);
}

static int tell_environment(const User *user, EventLog *log, _unused_ void *userdata) {
        const char *path = getenv("PATH"), *runtime = getenv("XDG_RUNTIME_DIR");

        event_say(log, "note", "text",
                  path    ? "the caller's environment is there" :
                  runtime ? runtime :
                            "nothing");
        return 0;
}

static int tell_and_fail(_unused_ const User *user, EventLog *log, _unused_ void *userdata) {
        event_say(log, "note", "text", "trying");
        return -EIO;
}

static int die(_unused_ const User *user, _unused_ EventLog *log, _unused_ void *userdata) {
        (void) raise(SIGKILL);
        return 0;
}

static int hang_if_ben(const User *user, EventLog *log, _unused_ void *userdata) {
        if (strcmp(user->name, "ben") == 0)
                for (;;)
                        (void) pause();
        event_say(log, "note", "text", "done");
        return 0;
}

static int talk_garbage(_unused_ const User *user, EventLog *log, _unused_ void *userdata) {
        (void) event_say(log, "note", "text", "\033[2Jcleared");
        (void) dprintf(3, "no json\n{\"event\":7}\n[]\n");
        return 0;
}

TEST(each_works_with_a_clean_environment_of_their_own) {
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work(tell_environment, LONG, &heard);
        ASSERT_EQ(heard.texts.n, 2);
        ASSERT_TEXT(heard.texts.items[0], "ann: /run/user/none");
        ASSERT_EQ(heard.failures.n, 0);
}

TEST(a_failure_is_told_and_is_one_users_own) {
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work(tell_and_fail, LONG, &heard);
        ASSERT_EQ(heard.texts.n, 2);
        ASSERT_EQ(heard.failures.n, 2);
        ASSERT_TEXT(heard.failures.items[0], "ann: exit status 1");
}

TEST(a_killed_process_is_told) {
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work(die, LONG, &heard);
        ASSERT_EQ(heard.failures.n, 2);
        ASSERT_CONTAINS(heard.failures.items[1], "ben: killed by signal 9");
}

TEST(one_who_hangs_is_killed_at_the_limit_and_holds_up_nobody) {
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work(hang_if_ben, SHORT, &heard);
        ASSERT_EQ(heard.texts.n, 1);
        ASSERT_TEXT(heard.texts.items[0], "ann: done");
        ASSERT_EQ(heard.failures.n, 1);
        ASSERT_CONTAINS(heard.failures.items[0], "ben: it took too long");
}

#define SILENCE (3 * USEC_PER_SEC) /* on a busy machine, too */
#define PIECES  30

/* Ben talks for longer than anybody may be silent, and Ann says nothing. */
static int talk_on_if_ben(const User *user, EventLog *log, _unused_ void *userdata) {
        if (strcmp(user->name, "ben") != 0)
                for (;;)
                        (void) pause();
        for (int i = 0; i <= PIECES; i++) {
                event_say(log, "note", "text", "still here");
                (void) poll(NULL, 0, SILENCE / USEC_PER_MSEC / (PIECES - 5));
        }
        return 0;
}

TEST(who_falls_silent_is_killed_and_who_talks_is_not) {
        const UsersWork limits = { .limit_usec = LONG, .silence_usec = SILENCE };
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work_within(talk_on_if_ben, &limits, &heard);
        ASSERT_EQ(heard.texts.n, PIECES + 1);
        ASSERT_EQ(heard.failures.n, 1);
        ASSERT_CONTAINS(heard.failures.items[0], "ann: it took too long");
}

static bool always(void) {
        return true;
}

static int hang(_unused_ const User *user, _unused_ EventLog *log, _unused_ void *userdata) {
        for (;;)
                (void) pause();
        return 0;
}

TEST(told_to_leave_off_all_end_at_once_and_nobody_has_failed) {
        const UsersWork limits = { .limit_usec = LONG, .interrupted = always };
        uint64_t begun = clock_monotonic_usec();
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work_within(hang, &limits, &heard);
        ASSERT_TRUE(clock_monotonic_usec() - begun < 5 * USEC_PER_SEC);
        ASSERT_EQ(heard.failures.n, 0);
}

TEST(what_a_stranger_says_is_cleaned_and_garbage_is_passed_over) {
        _cleanup_(heard_done) Heard heard = { 0 };

        run_work(talk_garbage, LONG, &heard);
        ASSERT_EQ(heard.texts.n, 2);
        ASSERT_TEXT(heard.texts.items[0], "ann: cleared");
}

TEST(who_has_a_manager_is_seen_by_its_unit) {
        _cleanup_(inventory_done) Inventory inventory = { 0 };
        _cleanup_(string_list_done) StringList notes = { 0 };
        _cleanup_(users_done) UserList users = { 0 };

        ASSERT_OK(
                inventory_add(&inventory, "user@4294967290.service", "active", "running", "", ""));
        ASSERT_OK(inventory_add(&inventory, "user@abc.service", "active", "running", "", ""));
        ASSERT_OK(inventory_add(&inventory, "user@0.service", "inactive", "dead", "", ""));
        ASSERT_OK(users_find(&inventory, &users, &notes));
        ASSERT_EQ(users.n, 0);
        ASSERT_EQ(notes.n, 1);
        ASSERT_CONTAINS(notes.items[0], "4294967290");
}
