#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "probe-run.h"
#include "test.h"
#include "text.h"

/* A server in a thread: it answers each connection with @answer, or never, if that is NULL. */
typedef struct Server {
        int fd;
        uint16_t port;
        const char *answer;
        unsigned refuse; /* so many are answered with 503 first */
        pthread_t thread;
} Server;

static void *serve(void *userdata) {
        Server *server = userdata;
        int held[16], n_held = 0;

        for (;;) {
                static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
                int fd = accept(server->fd, NULL, NULL);
                char request[4096];
                const char *answer = server->answer;

                if (fd < 0)
                        break;
                if (!answer && n_held < 16) {
                        held[n_held++] = fd;
                        continue;
                }
                if (server->refuse > 0) {
                        server->refuse--;
                        answer = busy;
                }
                if (read(fd, request, sizeof(request)) > 0)
                        (void) !write(fd, answer, strlen(answer));
                (void) close(fd);
        }
        while (n_held > 0)
                (void) close(held[--n_held]);
        return NULL;
}

static void server_start(Server *server) {
        union {
                struct sockaddr any;
                struct sockaddr_in in;
        } address = { .in = { .sin_family = AF_INET } };
        socklen_t n = sizeof(address.in);

        (void) signal(SIGPIPE, SIG_IGN);
        address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_OK(bind(server->fd, &address.any, n));
        ASSERT_OK(listen(server->fd, 16));
        ASSERT_OK(getsockname(server->fd, &address.any, &n));
        server->port = ntohs(address.in.sin_port);
        ASSERT_OK(pthread_create(&server->thread, NULL, serve, server));
}

static void server_stop(Server *server) {
        (void) shutdown(server->fd, SHUT_RDWR);
        (void) pthread_join(server->thread, NULL);
        (void) close(server->fd);
}

static bool never(void) {
        return false;
}

static bool always(void) {
        return true;
}

/* A probe that fails fast, of a type whose target is text. */
static void add_probe(Probes *probes, ProbeType type, uint16_t port) {
        char target[100], name[32];
        Probe probe;

        (void) snprintf(name, sizeof(name), "p%zu", probes->n);
        (void) snprintf(target, sizeof(target),
                        type == PROBE_HTTP ? "http://127.0.0.1:%u/" : "127.0.0.1:%u", port);
        ASSERT_OK(probe_init(&probe, type));
        probe.name = strdup(name);
        probe.target = strdup(target);
        probe.timeout_usec = 300 * USEC_PER_MSEC;
        probe.period_usec = 100 * USEC_PER_MSEC;
        probe.grace_usec = 0;
        ASSERT_OK(probes_take(probes, &probe));
}

static Probe *add_program(Probes *probes, const char *script) {
        char name[32];
        Probe probe;

        (void) snprintf(name, sizeof(name), "p%zu", probes->n);
        ASSERT_OK(probe_init(&probe, PROBE_EXEC));
        probe.name = strdup(name);
        ASSERT_OK(string_list_add(&probe.command, "/bin/sh"));
        ASSERT_OK(string_list_add(&probe.command, "-c"));
        ASSERT_OK(string_list_add(&probe.command, script));
        probe.timeout_usec = 500 * USEC_PER_MSEC;
        probe.period_usec = 0;
        probe.grace_usec = 0;
        probe.retries = 0;
        ASSERT_OK(probes_take(probes, &probe));
        return &probes->items[probes->n - 1];
}

static void ask(const Probes *probes, ProbeOutcomes *outcomes) {
        const ProbeRun run = {
                .probes = probes,
                .network_program = PROBE_PROGRAM,
                .toplevel = "/nowhere",
                .since_usec = clock_monotonic_usec(),
                .interrupted = never,
        };

        ASSERT_OK(probe_run(&run, outcomes));
        ASSERT_EQ(outcomes->n, probes->n);
}

static void assert_outcome(const ProbeOutcome *outcome, ProbeResult result, const char *text) {
        if (outcome->result != result)
                fail_msg("%s, not %s: %s", probe_result_to_string(outcome->result),
                         probe_result_to_string(result), outcome->text);
        ASSERT_CONTAINS(outcome->text, text);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

TEST(a_server_that_answers_is_ok_and_so_is_one_that_only_listens) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = { .answer = OK_ANSWER };

        server_start(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        add_probe(&probes, PROBE_TCP, server.port);
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "status 200");
        assert_outcome(&outcomes.items[1], PROBE_OK, "it accepts connections");
        server_stop(&server);
}

TEST(a_wrong_status_fails_and_a_redirect_is_an_answer_that_is_not_followed) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = {
                .answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                          "Content-Length: 0\r\n\r\n",
        };

        server_start(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        add_probe(&probes, PROBE_HTTP, server.port);
        probes.items[1].status = 200;
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "status 302");
        assert_outcome(&outcomes.items[1], PROBE_FAILED, "status 302, not 200");
        ASSERT_EQ(outcomes.items[1].n_attempts, 3);
        server_stop(&server);
}

TEST(nobody_there_fails_as_often_as_it_may) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = { .answer = OK_ANSWER };

        server_start(&server);
        server_stop(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        add_probe(&probes, PROBE_TCP, server.port);
        probes.items[1].retries = 0;
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_FAILED, "Failed to connect");
        ASSERT_EQ(outcomes.items[0].n_attempts, 3);
        assert_outcome(&outcomes.items[1], PROBE_FAILED, "Failed to connect");
        ASSERT_EQ(outcomes.items[1].n_attempts, 1);
}

TEST(one_that_accepts_and_never_answers_is_not_waited_for) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = { 0 };

        server_start(&server);
        for (int i = 0; i < 8; i++) {
                add_probe(&probes, PROBE_HTTP, server.port);
                probes.items[i].retries = 0;
        }
        ask(&probes, &outcomes);
        for (int i = 0; i < 8; i++) {
                assert_outcome(&outcomes.items[i], PROBE_FAILED, "timed out");
                ASSERT_TRUE(outcomes.items[i].duration_usec >= 290 * USEC_PER_MSEC);
        }
        server_stop(&server);
}

TEST(what_fails_within_the_grace_does_not_count) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = { .answer = OK_ANSWER, .refuse = 4 };

        server_start(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        probes.items[0].retries = 0;
        probes.items[0].grace_usec = 60 * USEC_PER_SEC;
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "status 200");
        ASSERT_EQ(outcomes.items[0].n_attempts, 5);
        server_stop(&server);
}

TEST(a_long_answer_is_not_read_to_its_end) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        _cleanup_free_ char *answer = NULL;
        Server server = { 0 };

        ASSERT_OK(text_printf(&answer,
                              "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n%200000s", ""));
        server.answer = answer;
        server_start(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "status 200");
        server_stop(&server);
}

TEST(what_is_no_http_fails) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = { .answer = "SSH-2.0-OpenSSH_9.2\r\n" };

        server_start(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        probes.items[0].retries = 0;
        ask(&probes, &outcomes);
        ASSERT_EQ(outcomes.items[0].result, PROBE_FAILED);
        server_stop(&server);
}

TEST(a_proxy_of_the_environment_has_no_say) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Server server = { .answer = OK_ANSWER };

        ASSERT_OK(setenv("http_proxy", "http://127.0.0.1:1", 1));
        ASSERT_OK(setenv("ALL_PROXY", "http://127.0.0.1:1", 1));
        server_start(&server);
        add_probe(&probes, PROBE_HTTP, server.port);
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "status 200");
        server_stop(&server);
        (void) unsetenv("http_proxy");
        (void) unsetenv("ALL_PROXY");
}

TEST(a_program_says_by_its_exit_code_how_it_went_and_the_end_of_its_words_is_kept) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };

        add_program(&probes, "echo fine");
        add_program(&probes, "echo one; echo two >&2; exit 3");
        add_program(&probes,
                    "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exit 1");
        add_program(&probes, "kill -KILL $$");
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "exit status 0: fine");
        assert_outcome(&outcomes.items[1], PROBE_FAILED, "exit status 3: one\ntwo");
        assert_outcome(&outcomes.items[2], PROBE_FAILED, "line 2999");
        ASSERT_TRUE(strlen(outcomes.items[2].text) < 2200);
        assert_outcome(&outcomes.items[3], PROBE_FAILED, "killed by signal 9");
}

TEST(a_program_has_an_environment_of_its_own) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };

        ASSERT_OK(setenv("SECRET", "x", 1));
        add_program(&probes, "echo $PATH $ENACT_PROBE $SECRET $PWD");
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_OK, "/nowhere/sw/bin:/usr/bin:/bin p0 /");
}

TEST(a_program_that_hangs_is_ended_with_all_that_it_started) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };

        add_program(&probes, "trap : TERM; sleep 1000 & sleep 1000; wait");
        add_program(&probes, "sleep 1000 & echo left one behind");
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_FAILED, "no answer within 0.5 s");
        assert_outcome(&outcomes.items[1], PROBE_OK, "left one behind");
}

TEST(a_program_that_is_not_there_fails) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        Probe *probe = add_program(&probes, "");

        string_list_done(&probe->command);
        ASSERT_OK(string_list_add(&probe->command, "/nix/store/none/bin/x"));
        ask(&probes, &outcomes);
        assert_outcome(&outcomes.items[0], PROBE_FAILED, "cannot be started: No such file");
}

TEST(what_failed_before_is_asked_once_and_the_others_as_often_as_they_may) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        ProbeOutcome items[] = { { .result = PROBE_FAILED }, { .result = PROBE_OK } };
        const ProbeOutcomes before = { .items = items, .n = 2 };
        const ProbeRun run = {
                .probes = &probes,
                .network_program = PROBE_PROGRAM,
                .toplevel = "/nowhere",
                .before = &before,
                .since_usec = clock_monotonic_usec(),
                .interrupted = never,
        };

        add_program(&probes, "exit 1")->retries = 2;
        add_program(&probes, "exit 1")->retries = 2;
        ASSERT_OK(probe_run(&run, &outcomes));
        ASSERT_EQ(outcomes.items[0].n_attempts, 1);
        ASSERT_EQ(outcomes.items[1].n_attempts, 3);
}

TEST(an_interrupt_ends_all_of_them) {
        _cleanup_(probe_outcomes_done) ProbeOutcomes outcomes = { 0 };
        _cleanup_(probes_done) Probes probes = { 0 };
        const ProbeRun run = { .probes = &probes, .toplevel = "/nowhere", .interrupted = always };

        add_program(&probes, "sleep 1000");
        ASSERT_EQ(probe_run(&run, &outcomes), -EINTR);
}

TEST(failures_count_only_after_the_grace_and_then_one_by_one) {
        const Probe probe = { .grace_usec = 10, .retries = 1 };
        uint64_t n = 0;

        ASSERT_TRUE(probe_may_fail_again(&probe, 0, &n));
        ASSERT_TRUE(probe_may_fail_again(&probe, 9, &n));
        ASSERT_EQ(n, 0);
        ASSERT_TRUE(probe_may_fail_again(&probe, 10, &n));
        ASSERT_FALSE(probe_may_fail_again(&probe, 11, &n));
}
