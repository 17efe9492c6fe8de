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
#include "job-limit.h"
#include "jobs.h"
#include "text.h"

#define WAITING_LIMIT_USEC   (1800 * USEC_PER_SEC) /* for a job that waits for others */
#define TELL_WAIT_USEC       (5 * USEC_PER_SEC)
#define VISITS_MAX           100U                /* of jobs, to find what others wait for */
#define VISITS_USEC          (10 * USEC_PER_SEC) /* and no more once that is over */

#define INTERRUPT_PAUSE_USEC (250 * USEC_PER_MSEC)

typedef struct Job {
        const char *unit;
        const char *verb;
        char *path; /* of the job object */
        uint64_t asked_usec;
        uint64_t begun_usec; /* when its limit began to count */
        uint64_t told_usec;  /* when it was last told that it is waited for */
        uint64_t limit_usec; /* 0: not asked for yet */
        bool waits;          /* for other jobs, when we last looked */
        bool foreign;        /* it was there before ours: not ours to end */
        bool ended;
} Job;

/* Jobs that nobody asked for here, but that those asked for wait for: a target's new units, or what
 * somebody else had begun before. */
typedef struct Blockers {
        Job *jobs; /* unit, verb and path are owned */
        size_t n;
} Blockers;

/* Those under way are ordered by the path of their job object. */
typedef struct JobSet {
        Manager *manager;
        const Jobs *request;
        Job *jobs;
        size_t n, n_pending;
        size_t n_asked;   /* calls without an answer yet */
        bool lost;        /* the connection ended before all answers were there */
        StringList early; /* "path result unit" of jobs that ended before all answers were there */
        StringList *failed;
        Blockers blockers;
        uint32_t newest_foreign; /* id of a job: those up to it were there before ours */
        size_t n_told;           /* of waits, while we looked after all */
        sd_bus_slot *slot;       /* of the signal that ends jobs */
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

static void tell_end(JobSet *set, const Job *job, const char *result) {
        const JobObserver *observer = set->request->observer;

        if (observer->on_end)
                observer->on_end(observer->userdata, job->verb, job->unit, result,
                                 clock_monotonic_usec() - job->asked_usec);
        if (jobs_result_is_bad(result) && string_list_add(set->failed, job->unit) < 0)
                set->error = -ENOMEM;
}

static void end_job(JobSet *set, Job *job, const char *result) {
        job->ended = true;
        set->n_pending--;
        tell_end(set, job, result);
}

static int compare_jobs(const void *a, const void *b) {
        return strcmp(((const Job *) a)->path, ((const Job *) b)->path);
}

static Job *find_job(Job *jobs, size_t n, const char *path) {
        const Job wanted = { .path = (char *) path };

        return n > 0 ? bsearch(&wanted, jobs, n, sizeof(wanted), compare_jobs) : NULL;
}

static void end_job_of(JobSet *set, const char *path, const char *result, const char *unit) {
        const JobObserver *observer = set->request->observer;
        Job *job = find_job(set->jobs, set->n, path);

        if (job && !job->ended)
                end_job(set, job, result);
        /* One whose dependency failed has no words of its own. */
        if (!job && observer->on_other_failed && strcmp(result, "dependency") != 0 &&
            jobs_result_is_bad(result))
                observer->on_other_failed(observer->userdata, unit);
}

static int on_job_removed(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error) {
        JobSet *set = userdata;
        const char *path, *unit, *result;
        char *line;

        if (sd_bus_message_read(message, "uoss", NULL, &path, &unit, &result) < 0)
                return 0;
        if (set->n_asked == 0)
                end_job_of(set, path, result, unit);
        else if (text_printf(&line, "%s %s %s", path, result, unit) < 0 ||
                 string_list_take(&set->early, line) < 0)
                set->error = -ENOMEM;
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

/* One unit's call, until it is answered. */
typedef struct Call {
        JobSet *set;
        const char *unit;
        uint64_t asked_usec;
} Call;

/* A refusal is a failed unit, not the end of the phase. */
static void on_refusal(JobSet *set, const char *unit, const char *why) {
        const JobObserver *observer = set->request->observer;

        if (observer->on_refused)
                observer->on_refused(observer->userdata, set->request->verb, unit, why);
        if (string_list_add(set->failed, unit) < 0)
                set->error = -ENOMEM;
}

static int on_answer(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        Call *call = userdata;
        JobSet *set = call->set;
        const char *path;
        char *copy;

        set->n_asked--;
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY)) {
                set->lost = true; /* so sd-bus answers when the connection ends */
                return 0;
        }
        if (sd_bus_message_is_method_error(reply, NULL)) {
                on_refusal(set, call->unit, sd_bus_message_get_error(reply)->message);
                return 0;
        }
        if (sd_bus_message_read(reply, "o", &path) < 0)
                return 0;

        copy = strdup(path);
        if (!copy) {
                set->error = -ENOMEM;
                return 0;
        }
        set->jobs[set->n++] = (Job){
                .unit = call->unit,
                .verb = set->request->verb,
                .path = copy,
                .asked_usec = call->asked_usec,
                .begun_usec = call->asked_usec,
                .told_usec = call->asked_usec,
        };
        set->n_pending++;
        return 0;
}

static int ask(JobSet *set, Call *call) {
        const JobObserver *observer = set->request->observer;
        int r;

        if (observer->on_start)
                observer->on_start(observer->userdata, set->request->verb, call->unit);
        call->asked_usec = clock_monotonic_usec();
        r = sd_bus_call_method_async(manager_bus(set->manager), NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                     SYSTEMD_MANAGER, method_of(set->request->verb), on_answer,
                                     call, "ss", call->unit, "replace");
        if (r < 0)
                return r;
        set->n_asked++;
        return 0;
}

static int wait_for_answers(JobSet *set) {
        while (set->n_asked > 0 && set->error >= 0) {
                int r = sd_bus_process(manager_bus(set->manager), NULL);

                if (r == 0) /* each call has a limit of its own, so this ends */
                        r = sd_bus_wait(manager_bus(set->manager), UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return set->error < 0 ? set->error : set->lost ? -ECONNRESET : 0;
}

static int ask_for_some(JobSet *set, Call *calls, bool sockets) {
        const StringList *units = set->request->units;

        for (size_t i = 0; i < units->n; i++) {
                int r;

                if (text_has_suffix(units->items[i], ".socket") != sockets)
                        continue;
                calls[i] = (Call){ .set = set, .unit = units->items[i] };
                r = ask(set, &calls[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * All are asked for before any answer is waited for, so that systemd can order them all. It begins
 * with the first when it hears of it, though: a socket cannot be started any more when a target has
 * brought its service up, so sockets come first.
 */
static int ask_for_all(JobSet *set, Call *calls) {
        int r;

        r = ask_for_some(set, calls, /* sockets= */ true);
        if (r >= 0)
                r = ask_for_some(set, calls, /* sockets= */ false);
        if (r < 0)
                return r;
        r = wait_for_answers(set);
        if (r < 0)
                return r;

        if (set->n > 1)
                qsort(set->jobs, set->n, sizeof(*set->jobs), compare_jobs);
        for (size_t i = 0; i < set->early.n; i++) {
                char *rest, *path = strtok_r(set->early.items[i], " ", &rest);
                char *result = strtok_r(NULL, " ", &rest), *unit = strtok_r(NULL, " ", &rest);

                if (path && result && unit)
                        end_job_of(set, path, result, unit);
        }
        return set->error;
}

/* "waiting" or "running"; an errno if there is no such job any more, or nobody can be asked. */
static int read_state(const JobSet *set, const Job *job, char **ret_state) {
        *ret_state = NULL;
        return sd_bus_get_property_string(manager_bus(set->manager), SYSTEMD_NAME, job->path,
                                          SYSTEMD_JOB, "State", NULL, ret_state);
}

/* After a lost connection: what has become of the jobs whose end we may have missed. */
static void settle_missed(JobSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                _cleanup_free_ char *state = NULL, *active = NULL;
                Job *job = &set->jobs[i];
                int r;

                if (job->ended)
                        continue;
                r = read_state(set, job, &state);
                /* Lost again, it is asked after the next connection; the job's limit bounds that.
                 */
                if (r >= 0 || manager_is_disconnect(r) || r == -ETIMEDOUT)
                        continue;
                (void) manager_unit_text(set->manager, job->unit, SYSTEMD_UNIT, "ActiveState",
                                         &active);
                end_job(set, job, active && strcmp(active, "failed") == 0 ? "failed" : "done");
        }
}

static void cancel(const JobSet *set, const Job *job) {
        (void) sd_bus_call_method(manager_bus(set->manager), SYSTEMD_NAME, job->path, SYSTEMD_JOB,
                                  "Cancel", NULL, NULL, NULL);
}

static void tell_wait(JobSet *set, Job *job, uint64_t now, uint64_t since, uint64_t limit) {
        const JobObserver *observer = set->request->observer;
        uint64_t pause = limit / 2 < TELL_WAIT_USEC ? limit / 2 : TELL_WAIT_USEC;

        set->n_told++;
        if (now - job->told_usec < pause)
                return;
        job->told_usec = now;
        if (observer->on_wait)
                observer->on_wait(observer->userdata, job->verb, job->unit, now - since, limit);
}

static uint64_t limit_of(const JobSet *set, const Job *job) {
        uint64_t most = set->request->limit_max_usec, limit;

        if (set->request->limit_usec > 0)
                return set->request->limit_usec;
        limit = job_limit_of(set->manager, job->unit, job->verb);
        return most > 0 && limit > most ? most : limit;
}

/* Tells of a job that takes long; true if it takes too long. Its time counts from when it runs. */
static bool is_over(JobSet *set, Job *job, uint64_t now) {
        if (job->limit_usec == 0)
                job->limit_usec = limit_of(set, job);
        if (now - job->begun_usec >= job->limit_usec)
                return true;
        tell_wait(set, job, now, job->begun_usec, job->limit_usec);
        return false;
}

/* A job of systemd's list, or of what another one waits for. */
typedef struct JobRow {
        uint32_t id;
        const char *unit, *verb, *state, *path;
} JobRow;

static int read_row(sd_bus_message *reply, JobRow *row) {
        return sd_bus_message_read(reply, "(usssoo)", &row->id, &row->unit, &row->verb, &row->state,
                                   &row->path, NULL);
}

static int list_jobs(const JobSet *set, sd_bus_message **ret_reply) {
        int r;

        r = sd_bus_call_method(manager_bus(set->manager), SYSTEMD_NAME, SYSTEMD_PATH,
                               SYSTEMD_MANAGER, "ListJobs", NULL, ret_reply, NULL);
        return r < 0 ? r : sd_bus_message_enter_container(*ret_reply, 'a', "(usssoo)");
}

/* Before ours are asked for. Where nobody says, all others' are taken for somebody else's. */
static void see_foreign(JobSet *set) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        JobRow row;

        set->newest_foreign = UINT32_MAX;
        if (list_jobs(set, &reply) < 0)
                return;
        set->newest_foreign = 0;
        while (read_row(reply, &row) > 0)
                if (row.id > set->newest_foreign)
                        set->newest_foreign = row.id;
}

/* Which of ours wait for others; the list of all is one call, whatever their number. Where nobody
 * says, it is as it was when we last looked. */
static bool see_who_waits(JobSet *set) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        bool any = false;
        JobRow row;

        if (list_jobs(set, &reply) >= 0)
                while (read_row(reply, &row) > 0) {
                        Job *job = find_job(set->jobs, set->n, row.path);

                        if (job)
                                job->waits = strcmp(row.state, "waiting") == 0;
                }
        for (size_t i = 0; i < set->n; i++)
                any |= !set->jobs[i].ended && set->jobs[i].waits;
        return any;
}

static void blockers_done(Blockers *blockers) {
        for (size_t i = 0; i < blockers->n; i++) {
                free((char *) blockers->jobs[i].unit);
                free((char *) blockers->jobs[i].verb);
                free(blockers->jobs[i].path);
        }
        free(blockers->jobs);
        *blockers = (Blockers){ 0 };
}

/* Since when it is waited for is known from the last look. */
static int add_blocker(const JobSet *set, Blockers *blockers, const JobRow *row, uint64_t now) {
        const Job *known = find_job(set->blockers.jobs, set->blockers.n, row->path);
        Job *jobs = reallocarray(blockers->jobs, blockers->n + 1, sizeof(*jobs)), *job;

        if (!jobs)
                return -ENOMEM;
        blockers->jobs = jobs;
        job = &jobs[blockers->n++];
        *job = (Job){
                .unit = strdup(row->unit),
                .verb = strdup(row->verb),
                .path = strdup(row->path),
                .asked_usec = known ? known->asked_usec : now,
                .begun_usec = known ? known->begun_usec : now,
                .told_usec = known ? known->told_usec : now,
                .limit_usec = known ? known->limit_usec : 0,
                .foreign = row->id <= set->newest_foreign,
        };
        return job->unit && job->verb && job->path ? 0 : -ENOMEM;
}

/*
 * What a job waits for: what runs is a blocker, what waits itself is visited in turn. A job of ours
 * that "waits" though no other is before it waits for its own unit, which has not stopped yet: its
 * time counts.
 */
static int visit(const JobSet *set, const char *path, uint64_t now, StringList *visits,
                 Blockers *blockers) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Job *own;
        JobRow row;
        int r = 0;

        if (sd_bus_call_method(manager_bus(set->manager), SYSTEMD_NAME, path, SYSTEMD_JOB,
                               "GetBefore", NULL, &reply, NULL) < 0 ||
            sd_bus_message_enter_container(reply, 'a', "(usssoo)") < 0)
                return 0;
        own = find_job(set->jobs, set->n, path);
        if (own)
                own->waits = false;
        while (r >= 0 && read_row(reply, &row) > 0) {
                if (own)
                        own->waits = true;
                if (find_job(set->jobs, set->n, row.path) || visits->n >= VISITS_MAX ||
                    string_list_contains(visits, row.path))
                        continue;
                r = string_list_add(visits, row.path);
                if (r >= 0 && strcmp(row.state, "running") == 0)
                        r = add_blocker(set, blockers, &row, now);
        }
        return r;
}

static int find_blockers(JobSet *set, uint64_t now) {
        _cleanup_(string_list_done) StringList visits = { 0 };
        _cleanup_(blockers_done) Blockers blockers = { 0 };
        int r = 0;

        /* Half of the visits are for what these wait for. */
        for (size_t i = 0; r >= 0 && i < set->n && visits.n < VISITS_MAX / 2; i++)
                if (!set->jobs[i].ended && set->jobs[i].waits)
                        r = string_list_add(&visits, set->jobs[i].path);
        /* A manager that does not answer costs a call's limit at each visit. */
        for (size_t i = 0; r >= 0 && i < visits.n && clock_monotonic_usec() - now < VISITS_USEC;
             i++)
                r = visit(set, visits.items[i], now, &visits, &blockers);
        if (r < 0)
                return r;

        for (size_t i = 0; i < set->n; i++)
                if (set->jobs[i].waits)
                        set->jobs[i].begun_usec = now;
        if (blockers.n > 1)
                qsort(blockers.jobs, blockers.n, sizeof(*blockers.jobs), compare_jobs);
        blockers_done(&set->blockers);
        set->blockers = blockers;
        blockers = (Blockers){ 0 };
        return 0;
}

/* Ends what takes too long, in so far as it is ours; whether somebody else's does. */
static bool look_after_blockers(JobSet *set, uint64_t now) {
        bool foreign_is_over = false, others_run = false;

        for (size_t i = 0; i < set->blockers.n && set->error >= 0; i++) {
                Job *job = &set->blockers.jobs[i];
                bool over = is_over(set, job, now);

                foreign_is_over |= over && job->foreign;
                others_run |= !over;
                if (!over || job->foreign)
                        continue;
                cancel(set, job);
                tell_end(set, job, "timeout");
        }
        return foreign_is_over && !others_run;
}

static void give_up(JobSet *set, Job *job) {
        cancel(set, job);
        end_job(set, job, "timeout");
}

/* True if it runs on. */
static bool look_after_running(JobSet *set, Job *job, uint64_t now) {
        if (!is_over(set, job, now))
                return true;
        give_up(set, job);
        return false;
}

/* @held: by nothing but jobs of somebody else, which have taken longer than they may. */
static void look_after_waiting(JobSet *set, Job *job, bool held, uint64_t now) {
        if (held || now - job->asked_usec >= WAITING_LIMIT_USEC)
                give_up(set, job);
        else if (set->n_told == 0)
                tell_wait(set, job, now, job->asked_usec, WAITING_LIMIT_USEC);
}

/* First what runs: who only waits for that is not told of. */
static void look_after_all(JobSet *set, uint64_t now) {
        bool held;

        set->n_told = 0;
        if (see_who_waits(set))
                set->error = find_blockers(set, now);
        else
                blockers_done(&set->blockers);

        held = look_after_blockers(set, now);
        for (size_t i = 0; i < set->n && set->error >= 0; i++)
                if (!set->jobs[i].ended && !set->jobs[i].waits &&
                    look_after_running(set, &set->jobs[i], now))
                        held = false;
        for (size_t i = 0; i < set->n && set->error >= 0; i++)
                if (!set->jobs[i].ended && set->jobs[i].waits)
                        look_after_waiting(set, &set->jobs[i], held, now);
}

/* How often to look: a limit that was asked for is kept to the second. */
static uint64_t pause_of(const JobSet *set) {
        return set->request->limit_usec > 0 ? USEC_PER_SEC : TELL_WAIT_USEC;
}

static bool is_interrupted(const JobSet *set) {
        return set->request->interrupted && set->request->interrupted();
}

/* What it leaves in the middle is for whoever interrupted it. */
static void cancel_all(JobSet *set) {
        for (size_t i = 0; i < set->n; i++)
                if (!set->jobs[i].ended) {
                        cancel(set, &set->jobs[i]);
                        end_job(set, &set->jobs[i], "canceled");
                }
}

static int wait_a_while(const JobSet *set, uint64_t usec) {
        if (set->request->interrupted && usec > INTERRUPT_PAUSE_USEC)
                usec = INTERRUPT_PAUSE_USEC;
        return sd_bus_wait(manager_bus(set->manager), usec);
}

static int wait_for_all(JobSet *set) {
        uint64_t now = clock_monotonic_usec(), next = now + pause_of(set);
        int r;

        while (set->n_pending > 0 && set->error >= 0) {
                r = sd_bus_process(manager_bus(set->manager), NULL);
                if (r > 0)
                        continue;
                if (is_interrupted(set)) {
                        cancel_all(set);
                        break;
                }
                if (r == 0)
                        r = wait_a_while(set, next - now);
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

static void forget_jobs(JobSet *set) {
        for (size_t i = 0; i < set->n; i++)
                free(set->jobs[i].path);
        set->n = set->n_pending = set->n_asked = 0;
        set->lost = false;
        string_list_done(&set->early);
}

static int run(JobSet *set) {
        _cleanup_free_ Call *calls = calloc(set->request->units->n, sizeof(*calls));
        int r;

        if (!calls)
                return -ENOMEM;
        see_foreign(set);
        r = watch(set);
        if (r >= 0)
                r = ask_for_all(set, calls);
        if (manager_is_disconnect(r)) {
                /* Nobody knows which calls arrived; to ask again for what is under way changes
                 * nothing. */
                forget_jobs(set);
                r = watch_again(set);
                if (r >= 0 && set->newest_foreign == UINT32_MAX)
                        see_foreign(set);
                if (r >= 0)
                        r = ask_for_all(set, calls);
        }
        return r < 0 ? r : wait_for_all(set);
}

static void job_set_done(JobSet *set) {
        forget_jobs(set);
        blockers_done(&set->blockers);
        free(set->jobs);
        sd_bus_slot_unref(set->slot);
}

/**
 * jobs_run() - give the manager one job for each unit, all at once, and follow each to its end
 * @jobs:   what is asked for; its observer is told of each beginning and end, and every five
 * seconds of what is waited for
 * @failed: units whose job was refused, failed or ran into its limit are added here
 *
 * A job may take as long as systemd would let it (job_limit()), ten minutes where that is without
 * end. Who waits for a job that somebody else had begun before waits as long as that one may take;
 * it is not ended, but ours is.
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
