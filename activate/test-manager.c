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

/* Speaks of each unit before it answers, as systemd does when it reads them all anew. */
static int answer(sd_bus_message *call, _unused_ void *userdata, _unused_ sd_bus_error *error) {
        sd_bus *bus = sd_bus_message_get_bus(call);
        int n = sd_bus_message_is_method_call(call, SYSTEMD_MANAGER, "Reload") ? SIGNALS : 0;

        for (int i = 0; i < n; i++) {
                if (sd_bus_emit_signal(bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitNew", "so",
                                       "a.service", SYSTEMD_PATH "/unit/a_2eservice") < 0)
                        _exit(1);
                if (i % 500 == 0)
                        (void) sd_bus_flush(bus);
        }
        return sd_bus_reply_method_return(call, NULL);
}

static __attribute__((noreturn)) void serve(int listen_fd) {
        sd_bus *bus = NULL;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int r = fd < 0 ? -1 : sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0)
                r = sd_bus_set_server(bus, /* b= */ true, (sd_id128_t){ .bytes = { 1 } });
        if (r >= 0)
                r = sd_bus_add_object(bus, NULL, SYSTEMD_PATH, answer, NULL);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        _exit(0);
}

static pid_t start_stand_in(const char *directory) {
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
                serve(fd);
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
        pid = start_stand_in(directory);

        ASSERT_OK(manager_open_user(directory, &manager, &error));
        ASSERT_TRUE(manager_reload(manager, &error) >= 0);
        ASSERT_TRUE(sd_bus_get_n_queued_read(manager_bus(manager), &n) >= 0);
        ASSERT_EQ(n, 0); /* sd-bus has room for some hundred thousand, and fails the call then */
        ASSERT_TRUE(manager_reset_failed(manager, &error) >= 0);

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
}
