#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "inventory.h"
#include "manager.h"
#include "plan.h"
#include "string-list.h"

/* What a switch did, and what was before it. */
typedef struct JudgeCase {
        const Inventory *before;
        const Plan *plan;
        const StringList *failed_jobs;
        uint64_t window_usec; /* how long the units are watched before the verdict */
} JudgeCase;

/* What the judge saw. @bad condemns; what failed for itself meanwhile does not. */
typedef struct Verdict {
        Inventory after;
        StringList bad, unrelated, started;
} Verdict;

int judge_units(const JudgeCase *c, const Inventory *after, StringList *suspects);
int judge_started(const Inventory *before, const Inventory *after, StringList *started);
int judge_weigh(const JudgeCase *c, Manager *manager, Verdict *verdict, sd_bus_error *reterr_error);
int judge_report(const Inventory *before, const Inventory *after, Manager *manager,
                 StringList *started, StringList *failed);
void verdict_done(Verdict *verdict);
