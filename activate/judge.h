#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "inventory.h"
#include "manager.h"
#include "plan.h"
#include "string-list.h"
#include "unit-facts.h"
#include "wellness.h"

typedef enum JudgeBefore {
        BEFORE_IDLE, /* not running, or not there */
        BEFORE_RAN,
        BEFORE_FAILED, /* or was in a restart loop */
} JudgeBefore;

typedef enum JudgeFinding {
        JUDGE_FINE,
        JUDGE_WAIT, /* it can't be said yet */
        JUDGE_BAD,
        JUDGE_UNKNOWN,       /* it can't be said at all */
        JUDGE_UNRELATED,     /* not well, and no business of the switch */
        JUDGE_FAILED_BEFORE, /* not well, and was not before */
} JudgeFinding;

/* All that a finding about one unit is made of. */
typedef struct JudgeUnit {
        Wellness now;
        JudgeBefore before;
        bool job_failed;   /* of the switch */
        bool touched;      /* by the switch, in any way */
        bool raised;       /* it was to run after that */
        bool required;     /* an active unit wants it */
        bool declared;     /* the system says that it must be active */
        uint32_t restarts; /* by systemd itself, since the switch began */
        bool young;        /* not up for as long as it is to be watched */
        bool late;         /* starting for longer than it may */
        bool hopeless;     /* it failed, and has not been restarted for long */
        bool over;         /* the window */
} JudgeUnit;

JudgeFinding judge_unit(const JudgeUnit *unit);
JudgeBefore judge_before(const InventoryUnit *unit, const UnitFacts *facts, uint64_t looked_usec,
                         uint64_t settled_usec);
uint32_t judge_restarts(const UnitFacts *before, const UnitFacts *now, bool anew);
bool judge_cares_for(const char *unit);
int judge_started(const Inventory *before, const Inventory *after, const Plan *plan,
                  StringList *started);
int judge_report(const Inventory *before, const Inventory *after, const Plan *plan,
                 Manager *manager, StringList *started, StringList *failed);
