/*
 * The engine's own transient unit. It hangs on PID 1 alone: no descriptor, terminal or session of a
 * caller goes with it, so nothing that happens to the caller ends a switch.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "engine.h"
#include "error.h"
#include "text.h"

#define START_LIMIT_USEC (60 * USEC_PER_SEC)
#define STOP_LIMIT_USEC  (20 * 60 * USEC_PER_SEC) /* a rollback must fit into it */

static int append_exec(sd_bus_message *message, const char *id) {
        const char *path = ENACT_ENGINE;
        int r;

        r = sd_bus_message_open_container(message, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", "ExecStart");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "a(sasb)");
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sasb)", 1, path, 3, path, "run", id, false);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Without dependencies on what is below it: while the unit is to be stopped, systemd would not
 * start those that its rollback waits for. */
static int append_properties(sd_bus_message *message, const char *id, const char *description) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)", "Description",
                                  "s", description, "Type", "s", "exec", "CollectMode", "s",
                                  "inactive-or-failed", "KillMode", "s", "mixed", "TimeoutStopUSec",
                                  "t", STOP_LIMIT_USEC, "IgnoreOnIsolate", "b", true,
                                  "DefaultDependencies", "b", false, "Conflicts", "as", 1,
                                  "shutdown.target", "Before", "as", 1, "shutdown.target");
        if (r < 0)
                return r;
        r = append_exec(message, id);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(message);
}

static int call_start(Manager *manager, const char *unit, const char *id, const char *description,
                      sd_bus_message **ret_reply, sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(manager_bus(manager), &message, SYSTEMD_NAME,
                                           SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit, "fail");
        if (r >= 0)
                r = append_properties(message, id, description);
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

static int main_pid_of(sd_bus *bus, const char *unit, pid_t *ret_pid) {
        _cleanup_free_ char *object = NULL;
        uint32_t pid;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, SYSTEMD_NAME, object, SYSTEMD_SERVICE,
                                                "MainPID", NULL, 'u', &pid);
        /* A unit that has ended already was collected: its story tells how. */
        *ret_pid = r < 0 ? 0 : (pid_t) pid;
        return r == -ENOMEM ? r : 0;
}

/**
 * engine_start() - have systemd run the engine on a request
 * @id:          of run_directory_make()
 * @description: of the unit, for people
 * @ret_pid:     the engine, or 0 if it has ended already
 *
 * Return: 0, or a negative errno with @reterr_error set; nothing was changed then.
 */
int engine_start(Manager *manager, const char *id, const char *description, pid_t *ret_pid,
                 sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *unit = NULL;
        StartJob job = { 0 };
        int r;

        r = text_printf(&unit, "enact-%s.service", id);
        if (r >= 0)
                r = sd_bus_match_signal(manager_bus(manager), &slot, NULL, SYSTEMD_PATH,
                                        SYSTEMD_MANAGER, "JobRemoved", on_job_removed, &job);
        if (r >= 0)
                r = call_start(manager, unit, id, description, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job.path);
        if (r >= 0)
                r = wait_for_start(manager_bus(manager), &job);
        free(job.result);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "systemd cannot start the engine '%s': %s. Nothing was changed.",
                        ENACT_ENGINE, error.message ? error.message : strerror(-r));

        return main_pid_of(manager_bus(manager), unit, ret_pid);
}
