/*
 * The rules for one unit: what happens to it when its definition changed, came or went. Source: the
 * decisions of NixOS' switch-to-configuration; where this decides otherwise a comment says why.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan-build.h"
#include "text.h"

#define USER_ACTIVATION "nixos-activation.service"

static int compare_with_pair(const void *id, const void *pair) {
        return strcmp(id, ((const UnitPair *) pair)->id);
}

static const UnitPair *find_pair(const UnitPair *pairs, size_t n, const char *id) {
        return n > 0 ? bsearch(id, pairs, n, sizeof(*pairs), compare_with_pair) : NULL;
}

/** plan_find_pair() - what was loaded of a unit, or NULL. */
const UnitPair *plan_find_pair(const PlanInput *input, const char *id) {
        const UnitPair *pair = find_pair(input->named, input->n_named, id);

        if (!pair)
                pair = find_pair(input->pairs, input->n_pairs, id);
        return pair ? pair : find_pair(input->heirs, input->n_heirs, id);
}

/** plan_find_moved() - the new unit file of what the old fstab has, or NULL. */
const UnitPair *plan_find_moved(const PlanInput *input, const char *id) {
        return find_pair(input->moved, input->n_moved, id);
}

/** plan_is_managed() - whether it is the system's own unit file that defines an active unit. */
bool plan_is_managed(const PlanInput *input, const InventoryUnit *unit) {
        const char *below;

        if (!inventory_unit_is_active(unit) || !unit->fragment)
                return false;
        below = text_after_prefix(unit->fragment, input->directory);
        return below && *below == '/';
}

static bool new_says(const UnitPair *pair, const char *section, const char *key, bool otherwise) {
        return unit_file_boolean(pair->new.file, section, key, otherwise);
}

/** plan_start_refusal() - why its new definition does not let us start it, or PLAN_RULE_NONE. */
PlanRule plan_start_refusal(const UnitPair *pair) {
        if (new_says(pair, "Unit", "RefuseManualStart", false))
                return PLAN_RULE_REFUSES_START;
        if (new_says(pair, "Unit", "X-OnlyManualStart", false))
                return PLAN_RULE_MANUAL_START;
        return PLAN_RULE_NONE;
}

static bool is_active(const PlanInput *input, const char *unit) {
        return inventory_unit_is_active(inventory_find(input->inventory, unit));
}

/* A socket that is down and that no active target wants never listens, be there a file of it. */
static bool will_listen(const PlanInput *input, const char *socket) {
        return is_active(input, socket) ||
               find_pair(input->wanted_sockets, input->n_wanted_sockets, socket);
}

/**
 * plan_is_left_to_sockets() - whether a service need not be started, since its sockets do that
 *
 * NixOS looks whether there is a file of one, and a service beside a socket that nobody started
 * stays down.
 */
bool plan_is_left_to_sockets(const PlanInput *input, const UnitPair *pair) {
        bool any = false;

        for (size_t i = 0; i < pair->sockets_in_new.n; i++)
                any = any || will_listen(input, pair->sockets_in_new.items[i]);
        return any && !new_says(pair, "Service", "X-NotSocketActivated", false);
}

/* Of identical units only the new side is read. */
static bool old_says(const UnitPair *pair, const char *section, const char *key, bool otherwise) {
        return unit_file_boolean(pair->old.file ? pair->old.file : pair->new.file, section, key,
                                 otherwise);
}

/* What is stopped first is stopped by its old definition, the one that systemd knows until then. */
static bool refuses_stop_now(const UnitPair *pair) {
        return old_says(pair, "Unit", "RefuseManualStop", false);
}

/* Where the old definition refuses that, it can only be restarted afterwards. */
static bool is_stopped_first(const UnitPair *pair) {
        return text_has_suffix(pair->id, ".service") &&
               new_says(pair, "Service", "X-StopIfChanged", true) && !refuses_stop_now(pair);
}

/* Why it must not be restarted. That systemd would refuse to start it again is our addition: there
 * a unit is stopped first, and stays down. */
static PlanRule refusal_of(const UnitPair *pair, bool comes_by_itself) {
        if (!new_says(pair, "Service", "X-RestartIfChanged", true))
                return PLAN_RULE_NO_RESTART;
        if (new_says(pair, "Unit", "RefuseManualStop", false))
                return PLAN_RULE_REFUSES_STOP;
        if (new_says(pair, "Unit", "X-OnlyManualStart", false))
                return PLAN_RULE_MANUAL_START;
        if (new_says(pair, "Unit", "RefuseManualStart", false) && !comes_by_itself)
                return PLAN_RULE_REFUSES_START;
        return PLAN_RULE_NONE;
}

/* The same where it may be stopped and left to its sockets, which systemd does not refuse. */
static PlanRule refusal(const PlanBuild *build, const UnitPair *pair) {
        return refusal_of(pair, !build->late && is_stopped_first(pair) &&
                                        plan_is_left_to_sockets(build->input, pair));
}

/* A user's activation unit is restarted by every switch anyway, which nobody needs to hear of. */
static int skip(PlanBuild *build, const PlanCause *cause, PlanRule rule) {
        if (build->plan->user && strcmp(cause->pair->id, USER_ACTIVATION) == 0)
                return 0;
        return plan_decide(build, PLAN_SKIP, cause->pair->id, cause, rule);
}

/** plan_gone_rule() - why the new system does not have it, or PLAN_RULE_NONE. */
PlanRule plan_gone_rule(const UnitPair *pair) {
        if (pair->new.state == UNIT_FILE_MASKED)
                return PLAN_RULE_MASKED;
        if (pair->new.state == UNIT_FILE_MISSING)
                return PLAN_RULE_GONE;
        if (!pair->old.is_meant || pair->new.is_meant)
                return PLAN_RULE_NONE;
        /* The template stays: it could be any instance's, and nobody means this one any more. */
        return strcmp(pair->old.base, pair->id) == 0 ? PLAN_RULE_GONE : PLAN_RULE_DROP_INS_GONE;
}

static int build_gone(PlanBuild *build, const UnitPair *pair, PlanRule rule) {
        const PlanCause cause = { .pair = pair, .rule = rule };

        if (rule == PLAN_RULE_GONE && plan_is_in_fstab(build->input, pair->id))
                return plan_build_to_fstab(build, pair);
        if (!old_says(pair, "Unit", "X-StopOnRemoval", true))
                return 0;
        if (plan_mount_stays(pair->id))
                return skip(build, &cause, PLAN_RULE_MOUNT_STAYS);
        if (refuses_stop_now(pair))
                return skip(build, &cause, PLAN_RULE_REFUSES_STOP);
        return plan_decide(build, PLAN_STOP, pair->id, &cause, PLAN_RULE_NONE);
}

static bool is_never_started(const char *target) {
        static const char *const never[] = { "hibernate.target", "hybrid-sleep.target",
                                             "suspend.target" };

        for (size_t i = 0; i < ELEMENTSOF(never); i++)
                if (strcmp(target, never[i]) == 0)
                        return true;
        return false;
}

static int build_target(PlanBuild *build, const UnitPair *pair) {
        int r;

        if (!is_never_started(pair->id) && plan_start_refusal(pair) == PLAN_RULE_NONE) {
                r = plan_decide(build, PLAN_START, pair->id, NULL, PLAN_RULE_TARGET);
                if (r < 0)
                        return r;
        }
        if (new_says(pair, "Unit", "X-StopOnReconfiguration", false) && !refuses_stop_now(pair))
                return plan_decide(build, PLAN_STOP, pair->id, NULL, PLAN_RULE_RECONFIGURATION);
        return 0;
}

/* One that only a person may stop or start keeps listening; systemd would refuse the job. */
static bool socket_stays(const PlanBuild *build, const char *socket) {
        const UnitPair *pair = plan_find_pair(build->input, socket);

        if (!pair)
                return false;
        if (build->late && new_says(pair, "Unit", "RefuseManualStop", false))
                return true;
        return (!build->late && refuses_stop_now(pair)) ||
               plan_start_refusal(pair) != PLAN_RULE_NONE;
}

/* Takes the sockets of a service down with it, and up again where the new system has them. */
static int build_sockets(PlanBuild *build, const UnitPair *pair) {
        for (size_t i = 0; !build->moving && i < pair->sockets.n; i++) {
                const char *socket = pair->sockets.items[i];
                bool in_new = string_list_contains(&pair->sockets_in_new, socket);
                int r = 0;

                if (!is_active(build->input, socket) || socket_stays(build, socket))
                        continue;
                if (!build->late)
                        r = plan_decide(build, PLAN_STOP, socket, NULL,
                                        PLAN_RULE_SOCKET_OF_SERVICE);
                if (r >= 0 && in_new)
                        r = plan_decide(build, build->late ? PLAN_RESTART : PLAN_START, socket,
                                        NULL, PLAN_RULE_SOCKET_OF_SERVICE);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A service is stopped by its old definition and started by the new one; its sockets may do that.
 */
static int build_service(PlanBuild *build, const PlanCause *cause) {
        const UnitPair *pair = cause->pair;
        int r;

        r = build_sockets(build, pair);
        if (r < 0)
                return r;
        if (build->late)
                return plan_decide(build, PLAN_RESTART, pair->id, cause, PLAN_RULE_NONE);

        r = plan_decide(build, PLAN_STOP, pair->id, cause, PLAN_RULE_NONE);
        if (r < 0 || plan_is_left_to_sockets(build->input, pair))
                return r;
        return plan_decide(build, PLAN_START, pair->id, cause, PLAN_RULE_NONE);
}

/* Whether the service of a socket may be taken down for it. */
static bool service_stays(const PlanBuild *build, const UnitPair *service) {
        return service && refusal(build, service) != PLAN_RULE_NONE;
}

/* Down before its socket is touched, up again after it; what only its socket may start comes by
 * that. */
static int restart_service_around(PlanBuild *build, const char *service, PlanRule rule) {
        const InventoryUnit *there = inventory_find(build->input->inventory, service);
        const UnitPair *pair = plan_find_pair(build->input, service);
        int r;

        r = plan_decide(build, PLAN_STOP, service, NULL, rule);
        if (r >= 0 && strcmp(there->active, "deactivating") == 0)
                return 0; /* somebody else has ended it */
        if (r < 0 || (pair && (plan_gone_rule(pair) != PLAN_RULE_NONE ||
                               plan_start_refusal(pair) != PLAN_RULE_NONE)))
                return r;
        return plan_decide(build, PLAN_START, service, NULL, rule);
}

/* Whether a service is in the way of a socket, and must stay there. */
static bool service_is_fixed(const PlanBuild *build, const char *service) {
        const UnitPair *pair = plan_find_pair(build->input, service);

        if (!pair || !inventory_unit_is_up(inventory_find(build->input->inventory, service)))
                return false;
        if (!build->late && refuses_stop_now(pair))
                return true;
        return plan_gone_rule(pair) == PLAN_RULE_NONE && service_stays(build, pair);
}

static int restart_service_of_socket(PlanBuild *build, const char *service) {
        if (!inventory_unit_is_up(inventory_find(build->input->inventory, service)))
                return 0;
        if (build->late)
                return plan_decide(build, PLAN_RESTART, service, NULL, PLAN_RULE_SERVICE_OF_SOCKET);
        return restart_service_around(build, service, PLAN_RULE_SERVICE_OF_SOCKET);
}

/* The socket, and around it its service if that runs: beside a running one it would not start. The
 * one that it has now holds what it listens on; the one that it will have may be another. */
static int restart_socket(PlanBuild *build, const PlanCause *cause) {
        const char *services[] = { cause->pair->old.service, cause->pair->new.service };
        int r;

        if (services[0] && services[1] && strcmp(services[0], services[1]) == 0)
                services[1] = NULL;
        for (size_t i = 0; i < ELEMENTSOF(services); i++)
                if (services[i] && service_is_fixed(build, services[i]))
                        return skip(build, cause, PLAN_RULE_SERVICE_STAYS);

        r = build->late ? plan_decide(build, PLAN_RESTART, cause->pair->id, cause, PLAN_RULE_NONE) :
                          plan_decide(build, PLAN_STOP, cause->pair->id, cause, PLAN_RULE_NONE);
        if (r >= 0 && !build->late)
                r = plan_decide(build, PLAN_START, cause->pair->id, cause, PLAN_RULE_NONE);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(services); i++)
                if (services[i])
                        r = restart_service_of_socket(build, services[i]);
        return r;
}

/* Whether nobody may take it down before the new definitions are there. */
static bool keeps_running(const PlanBuild *build, const UnitPair *service) {
        return plan_gone_rule(service) != PLAN_RULE_NONE || refuses_stop_now(service) ||
               service_stays(build, service);
}

/* A target that is started again starts it: after the restarts, which may bring up its service. */
static int start_early(PlanBuild *build, const UnitPair *socket) {
        if (plan_start_refusal(socket) != PLAN_RULE_NONE)
                return 0;
        for (size_t i = 0; i < socket->wanted_by.n; i++)
                if (plan_find(build->plan, PLAN_START, socket->wanted_by.items[i]))
                        return string_list_add(&build->plan->sockets, socket->id);
        return 0;
}

/**
 * plan_build_wanted_socket() - a socket that is down, and that active targets want
 *
 * One that comes with the new system may find its service running. Beside that systemd refuses to
 * start it, without anybody hearing of it: it would not listen until somebody stops the service.
 *
 * Return: 0 or -ENOMEM.
 */
int plan_build_wanted_socket(PlanBuild *build, const UnitPair *socket) {
        const PlanCause cause = { .pair = socket, .rule = PLAN_RULE_NEW_SOCKET };
        const PlanRule refused = plan_start_refusal(socket);
        const char *service = socket->new.service;
        const UnitPair *pair = service ? plan_find_pair(build->input, service) : NULL;
        int r;

        if (!service || !inventory_unit_is_up(inventory_find(build->input->inventory, service)))
                return start_early(build, socket);
        if (!pair || !socket->newly_wanted)
                return 0;
        if (refused != PLAN_RULE_NONE)
                return skip(build, &cause, refused);

        if (!plan_find(build->plan, PLAN_STOP, service)) {
                if (keeps_running(build, pair))
                        return skip(build, &cause, PLAN_RULE_SERVICE_STAYS);
                r = restart_service_around(build, service, PLAN_RULE_SERVICE_OF_NEW_SOCKET);
                if (r < 0)
                        return r;
        }
        return plan_decide(build, PLAN_START, socket->id, &cause, PLAN_RULE_NONE);
}

/* NixOS never restarts a socket for its own sake, and does not say so. Here it is said, and a
 * socket that asks for it is restarted. */
static int build_socket(PlanBuild *build, const PlanCause *cause) {
        const UnitPair *pair = cause->pair;

        if (!build->moving && !new_says(pair, "Socket", "X-RestartIfChanged", false) &&
            !new_says(pair, "Unit", "X-RestartIfChanged", false))
                return skip(build, cause, PLAN_RULE_SOCKET_LISTENS);
        if (new_says(pair, "Unit", "RefuseManualStop", false) ||
            (!build->late && refuses_stop_now(pair)))
                return skip(build, cause, PLAN_RULE_REFUSES_STOP);
        if (plan_start_refusal(pair) != PLAN_RULE_NONE)
                return skip(build, cause, plan_start_refusal(pair));
        if (pair->old.service_is_unknown || pair->new.service_is_unknown)
                return skip(build, cause, PLAN_RULE_SERVICE_UNKNOWN);
        return restart_socket(build, cause);
}

/* NixOS asks for it in any case; what systemd refuses would fail the switch. */
static int restart_mount(PlanBuild *build, const PlanCause *cause) {
        if (new_says(cause->pair, "Unit", "RefuseManualStop", false))
                return skip(build, cause, PLAN_RULE_REFUSES_STOP);
        if (new_says(cause->pair, "Unit", "RefuseManualStart", false))
                return skip(build, cause, PLAN_RULE_REFUSES_START);
        return plan_decide(build, PLAN_RESTART, cause->pair->id, cause, PLAN_RULE_NONE);
}

static bool is_left_to_reload(const char *id) {
        static const char *const targets[] = { "basic.target", "graphical.target",
                                               "multi-user.target", "sysinit.target" };

        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                if (strcmp(id, targets[i]) == 0)
                        return true;
        /* New properties of these arrive with the manager's own reload. */
        return text_has_suffix(id, ".path") || text_has_suffix(id, ".slice");
}

static bool can_reload(const UnitPair *pair) {
        const char *type = unit_file_value(pair->new.file, "Service", "Type");

        if (!text_has_suffix(pair->id, ".service"))
                return text_has_suffix(pair->id, ".mount");
        return unit_file_value(pair->new.file, "Service", "ExecReload") ||
               (type && strcmp(type, "notify-reload") == 0);
}

/**
 * plan_build_restart() - a unit that must become another one, by a change or because it is asked
 * for
 *
 * Return: 0 or -ENOMEM.
 */
int plan_build_restart(PlanBuild *build, const PlanCause *cause) {
        const UnitPair *pair = cause->pair;
        PlanRule refused;
        bool renewed;

        if (is_left_to_reload(pair->id))
                return 0;
        if (text_has_suffix(pair->id, ".socket"))
                return build_socket(build, cause);
        if (plan_mount_stays(pair->id))
                return plan_decide(build, PLAN_RELOAD, pair->id, cause, PLAN_RULE_MOUNT_STAYS);
        if (text_has_suffix(pair->id, ".mount"))
                return restart_mount(build, cause);

        if (new_says(pair, "Service", "X-ReloadIfChanged", false) && can_reload(pair))
                return plan_decide(build, PLAN_RELOAD, pair->id, cause,
                                   PLAN_RULE_RELOAD_IF_CHANGED);
        renewed = new_says(pair, "Service", "X-ReloadIfChanged", false);
        refused = renewed ? refusal_of(pair, /* comes_by_itself= */ false) : refusal(build, pair);
        if (refused != PLAN_RULE_NONE)
                return skip(build, cause, refused);
        if (renewed)
                return plan_decide(build, PLAN_RESTART, pair->id, cause, PLAN_RULE_NO_RELOAD);
        if (is_stopped_first(pair))
                return build_service(build, cause);
        return plan_decide(build, PLAN_RESTART, pair->id, cause, PLAN_RULE_NONE);
}

/**
 * plan_build_reload() - a unit whose change asks for no more than a reload
 *
 * One that cannot be reloaded is restarted, if that is allowed; NixOS would let the job fail.
 *
 * Return: 0 or -ENOMEM.
 */
int plan_build_reload(PlanBuild *build, const PlanCause *cause) {
        const UnitPair *pair = cause->pair;
        PlanRule refused;

        if (can_reload(pair))
                return plan_decide(build, PLAN_RELOAD, pair->id, cause, PLAN_RULE_NONE);
        if (is_left_to_reload(pair->id))
                return 0;
        if (text_has_suffix(pair->id, ".socket"))
                return build_socket(build, cause);

        refused = refusal_of(pair, /* comes_by_itself= */ false);
        if (refused != PLAN_RULE_NONE)
                return skip(build, cause, refused);
        return plan_decide(build, PLAN_RESTART, pair->id, cause, PLAN_RULE_NO_RELOAD);
}

static int build_changed(PlanBuild *build, const UnitPair *pair) {
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };
        const PlanCause cause = { .pair = pair, .diff = &diff };
        int r;

        r = unit_diff_make(&diff, pair->old.file, pair->new.file);
        if (r < 0)
                return r;

        switch (diff.change) {
        case UNIT_EQUAL:
                return 0;
        case UNIT_RELOAD:
                return plan_build_reload(build, &cause);
        case UNIT_RESTART:
                return plan_build_restart(build, &cause);
        }
        return 0;
}

/* The kernel makes the one and programs the other; systemd has no job for them. */
static bool is_never_touched(const char *id) {
        return text_has_suffix(id, ".device") || text_has_suffix(id, ".scope");
}

/**
 * plan_build_unit() - what happens to a unit of the old system
 *
 * Return: 0 or -ENOMEM.
 */
int plan_build_unit(PlanBuild *build, const UnitPair *pair) {
        PlanRule gone;

        /* Of what did not change only targets are started again, and others may lose their name. */
        if (pair->identical && !text_has_suffix(pair->id, ".target") && !unit_pair_is_renamed(pair))
                return 0;
        if (!inventory_unit_runs(inventory_find(build->input->inventory, pair->id)) ||
            pair->old.state == UNIT_FILE_MISSING || is_never_touched(pair->id))
                return 0;

        gone = plan_gone_rule(pair);
        if (gone != PLAN_RULE_NONE)
                return build_gone(build, pair, gone);
        if (text_has_suffix(pair->id, ".target"))
                return build_target(build, pair);
        if (plan_is_merged(build->input, pair))
                return build_gone(build, pair, PLAN_RULE_MERGED);
        return pair->identical ? 0 : build_changed(build, pair);
}
