#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "fstab.h"
#include "inventory.h"
#include "json.h"
#include "plan-rule.h"
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

#define PLAN_REASONS_MAX 100U /* keys named for one unit; more would tell nobody more */

/* Why: either a key that changed, or a rule. */
typedef struct PlanReason {
        PlanRule rule;
        char *file, *section, *key;
        StringList old, new;
} PlanReason;

typedef struct PlanEntry {
        char *unit;
        PlanReason *why;
        size_t n_why;
        bool hidden; /* of no interest to people: targets that are started again each time */
        bool late;   /* decided after the plan was agreed to, by what was found on the way */
} PlanEntry;

typedef struct PlanList {
        PlanEntry *entries; /* by unit name, each once */
        size_t n;
        size_t allocated;
} PlanList;

/* For one manager: the system's, with the users' below it, or a user's. */
typedef struct Plan Plan;
struct Plan {
        char *from, *to;
        char *user; /* whose manager; NULL: the system's */
        uid_t uid;
        bool reexec;
        StringList swapoff; /* devices that are swapped to and belong to the old system only */
        PlanList lists[_PLAN_ACTION_MAX];
        StringList sockets; /* that their targets start, and that come before all restarts */
        StringList migrate; /* a user's units that the system defines from now on */
        StringList renamed; /* "name old-name" of what goes on by another name, in order */
        StringList heirs;   /* the same of what is started in the place of what is gone */
        StringList hold;    /* automounts that must not be started: their places are mounted */
        StringList notes;
        Plan **users; /* by uid */
        size_t n_users;
        char digest[65]; /* SHA-256 in hexadecimal of all that is decided */
};

/* Units that an interrupted switch did not come to. */
typedef struct PlanLeftovers {
        StringList start, restart, reload;
} PlanLeftovers;

/* What a unit goes down with. */
typedef struct PlanNeeds {
        char *unit;
        StringList needs; /* by the old definitions: what it requires, itself */
        StringList bound; /* by the new one: systemd stops it at once where these do not run */
        bool goes_down;   /* found out of them all */
} PlanNeeds;

/* All that a plan is made of; plan_new() looks at nothing else. */
typedef struct PlanInput {
        const char *from, *to; /* the two toplevels */
        const char *user;      /* NULL: the system's manager */
        uid_t uid;
        const char *directory; /* where the manager finds the units that are ours */
        const Inventory *inventory;
        /* Of the running units that the system manages: what changed, all targets, and the services
         * of sockets that changed; ordered by id. */
        const UnitPair *pairs;
        size_t n_pairs;
        const UnitPair *named; /* of the units on lists, new definitions read; ordered by id */
        size_t n_named;
        const StringList *renamed;  /* "name old-name": what runs gets another name; in order */
        const StringList *heirs_of; /* "old-name name": what is gone had that name, too, and the
                                     * new system has a unit of it; in order */
        const UnitPair *heirs;      /* these; ordered by id */
        size_t n_heirs;
        const UnitPair *wanted_sockets; /* that are down, and that active targets want */
        size_t n_wanted_sockets;
        const Fstab *old_fstab, *new_fstab; /* may be NULL */
        const UnitPair *moved; /* of what the old fstab has: unit files of the new system; by id */
        size_t n_moved;
        bool bad_fstab;                  /* one of them could not be read */
        const PlanLeftovers *leftovers;  /* may be NULL */
        const StringList *migrate;       /* may be NULL */
        const StringList *cannot_reload; /* by the manager's own word, in order; may be NULL */
        bool reexec;                     /* the manager itself has changed */
} PlanInput;

bool plan_is_managed(const PlanInput *input, const InventoryUnit *unit);
const UnitPair *plan_find_pair(const PlanInput *input, const char *id);
void plan_leftovers_done(PlanLeftovers *leftovers);
int plan_new(const PlanInput *input, Plan **ret);
int plan_forecast_reloads(Plan *plan, const PlanInput *input, PlanNeeds *needs, size_t n);
int plan_add_user(Plan *plan, Plan *user);
bool plan_is_empty(const Plan *plan);
const PlanEntry *plan_find(const Plan *plan, PlanAction action, const char *unit);
const char *plan_old_name(const Plan *plan, const char *unit);
const char *plan_action_to_string(PlanAction action);
int plan_to_json(const Plan *plan, cJSON **ret_object);
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);
