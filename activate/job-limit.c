/*
 * How long a job may take: never less than systemd itself would let it, and never without end. What
 * a unit sets as its timeout counts anew for each of its commands, and when they are through or
 * their time is over, for the processes to end on SIGTERM and on SIGKILL.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "job-limit.h"
#include "macros.h"
#include "text.h"

#define MARGIN_USEC (30 * USEC_PER_SEC) /* beyond what systemd allows */
#define ENDLESS_USEC                                                                               \
        (600 * USEC_PER_SEC) /* what a unit without a timeout gets, as oneshots are                \
                              */
#define PROPERTIES_MAX 4
#define COMMAND_TYPE   "(sasbttttuii)"

/* What is waited for with a timeout of its own, by type of unit: each command of these properties,
 * and so many things besides. */
typedef struct Steps {
        const char *commands[PROPERTIES_MAX + 1];
        unsigned others;
} Steps;

/* clang-format off */
static const struct Kind {
        const char *suffix;
        Steps start, stop, reload;
} kinds[] = {
        { ".service", /* to stop it: SIGTERM, SIGKILL, and the same again after ExecStopPost= */
          .start  = { { "ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost" }, 0 },
          .stop   = { { "ExecStop", "ExecStopPost" }, 4 },
          .reload = { { "ExecReload" }, 1 } }, /* until it says that it has */
        { ".socket",
          .start  = { { "ExecStartPre", "ExecStartPost" }, 1 }, /* chown */
          .stop   = { { "ExecStopPre", "ExecStopPost" }, 4 } },
        { ".mount",
          .start  = { { NULL }, 1 }, .stop = { { NULL }, 3 }, .reload = { { NULL }, 3 } },
        { ".swap",
          .start  = { { NULL }, 1 }, .stop = { { NULL }, 3 } },
        { ".scope",
          .stop   = { { NULL }, 2 } },
};
/* clang-format on */

static uint64_t add(uint64_t a, uint64_t b) {
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t multiply(uint64_t usec, unsigned n) {
        uint64_t product;

        return __builtin_mul_overflow(usec, (uint64_t) n, &product) ? UINT64_MAX : product;
}

static uint64_t with_margin(uint64_t usec) {
        usec = add(usec, MARGIN_USEC);
        return usec == UINT64_MAX ? ENDLESS_USEC : usec;
}

static uint64_t limit_of(const char *verb, const JobTimes *times) {
        uint64_t stop = with_margin(add(multiply(times->stop_usec, times->n_stop),
                                        multiply(times->abort_usec, times->n_abort)));
        uint64_t start = multiply(times->start_usec, times->n_start);

        if (strcmp(verb, "stop") == 0)
                return stop;
        if (strcmp(verb, "reload") == 0)
                return with_margin(multiply(times->start_usec, times->n_reload));

        start = start == UINT64_MAX ? ENDLESS_USEC : with_margin(add(start, stop));
        return strcmp(verb, "restart") == 0 ? with_margin(add(start, stop)) : start;
}

/**
 * job_limit() - how long a job of these times may take, in microseconds
 * @verb: "start", "stop", "restart" or "reload"
 *
 * What failed to start is stopped by systemd before its job ends, and what still stops before it is
 * started. What asks for more time by EXTEND_TIMEOUT_USEC= is ended by systemd when it no longer
 * does, and nobody else can see that: it gets ten minutes. Source: systemd.service(5),
 * TimeoutStartSec=, TimeoutStopSec=.
 */
uint64_t job_limit(const char *verb, const JobTimes *times) {
        uint64_t limit = limit_of(verb, times);

        return times->extends && limit < ENDLESS_USEC ? ENDLESS_USEC : limit;
}

static unsigned count_commands(Manager *manager, const char *object, const char *interface,
                               const char *property) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        unsigned n = 0;

        if (sd_bus_get_property(manager_bus(manager), SYSTEMD_NAME, object, interface, property,
                                NULL, &reply, "a" COMMAND_TYPE) < 0 ||
            sd_bus_message_enter_container(reply, 'a', COMMAND_TYPE) < 0)
                return 0;
        while (sd_bus_message_at_end(reply, /* complete= */ false) == 0 &&
               sd_bus_message_skip(reply, COMMAND_TYPE) >= 0)
                n++;
        return n;
}

static unsigned count(Manager *manager, const char *unit, const Steps *steps) {
        _cleanup_free_ char *object = NULL, *interface = NULL;
        unsigned n = steps->others;

        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object) < 0 ||
            manager_interface_of(unit, &interface) < 0)
                return n;
        for (const char *const *property = steps->commands; *property; property++)
                n += count_commands(manager, object, interface, *property);
        return n;
}

/* Only services can be told to abort what does not end. */
static bool aborts(Manager *manager, const char *unit, const char *when) {
        _cleanup_free_ char *mode = NULL;

        return manager_unit_text(manager, unit, SYSTEMD_SERVICE, when, &mode) >= 0 &&
               strcmp(mode, "abort") == 0;
}

static void read_aborts(Manager *manager, const char *unit, JobTimes *times) {
        if (!aborts(manager, unit, "TimeoutStartFailureMode") &&
            !aborts(manager, unit, "TimeoutStopFailureMode"))
                return;
        times->n_abort = 2;
        if (manager_unit_timeout(manager, unit, "TimeoutAbortUSec", &times->abort_usec) < 0)
                times->abort_usec = UINT64_MAX;
}

/* It is heard by whom its NotifyAccess= says, whatever its type. */
static bool may_extend(Manager *manager, const char *unit) {
        _cleanup_free_ char *access = NULL;

        return manager_unit_text(manager, unit, SYSTEMD_SERVICE, "NotifyAccess", &access) >= 0 &&
               *access && strcmp(access, "none") != 0;
}

/* Types without a timeout are not in the table: what they do does not take long. A manager that
 * does not answer is asked once. */
static int read_times(Manager *manager, const char *unit, JobTimes *times) {
        int r;

        r = manager_unit_timeout(manager, unit, "TimeoutStartUSec", &times->start_usec);
        if (r == -ETIMEDOUT)
                return r;
        if (r < 0)
                times->start_usec = UINT64_MAX;
        if (manager_unit_timeout(manager, unit, "TimeoutStopUSec", &times->stop_usec) < 0)
                times->stop_usec = UINT64_MAX;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (!text_has_suffix(unit, kinds[i].suffix))
                        continue;
                times->n_start = count(manager, unit, &kinds[i].start);
                times->n_stop = count(manager, unit, &kinds[i].stop);
                times->n_reload = count(manager, unit, &kinds[i].reload);
                break;
        }
        if (text_has_suffix(unit, ".service")) {
                read_aborts(manager, unit, times);
                times->extends = may_extend(manager, unit);
        }
        return 0;
}

/**
 * job_limit_of() - the same for a unit as its manager knows it now; ten minutes if it does not know
 */
uint64_t job_limit_of(Manager *manager, const char *unit, const char *verb) {
        JobTimes times = { .n_start = 1, .n_stop = 1, .n_reload = 1 };

        return read_times(manager, unit, &times) < 0 ? ENDLESS_USEC : job_limit(verb, &times);
}
