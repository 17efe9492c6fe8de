/*
 * The engine's own transient unit, and that of its dead man's switch. They hang on PID 1 alone: no
 * descriptor, terminal or session of a caller goes with them, so nothing that happens to the caller
 * ends a switch.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "engine.h"
#include "error.h"
#include "lease.h"
#include "text.h"

#define START_LIMIT_USEC (60 * USEC_PER_SEC)
#define KILL_LIMIT_USEC  (60 * USEC_PER_SEC)
#define KILL_PAUSE_MSEC  50
#define STOP_LIMIT_USEC  (20 * 60 * USEC_PER_SEC) /* a rollback must fit into it */

/* What tells the two units from each other. */
typedef struct Unit {
        const char *name, *description;
        const char *verb; /* of enact-activate */
        const char *id;
        const char *type, *restart;
        uint64_t watchdog_usec; /* without a sign of life for so long, systemd kills it; 0: never */
} Unit;

static int append_exec(sd_bus_message *message, const Unit *unit) {
        const char *path = ENACT_ENGINE;
        int r;

        r = sd_bus_message_open_container(message, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", "ExecStart");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "a(sasb)");
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sasb)", 1, path, 3, path, unit->verb,
                                          unit->id, false);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Without dependencies on what is below it: while the unit is to be stopped, systemd would not
 * start those that its rollback waits for. */
static int append_properties(sd_bus_message *message, const Unit *unit) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)",
                                  "Description", "s", unit->description, "Type", "s", unit->type,
                                  "Restart", "s", unit->restart, "CollectMode", "s",
                                  "inactive-or-failed", "KillMode", "s", "mixed", "TimeoutStopUSec",
                                  "t", STOP_LIMIT_USEC, "IgnoreOnIsolate", "b", true,
                                  "DefaultDependencies", "b", false, "Conflicts", "as", 1,
                                  "shutdown.target", "Before", "as", 1, "shutdown.target");
        if (r >= 0 && unit->watchdog_usec > 0)
                r = sd_bus_message_append(message, "(sv)(sv)", "WatchdogUSec", "t",
                                          unit->watchdog_usec, "WatchdogSignal", "i", SIGKILL);
        if (r >= 0)
                r = append_exec(message, unit);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int call_start(Manager *manager, const Unit *unit, sd_bus_message **ret_reply,
                      sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(manager_bus(manager), &message, SYSTEMD_NAME,
                                           SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit->name, "fail");
        if (r >= 0)
                r = append_properties(message, unit);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0);
        if (r < 0)
                return r;
        return sd_bus_call(manager_bus(manager), message, 0, reterr_error, ret_reply);
}

typedef struct StartJob {
        const char *path;
        char *result; /* NULL until it has ended */
} StartJob;

static int on_job_removed(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error) {
        StartJob *job = userdata;
        const char *path, *result;

        if (sd_bus_message_read(message, "uoss", NULL, &path, NULL, &result) < 0)
                return 0;
        if (!job->result && strcmp(path, job->path) == 0)
                job->result = strdup(result);
        return 0;
}

static int wait_for_start(sd_bus *bus, StartJob *job) {
        uint64_t now = clock_monotonic_usec(), deadline = now + START_LIMIT_USEC;
        int r;

        while (!job->result) {
                r = sd_bus_process(bus, NULL);
                if (r == 0) {
                        now = clock_monotonic_usec();
                        if (now >= deadline)
                                return -ETIMEDOUT;
                        r = sd_bus_wait(bus, deadline - now);
                }
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return strcmp(job->result, "done") == 0 ? 0 : -EIO;
}

/* Has the unit started, and waits until it is. */
static int start_unit(Manager *manager, const Unit *unit, sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        StartJob job = { 0 };
        int r;

        r = sd_bus_match_signal(manager_bus(manager), &slot, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                "JobRemoved", on_job_removed, &job);
        if (r >= 0)
                r = call_start(manager, unit, &reply, reterr_error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job.path);
        if (r >= 0)
                r = wait_for_start(manager_bus(manager), &job);
        free(job.result);
        return r;
}

/** engine_unit() - the name of the engine's unit; owned by the caller. 0 or -ENOMEM. */
int engine_unit(const char *id, char **ret_unit) {
        return text_printf(ret_unit, "enact-%s.service", id);
}

/** engine_dead_man() - the name of its dead man's switch's unit; owned by the caller. 0 or -ENOMEM.
 */
int engine_dead_man(const char *id, char **ret_unit) {
        return text_printf(ret_unit, DEAD_MAN_PREFIX "%s.service", id);
}

static bool is_gone(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, SYSTEMD_NAME ".NoSuchUnit") ||
               sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
               sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_INTERFACE) ||
               sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_PROPERTY);
}

/**
 * engine_pid() - the process that works on a transaction
 * @ret_pid: 0 if it has ended: its unit is collected then
 *
 * Return: 0, or a negative errno if systemd does not say.
 */
int engine_pid(Manager *manager, const char *id, pid_t *ret_pid) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *unit = NULL, *object = NULL;
        uint32_t pid;
        int r;

        r = engine_unit(id, &unit);
        if (r >= 0)
                r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        if (r >= 0)
                r = sd_bus_get_property_trivial(manager_bus(manager), SYSTEMD_NAME, object,
                                                SYSTEMD_SERVICE, "MainPID", &error, 'u', &pid);
        *ret_pid = r < 0 ? 0 : (pid_t) pid;
        return r >= 0 || is_gone(&error) ? 0 : r;
}

/**
 * engine_start() - have systemd run the engine on a request
 * @id:          of run_directory_make()
 * @description: of the unit, for people
 * @ret_pid:     the engine, or 0 if it has ended already: its story tells how
 *
 * Return: 0, or a negative errno with @reterr_error set; nothing was changed then.
 */
int engine_start(Manager *manager, const char *id, const char *description, pid_t *ret_pid,
                 sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *name = NULL;
        Unit unit = {
                .description = description,
                .verb = "run",
                .id = id,
                .type = "exec",
                .restart = "no",
        };
        int r;

        r = engine_unit(id, &name);
        if (r < 0)
                return r;
        unit.name = name;
        r = start_unit(manager, &unit, &error);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "systemd cannot start the engine '%s': %s. Nothing was changed.",
                        ENACT_ENGINE, error.message ? error.message : strerror(-r));

        return engine_pid(manager, id, ret_pid);
}

/**
 * engine_arm() - have systemd run the dead man's switch of a transaction, and wait until it watches
 * @id: of the transaction; its lease must be there
 *
 * Killed itself, it is started again; one that hangs is killed by systemd. One that is there
 * already is left at its work.
 *
 * Return: 0, or a negative errno with @reterr_error set; nothing was changed then.
 */
int engine_arm(Manager *manager, const char *id, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *name = NULL;
        Unit unit = {
                .description = "enact's dead man's switch",
                .verb = "dead-man",
                .id = id,
                .type = "notify",
                .restart = "on-failure",
                .watchdog_usec = LEASE_SEC * USEC_PER_SEC,
        };
        int r;

        r = engine_dead_man(id, &name);
        if (r < 0)
                return r;
        unit.name = name;
        r = start_unit(manager, &unit, &error);
        if (r < 0 && sd_bus_error_has_name(&error, SYSTEMD_NAME ".UnitExists"))
                return 0;
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "systemd cannot start the dead man's switch '%s': %s. Nothing was changed.",
                        name, error.message ? error.message : strerror(-r));
        return 0;
}

static int count_processes(Manager *manager, const char *unit, size_t *ret_n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        *ret_n = 0;
        r = sd_bus_call_method(manager_bus(manager), SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                               "GetUnitProcesses", &error, &reply, "s", unit);
        if (is_gone(&error))
                return 0;
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        while (r >= 0 && (r = sd_bus_message_skip(reply, "(sus)")) > 0)
                (*ret_n)++;
        return r;
}

/**
 * engine_kill() - end the engine and all that it has started, and wait until nothing of it is left
 *
 * Return: 0, -ETIMEDOUT if something is left after a minute, or another negative errno.
 */
int engine_kill(Manager *manager, const char *id) {
        uint64_t deadline = clock_monotonic_usec() + KILL_LIMIT_USEC;
        _cleanup_free_ char *unit = NULL;
        size_t n;
        int r;

        r = engine_unit(id, &unit);
        if (r < 0)
                return r;
        do {
                (void) sd_bus_call_method(manager_bus(manager), SYSTEMD_NAME, SYSTEMD_PATH,
                                          SYSTEMD_MANAGER, "KillUnit", NULL, NULL, "ssi", unit,
                                          "all", SIGKILL);
                r = count_processes(manager, unit, &n);
                if (r < 0 || n == 0)
                        return r;
                (void) poll(NULL, 0, KILL_PAUSE_MSEC);
        } while (clock_monotonic_usec() < deadline);
        return -ETIMEDOUT;
}
