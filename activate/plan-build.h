#pragma once

#include "plan.h"
#include "unit-diff.h"

/* What the rules share while a plan is made; only the plan's own files include this. */
typedef struct PlanBuild {
        Plan *plan;
        PlanList *lists; /* those of @plan, or what is added to them afterwards */
        const PlanInput *input;
        bool late;   /* the time to stop units is over */
        bool moving; /* a unit comes from elsewhere: it alone is renewed, and be it a socket */
} PlanBuild;

/* Why a rule is looked at: a unit, what changed of it, and what brought us to it. */
typedef struct PlanCause {
        const UnitPair *pair;
        const UnitDiff *diff; /* may be NULL */
        PlanRule rule;
} PlanCause;

/* plan.c */
int plan_decide(PlanBuild *build, PlanAction action, const char *unit, const PlanCause *cause,
                PlanRule rule);
int plan_decide_because(PlanBuild *build, PlanAction action, const char *unit, PlanReason *reason);
void plan_reason_done(PlanReason *reason);
int plan_note(PlanBuild *build, const char *format, ...) _printf_(2, 3);
void plan_settle(Plan *plan);
int plan_make_digest(Plan *plan);
int plan_take_lists(Plan *plan, PlanList lists[static _PLAN_ACTION_MAX]);
void plan_forget(Plan *plan, PlanAction action, const char *unit);

/* plan-unit.c */
int plan_build_unit(PlanBuild *build, const UnitPair *pair);
int plan_build_restart(PlanBuild *build, const PlanCause *cause);
int plan_build_reload(PlanBuild *build, const PlanCause *cause);
int plan_build_wanted_socket(PlanBuild *build, const UnitPair *socket);
const UnitPair *plan_find_moved(const PlanInput *input, const char *id);
PlanRule plan_gone_rule(const UnitPair *pair);
PlanRule plan_start_refusal(const UnitPair *pair);
bool plan_is_left_to_sockets(const PlanInput *input, const UnitPair *pair);

/* plan-names.c */
bool plan_is_merged(const PlanInput *input, const UnitPair *pair);
const char *plan_find_heir(const PlanInput *input, const char *unit, size_t *i);
int plan_build_names(Plan *plan, const PlanInput *input);

/* plan-fstab.c */
int plan_build_fstab(PlanBuild *build);
int plan_build_to_fstab(PlanBuild *build, const UnitPair *pair);
bool plan_is_in_fstab(const PlanInput *input, const char *unit);
bool plan_mount_stays(const char *unit);

/* plan-listed.c */
int plan_build_leftovers(PlanBuild *build, const PlanLeftovers *leftovers);
int plan_start_again(PlanBuild *build, const char *unit, PlanRule rule);
