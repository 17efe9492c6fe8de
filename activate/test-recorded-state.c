/* State files: what they may hold, and which are refused. */
#include "recorded-state.h"
#include "test.h"

static int read_state(RecordedState *state, const char *text) {
        return recorded_state_read(state, strdup(text), strlen(text));
}

static int read_bad(const char *text) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };

        return read_state(&state, text);
}

TEST(all_but_the_units_may_be_absent) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };

        ASSERT_OK(read_state(&state, "{\"version\":1,\"units\":[]}"));
        ASSERT_EQ(state.inventory.n, 0);
        ASSERT_EQ(state.n_users, 0);
        ASSERT_NULL(state.pid1_exe);
}

TEST(what_cannot_be_reloaded_is_found_in_whichever_order_it_was_written) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };

        ASSERT_OK(read_state(&state, "{\"version\":1,\"units\":[],"
                                     "\"cannot-reload\":[\"c\",\"a\",\"b\"]}"));
        ASSERT_EQ(state.cannot_reload.n, 3);
        ASSERT_TEXT(state.cannot_reload.items[0], "a");
        ASSERT_TEXT(state.cannot_reload.items[2], "c");
}

TEST(leftovers_users_and_the_running_systemd_are_read) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };

        ASSERT_OK(read_state(&state, "{\"version\":1,\"units\":[],\"pid1_exe\":\"/x\","
                                     "\"leftovers\":{\"start\":[\"a\"],\"reload\":[\"b\",\"c\"]},"
                                     "\"users\":[{\"uid\":1000,\"name\":\"u\",\"config\":\"/h\","
                                     "\"leftovers\":{\"restart\":[\"d\"]},\"units\":"
                                     "[{\"id\":\"a.service\",\"active\":\"active\"}]}]}"));
        ASSERT_TEXT(state.pid1_exe, "/x");
        ASSERT_EQ(state.leftovers.start.n, 1);
        ASSERT_EQ(state.leftovers.restart.n, 0);
        ASSERT_EQ(state.leftovers.reload.n, 2);
        ASSERT_EQ(state.n_users, 1);
        ASSERT_EQ(state.users[0].uid, 1000);
        ASSERT_TEXT(state.users[0].name, "u");
        ASSERT_TEXT(state.users[0].config, "/h");
        ASSERT_EQ(state.users[0].inventory.n, 1);
        ASSERT_EQ(state.users[0].leftovers.restart.n, 1);
}

TEST(records_that_are_none_are_refused) {
        static const char *const bad[] = {
                "",
                "[]",
                "{}",
                "{\"version\":1}",
                "{\"units\":[]}",
                "{\"version\":1,\"units\":[],\"units\":[]}",
                "{\"version\":1,\"units\":[1]}",
                "{\"version\":1,\"units\":[]",
                "{\"version\":1,\"units\":[],}",
                "{\"version\":1,\"units\":[]} {}",
                "{\"version\":2,\"units\":[]}",
                "{\"version\":1,\"units\":{}}",
                "{\"version\":1,\"units\":[],\"leftovers\":[]}",
                "{\"version\":1,\"units\":[],\"leftovers\":{\"start\":1}}",
                "{\"version\":1,\"units\":[],\"leftovers\":{\"start\":[1]}}",
                "{\"version\":1,\"units\":[],\"pid1_exe\":1}",
                "{\"version\":1,\"units\":[],\"takes-down\":[]}",
                "{\"version\":1,\"units\":[],\"takes-down\":{\"a\":\"b\"}}",
                "{\"version\":1,\"units\":[],\"takes-down\":{\"a\":[1]}}",
                "{\"version\":1,\"units\":[],\"users\":{}}",
                "{\"version\":1,\"units\":[],\"users\":[1]}",
                "{\"version\":1,\"units\":[],\"users\":[{\"uid\":1,\"units\":[]}]}",
                "{\"version\":1,\"units\":[],\"users\":[{\"uid\":-1,\"name\":\"u\",\"units\":[]}]}",
                "{\"version\":1,\"units\":[],\"users\":[{\"uid\":1,\"name\":\"u\"}]}",
                ("{\"version\":1,\"units\":[],\"users\":[{\"uid\":1,\"name\":\"u\",\"units\":[],"
                 "\"leftovers\":[]}]}"),
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(read_bad(bad[i]), -EBADMSG);
}
