/*
 * Asking probes: all side by side, each again and again until it succeeds or has failed often
 * enough. No wait is longer than a second, and none without its limit.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "probe-attempt.h"
#include "probe-run.h"
#include "text.h"

#define PAUSE_LONGEST_MSEC 500
#define PERIOD_LEAST_USEC                                                                          \
        (100 * USEC_PER_MSEC) /* a period of 0 is no reason to ask without end                     \
                               */
#define TELL_PAUSE_USEC    (5 * USEC_PER_SEC)
#define OVERTIME_USEC      (200 * USEC_PER_MSEC) /* what watches its own time may say so itself */
#define SYSTEMD_LIMIT_USEC (5 * USEC_PER_SEC)

/* One probe on its way. */
typedef struct Asking {
        Attempt attempt;
        ProbeOutcome *outcome;
        bool once, running, done;
        uint64_t n_failures; /* that count */
        uint64_t begun_usec; /* the attempt */
        uint64_t next_usec;  /* when the next one begins */
} Asking;

typedef struct Round {
        const ProbeRun *run;
        CURLM *curl;
        Asking *askings;
        struct curl_waitfd *fds;
        size_t n, n_fds;
        uint64_t begun_usec, told_usec;
} Round;

/* clang-format off */
static const char *const results[_PROBE_RESULT_MAX] = {
        [PROBE_NOT_ASKED] = "not asked",
        [PROBE_OK]        = "ok",
        [PROBE_FAILED]    = "failed",
};
/* clang-format on */

const char *probe_result_to_string(ProbeResult result) {
        return results[result];
}

/* The end of an attempt, in words for people. */
void attempt_end(Attempt *attempt, bool ok, const char *format, ...) {
        va_list ap;

        attempt->state = ok ? ATTEMPT_OK : ATTEMPT_FAILED;
        va_start(ap, format);
        free(attempt->text);
        if (vasprintf(&attempt->text, format, ap) < 0)
                attempt->text = NULL;
        va_end(ap);
}

void attempt_ask_systemd(Attempt *attempt) {
        const Probe *probe = attempt->probe;
        _cleanup_free_ char *active = NULL;
        uint64_t limit =
                probe->timeout_usec < SYSTEMD_LIMIT_USEC ? probe->timeout_usec : SYSTEMD_LIMIT_USEC;
        int r;

        r = manager_unit_state(attempt->manager, probe->target, limit, &active);
        if (r < 0)
                attempt_end(attempt, false, "systemd does not say: %s", strerror(-r));
        else
                attempt_end(attempt, strcmp(active, probe->state) == 0, "%s is %s", probe->target,
                            active);
}

static void start(Asking *asking, uint64_t now) {
        asking->running = true;
        asking->begun_usec = now;
        asking->outcome->n_attempts++;
        asking->attempt.state = ATTEMPT_RUNS;
        switch (asking->attempt.probe->type) {
        case PROBE_EXEC:
                attempt_start_program(&asking->attempt);
                break;
        case PROBE_HTTP:
        case PROBE_TCP:
                attempt_start_transfer(&asking->attempt);
                break;
        case PROBE_SYSTEMD:
                attempt_ask_systemd(&asking->attempt);
                break;
        case _PROBE_TYPE_MAX:
                break;
        }
}

static void drop(Asking *asking) {
        attempt_drop_transfer(&asking->attempt);
        attempt_drop_program(&asking->attempt);
}

/* Its time is over, and nobody has said so. */
static void give_up(Asking *asking) {
        const uint64_t timeout = asking->attempt.probe->timeout_usec;

        drop(asking);
        attempt_end(&asking->attempt, false, "no answer within %.1f s",
                    (double) timeout / (double) USEC_PER_SEC);
}

/**
 * probe_may_fail_again() - whether a failed attempt is followed by another one
 * @n_failures: that count; one more afterwards if this one does
 * @age_usec:   of the system that is asked
 */
bool probe_may_fail_again(const Probe *probe, uint64_t age_usec, uint64_t *n_failures) {
        if (age_usec < probe->grace_usec)
                return true;
        (*n_failures)++;
        return *n_failures <= probe->retries;
}

static void conclude(const Round *round, Asking *asking, uint64_t now) {
        const Probe *probe = asking->attempt.probe;
        ProbeOutcome *outcome = asking->outcome;
        uint64_t since = round->run->since_usec;

        asking->running = false;
        free(outcome->text);
        outcome->text = TAKE_PTR(asking->attempt.text);
        outcome->result = asking->attempt.state == ATTEMPT_OK ? PROBE_OK : PROBE_FAILED;
        outcome->duration_usec = now - round->begun_usec;
        asking->done =
                outcome->result == PROBE_OK || asking->once ||
                !probe_may_fail_again(probe, now > since ? now - since : 0, &asking->n_failures);
        asking->next_usec = now + (probe->period_usec > PERIOD_LEAST_USEC ? probe->period_usec :
                                                                            PERIOD_LEAST_USEC);
}

static void look_after(const Round *round, Asking *asking) {
        uint64_t now = clock_monotonic_usec();

        if (asking->done)
                return;
        if (!asking->running && now >= asking->next_usec)
                start(asking, now);
        if (asking->running && asking->attempt.state == ATTEMPT_RUNS &&
            now >= asking->begun_usec + asking->attempt.probe->timeout_usec +
                            (asking->attempt.transfer ? OVERTIME_USEC : 0))
                give_up(asking);
        if (asking->running && asking->attempt.state != ATTEMPT_RUNS)
                conclude(round, asking, clock_monotonic_usec());
}

/* What libcurl has finished. */
static void take_transfers(Round *round) {
        CURLMsg *message;
        int n_left, n_running;

        (void) curl_multi_perform(round->curl, &n_running);
        while ((message = curl_multi_info_read(round->curl, &n_left))) {
                CURLcode code = message->data.result;
                char *attempt = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
                attempt_end_transfer((Attempt *) (void *) attempt, code);
        }
}

static void add_fd(Round *round, int fd) {
        if (fd >= 0)
                round->fds[round->n_fds++] =
                        (struct curl_waitfd){ .fd = fd, .events = CURL_WAIT_POLLIN };
}

/* Until somebody has something to say, and no longer than until the next has to begin or to end. */
static void pause_between(Round *round) {
        uint64_t now = clock_monotonic_usec(), until = now + PAUSE_LONGEST_MSEC * USEC_PER_MSEC;

        round->n_fds = 0;
        for (size_t i = 0; i < round->n; i++) {
                const Asking *asking = &round->askings[i];
                uint64_t next = asking->running ?
                                        asking->begun_usec + asking->attempt.probe->timeout_usec :
                                        asking->next_usec;

                if (asking->done)
                        continue;
                if (next < until)
                        until = next;
                add_fd(round, asking->attempt.pid_fd);
                add_fd(round, asking->attempt.output_fd);
        }
        (void) curl_multi_poll(round->curl, round->fds, (unsigned) round->n_fds,
                               until > now ? (int) ((until - now) / USEC_PER_MSEC) + 1 : 1, NULL);
}

static void read_programs(Round *round) {
        for (size_t i = 0; i < round->n; i++)
                if (round->askings[i].running && round->askings[i].attempt.pid > 0)
                        attempt_read_program(&round->askings[i].attempt);
}

static bool all_done(const Round *round) {
        for (size_t i = 0; i < round->n; i++)
                if (!round->askings[i].done)
                        return false;
        return true;
}

/* How long a probe may still take at most, from the beginning of the round. */
static uint64_t limit_of(const Round *round, const Asking *asking) {
        const Probe *probe = asking->attempt.probe;
        uint64_t begun = round->begun_usec, since = round->run->since_usec;
        uint64_t grace_end = since + probe->grace_usec;

        if (asking->once)
                return probe->timeout_usec;
        return (grace_end > begun ? grace_end - begun : 0) +
               (probe->retries + 1) * (probe->timeout_usec + probe->period_usec);
}

static void tell_wait(Round *round) {
        uint64_t now = clock_monotonic_usec();

        if (!round->run->on_wait || now - round->told_usec < TELL_PAUSE_USEC)
                return;
        round->told_usec = now;
        for (size_t i = 0; i < round->n; i++) {
                const Asking *asking = &round->askings[i];

                if (!asking->done)
                        round->run->on_wait(round->run->userdata, asking->attempt.probe,
                                            asking->outcome->text, now - round->begun_usec,
                                            limit_of(round, asking));
        }
}

static int ask(Round *round) {
        for (;;) {
                if (round->run->interrupted() && !round->run->goes_on)
                        return -EINTR;
                for (size_t i = 0; i < round->n; i++)
                        look_after(round, &round->askings[i]);
                if (all_done(round))
                        return 0;
                tell_wait(round);
                pause_between(round);
                take_transfers(round);
                read_programs(round);
        }
}

static void round_done(Round *round) {
        for (size_t i = 0; i < round->n; i++) {
                drop(&round->askings[i]);
                free(round->askings[i].attempt.text);
        }
        if (round->curl)
                (void) curl_multi_cleanup(round->curl);
        free(round->askings);
        free(round->fds);
}

static int round_init(Round *round, ProbeOutcomes *outcomes) {
        const ProbeRun *run = round->run;
        const size_t n = run->probes->n;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -EIO;
        round->curl = curl_multi_init();
        round->askings = calloc(n, sizeof(*round->askings));
        round->fds = calloc(2 * n, sizeof(*round->fds));
        outcomes->items = calloc(n, sizeof(*outcomes->items));
        if (!round->curl || !round->askings || !round->fds || !outcomes->items)
                return -ENOMEM;

        round->n = outcomes->n = n;
        for (size_t i = 0; i < n; i++)
                round->askings[i] = (Asking){
                        .attempt = {
                                .probe = &run->probes->items[i],
                                .curl = round->curl,
                                .manager = run->manager,
                                .toplevel = run->toplevel,
                                .pid_fd = -EBADF,
                                .output_fd = -EBADF,
                        },
                        .outcome = &outcomes->items[i],
                        .once = run->once ||
                                (run->before && i < run->before->n &&
                                 run->before->items[i].result == PROBE_FAILED),
                };
        return 0;
}

/**
 * probe_run() - ask all probes, until each has succeeded once or has failed too often
 * @outcomes: all zero before; probe_outcomes_done() even after an error
 *
 * The signal SIGPIPE is ignored by the caller.
 *
 * Return: 0 (also where probes failed), -EINTR if it was interrupted, -ENOMEM, -EIO without
 * libcurl.
 */
int probe_run(const ProbeRun *run, ProbeOutcomes *outcomes) {
        _cleanup_(round_done) Round round = {
                .run = run,
                .begun_usec = clock_monotonic_usec(),
        };
        int r;

        if (run->probes->n == 0)
                return 0;
        round.told_usec = round.begun_usec;
        r = round_init(&round, outcomes);
        return r < 0 ? r : ask(&round);
}

void probe_outcomes_done(ProbeOutcomes *outcomes) {
        for (size_t i = 0; i < outcomes->n; i++)
                free(outcomes->items[i].text);
        free(outcomes->items);
        *outcomes = (ProbeOutcomes){ 0 };
}
