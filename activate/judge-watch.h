#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "judge.h"
#include "manager.h"
#include "plan.h"
#include "string-list.h"
#include "unit-facts.h"
#include "verdict.h"

#define JUDGE_WINDOW_DEFAULT UINT64_MAX

/* What a switch did, what was before it, and how long what came of it is watched. */
typedef struct JudgeCase {
        const Inventory *before;
        const UnitFactsList *restarted_before; /* as judge_look_before() fills it */
        uint64_t before_usec;                  /* when that was */
        const Plan *plan;
        const StringList *failed_jobs;
        const StringList *declared;
        uint64_t window_usec;      /* JUDGE_WINDOW_DEFAULT: as long as the services ask for */
        uint64_t job_limit_usec;   /* for a unit that may start without end; 0: ten minutes */
        EventLog *log;             /* told of what is waited for */
        bool (*interrupted)(void); /* asked at least once a second */
        bool goes_on;              /* whatever that answers: there is nowhere to go back to */
} JudgeCase;

int judge_look_before(Manager *manager, const Inventory *before, UnitFactsList *restarted);
int judge_failed_before(const Inventory *before, const UnitFactsList *restarted,
                        uint64_t looked_usec, StringList *failed);
uint64_t judge_watch_usec(uint64_t window_usec);
int judge_watch(const JudgeCase *c, Manager *manager, Verdict *verdict, sd_bus_error *reterr_error);
