/*
 * A user's session during a switch: the same planning and the same jobs as for the system, with the
 * user's own service manager. All of it runs in a process of the user's (users.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "live-state.h"
#include "manager.h"
#include "plan-load.h"
#include "recorded-state.h"
#include "steps.h"
#include "text.h"
#include "unit-lists.h"
#include "user-session.h"

/* Where the user's own unit files lie, by the manager's own word or the usual place. */
static int find_config(Manager *manager, const User *user, char **ret_config) {
        _cleanup_free_ char *home = NULL;
        int r;

        r = manager_environment(manager, "XDG_CONFIG_HOME", &home);
        if (r < 0)
                return r;
        return home ? text_printf(ret_config, "%s/systemd/user", home) :
                      text_printf(ret_config, "%s/.config/systemd/user", user->home);
}

static int add_unit(cJSON *array, const InventoryUnit *unit) {
        cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        if (!cJSON_AddStringToObject(object, "id", unit->id) ||
            !cJSON_AddStringToObject(object, "active", unit->active) ||
            !cJSON_AddStringToObject(object, "sub", unit->sub) ||
            !cJSON_AddStringToObject(object, "fragment", unit->fragment ? unit->fragment : "") ||
            !cJSON_AddStringToObject(object, "following", unit->following))
                return -ENOMEM;
        return 0;
}

static int add_edges(cJSON *object, const StringList *edges) {
        for (size_t i = 0; object && i < edges->n; i++) {
                const char *space = strchr(edges->items[i], ' ');
                _cleanup_free_ char *unit =
                        strndup(edges->items[i], (size_t) (space - edges->items[i]));
                cJSON *others;

                if (!unit)
                        return -ENOMEM;
                others = cJSON_GetObjectItemCaseSensitive(object, unit);
                if (!others)
                        others = cJSON_AddArrayToObject(object, unit);
                if (!others || !cJSON_AddItemToArray(others, cJSON_CreateString(space + 1)))
                        return -ENOMEM;
        }
        return object ? 0 : -ENOMEM;
}

static int add_leftovers(cJSON *object, const PlanLeftovers *leftovers) {
        int r;

        if (!object)
                return -ENOMEM;
        r = json_add_strings(object, "start", &leftovers->start);
        if (r >= 0)
                r = json_add_strings(object, "restart", &leftovers->restart);
        return r < 0 ? r : json_add_strings(object, "reload", &leftovers->reload);
}

/* Where a session's switch keeps its lists. */
static int find_lists_directory(const User *user, char **ret_directory) {
        return text_printf(ret_directory, "%s/nixos", user->runtime_directory);
}

/* The notes on what is left out are made where it is done. */
static int read_leftovers(const User *user, const char *to, PlanLeftovers *leftovers) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        _cleanup_free_ char *directory = NULL;
        int r;

        r = find_lists_directory(user, &directory);
        return r < 0 ? r : unit_lists_read_leftovers(directory, to, leftovers, &notes);
}

/* What goes down with what a switch would stop, which only this manager knows. */
static int find_what_falls(Manager *manager, const User *user, const PlanSource *source,
                           const char *config, StringList *edges) {
        const PlanUser whose = { .uid = user->uid, .name = user->name, .config = config };
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = plan_load_user(source, &whose, &plan);
        return r < 0 ? r : live_ask_what_falls(manager, plan, source->inventory, edges);
}

/**
 * user_session_tell_state() - tell one event "state", as a recorded state has a user
 * @from: the toplevels of the switch that it is for
 *
 * Return: 0, or a negative errno.
 */
int user_session_tell_state(const User *user, const char *from, const char *to, EventLog *log) {
        _cleanup_(string_list_done) StringList edges = { 0 };
        _cleanup_(plan_leftovers_done) PlanLeftovers leftovers = { 0 };
        PlanSource source = { .from = from, .to = to, .live = true };
        _cleanup_(inventory_done) Inventory inventory = { 0 };
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_free_ char *config = NULL;
        cJSON *event, *units;
        int r;

        r = manager_open_user(user->runtime_directory, &manager, NULL);
        if (r >= 0)
                r = manager_inventory(manager, &inventory, NULL);
        if (r >= 0)
                r = find_config(manager, user, &config);
        if (r >= 0)
                r = read_leftovers(user, to, &leftovers);
        source.inventory = &inventory;
        source.leftovers = &leftovers;
        if (r >= 0)
                r = find_what_falls(manager, user, &source, config, &edges);
        if (r < 0)
                return r;

        event = event_new("state");
        event_add_text(event, "config", config);
        units = event ? cJSON_AddArrayToObject(event, "units") : NULL;
        for (size_t i = 0; units && r >= 0 && i < inventory.n; i++)
                r = add_unit(units, &inventory.units[i]);
        if (event && r >= 0)
                r = add_leftovers(cJSON_AddObjectToObject(event, "leftovers"), &leftovers);
        if (event && r >= 0)
                r = add_edges(cJSON_AddObjectToObject(event, "takes-down"), &edges);
        event_emit(log, event);
        return r;
}

static int make_lists_directory(const User *user, char **ret_directory) {
        int r;

        r = find_lists_directory(user, ret_directory);
        if (r < 0)
                return r;
        return mkdir(*ret_directory, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* One session's switch: what is read, and what the steps share. */
typedef struct Session {
        const User *user;
        const UserSwitch *request;
        Steps steps;
        Inventory inventory;
        PlanLeftovers leftovers;
        char *lists_directory;
        char *config;
        Plan *plan;
} Session;

static PlanSource source_of(const Session *s, const Inventory *inventory) {
        return (PlanSource){
                .from = s->request->from,
                .to = s->request->to,
                .inventory = inventory,
                .leftovers = &s->leftovers,
                .live = true,
        };
}

static int make_plan(Session *s, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 }, edges = { 0 };
        const PlanUser whose = { .uid = s->user->uid, .name = s->user->name, .config = s->config };
        const PlanSource source = source_of(s, &s->inventory);
        int r;

        r = unit_lists_read_leftovers(s->lists_directory, s->request->to, &s->leftovers, &notes);
        if (r < 0)
                return r;
        for (size_t i = 0; i < notes.n; i++)
                event_say(s->steps.log, "note", "text", notes.items[i]);
        r = plan_load_user(&source, &whose, &s->plan);
        if (r >= 0)
                r = live_ask_what_falls(s->steps.manager, s->plan, &s->inventory, &edges);
        if (r >= 0)
                r = plan_load_dependents(&source, s->plan, &edges);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED, "cannot plan: %s",
                                         strerror(-r));
        s->steps.plan = s->plan;
        return unit_lists_write_plan(s->lists_directory, s->plan);
}

static int renew_manager(Session *s, sd_bus_error *reterr_error) {
        Manager *manager = s->steps.manager;
        int r;

        r = manager_reexecute(manager, reterr_error);
        if (r >= 0)
                r = manager_reset_failed(manager, reterr_error);
        return r < 0 ? r : manager_reload(manager, reterr_error);
}

/** user_session_has_scripts() - whether a system has activation scripts for users. */
bool user_session_has_scripts(const char *to) {
        _cleanup_free_ char *path = NULL;

        return text_printf(&path, "%s/etc/systemd/user/" USER_ACTIVATION_UNIT, to) >= 0 &&
               access(path, F_OK) >= 0;
}

/* Runs them again: once for each switch. */
static int run_activation_unit(Session *s, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList units = { 0 };
        int r;

        if (!user_session_has_scripts(s->request->to))
                return 0;
        r = string_list_add(&units, USER_ACTIVATION_UNIT);
        return r < 0 ? r : steps_run_units(&s->steps, "restart", &units, reterr_error);
}

/* Units that came from the user's own files and are the system's from now on. */
static int migrate(Session *s, sd_bus_error *reterr_error) {
        _cleanup_(inventory_done) Inventory now = { 0 };
        _cleanup_(plan_freep) Plan *plan = NULL;
        const PlanSource source = source_of(s, &now);
        int r;

        if (s->plan->migrate.n == 0)
                return 0;

        r = manager_reload(s->steps.manager, reterr_error);
        if (r >= 0)
                r = manager_inventory(s->steps.manager, &now, reterr_error);
        if (r >= 0)
                r = plan_load_migration(&source, s->plan, &plan);
        if (r < 0)
                return r;

        s->steps.plan = plan;
        s->steps.post_activation = true;
        r = steps_run_list(&s->steps, PLAN_SKIP, reterr_error);
        if (r >= 0)
                r = steps_bring_up(&s->steps, NULL, reterr_error);
        s->steps.plan = s->plan;
        return r;
}

static int go(Session *s, sd_bus_error *reterr_error) {
        static const PlanAction before[] = { PLAN_STOP, PLAN_SKIP };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(before); i++)
                r = steps_run_list(&s->steps, before[i], reterr_error);
        if (r >= 0)
                r = renew_manager(s, reterr_error);
        if (r >= 0)
                r = steps_bring_up(&s->steps, s->lists_directory, reterr_error);
        if (r >= 0)
                r = run_activation_unit(s, reterr_error);
        return r < 0 ? r : migrate(s, reterr_error);
}

static int open_session(Session *s, sd_bus_error *reterr_error) {
        int r;

        r = manager_open_user(s->user->runtime_directory, &s->steps.manager, reterr_error);
        if (r >= 0)
                r = manager_inventory(s->steps.manager, &s->inventory, reterr_error);
        if (r >= 0)
                r = find_config(s->steps.manager, s->user, &s->config);
        if (r >= 0)
                r = make_lists_directory(s->user, &s->lists_directory);
        return r < 0 ? r : make_plan(s, reterr_error);
}

static void session_done(Session *s) {
        manager_free(s->steps.manager);
        steps_done(&s->steps);
        inventory_done(&s->inventory);
        plan_leftovers_done(&s->leftovers);
        free(s->lists_directory);
        free(s->config);
        plan_free(s->plan);
}

/**
 * user_session_activate() - bring the manager of the user that we are to the new system
 *
 * Failed units are told in an event "units-failed"; what stops the work, in an event "note". Told
 * to leave off, it leaves what is stopped to whoever goes back.
 *
 * Return: 0, or a negative errno.
 */
int user_session_activate(const User *user, const UserSwitch *request, EventLog *log) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(session_done) Session s = {
                .user = user,
                .request = request,
                .steps = {
                        .log = log,
                        .job_limit_usec = request->job_limit_usec,
                        .job_limit_max_usec = request->job_limit_max_usec,
                        .interrupted = request->interrupted,
                },
        };
        int r;

        r = open_session(&s, &error);
        if (r >= 0)
                r = go(&s, &error);
        if (r < 0 && request->interrupted && request->interrupted())
                unit_lists_turn_back(s.lists_directory, request->from);
        else if (r < 0)
                event_say(log, "note", "text", error.message ? error.message : strerror(-r));
        event_say_units(log, "units-failed", NULL, &s.steps.failed);
        return r;
}
