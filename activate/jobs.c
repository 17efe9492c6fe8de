/*
 * Jobs: all units of a phase are handed to the manager at once, and each job is followed to its
 * result. A lost connection is made anew and the manager's state asked again; what takes longer
 * than its own unit allows is cancelled and counts as failed.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "jobs.h"

#define MARGIN_USEC        (30 * USEC_PER_SEC)   /* beyond the unit's own timeout */
#define INFINITE_USEC      (600 * USEC_PER_SEC)  /* what a unit without one gets, as oneshots are */
#define WAITING_LIMIT_USEC (1800 * USEC_PER_SEC) /* for a job that waits for others */
#define TELL_WAIT_USEC     (5 * USEC_PER_SEC)

typedef struct Job {
        const char *unit;
        char *path; /* of the job object */
        uint64_t asked_usec;
        uint64_t begun_usec; /* when its limit began to count */
        uint64_t limit_usec; /* 0: not asked for yet */
        bool ended;
} Job;

/* Those under way are ordered by the path of their job object. */
typedef struct JobSet {
        Manager *manager;
        const Jobs *request;
        Job *jobs;
        size_t n, n_pending;
        StringList *failed;
        sd_bus_slot *slot; /* of the signal that ends jobs */
        int error;
} JobSet;

/** jobs_result_is_bad() - whether a job's result means that it failed. */
bool jobs_result_is_bad(const char *result) {
        /* With others (canceled, skipped, assert …) systemd had a reason not to do it. */
        static const char *const bad[] = { "dependency", "failed", "timeout" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (strcmp(bad[i], result) == 0)
                        return true;
        return false;
}

static void tell_end(const JobSet *set, const char *unit, const char *result, uint64_t asked) {
        const JobObserver *observer = set->request->observer;

        if (observer->on_end)
                observer->on_end(observer->userdata, set->request->verb, unit, result,
                                 clock_monotonic_usec() - asked);
}

static void end_job(JobSet *set, Job *job, const char *result) {
        job->ended = true;
        set->n_pending--;
        tell_end(set, job->unit, result, job->asked_usec);
        if (jobs_result_is_bad(result) && string_list_add(set->failed, job->unit) < 0)
                set->error = -ENOMEM;
}

static int compare_jobs(const void *a, const void *b) {
        return strcmp(((const Job *) a)->path, ((const Job *) b)->path);
}

static int on_job_removed(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error) {
        JobSet *set = userdata;
        const char *path, *result;
        Job wanted, *job;

        if (sd_bus_message_read(message, "uoss", NULL, &path, NULL, &result) < 0)
                return 0;

        wanted.path = (char *) path;
        job = bsearch(&wanted, set->jobs, set->n, sizeof(wanted), compare_jobs);
        if (job && !job->ended)
                end_job(set, job, result);
        return 0;
}

static int watch(JobSet *set) {
        set->slot = sd_bus_slot_unref(set->slot);
        return sd_bus_match_signal(manager_bus(set->manager), &set->slot, NULL, SYSTEMD_PATH,
                                   SYSTEMD_MANAGER, "JobRemoved", on_job_removed, set);
}

static int watch_again(JobSet *set) {
        int r;

        set->slot = sd_bus_slot_unref(set->slot);
        r = manager_reconnect(set->manager);
        return r < 0 ? r : watch(set);
}

static const char *method_of(const char *verb) {
        static const struct {
                const char *verb, *method;
        } methods[] = {
                { "reload", "ReloadUnit" },
                { "restart", "RestartUnit" },
                { "start", "StartUnit" },
                { "stop", "StopUnit" },
        };

        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (strcmp(methods[i].verb, verb) == 0)
                        return methods[i].method;
        assert(false);
        return NULL;
}

static int call_for_job(const JobSet *set, const char *unit, char **ret_path,
                        sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(manager_bus(set->manager), SYSTEMD_NAME, SYSTEMD_PATH,
                               SYSTEMD_MANAGER, method_of(set->request->verb), reterr_error, &reply,
                               "ss", unit, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        *ret_path = strdup(path);
        return *ret_path ? 0 : -ENOMEM;
}

/* Asks for one job. A refusal is a failed unit, not the end of the phase. */
static int submit(JobSet *set, const char *unit) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const JobObserver *observer = set->request->observer;
        uint64_t now = clock_monotonic_usec();
        char *path;
        int r;

        if (observer->on_start)
                observer->on_start(observer->userdata, set->request->verb, unit);

        r = call_for_job(set, unit, &path, &error);
        if (manager_is_disconnect(r)) {
                sd_bus_error_free(&error);
                r = watch_again(set);
                if (r >= 0)
                        r = call_for_job(set, unit, &path, &error);
        }
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                if (observer->on_refused)
                        observer->on_refused(observer->userdata, set->request->verb, unit,
                                             error.message ? error.message : strerror(-r));
                return string_list_add(set->failed, unit);
        }

        set->jobs[set->n++] =
                (Job){ .unit = unit, .path = path, .asked_usec = now, .begun_usec = now };
        set->n_pending++;
        return 0;
}

/* "waiting" or "running"; NULL if there is no such job any more. */
static char *state_of(const JobSet *set, const Job *job) {
        char *state;

        if (sd_bus_get_property_string(manager_bus(set->manager), SYSTEMD_NAME, job->path,
                                       SYSTEMD_JOB, "State", NULL, &state) < 0)
                return NULL;
        return state;
}

/* After a lost connection: what has become of the jobs whose end we may have missed. */
static void settle_missed(JobSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                _cleanup_free_ char *state = NULL, *active = NULL;
                Job *job = &set->jobs[i];

                if (job->ended)
                        continue;
                state = state_of(set, job);
                if (state)
                        continue;
                (void) manager_unit_text(set->manager, job->unit, SYSTEMD_UNIT, "ActiveState",
                                         &active);
                end_job(set, job, active && strcmp(active, "failed") == 0 ? "failed" : "done");
        }
}

static uint64_t add_limits(uint64_t a, uint64_t b) {
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* What the unit allows itself for such a job. */
static uint64_t own_limit_of(const JobSet *set, const Job *job) {
        const char *verb = set->request->verb;
        uint64_t start = 0, stop = 0, limit;

        if (strcmp(verb, "stop") != 0 &&
            manager_unit_timeout(set->manager, job->unit, "TimeoutStartUSec", &start) < 0)
                start = UINT64_MAX;
        if ((strcmp(verb, "stop") == 0 || strcmp(verb, "restart") == 0) &&
            manager_unit_timeout(set->manager, job->unit, "TimeoutStopUSec", &stop) < 0)
                stop = UINT64_MAX;

        limit = add_limits(start, stop);
        return limit > UINT64_MAX - MARGIN_USEC || limit == 0 ? INFINITE_USEC : limit + MARGIN_USEC;
}

static void cancel(JobSet *set, Job *job) {
        (void) sd_bus_call_method(manager_bus(set->manager), SYSTEMD_NAME, job->path, SYSTEMD_JOB,
                                  "Cancel", NULL, NULL, NULL);
        end_job(set, job, "timeout");
}

/* Tells of a job that takes long, and ends one that takes too long. Its time counts from when it
 * runs. */
static void look_after(JobSet *set, Job *job, uint64_t now) {
        const JobObserver *observer = set->request->observer;

        if (job->limit_usec == 0)
                job->limit_usec = set->request->limit_usec > 0 ? set->request->limit_usec :
                                                                 own_limit_of(set, job);
        if (now - job->begun_usec >= job->limit_usec) {
                _cleanup_free_ char *state = state_of(set, job);
                bool waits = state && strcmp(state, "waiting") == 0;

                if (!waits || now - job->asked_usec >= WAITING_LIMIT_USEC) {
                        cancel(set, job);
                        return;
                }
                job->begun_usec = now;
        }
        if (observer->on_wait)
                observer->on_wait(observer->userdata, set->request->verb, job->unit,
                                  now - job->begun_usec, job->limit_usec);
}

static void look_after_all(JobSet *set, uint64_t now) {
        for (size_t i = 0; i < set->n && set->error >= 0; i++)
                if (!set->jobs[i].ended)
                        look_after(set, &set->jobs[i], now);
}

/* How often to look: a short limit is kept to the second. */
static uint64_t pause_of(const JobSet *set) {
        uint64_t limit = set->request->limit_usec;

        return limit > 0 && limit < TELL_WAIT_USEC ? limit : TELL_WAIT_USEC;
}

static int wait_for_all(JobSet *set) {
        uint64_t now = clock_monotonic_usec(), next = now + pause_of(set);
        int r;

        while (set->n_pending > 0 && set->error >= 0) {
                r = sd_bus_process(manager_bus(set->manager), NULL);
                if (r > 0)
                        continue;
                if (r == 0)
                        r = sd_bus_wait(manager_bus(set->manager), next - now);
                if (r < 0 && r != -EINTR) {
                        r = watch_again(set);
                        if (r < 0)
                                return r;
                        settle_missed(set);
                }

                now = clock_monotonic_usec();
                if (now >= next) {
                        look_after_all(set, now);
                        now = clock_monotonic_usec();
                        next = now + pause_of(set);
                }
        }
        return set->error;
}

static int run(JobSet *set) {
        int r;

        r = watch(set);
        if (r < 0)
                return r;

        /* Signals are looked at only in wait_for_all(), when all paths are known and in order. */
        for (size_t i = 0; i < set->request->units->n; i++) {
                r = submit(set, set->request->units->items[i]);
                if (r < 0)
                        return r;
        }
        if (set->n > 1)
                qsort(set->jobs, set->n, sizeof(*set->jobs), compare_jobs);
        return wait_for_all(set);
}

static void job_set_done(JobSet *set) {
        for (size_t i = 0; i < set->n; i++)
                free(set->jobs[i].path);
        free(set->jobs);
        sd_bus_slot_unref(set->slot);
}

/**
 * jobs_run() - give the manager one job for each unit, all at once, and follow each to its end
 * @jobs:   what is asked for; its observer is told of each beginning and end, and every five
 * seconds of what is waited for
 * @failed: units whose job was refused, failed or ran into its limit are added here
 *
 * A job may take as long as its unit allows plus half a minute, ten minutes where that is without
 * end.
 *
 * Return: 0 (also with failed units), or a negative errno with @reterr_error set.
 */
int jobs_run(Manager *manager, const Jobs *jobs, StringList *failed, sd_bus_error *reterr_error) {
        _cleanup_(job_set_done) JobSet set = {
                .manager = manager,
                .request = jobs,
                .failed = failed,
        };
        int r;

        if (jobs->units->n == 0)
                return 0;

        set.jobs = calloc(jobs->units->n, sizeof(*set.jobs));
        if (!set.jobs)
                return -ENOMEM;

        r = run(&set);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Lost systemd while waiting for it to %s units: %s",
                                         jobs->verb, strerror(-r));
        return 0;
}
