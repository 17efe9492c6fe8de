/*
 * The service manager. Over /run/systemd/private no bus daemon stands between, so restarting or
 * replacing that one does not concern a switch. Every call and every wait has a limit by the
 * monotonic clock.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "manager.h"
#include "text.h"

#define CALL_LIMIT_USEC     (25 * USEC_PER_SEC)
#define RELOAD_LIMIT_USEC   (180 * USEC_PER_SEC)
#define SETTLE_QUIET_USEC   (250 * USEC_PER_MSEC)
#define SETTLE_LIMIT_USEC   (5 * USEC_PER_SEC)
#define RECONNECT_MSEC      50
#define RECONNECT_USER_USEC (60 * USEC_PER_SEC)
#define FRAGMENTS_AT_ONCE   256U

struct Manager {
        sd_bus *bus;
        char *private_path; /* of the manager's own socket */
        char *bus_path;     /* of the user's bus; NULL: the system bus */
        bool over_bus;      /* the private socket was not to be had */
};

/* sd-bus itself waits a minute and a half for somebody who accepts it and then says nothing. */
static int wait_until_ready(sd_bus *bus) {
        uint64_t now = clock_monotonic_usec(), deadline = now + CALL_LIMIT_USEC;
        int r;

        while ((r = sd_bus_is_ready(bus)) == 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0 && now >= deadline)
                        return -ETIMEDOUT;
                if (r == 0)
                        r = sd_bus_wait(bus, deadline - now);
                if (r < 0 && r != -EINTR)
                        return r;
                now = clock_monotonic_usec();
        }
        return r < 0 ? r : 0;
}

static int connect_to(const char *path, bool bus_client, sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *address = NULL;
        int r;

        r = text_printf(&address, "unix:path=%s", path);
        if (r >= 0)
                r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0 && bus_client)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = wait_until_ready(bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

/* Only a bus that carries signals from many wants to be told that we listen. */
static int connect_bus(const Manager *manager, sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (manager->bus_path)
                r = connect_to(manager->bus_path, /* bus_client= */ true, &bus);
        else
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
        r = connect_to(manager->private_path, /* bus_client= */ false, &manager->bus);
        /* One that says nothing says nothing over the bus either. */
        manager->over_bus = r < 0 && r != -ETIMEDOUT;
        if (manager->over_bus)
                r = connect_bus(manager, &manager->bus);
        if (r < 0)
                return r;
        return sd_bus_set_method_call_timeout(manager->bus, CALL_LIMIT_USEC);
}

static const char *bus_name(const Manager *manager) {
        return manager->bus_path ? "the user's bus" : "the system bus";
}

static int open_manager(Manager *manager, sd_bus_error *reterr_error) {
        int r;

        r = manager_connect(manager);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_SYSTEMD,
                                         "Cannot reach systemd, neither at '%s' nor over %s: %s. "
                                         "Nothing was changed.",
                                         manager->private_path, bus_name(manager), strerror(-r));
        return 0;
}

/** manager_is_users() - whether it is one of manager_open_user(). */
bool manager_is_users(const Manager *manager) {
        return manager->bus_path;
}

/** manager_bus_name() - the bus over which systemd is reached, in words; NULL: none is needed. */
const char *manager_bus_name(const Manager *manager) {
        return manager->over_bus ? bus_name(manager) : NULL;
}

/**
 * manager_open() - connect to the system's service manager
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
        manager->private_path = strdup("/run/systemd/private");
        if (!manager->private_path)
                return -ENOMEM;

        r = open_manager(manager, reterr_error);
        if (r >= 0)
                *ret = TAKE_PTR(manager);
        return r;
}

/**
 * manager_open_user() - connect to the service manager of the user that we are
 * @runtime_directory: "/run/user/UID"
 *
 * Return: as manager_open().
 */
int manager_open_user(const char *runtime_directory, Manager **ret, sd_bus_error *reterr_error) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r;

        manager = calloc(1, sizeof(*manager));
        if (!manager)
                return -ENOMEM;
        r = text_printf(&manager->private_path, "%s/systemd/private", runtime_directory);
        if (r >= 0)
                r = text_printf(&manager->bus_path, "%s/bus", runtime_directory);
        if (r < 0)
                return r;

        r = open_manager(manager, reterr_error);
        if (r >= 0)
                *ret = TAKE_PTR(manager);
        return r;
}

/** manager_is_stopping() - whether the host is going down. */
bool manager_is_stopping(Manager *manager) {
        _cleanup_free_ char *state = NULL;

        return sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                          "SystemState", NULL, &state) >= 0 &&
               strcmp(state, "stopping") == 0;
}

/** manager_reboot() - the host begins to go down. 0 or a negative errno with @reterr_error set. */
int manager_reboot(Manager *manager, sd_bus_error *reterr_error) {
        return sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                  "StartUnit", reterr_error, NULL, "ss", "reboot.target",
                                  "replace-irreversibly");
}

/** manager_bus() - the connection, owned by @manager and replaced when it was lost. */
sd_bus *manager_bus(const Manager *manager) {
        return manager->bus;
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;
        sd_bus_flush_close_unref(manager->bus);
        free(manager->private_path);
        free(manager->bus_path);
        free(manager);
        return NULL;
}

/** manager_is_disconnect() - whether an error of sd-bus means that systemd is out of reach. */
bool manager_is_disconnect(int r) {
        return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN;
}

/* One question for a unit's file, until it is answered. */
typedef struct FragmentCall {
        struct FragmentCalls *calls;
        InventoryUnit *unit;
        sd_bus_slot *slot;
} FragmentCall;

typedef struct FragmentCalls {
        sd_bus *bus;
        FragmentCall *items;
        size_t n, n_pending;
        int error;
} FragmentCalls;

static void fragment_calls_done(FragmentCalls *calls) {
        for (size_t i = 0; i < calls->n; i++)
                sd_bus_slot_unref(calls->items[i].slot);
        free(calls->items);
}

static int on_fragment(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        FragmentCall *call = userdata;
        const char *path;

        call->calls->n_pending--;
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY)) {
                call->calls->error = -ECONNRESET; /* so sd-bus answers when the connection ends */
                return 0;
        }
        /* A unit that has just gone has no fragment, and no plan. */
        if (sd_bus_message_is_method_error(reply, NULL) ||
            sd_bus_message_read(reply, "v", "s", &path) < 0)
                return 0;

        call->unit->fragment = strdup(path);
        if (!call->unit->fragment)
                call->calls->error = -ENOMEM;
        return 0;
}

static int ask_fragment(FragmentCalls *calls, InventoryUnit *unit) {
        FragmentCall *call = &calls->items[calls->n];
        _cleanup_free_ char *object = NULL;
        int r;

        *call = (FragmentCall){ .calls = calls, .unit = unit };
        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit->id, &object);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(calls->bus, &call->slot, SYSTEMD_NAME, object,
                                     "org.freedesktop.DBus.Properties", "Get", on_fragment, call,
                                     "ss", SYSTEMD_UNIT, "FragmentPath");
        if (r < 0)
                return r;
        calls->n++;
        calls->n_pending++;
        return 0;
}

/* Waits until at most @n_left are not answered. */
static int wait_for_fragments(FragmentCalls *calls, size_t n_left) {
        while (calls->n_pending > n_left && calls->error >= 0) {
                int r = sd_bus_process(calls->bus, NULL);

                if (r == 0) /* each call has a limit of its own, so this ends */
                        r = sd_bus_wait(calls->bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return calls->error;
}

/* Many at once: to wait for each answer before the next question takes most of the time. */
static int read_fragments(Manager *manager, Inventory *inventory) {
        _cleanup_(fragment_calls_done) FragmentCalls calls = { .bus = manager->bus };
        int r = 0;

        calls.items = calloc(inventory->n + 1, sizeof(*calls.items));
        if (!calls.items)
                return -ENOMEM;

        for (size_t i = 0; r >= 0 && i < inventory->n; i++) {
                if (!inventory_unit_is_active(&inventory->units[i]))
                        continue;
                r = ask_fragment(&calls, &inventory->units[i]);
                if (r >= 0)
                        r = wait_for_fragments(&calls, FRAGMENTS_AT_ONCE);
        }
        return r < 0 ? r : wait_for_fragments(&calls, 0);
}

/* What has a job to be started, if only after others, is starting: by the definition that systemd
 * knows now, whenever it comes to it. */
static bool will_start(const char *active, const char *job) {
        return strcmp(active, "active") != 0 && strcmp(active, "reloading") != 0 &&
               (strcmp(job, "start") == 0 || strcmp(job, "restart") == 0);
}

static int read_units(sd_bus_message *reply, bool for_plan, Inventory *inventory) {
        const char *id, *active, *sub, *following, *job;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_read(reply, "(ssssssouso)", &id, NULL, NULL, &active, &sub,
                                        &following, NULL, NULL, &job, NULL)) > 0) {
                if (for_plan && will_start(active, job)) {
                        active = "activating";
                        sub = "start";
                }
                r = inventory_add(inventory, id, active, sub, NULL, following);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Whether it was a user's manager, and the user has gone since: that directory goes with the last
 * session. */
static bool is_gone_for_good(const Manager *manager) {
        _cleanup_free_ char *directory = NULL;

        if (!manager->bus_path)
                return false;
        directory = strndup(manager->bus_path, strlen(manager->bus_path) - strlen("/bus"));
        return directory && access(directory, F_OK) < 0 && errno == ENOENT;
}

/**
 * manager_reconnect() - connect anew, waiting until systemd answers; it does not while it executes
 * itself
 *
 * Return: 0, -ETIMEDOUT after three minutes (one for a user's), -EOWNERDEAD if the user is gone.
 */
int manager_reconnect(Manager *manager) {
        uint64_t deadline = clock_monotonic_usec() +
                            (manager->bus_path ? RECONNECT_USER_USEC : RELOAD_LIMIT_USEC);

        for (;;) {
                _cleanup_free_ char *version = NULL;
                int r;

                r = manager_connect(manager);
                if (r >= 0)
                        r = sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH,
                                                       SYSTEMD_MANAGER, "Version", NULL, &version);
                if (r >= 0)
                        return 0;
                if (is_gone_for_good(manager))
                        return -EOWNERDEAD;
                if (clock_monotonic_usec() >= deadline)
                        return -ETIMEDOUT;
                (void) poll(NULL, 0, RECONNECT_MSEC);
        }
}

static int on_slow_answer(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        sd_bus_message **ret_reply = userdata;

        *ret_reply = sd_bus_message_ref(reply);
        return 0;
}

/* What else systemd says meanwhile is heard and forgotten: it speaks of each unit that it reads
 * anew, and a call that only waits for its answer would keep all of that, until sd-bus has no more
 * room.
 */
static int call_slow(Manager *manager, const char *method, sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        int r;

        r = sd_bus_message_new_method_call(manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, method);
        if (r < 0)
                return r;
        r = sd_bus_call_async(manager->bus, &slot, message, on_slow_answer, &reply,
                              RELOAD_LIMIT_USEC);
        while (r >= 0 && !reply) {
                r = sd_bus_process(manager->bus, NULL);
                if (r == 0) /* the call has a limit of its own, so this ends */
                        r = sd_bus_wait(manager->bus, UINT64_MAX);
                if (r == -EINTR)
                        r = 0;
        }
        if (r < 0 && !reply)
                return r;
        if (!sd_bus_message_is_method_error(reply, NULL))
                return 0;
        return sd_bus_error_copy(reterr_error, sd_bus_message_get_error(reply));
}

static int say_silent(sd_bus_error *reterr_error, int r) {
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                 "systemd does not answer any more: %s", strerror(-r));
}

/* What may be asked twice: it changes nothing, or a second time nothing more. */
typedef int (*Question)(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error);

/* So sd-bus and the bus answer for who left in mid-call. */
static bool is_lost(int r, const sd_bus_error *error) {
        return manager_is_disconnect(r) || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY);
}

/* What a connection that ended has not answered is asked again over the next one. */
static int ask(Manager *manager, Question question, Inventory *inventory,
               sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        /* A reconnect that came to nothing leaves none. */
        r = manager->bus ? question(manager, inventory, &error) : -ENOTCONN;
        if (r >= 0)
                return r;
        if (!is_lost(r, &error)) {
                (void) sd_bus_error_move(reterr_error, &error);
                return r;
        }
        if (inventory)
                inventory_done(inventory);
        r = manager_reconnect(manager);
        if (r < 0)
                return say_silent(reterr_error, r);
        return question(manager, inventory, reterr_error);
}

static int ask_version(Manager *manager, _unused_ Inventory *inventory,
                       sd_bus_error *reterr_error) {
        _cleanup_free_ char *version = NULL;

        return sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                          "Version", reterr_error, &version);
}

/**
 * manager_check() - see to it that systemd answers; whoever had it execute itself anew has ended
 * the connection
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_check(Manager *manager, sd_bus_error *reterr_error) {
        int r;

        r = ask(manager, ask_version, NULL, reterr_error);
        if (r >= 0 || sd_bus_error_is_set(reterr_error))
                return r;
        return say_silent(reterr_error, r);
}

static int ask_for_units(Manager *manager, bool for_plan, Inventory *inventory,
                         sd_bus_error *reterr_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                               "ListUnitsByPatterns", reterr_error, &reply, "asas", 0, 0);
        if (r >= 0)
                r = read_units(reply, for_plan, inventory);
        if (r < 0)
                return r;
        inventory_sort(inventory);
        return 0;
}

static int ask_units(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error) {
        return ask_for_units(manager, /* for_plan= */ false, inventory, reterr_error);
}

static int ask_inventory(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error) {
        int r;

        r = ask_for_units(manager, /* for_plan= */ true, inventory, reterr_error);
        return r < 0 ? r : read_fragments(manager, inventory);
}

static int ask_for_list(Manager *manager, Question question, Inventory *inventory,
                        sd_bus_error *reterr_error) {
        int r;

        r = ask(manager, question, inventory, reterr_error);
        if (r >= 0 || sd_bus_error_is_set(reterr_error))
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                 "Cannot read systemd's list of units: %s", strerror(-r));
}

/**
 * manager_units() - all units that are loaded, and how they are; where they come from is not asked
 * @inventory: all zero before; inventory_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_units(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error) {
        return ask_for_list(manager, ask_units, inventory, reterr_error);
}

/**
 * manager_inventory() - the same with the unit files of the active ones, as a plan wants it: what
 * waits to be started counts as starting
 * @inventory: all zero before; inventory_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_inventory(Manager *manager, Inventory *inventory, sd_bus_error *reterr_error) {
        return ask_for_list(manager, ask_inventory, inventory, reterr_error);
}

static int ask_reset(Manager *manager, _unused_ Inventory *inventory, sd_bus_error *reterr_error) {
        return sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                  "ResetFailed", reterr_error, NULL, NULL);
}

/** manager_reset_failed() - forget all failures; 0 or a negative errno with @reterr_error set. */
int manager_reset_failed(Manager *manager, sd_bus_error *reterr_error) {
        return ask(manager, ask_reset, NULL, reterr_error);
}

static int ask_reload(Manager *manager, _unused_ Inventory *inventory, sd_bus_error *reterr_error) {
        return call_slow(manager, "Reload", reterr_error);
}

/**
 * manager_reload() - read all unit files anew (daemon-reload); it answers when that is done
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int manager_reload(Manager *manager, sd_bus_error *reterr_error) {
        return ask(manager, ask_reload, NULL, reterr_error);
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
        if (r < 0 && !is_lost(r, &error))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "systemd refused to execute itself anew: %s",
                                         error.message ? error.message : strerror(-r));

        r = manager_reconnect(manager);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "systemd did not come back after executing itself anew: %s", strerror(-r));
        return 0;
}

/**
 * manager_unit_text() - a property of a unit that is a text
 * @interface: SYSTEMD_UNIT, or that of its type
 *
 * Return: 0, or a negative errno if there is no such unit or property.
 */
int manager_unit_text(Manager *manager, const char *unit, const char *interface,
                      const char *property, char **ret_text) {
        _cleanup_free_ char *object = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        if (r < 0)
                return r;
        return sd_bus_get_property_string(manager->bus, SYSTEMD_NAME, object, interface, property,
                                          NULL, ret_text);
}

/**
 * manager_unit_state() - its ActiveState, from a manager that may be slow to answer
 * @ret_active: owned by the caller
 *
 * Return: 0, -ETIMEDOUT, or another negative errno.
 */
int manager_unit_state(Manager *manager, const char *unit, uint64_t limit_usec, char **ret_active) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_free_ char *object = NULL;
        const char *active;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        if (r >= 0)
                r = sd_bus_message_new_method_call(manager->bus, &message, SYSTEMD_NAME, object,
                                                   "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", SYSTEMD_UNIT, "ActiveState");
        if (r >= 0)
                r = sd_bus_call(manager->bus, message, limit_usec, NULL, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "v", "s", &active);
        if (r < 0)
                return r;
        *ret_active = strdup(active);
        return *ret_active ? 0 : -ENOMEM;
}

/** manager_interface_of() - "foo.service" -> "org.freedesktop.systemd1.Service"; 0, -EINVAL or
 * -ENOMEM. */
int manager_interface_of(const char *unit, char **ret_interface) {
        const char *suffix = strrchr(unit, '.');
        int r;

        if (!suffix || !suffix[1])
                return -EINVAL;
        r = text_printf(ret_interface, SYSTEMD_NAME ".%c%s", suffix[1] - 'a' + 'A', suffix + 2);
        return r;
}

/**
 * manager_unit_timeout() - how long a unit lets itself take
 * @property: "TimeoutStartUSec" or "TimeoutStopUSec"; types that know only one have it as
 * "TimeoutUSec"
 * @ret_usec: UINT64_MAX: without end
 *
 * Return: 0, or a negative errno if the unit's type knows no such limit.
 */
int manager_unit_timeout(Manager *manager, const char *unit, const char *property,
                         uint64_t *ret_usec) {
        _cleanup_free_ char *object = NULL, *interface = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        if (r >= 0)
                r = manager_interface_of(unit, &interface);
        if (r < 0)
                return r;
        r = sd_bus_get_property_trivial(manager->bus, SYSTEMD_NAME, object, interface, property,
                                        NULL, 't', ret_usec);
        if (r < 0)
                r = sd_bus_get_property_trivial(manager->bus, SYSTEMD_NAME, object, interface,
                                                "TimeoutUSec", NULL, 't', ret_usec);
        return r < 0 ? r : 0;
}

/** manager_unit_result() - how a unit last ended, in systemd's word ("exit-code"); or an errno. */
int manager_unit_result(Manager *manager, const char *unit, char **ret_result) {
        _cleanup_free_ char *interface = NULL;
        int r;

        r = manager_interface_of(unit, &interface);
        return r < 0 ? r : manager_unit_text(manager, unit, interface, "Result", ret_result);
}

static int service_number(Manager *manager, const char *service, const char *property, char type,
                          void *ret_number) {
        _cleanup_free_ char *object = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", service, &object);
        if (r < 0)
                return r;
        return sd_bus_get_property_trivial(manager->bus, SYSTEMD_NAME, object, SYSTEMD_SERVICE,
                                           property, NULL, type, ret_number);
}

/**
 * manager_restarts_of() - how often systemd has restarted a service by itself since it was started
 *
 * Return: 0, or a negative errno if the service is not known.
 */
int manager_restarts_of(Manager *manager, const char *service, uint32_t *ret_restarts) {
        return service_number(manager, service, "NRestarts", 'u', ret_restarts);
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

static bool can_reload(Manager *manager, const char *unit) {
        _cleanup_free_ char *object = NULL;
        int can;

        return sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object) < 0 ||
               sd_bus_get_property_trivial(manager->bus, SYSTEMD_NAME, object, SYSTEMD_UNIT,
                                           "CanReload", NULL, 'b', &can) < 0 ||
               can;
}

/**
 * manager_cannot_reload() - of these units, those that systemd would refuse to reload
 * @inventory: only what runs by it is asked for
 * @found:     appended to, and put in order
 *
 * Return: 0 or -ENOMEM.
 */
int manager_cannot_reload(Manager *manager, const Inventory *inventory, const StringList *units,
                          StringList *found) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < units->n; i++)
                if (inventory_unit_runs(inventory_find(inventory, units->items[i])) &&
                    !can_reload(manager, units->items[i]))
                        r = string_list_add(found, units->items[i]);
        string_list_sort(found);
        return r;
}

static int add_edges(Manager *manager, const char *object, const char *property, const char *unit,
                     StringList *edges) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *other;
        int r;

        /* A systemd that is too old for it does not take anything down by it. */
        if (sd_bus_get_property(manager->bus, SYSTEMD_NAME, object, SYSTEMD_UNIT, property, NULL,
                                &reply, "as") < 0)
                return 0;
        r = sd_bus_message_enter_container(reply, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(reply, "s", &other)) > 0) {
                char *edge;

                r = text_printf(&edge, "%s %s", unit, other);
                if (r >= 0)
                        r = string_list_take(edges, edge);
        }
        return r;
}

/**
 * manager_takes_down() - what systemd stops together with a unit, one step far
 * @edges: appended to: "unit other" for each
 *
 * Return: 0, or a negative errno.
 */
int manager_takes_down(Manager *manager, const char *unit, StringList *edges) {
        static const char *const properties[] = { "RequiredBy", "RequisiteOf", "BoundBy",
                                                  "ConsistsOf", "PropagatesStopTo" };
        _cleanup_free_ char *object = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(properties); i++)
                r = add_edges(manager, object, properties[i], unit, edges);
        return r < 0 ? r : 0;
}

/** manager_main_pid_of() - of the main process that a service has or had last; 0, or a negative
 * errno. */
int manager_main_pid_of(Manager *manager, const char *service, uint32_t *ret_pid) {
        return service_number(manager, service, "ExecMainPID", 'u', ret_pid);
}

/** manager_exit_status_of() - how a service's main process last ended; 0, or a negative errno. */
int manager_exit_status_of(Manager *manager, const char *service, int32_t *ret_status) {
        return service_number(manager, service, "ExecMainStatus", 'i', ret_status);
}

/** manager_settle() - wait until systemd has nothing more to say for a moment, five seconds at
 * most: on a busy host it always has. */
void manager_settle(Manager *manager) {
        uint64_t deadline = clock_monotonic_usec() + SETTLE_LIMIT_USEC;
        int r;

        do {
                r = sd_bus_process(manager->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(manager->bus, SETTLE_QUIET_USEC);
        } while (r > 0 && clock_monotonic_usec() < deadline);
}

/**
 * manager_environment() - a variable that the manager gives its units
 * @ret_value: NULL if it has none; owned by the caller
 *
 * Return: 0, or a negative errno.
 */
int manager_environment(Manager *manager, const char *name, char **ret_value) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *assignment;
        int r;

        *ret_value = NULL;
        r = sd_bus_get_property(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                "Environment", NULL, &reply, "as");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(reply, "s", &assignment)) > 0) {
                const char *value = text_after_prefix(assignment, name);

                if (!value || *value != '=')
                        continue;
                free(*ret_value);
                *ret_value = strdup(value + 1);
                if (!*ret_value)
                        return -ENOMEM;
        }
        return r < 0 ? r : 0;
}

/** manager_unit_begun() - since when a unit's last run goes or went, by CLOCK_MONOTONIC; 0: it has
 * not run. 0 or a negative errno. */
int manager_unit_begun(Manager *manager, const char *unit, uint64_t *ret_usec) {
        _cleanup_free_ char *object = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &object);
        if (r < 0)
                return r;
        r = sd_bus_get_property_trivial(manager->bus, SYSTEMD_NAME, object, SYSTEMD_UNIT,
                                        "InactiveExitTimestampMonotonic", NULL, 't', ret_usec);
        return r < 0 ? r : 0;
}
