/*
 * Asking probes: all side by side, each again and again until it succeeds or has failed often
 * enough. No wait is longer than a second, and none without its limit.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
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
#define OVERTIME_USEC      (2 * USEC_PER_SEC) /* what watches its own time has to be started first */
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
        Asking *askings;
        struct pollfd *fds;
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
        case PROBE_HTTP:
        case PROBE_TCP:
                attempt_start_program(&asking->attempt);
                break;
        case PROBE_SYSTEMD:
                attempt_ask_systemd(&asking->attempt);
                break;
        case _PROBE_TYPE_MAX:
                break;
        }
}

/* Its time is over, and nobody has said so. */
static void give_up(Asking *asking) {
        const uint64_t timeout = asking->attempt.probe->timeout_usec;

        attempt_drop_program(&asking->attempt);
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
                            (asking->attempt.probe->type == PROBE_EXEC ? 0 : OVERTIME_USEC))
                give_up(asking);
        if (asking->running && asking->attempt.state != ATTEMPT_RUNS)
                conclude(round, asking, clock_monotonic_usec());
}

static void add_fd(Round *round, int fd) {
        if (fd >= 0)
                round->fds[round->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
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
        (void) poll(round->fds, round->n_fds,
                    until > now ? (int) ((until - now) / USEC_PER_MSEC) + 1 : 1);
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
                read_programs(round);
        }
}

static void round_done(Round *round) {
        for (size_t i = 0; i < round->n; i++) {
                attempt_drop_program(&round->askings[i].attempt);
                free(round->askings[i].attempt.text);
        }
        free(round->askings);
        free(round->fds);
}

/** probe_is_excused() - whether a probe that was asked before, too, has failed then already. */
bool probe_is_excused(const Probe *probe, const ProbeOutcomes *before, size_t i) {
        return !probe->is_new && before && i < before->n && before->items[i].result == PROBE_FAILED;
}

static int round_init(Round *round, ProbeOutcomes *outcomes) {
        const ProbeRun *run = round->run;
        const size_t n = run->probes->n;

        round->askings = calloc(n, sizeof(*round->askings));
        round->fds = calloc(2 * n, sizeof(*round->fds));
        outcomes->items = calloc(n, sizeof(*outcomes->items));
        if (!round->askings || !round->fds || !outcomes->items)
                return -ENOMEM;

        round->n = outcomes->n = n;
        for (size_t i = 0; i < n; i++)
                round->askings[i] = (Asking){
                        .attempt = {
                                .probe = &run->probes->items[i],
                                .manager = run->manager,
                                .network_program = run->network_program,
                                .toplevel = run->toplevel,
                                .pid_fd = -EBADF,
                                .output_fd = -EBADF,
                        },
                        .outcome = &outcomes->items[i],
                        .once = run->once || probe_is_excused(&run->probes->items[i], run->before, i),
                };
        return 0;
}

/**
 * probe_run() - ask all probes, until each has succeeded once or has failed too often
 * @outcomes: all zero before; probe_outcomes_done() even after an error
 *
 * Return: 0 (also where probes failed), -EINTR if it was interrupted, or -ENOMEM.
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
