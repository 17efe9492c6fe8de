/*
 * The plan: what a switch does with each unit, and why. It is a pure function of what was loaded,
 * so each rule can be tried with files alone.
 */
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "text.h"
#include "unit-diff.h"

/* The names of rules are part of the plan's format; their texts are for people. */
#define RULE_GONE          "gone"
#define RULE_MASKED        "masked"
#define RULE_DROP_INS_GONE "drop-ins-gone"
#define RULE_TARGET        "target"
#define RULE_RECONFIGURE   "stop-on-reconfiguration"
#define RULE_SOCKET_OF     "socket-of-changed-service"
#define RULE_SOCKET        "socket-keeps-listening"
#define RULE_ROOT_MOUNT    "mount-cannot-be-restarted"
#define RULE_NO_RESTART    "restart-if-changed-is-false"
#define RULE_REFUSE_STOP   "refuse-manual-stop"
#define RULE_MANUAL_START  "only-manual-start"

/* clang-format off */
static const struct {
        const char *rule, *text;
} rule_texts[] = {
        { RULE_GONE,          "the new system does not have it" },
        { RULE_MASKED,        "the new system masks it" },
        { RULE_DROP_INS_GONE, "the new system has no drop-in for this instance any more" },
        { RULE_TARGET,        "active targets are started again, for what they newly want" },
        { RULE_RECONFIGURE,   "it asks to be stopped on each switch (X-StopOnReconfiguration)" },
        { RULE_SOCKET_OF,     "its service changed" },
        { RULE_SOCKET,        "a listening socket is left alone" },
        { RULE_ROOT_MOUNT,    "it cannot be unmounted while the system runs" },
        { RULE_NO_RESTART,    "it asks not to be restarted (X-RestartIfChanged)" },
        { RULE_REFUSE_STOP,   "it refuses to be stopped by hand (RefuseManualStop)" },
        { RULE_MANUAL_START,  "only a person may start it (X-OnlyManualStart)" },
};

static const char *const action_names[_PLAN_ACTION_MAX] = {
        [PLAN_STOP]    = "stop",
        [PLAN_SKIP]    = "skip",
        [PLAN_RELOAD]  = "reload",
        [PLAN_RESTART] = "restart",
        [PLAN_START]   = "start",
};
/* clang-format on */

const char *plan_action_to_string(PlanAction action) {
        assert(action >= 0 && action < _PLAN_ACTION_MAX);
        return action_names[action];
}

/** plan_rule_to_text() - a rule's name as a clause for people; the name itself if it is unknown. */
const char *plan_rule_to_text(const char *rule) {
        for (size_t i = 0; i < ELEMENTSOF(rule_texts); i++)
                if (strcmp(rule_texts[i].rule, rule) == 0)
                        return rule_texts[i].text;
        return rule;
}

static int list_add(PlanList *list, const char *unit, bool hidden, PlanEntry **ret_entry) {
        PlanEntry *entry;

        if (list->n == list->allocated) {
                size_t allocated = list->allocated ? 2 * list->allocated : 16;

                entry = reallocarray(list->entries, allocated, sizeof(*entry));
                if (!entry)
                        return -ENOMEM;
                list->entries = entry;
                list->allocated = allocated;
        }

        entry = &list->entries[list->n++];
        *entry = (PlanEntry){ .unit = strdup(unit), .hidden = hidden };
        if (!entry->unit)
                return -ENOMEM;
        *ret_entry = entry;
        return 0;
}

static int entry_add_reason(PlanEntry *entry, PlanReason **ret_reason) {
        PlanReason *why = reallocarray(entry->why, entry->n_why + 1, sizeof(*why));

        if (!why)
                return -ENOMEM;
        entry->why = why;
        why[entry->n_why] = (PlanReason){ 0 };
        *ret_reason = &why[entry->n_why++];
        return 0;
}

static int entry_add_rule(PlanEntry *entry, const char *rule) {
        PlanReason *reason;
        int r;

        r = entry_add_reason(entry, &reason);
        if (r < 0)
                return r;
        reason->rule = strdup(rule);
        return reason->rule ? 0 : -ENOMEM;
}

static int entry_add_differences(PlanEntry *entry, const char *file, const UnitDiff *diff) {
        for (size_t i = 0; i < diff->n_differences; i++) {
                const UnitDifference *d = &diff->differences[i];
                PlanReason *reason;
                int r;

                r = entry_add_reason(entry, &reason);
                if (r < 0)
                        return r;
                reason->file = strdup(file);
                reason->section = strdup(d->section);
                reason->key = d->key ? strdup(d->key) : NULL;
                if (!reason->file || !reason->section || (d->key && !reason->key) ||
                    string_list_copy(&reason->old, &d->old) < 0 ||
                    string_list_copy(&reason->new, &d->new) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Decides for @unit because of a rule, and if there is one because of what changed in @diff. */
static int decide(Plan *plan, PlanAction action, const char *unit, const char *rule,
                  const UnitPair *pair, const UnitDiff *diff) {
        PlanEntry *entry;
        int r;

        r = list_add(&plan->lists[action], unit, rule && strcmp(rule, RULE_TARGET) == 0, &entry);
        if (r < 0)
                return r;
        if (diff) {
                r = entry_add_differences(entry, pair->base, diff);
                if (r < 0)
                        return r;
        }
        return rule ? entry_add_rule(entry, rule) : 0;
}

static const char *gone_rule(const UnitPair *pair) {
        if (pair->new.state == UNIT_FILE_MASKED)
                return RULE_MASKED;
        if (pair->new.state == UNIT_FILE_MISSING)
                return RULE_GONE;
        if (pair->old.has_drop_ins && !pair->new.has_drop_ins)
                return RULE_DROP_INS_GONE;
        return NULL;
}

static bool new_says(const UnitPair *pair, const char *section, const char *key, bool otherwise) {
        return unit_file_boolean(pair->new.file, section, key, otherwise);
}

static int plan_target(Plan *plan, const UnitPair *pair) {
        static const char *const never[] = { "hibernate.target", "hybrid-sleep.target",
                                             "suspend.target" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(never); i++)
                if (strcmp(pair->id, never[i]) == 0)
                        return 0;

        if (!new_says(pair, "Unit", "RefuseManualStart", false) &&
            !new_says(pair, "Unit", "X-OnlyManualStart", false)) {
                r = decide(plan, PLAN_START, pair->id, RULE_TARGET, NULL, NULL);
                if (r < 0)
                        return r;
        }
        if (new_says(pair, "Unit", "X-StopOnReconfiguration", false))
                return decide(plan, PLAN_STOP, pair->id, RULE_RECONFIGURE, NULL, NULL);
        return 0;
}

/* Stops the sockets of a service that is stopped, and starts them again where the new system has
 * them. */
static int plan_sockets(Plan *plan, const PlanInput *input, const UnitPair *pair,
                        bool *ret_socket_activated) {
        bool activated = false;
        int r;

        for (size_t i = 0; i < pair->sockets.n; i++) {
                const char *socket = pair->sockets.items[i];
                bool in_new = string_list_contains(&pair->sockets_in_new, socket);

                activated = activated || in_new;
                if (!inventory_unit_is_active(inventory_find(input->inventory, socket)))
                        continue;
                r = decide(plan, PLAN_STOP, socket, RULE_SOCKET_OF, NULL, NULL);
                if (r < 0)
                        return r;
                if (!in_new)
                        continue;
                r = decide(plan, PLAN_START, socket, RULE_SOCKET_OF, NULL, NULL);
                if (r < 0)
                        return r;
        }

        *ret_socket_activated =
                activated && !new_says(pair, "Service", "X-NotSocketActivated", false);
        return 0;
}

static int plan_stop_and_start(Plan *plan, const PlanInput *input, const UnitPair *pair,
                               const UnitDiff *diff) {
        bool socket_activated;
        int r;

        r = plan_sockets(plan, input, pair, &socket_activated);
        if (r < 0)
                return r;
        r = decide(plan, PLAN_STOP, pair->id, NULL, pair, diff);
        if (r < 0 || socket_activated)
                return r;
        return decide(plan, PLAN_START, pair->id, NULL, pair, diff);
}

static int plan_restart(Plan *plan, const PlanInput *input, const UnitPair *pair,
                        const UnitDiff *diff) {
        const char *id = pair->id;

        /* New properties of these arrive with the manager's reload. */
        if (text_has_suffix(id, ".path") || text_has_suffix(id, ".slice"))
                return 0;
        if (text_has_suffix(id, ".socket"))
                return decide(plan, PLAN_SKIP, id, RULE_SOCKET, pair, diff);
        if (strcmp(id, "-.mount") == 0 || strcmp(id, "nix.mount") == 0)
                return decide(plan, PLAN_RELOAD, id, RULE_ROOT_MOUNT, pair, diff);
        if (text_has_suffix(id, ".mount"))
                return decide(plan, PLAN_RESTART, id, NULL, pair, diff);

        if (new_says(pair, "Service", "X-ReloadIfChanged", false))
                return decide(plan, PLAN_RELOAD, id, NULL, pair, diff);
        if (!new_says(pair, "Service", "X-RestartIfChanged", true))
                return decide(plan, PLAN_SKIP, id, RULE_NO_RESTART, pair, diff);
        if (new_says(pair, "Unit", "RefuseManualStop", false))
                return decide(plan, PLAN_SKIP, id, RULE_REFUSE_STOP, pair, diff);
        if (new_says(pair, "Unit", "X-OnlyManualStart", false))
                return decide(plan, PLAN_SKIP, id, RULE_MANUAL_START, pair, diff);
        if (!text_has_suffix(id, ".service") || !new_says(pair, "Service", "X-StopIfChanged", true))
                return decide(plan, PLAN_RESTART, id, NULL, pair, diff);
        return plan_stop_and_start(plan, input, pair, diff);
}

static int plan_changed(Plan *plan, const PlanInput *input, const UnitPair *pair) {
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };
        int r;

        r = unit_diff_make(&diff, pair->old.file, pair->new.file);
        if (r < 0)
                return r;

        switch (diff.change) {
        case UNIT_EQUAL:
                return 0;
        case UNIT_RELOAD:
                return decide(plan, PLAN_RELOAD, pair->id, NULL, pair, &diff);
        case UNIT_RESTART:
                return plan_restart(plan, input, pair, &diff);
        }
        return 0;
}

static int plan_unit(Plan *plan, const PlanInput *input, const UnitPair *pair) {
        const char *gone;

        if (!inventory_unit_runs(inventory_find(input->inventory, pair->id)) ||
            pair->old.state == UNIT_FILE_MISSING)
                return 0;

        gone = gone_rule(pair);
        if (gone) {
                if (!unit_file_boolean(pair->old.file, "Unit", "X-StopOnRemoval", true))
                        return 0;
                return decide(plan, PLAN_STOP, pair->id, gone, NULL, NULL);
        }
        if (text_has_suffix(pair->id, ".target"))
                return plan_target(plan, pair);
        if (pair->identical)
                return 0;
        return plan_changed(plan, input, pair);
}

static void reason_done(PlanReason *reason) {
        free(reason->rule);
        free(reason->file);
        free(reason->section);
        free(reason->key);
        string_list_done(&reason->old);
        string_list_done(&reason->new);
}

static void entry_done(PlanEntry *entry) {
        for (size_t i = 0; i < entry->n_why; i++)
                reason_done(&entry->why[i]);
        free(entry->why);
        free(entry->unit);
}

static int compare_entries(const void *a, const void *b) {
        return strcmp(((const PlanEntry *) a)->unit, ((const PlanEntry *) b)->unit);
}

/* By name and each once: a socket shared by two changed services was decided on twice. */
static void list_finish(PlanList *list) {
        size_t n = 0;

        if (list->n > 1)
                qsort(list->entries, list->n, sizeof(*list->entries), compare_entries);
        for (size_t i = 0; i < list->n; i++) {
                if (n > 0 && strcmp(list->entries[n - 1].unit, list->entries[i].unit) == 0)
                        entry_done(&list->entries[i]);
                else
                        list->entries[n++] = list->entries[i];
        }
        list->n = n;
}

/* Over what is decided, not over the reasons: a better wording is no other plan. */
static int make_digest(Plan *plan) {
        crypto_hash_sha256_state state;
        unsigned char hash[crypto_hash_sha256_BYTES];

        if (sodium_init() < 0)
                return -EIO;

        crypto_hash_sha256_init(&state);
        for (int action = -1; action < _PLAN_ACTION_MAX; action++) {
                const PlanList *list = action < 0 ? NULL : &plan->lists[action];
                _cleanup_free_ char *head = NULL;
                int r;

                if (!list)
                        r = text_printf(&head, "from %s\nto %s\nreexec %d\n", plan->from, plan->to,
                                        plan->reexec);
                else
                        r = text_printf(&head, "%s\n", action_names[action]);
                if (r < 0)
                        return r;
                crypto_hash_sha256_update(&state, (const unsigned char *) head, strlen(head));
                for (size_t i = 0; list && i < list->n; i++) {
                        const char *unit = list->entries[i].unit;

                        crypto_hash_sha256_update(&state, (const unsigned char *) unit,
                                                  strlen(unit) + 1);
                }
        }
        crypto_hash_sha256_final(&state, hash);
        (void) sodium_bin2hex(plan->digest, sizeof(plan->digest), hash, sizeof(hash));
        return 0;
}

static int add_notes(Plan *plan, const UnitPair *pair) {
        return string_list_copy(&plan->notes, &pair->notes);
}

/**
 * plan_new() - decide what a switch does
 * @input: loaded beforehand; nothing else is looked at
 * @ret:   owned by the caller; lists in order of unit names
 *
 * Source: the decisions of NixOS' switch-to-configuration for active units.
 *
 * Return: 0, -ENOMEM, or -EIO if the digest cannot be made.
 */
int plan_new(const PlanInput *input, Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        plan->from = strdup(input->from);
        plan->to = strdup(input->to);
        if (!plan->from || !plan->to)
                return -ENOMEM;
        plan->reexec = input->reexec;

        for (size_t i = 0; i < input->n_pairs; i++) {
                r = plan_unit(plan, input, &input->pairs[i]);
                if (r < 0)
                        return r;
                r = add_notes(plan, &input->pairs[i]);
                if (r < 0)
                        return r;
        }

        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                list_finish(&plan->lists[action]);
        r = make_digest(plan);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(plan);
        return 0;
}

/** plan_is_empty() - whether no unit is touched but targets that are started again each time. */
bool plan_is_empty(const Plan *plan) {
        if (plan->reexec)
                return false;
        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                for (size_t i = 0; i < plan->lists[action].n; i++)
                        if (!plan->lists[action].entries[i].hidden)
                                return false;
        return true;
}

/** plan_find() - what is decided for a unit, or NULL. */
const PlanEntry *plan_find(const Plan *plan, PlanAction action, const char *unit) {
        const PlanEntry wanted = { .unit = (char *) unit };
        const PlanList *list = &plan->lists[action];

        if (list->n == 0)
                return NULL;
        return bsearch(&wanted, list->entries, list->n, sizeof(wanted), compare_entries);
}

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;

        for (int action = 0; action < _PLAN_ACTION_MAX; action++) {
                for (size_t i = 0; i < plan->lists[action].n; i++)
                        entry_done(&plan->lists[action].entries[i]);
                free(plan->lists[action].entries);
        }
        string_list_done(&plan->notes);
        free(plan->from);
        free(plan->to);
        free(plan);
        return NULL;
}
