/*
 * The service manager. Over /run/systemd/private no bus daemon stands between, so restarting or
 * replacing that one does not concern a switch. Every call and every wait has a limit by the
 * monotonic clock.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "manager.h"
#include "text.h"

#define SYSTEMD_NAME      "org.freedesktop.systemd1"
#define SYSTEMD_PATH      "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER   SYSTEMD_NAME ".Manager"
#define SYSTEMD_UNIT      SYSTEMD_NAME ".Unit"
#define SYSTEMD_SERVICE   SYSTEMD_NAME ".Service"
#define SYSTEMD_JOB       SYSTEMD_NAME ".Job"
#define PRIVATE_ADDRESS   "unix:path=/run/systemd/private"
#define CALL_LIMIT_USEC   (25 * USEC_PER_SEC)
#define RELOAD_LIMIT_USEC (180 * USEC_PER_SEC)
#define JOBS_LIMIT_USEC   (600 * USEC_PER_SEC)
#define TELL_WAIT_USEC    (5 * USEC_PER_SEC)
#define RECONNECT_MSEC    50

struct Manager {
        sd_bus *bus;
};

static int connect_private(sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

/* Only a bus that carries signals from many wants to be told that we listen. */
static int connect_system(sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;
        r = sd_bus_call_method(bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL,
                               NULL, NULL);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

static int manager_connect(Manager *manager) {
        int r;

        manager->bus = sd_bus_close_unref(manager->bus);
        r = connect_private(&manager->bus);
        if (r < 0)
                r = connect_system(&manager->bus);
        if (r < 0)
                return r;
        return sd_bus_set_method_call_timeout(manager->bus, CALL_LIMIT_USEC);
}

/**
 * manager_open() - connect to the service manager
 * @ret: owned by the caller
 *
 * Return: 0, or a negative errno with @reterr_error set to NoSystemd.
 */
int manager_open(Manager **ret, sd_bus_error *reterr_error) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r;

        manager = calloc(1, sizeof(*manager));
        if (!manager)
                return -ENOMEM;

        r = manager_connect(manager);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_SYSTEMD,
                        "Cannot reach systemd, neither at '%s' nor over the system "
                        "bus: %s. Nothing was changed.",
                        PRIVATE_ADDRESS, strerror(-r));

        *ret = TAKE_PTR(manager);
        return 0;
}

/** manager_bus() - the connection, owned by @manager and replaced when it was lost. */
sd_bus *manager_bus(const Manager *manager) {
        return manager->bus;
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;
        sd_bus_flush_close_unref(manager->bus);
        free(manager);
        return NULL;
}

static bool is_disconnect(int r) {
        return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN;
}

static int fragment_of(Manager *manager, const char *object, char **ret_fragment) {
        return sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, object, SYSTEMD_UNIT,
                                          "FragmentPath", NULL, ret_fragment);
}

/* One row of the manager's list; @ret_object is valid as long as @reply. */
static int read_unit(sd_bus_message *reply, Inventory *inventory, const char **ret_object) {
        const char *id, *active, *sub, *following;
        int r;

        r = sd_bus_message_read(reply, "(ssssssouso)", &id, NULL, NULL, &active, &sub, &following,
                                ret_object, NULL, NULL, NULL);
        if (r <= 0)
                return r;
        r = inventory_add(inventory, id, active, sub, NULL, following);
        return r < 0 ? r : 1;
}

static int read_units(Manager *manager, sd_bus_message *reply, Inventory *inventory) {
        const char *object;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return r;

        while ((r = read_unit(reply, inventory, &object)) > 0) {
                InventoryUnit *unit = &inventory->units[inventory->n - 1];

                if (!inventory_unit_is_active(unit))
                        continue;
                r = fragment_of(manager, object, &unit->fragment);
                if (is_disconnect(r) || r == -ENOMEM)
                        return r;
                /* A unit that has just gone has no fragment, and no plan. */
        }
        return r;
}

/**
 * manager_inventory() - all units that are loaded, with the unit files of the active ones
 * @inventory: all zero before; inventory_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_inventory(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                               "ListUnitsByPatterns", reterr_error, &reply, "asas", 0, 0);
        if (r < 0)
                return r;
        r = read_units(manager, reply, inventory);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot read systemd's list of units: %s", strerror(-r));
        inventory_sort(inventory);
        return 0;
}

/* The jobs of one phase. Those that are under way are ordered by the path of their job object. */
typedef struct Job {
        const char *unit;
        char *path;
        uint64_t begun_usec;
        bool ended;
} Job;

typedef struct JobSet {
        const char *verb; /* "start", "stop", "restart", "reload" */
        Job *jobs;
        size_t n, n_pending;
        const JobObserver *observer;
        StringList *failed;
        sd_bus_slot *slot; /* of the signal that ends jobs */
        int error;
} JobSet;

/* Other results (canceled, skipped, assert …) say that systemd had a reason not to do it. */
static bool result_is_bad(const char *result) {
        static const char *const bad[] = { "dependency", "failed", "timeout" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (strcmp(bad[i], result) == 0)
                        return true;
        return false;
}

static void tell_end(const JobSet *set, const char *unit, const char *result, uint64_t begun) {
        const JobObserver *observer = set->observer;

        if (observer->on_end)
                observer->on_end(observer->userdata, set->verb, unit, result,
                                 clock_monotonic_usec() - begun);
}

static void end_job(JobSet *set, Job *job, const char *result) {
        job->ended = true;
        set->n_pending--;
        tell_end(set, job->unit, result, job->begun_usec);
        if (result_is_bad(result) && string_list_add(set->failed, job->unit) < 0)
                set->error = -ENOMEM;
}

static int compare_jobs(const void *a, const void *b) {
        return strcmp(((const Job *) a)->path, ((const Job *) b)->path);
}

static int on_job_removed(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error) {
        JobSet *set = userdata;
        const char *path, *result;
        Job wanted, *job;
        int r;

        r = sd_bus_message_read(message, "uoss", NULL, &path, NULL, &result);
        if (r < 0)
                return 0;

        wanted.path = (char *) path;
        job = bsearch(&wanted, set->jobs, set->n, sizeof(wanted), compare_jobs);
        if (job && !job->ended)
                end_job(set, job, result);
        return 0;
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

/* Asks for one job. A refusal is a failed unit, not the end of the phase. */
static int submit(Manager *manager, JobSet *set, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t begun = clock_monotonic_usec();
        const char *path;
        int r;

        if (set->observer->on_start)
                set->observer->on_start(set->observer->userdata, set->verb, unit);

        r = sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                               method_of(set->verb), &error, &reply, "ss", unit, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r < 0) {
                tell_end(set, unit, error.message ? error.message : strerror(-r), begun);
                return string_list_add(set->failed, unit);
        }

        set->jobs[set->n] = (Job){ .unit = unit, .path = strdup(path), .begun_usec = begun };
        if (!set->jobs[set->n].path)
                return -ENOMEM;
        set->n++;
        set->n_pending++;
        return 0;
}

/* After a lost connection: what has become of the jobs whose end we may have missed. */
static void settle_missed(Manager *manager, JobSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                _cleanup_free_ char *state = NULL, *active = NULL, *object = NULL;
                Job *job = &set->jobs[i];

                if (job->ended ||
                    sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, job->path, SYSTEMD_JOB,
                                               "State", NULL, &state) >= 0)
                        continue;
                if (sd_bus_path_encode(SYSTEMD_PATH "/unit", job->unit, &object) >= 0)
                        (void) sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, object,
                                                          SYSTEMD_UNIT, "ActiveState", NULL,
                                                          &active);
                end_job(set, job, active && strcmp(active, "failed") == 0 ? "failed" : "done");
        }
}

static int watch_jobs(Manager *manager, JobSet *set) {
        set->slot = sd_bus_slot_unref(set->slot);
        return sd_bus_match_signal(manager->bus, &set->slot, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                   "JobRemoved", on_job_removed, set);
}

/* Until systemd answers again; it does not while it executes itself anew. */
static int reconnect(Manager *manager) {
        uint64_t deadline = clock_monotonic_usec() + RELOAD_LIMIT_USEC;

        for (;;) {
                _cleanup_free_ char *version = NULL;
                int r;

                r = manager_connect(manager);
                if (r >= 0)
                        r = sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH,
                                                       SYSTEMD_MANAGER, "Version", NULL, &version);
                if (r >= 0)
                        return 0;
                if (clock_monotonic_usec() >= deadline)
                        return -ETIMEDOUT;
                (void) poll(NULL, 0, RECONNECT_MSEC);
        }
}

static void cancel_pending(Manager *manager, JobSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                if (set->jobs[i].ended)
                        continue;
                (void) sd_bus_call_method(manager->bus, SYSTEMD_NAME, set->jobs[i].path,
                                          SYSTEMD_JOB, "Cancel", NULL, NULL, NULL);
                end_job(set, &set->jobs[i], "timeout");
        }
}

static void tell_waiting(const JobSet *set, uint64_t now) {
        const JobObserver *observer = set->observer;

        for (size_t i = 0; observer->on_wait && i < set->n; i++)
                if (!set->jobs[i].ended)
                        observer->on_wait(observer->userdata, set->verb, set->jobs[i].unit,
                                          now - set->jobs[i].begun_usec, JOBS_LIMIT_USEC);
}

static int wait_for_jobs(Manager *manager, JobSet *set) {
        uint64_t now = clock_monotonic_usec();
        uint64_t deadline = now + JOBS_LIMIT_USEC, tell = now + TELL_WAIT_USEC;
        int r;

        while (set->n_pending > 0 && set->error >= 0) {
                r = sd_bus_process(manager->bus, NULL);
                if (r > 0)
                        continue;
                if (r == 0)
                        r = sd_bus_wait(manager->bus, (tell < deadline ? tell : deadline) - now);
                if (r < 0 && r != -EINTR) {
                        r = reconnect(manager);
                        if (r >= 0)
                                r = watch_jobs(manager, set);
                        if (r < 0)
                                return r;
                        settle_missed(manager, set);
                }

                now = clock_monotonic_usec();
                if (now >= deadline)
                        cancel_pending(manager, set);
                else if (now >= tell) {
                        tell_waiting(set, now);
                        tell = now + TELL_WAIT_USEC;
                }
        }
        return set->error;
}

static void job_set_done(JobSet *set) {
        for (size_t i = 0; i < set->n; i++)
                free(set->jobs[i].path);
        free(set->jobs);
        sd_bus_slot_unref(set->slot);
}

static int run_jobs(Manager *manager, JobSet *set, const StringList *units) {
        int r;

        r = watch_jobs(manager, set);
        if (r < 0)
                return r;

        /* Signals are looked at only in wait_for_jobs(), when all paths are known and in order. */
        for (size_t i = 0; i < units->n; i++) {
                r = submit(manager, set, units->items[i]);
                if (r < 0)
                        return r;
        }
        qsort(set->jobs, set->n, sizeof(*set->jobs), compare_jobs);
        return wait_for_jobs(manager, set);
}

/**
 * manager_run_jobs() - give the manager one job for each unit, all at once, and follow each to its
 * end
 * @job:      "start", "stop", "restart" or "reload"
 * @observer: told of each beginning and end, and every five seconds of what is waited for
 * @failed:   units whose job was refused, failed or ran into the limit are added here
 *
 * A connection that is lost meanwhile is made anew. What still runs after ten minutes is cancelled.
 *
 * Return: 0 (also with failed units), or a negative errno with @reterr_error set.
 */
int manager_run_jobs(Manager *manager, const char *job, const StringList *units,
                     const JobObserver *observer, StringList *failed, sd_bus_error *reterr_error) {
        JobSet set = { .verb = job, .observer = observer, .failed = failed };
        int r;

        if (units->n == 0)
                return 0;

        set.jobs = calloc(units->n, sizeof(*set.jobs));
        if (!set.jobs)
                return -ENOMEM;

        r = run_jobs(manager, &set, units);
        job_set_done(&set);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Lost systemd while waiting for it to %s units: %s", job,
                                         strerror(-r));
        return 0;
}

/** manager_reset_failed() - forget all failures; 0 or a negative errno with @reterr_error set. */
int manager_reset_failed(Manager *manager, sd_bus_error *reterr_error) {
        return sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                  "ResetFailed", reterr_error, NULL, NULL);
}

static int call_slow(Manager *manager, const char *method, sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, method);
        if (r < 0)
                return r;
        return sd_bus_call(manager->bus, message, RELOAD_LIMIT_USEC, reterr_error, NULL);
}

/**
 * manager_reload() - read all unit files anew (daemon-reload); it answers when that is done
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_reload(Manager *manager, sd_bus_error *reterr_error) {
        return call_slow(manager, "Reload", reterr_error);
}

/**
 * manager_reexecute() - have systemd execute its new binary, and wait until that answers
 *
 * It goes away instead of answering the call.
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_reexecute(Manager *manager, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = call_slow(manager, "Reexecute", &error);
        if (r < 0 && !is_disconnect(r) && !sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "systemd refused to execute itself anew: %s",
                                         error.message ? error.message : strerror(-r));

        r = reconnect(manager);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "systemd did not come back after executing itself anew: %s", strerror(-r));
        return 0;
}

/**
 * manager_restarts_of() - how often systemd has restarted a service by itself since it was started
 *
 * Return: 0, or a negative errno if the service is not known.
 */
int manager_restarts_of(Manager *manager, const char *service, uint32_t *ret_restarts) {
        _cleanup_free_ char *object = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", service, &object);
        if (r < 0)
                return r;
        return sd_bus_get_property_trivial(manager->bus, SYSTEMD_NAME, object, SYSTEMD_SERVICE,
                                           "NRestarts", NULL, 'u', ret_restarts);
}

static bool has_any(Manager *manager, const char *object, const char *property) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        return sd_bus_get_property(manager->bus, SYSTEMD_NAME, object, SYSTEMD_UNIT, property, NULL,
                                   &reply, "as") >= 0 &&
               sd_bus_message_enter_container(reply, 'a', "s") > 0 &&
               sd_bus_message_at_end(reply, false) == 0;
}

/** manager_unit_is_wanted() - whether some other unit wants or requires this one. */
bool manager_unit_is_wanted(Manager *manager, const char *unit) {
        _cleanup_free_ char *object = NULL;

        return sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object) >= 0 &&
               (has_any(manager, object, "WantedBy") || has_any(manager, object, "RequiredBy"));
}
