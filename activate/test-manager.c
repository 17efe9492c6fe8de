/* The connection to a manager, with a stand-in on the other end. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "manager.h"
#include "test.h"
#include "text.h"

#define SIGNALS 2000

/* Speaks of each unit before it answers, as systemd does when it reads them all anew. With
 * @userdata it goes away instead of answering what it is told to do. */
static int answer(sd_bus_message *call, void *userdata, _unused_ sd_bus_error *error) {
        const bool *leaves = userdata;
        sd_bus *bus = sd_bus_message_get_bus(call);
        int n = sd_bus_message_is_method_call(call, SYSTEMD_MANAGER, "Reload") ? SIGNALS : 0;

        if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Properties", "Get"))
                return sd_bus_reply_method_return(call, "v", "s", "252");
        if (*leaves) {
                sd_bus_close(bus);
                return 0;
        }
        for (int i = 0; i < n; i++) {
                if (sd_bus_emit_signal(bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitNew", "so",
                                       "a.service", SYSTEMD_PATH "/unit/a_2eservice") < 0)
                        _exit(1);
                if (i % 500 == 0)
                        (void) sd_bus_flush(bus);
        }
        return sd_bus_reply_method_return(call, NULL);
}

static void serve_one(int listen_fd, bool leaves) {
        sd_bus *bus = NULL;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int r = fd < 0 ? -1 : sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0)
                r = sd_bus_set_server(bus, /* b= */ true, (sd_id128_t){ .bytes = { 1 } });
        if (r >= 0)
                r = sd_bus_add_object(bus, NULL, SYSTEMD_PATH, answer, &leaves);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        sd_bus_unref(bus);
}

static __attribute__((noreturn)) void serve(int listen_fd, unsigned n_leaves) {
        for (unsigned i = 0;; i++)
                serve_one(listen_fd, i < n_leaves);
}

/* @n_leaves: how many connections it ends when it is told to do something. */
static pid_t start_stand_in(const char *directory, unsigned n_leaves) {
        union {
                struct sockaddr generic;
                struct sockaddr_un local;
        } address = { .local.sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        assert_true(fd >= 0);
        assert_true(snprintf(address.local.sun_path, sizeof(address.local.sun_path),
                             "%s/systemd/private",
                             directory) < (int) sizeof(address.local.sun_path));
        ASSERT_OK(bind(fd, &address.generic, sizeof(address.local)));
        ASSERT_OK(listen(fd, 1));
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                serve(fd, n_leaves);
        (void) close(fd);
        return pid;
}

TEST(what_a_manager_says_while_it_reloads_is_not_kept) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_free_ char *units = NULL;
        const char *directory = test_directory();
        uint64_t n;
        pid_t pid;

        ASSERT_OK(text_printf(&units, "%s/systemd", directory));
        ASSERT_OK(mkdir(units, 0700));
        pid = start_stand_in(directory, 0);

        ASSERT_OK(manager_open_user(directory, &manager, &error));
        ASSERT_TRUE(manager_reload(manager, &error) >= 0);
        ASSERT_TRUE(sd_bus_get_n_queued_read(manager_bus(manager), &n) >= 0);
        ASSERT_EQ(n, 0); /* sd-bus has room for some hundred thousand, and fails the call then */
        ASSERT_TRUE(manager_reset_failed(manager, &error) >= 0);

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
}

/* Once: who is left alone twice would be a third time, too. */
TEST(what_a_connection_has_not_answered_is_asked_again_over_the_next) {
        for (unsigned n_leaves = 1; n_leaves <= 2; n_leaves++) {
                _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_(manager_freep) Manager *manager = NULL;
                _cleanup_free_ char *units = NULL;
                const char *directory = test_directory();
                pid_t pid;

                ASSERT_OK(text_printf(&units, "%s/systemd", directory));
                ASSERT_OK(mkdir(units, 0700));
                pid = start_stand_in(directory, n_leaves);

                ASSERT_OK(manager_open_user(directory, &manager, &error));
                ASSERT_TRUE(manager_is_users(manager) && !manager_bus_name(manager));
                ASSERT_EQ(manager_reset_failed(manager, &error) >= 0, n_leaves == 1);
                sd_bus_error_free(&error);
                ASSERT_TRUE(manager_reload(manager, &error) >= 0);

                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
        }
}
