/*
 * The state of this host as a plan needs it: the units of the system's manager and of all users',
 * and what an interrupted switch left to do. It has the shape of a recorded state, so plans are
 * made in one way.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "live-state.h"
#include "plan-load.h"
#include "text.h"
#include "unit-lists.h"
#include "user-session.h"

#define USER_STATE_LIMIT_USEC (10 * USEC_PER_SEC)

/* Gathers what the users' processes tell. */
typedef struct Gathering {
        const LiveSource *source;
        RecordedState *state;
        StringList *notes;
        int error;
} Gathering;

static void on_user_event(const User *user, const cJSON *event, void *userdata) {
        Gathering *g = userdata;
        RecordedUser *recorded = &g->state->users[g->state->n_users];
        const char *config = json_string(event, "config");

        if (g->error < 0 || strcmp(json_string(event, "event"), "state") != 0 ||
            g->state->n_users >= RECORDED_USERS_MAX)
                return;
        *recorded = (RecordedUser){
                .uid = user->uid,
                .name = strdup(user->name),
                .config = config ? strdup(config) : NULL,
        };
        g->state->n_users++; /* from here on recorded_state_done() frees it */
        if (!recorded->name || (config && !recorded->config) ||
            inventory_from_json(&recorded->inventory,
                                cJSON_GetObjectItemCaseSensitive(event, "units")) == -ENOMEM ||
            recorded_state_read_leftovers(event, &recorded->leftovers) == -ENOMEM ||
            recorded_state_read_takes_down(event, &recorded->takes_down) == -ENOMEM)
                g->error = -ENOMEM;
}

static void on_user_failure(const User *user, const char *why, void *userdata) {
        Gathering *g = userdata;
        char *note;

        if (text_printf(&note, "the service manager of %s cannot be asked: %s", user->name, why) <
                    0 ||
            string_list_take(g->notes, note) < 0)
                g->error = -ENOMEM;
}

/* Without root only one's own manager can be asked. */
static void keep_own(UserList *users) {
        for (size_t i = 0; i < users->n; i++)
                if (users->items[i].uid == getuid() && i > 0) {
                        User own = users->items[i];

                        users->items[i] = users->items[0];
                        users->items[0] = own;
                }
        while (users->n > 1 || (users->n == 1 && users->items[0].uid != getuid())) {
                User *last = &users->items[--users->n];

                user_done(last);
        }
}

/* Only root may see which binary PID 1 runs; for others it is that of the running system. */
static int guess_pid1(const LiveSource *source, RecordedState *state) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (geteuid() == 0)
                return 0;
        r = text_printf(&path, "%s/systemd/lib/systemd/systemd", source->from);
        if (r >= 0 && file_realpath(path, &state->pid1_exe) == -ENOMEM)
                r = -ENOMEM;
        return r;
}

/* In the user's process. */
static int tell_state(const User *user, EventLog *log, void *userdata) {
        const Gathering *g = userdata;

        return user_session_tell_state(user, g->source->from, g->source->to, log);
}

static int read_users(const LiveSource *source, RecordedState *state, StringList *notes) {
        Gathering g = { .source = source, .state = state, .notes = notes };
        _cleanup_(users_done) UserList users = { 0 };
        const UsersWork work = {
                .users = &users,
                .work = tell_state,
                .on_event = on_user_event,
                .on_failure = on_user_failure,
                .userdata = &g,
                .limit_usec = USER_STATE_LIMIT_USEC,
        };
        int r;

        r = users_find(&state->inventory, &users, notes);
        if (r < 0)
                return r;
        if (!source->all_users)
                keep_own(&users);

        state->users = calloc(RECORDED_USERS_MAX + 1, sizeof(*state->users));
        if (!state->users)
                return -ENOMEM;
        r = users_work(&work);
        return r < 0 ? r : g.error;
}

/**
 * live_state_read() - ask all managers what runs
 * @state: all zero before; recorded_state_done() even after an error
 * @notes: what could not be found out
 *
 * Return: 0, or a negative errno with @reterr_error set where systemd itself cannot be asked.
 */
int live_state_read(Manager *manager, const LiveSource *source, RecordedState *state,
                    StringList *notes, sd_bus_error *reterr_error) {
        int r;

        r = manager_inventory(manager, &state->inventory, reterr_error);
        if (r < 0)
                return r;
        r = unit_lists_read_leftovers(source->lists_directory, source->to, &state->leftovers,
                                      notes);
        if (r < 0)
                return r;
        r = manager_cannot_reload(manager, &state->inventory, &state->leftovers.reload,
                                  &state->cannot_reload);
        if (r >= 0)
                r = guess_pid1(source, state);
        return r < 0 ? r : read_users(source, state, notes);
}

static bool take_new(const Inventory *inventory, const char *unit, bool *taken, size_t *ret_i) {
        const InventoryUnit *there = inventory_find(inventory, unit);

        if (!there || taken[there - inventory->units])
                return false;
        *ret_i = (size_t) (there - inventory->units);
        taken[*ret_i] = true;
        return true;
}

/**
 * live_ask_what_falls() - ask a manager what goes down with what a plan stops
 * @takes_down: appended to: "unit other" for each, in order
 *
 * Only for what is stopped, and what goes down with that: for all units it would take long.
 *
 * Return: 0, or a negative errno.
 */
int live_ask_what_falls(Manager *manager, const Plan *plan, const Inventory *inventory,
                        StringList *takes_down) {
        const PlanList *stops = &plan->lists[PLAN_STOP];
        _cleanup_free_ bool *taken = calloc(inventory->n + 1, sizeof(*taken));
        _cleanup_free_ size_t *queue = calloc(inventory->n + 1, sizeof(*queue));
        StringList *edges = takes_down;
        size_t n = 0;

        if (!taken || !queue)
                return -ENOMEM;
        for (size_t i = 0; i < stops->n; i++)
                n += take_new(inventory, stops->entries[i].unit, taken, &queue[n]);
        for (size_t i = 0; i < n; i++) {
                size_t n_edges = edges->n;
                int r = manager_takes_down(manager, inventory->units[queue[i]].id, edges);

                if (r < 0)
                        return r;
                for (size_t j = n_edges; j < edges->n; j++)
                        n += take_new(inventory, strchr(edges->items[j], ' ') + 1, taken,
                                      &queue[n]);
        }
        string_list_sort_unique(edges);
        return 0;
}

/**
 * live_add_dependents() - have started again what goes down though it did not change
 * @state: what the plan was made of; what takes down what is noted in it
 *
 * Return: 0, or a negative errno.
 */
int live_add_dependents(Manager *manager, const char *from, const char *to, RecordedState *state,
                        Plan *plan) {
        const PlanSource source = { .from = from, .to = to, .inventory = &state->inventory };
        int r;

        r = live_ask_what_falls(manager, plan, &state->inventory, &state->takes_down);
        return r < 0 ? r : plan_load_dependents(&source, plan, &state->takes_down);
}

/**
 * live_add_lists() - take the lists of an activation script into the plan
 * @state: of before the switch
 *
 * Return: 0, or a negative errno as plan_load_lists().
 */
int live_add_lists(Manager *manager, const char *from, const char *to, const RecordedState *state,
                   const StringList *restart, const StringList *reload, Plan *plan) {
        _cleanup_(string_list_done) StringList cannot_reload = { 0 };
        const PlanSource source = {
                .from = from,
                .to = to,
                .inventory = &state->inventory,
                .cannot_reload = &cannot_reload,
                .pid1_exe = state->pid1_exe,
                .live = true,
        };
        int r;

        r = manager_cannot_reload(manager, &state->inventory, reload, &cannot_reload);
        return r < 0 ? r : plan_load_lists(&source, plan, restart, reload);
}

/**
 * live_plan() - the plan for a switch on this host, users included
 * @state: all zero before, and filled; recorded_state_done() even after an error
 * @ret:   owned by the caller
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int live_plan(Manager *manager, const LiveSource *source, RecordedState *state, Plan **ret,
              sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = live_state_read(manager, source, state, &notes, reterr_error);
        if (r < 0)
                return r;
        r = plan_load_state(source->from, source->to, state, /* live= */ true, &plan);
        if (r >= 0)
                r = live_add_dependents(manager, source->from, source->to, state, plan);
        if (r >= 0)
                r = string_list_copy(&plan->notes, &notes);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot plan the way from '%s' to '%s': %s", source->from,
                                         source->to, strerror(-r));
        *ret = TAKE_PTR(plan);
        return 0;
}

/**
 * live_check_bus() - refuse a way on which nobody could reach systemd any more
 * @manager: of the plan
 *
 * Where only the bus leads to it, what stops the bus cannot be followed, and nothing that comes
 * after it can be asked for.
 *
 * Return: 0, or a negative errno with @reterr_error set to Refused.
 */
int live_check_bus(const Manager *manager, const Plan *plan, sd_bus_error *reterr_error) {
        static const char *const units[] = { "dbus.service", "dbus-broker.service", "dbus.socket" };
        const char *bus = manager_bus_name(manager);

        for (size_t i = 0; bus && i < ELEMENTSOF(units); i++)
                if (plan_find(plan, PLAN_STOP, units[i]))
                        return sd_bus_error_setf(
                                reterr_error, ENACT_ERROR_REFUSED,
                                "systemd can be reached over %s alone here, and '%s' would be "
                                "stopped on the way to '%s': nobody could go on from there. After "
                                "'enact boot' the next boot brings it.",
                                bus, units[i], plan->to);
        return 0;
}
