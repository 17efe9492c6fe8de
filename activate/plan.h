#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "inventory.h"
#include "json.h"
#include "string-list.h"
#include "unit-pair.h"

/* What a switch does with a unit; lists are worked off in this order. */
typedef enum PlanAction {
        PLAN_STOP,
        PLAN_SKIP, /* changed, and left alone on purpose */
        PLAN_RELOAD,
        PLAN_RESTART,
        PLAN_START,
        _PLAN_ACTION_MAX,
} PlanAction;

/* Why: either a key that changed, or the name of a rule. */
typedef struct PlanReason {
        char *rule;
        char *file, *section, *key;
        StringList old, new;
} PlanReason;

typedef struct PlanEntry {
        char *unit;
        PlanReason *why;
        size_t n_why;
        bool hidden; /* of no interest to people: targets that are started again each time */
} PlanEntry;

typedef struct PlanList {
        PlanEntry *entries; /* by unit name, each once */
        size_t n;
        size_t allocated;
} PlanList;

typedef struct Plan {
        char *from, *to;
        bool reexec;
        PlanList lists[_PLAN_ACTION_MAX];
        StringList notes;
        char digest[65]; /* SHA-256 in hexadecimal of all that is decided */
} Plan;

/* All that a plan is made of; plan_new() looks at nothing else. */
typedef struct PlanInput {
        const char *from, *to; /* the two toplevels */
        const Inventory *inventory;
        const UnitPair *pairs; /* of the running units that the system manages, in any order */
        size_t n_pairs;
        bool reexec; /* the manager itself has changed */
} PlanInput;

int plan_new(const PlanInput *input, Plan **ret);
bool plan_is_empty(const Plan *plan);
const PlanEntry *plan_find(const Plan *plan, PlanAction action, const char *unit);
const char *plan_action_to_string(PlanAction action);
const char *plan_rule_to_text(const char *rule);
int plan_to_json(const Plan *plan, cJSON **ret_object);
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);
