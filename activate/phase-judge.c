/* Judgement: whether what was activated is good. A rollback is judged as well. */
#include "clock.h"
#include "error.h"
#include "judge.h"
#include "transaction-phases.h"
#include "unit-report.h"

#define JUDGE_WINDOW_USEC (2 * USEC_PER_SEC)

/* Judges what runs now against what ran before; the sentence names the units. */
int transaction_judge(Transaction *t, const Way *way, sd_bus_error *reterr_error) {
        const JudgeCase c = {
                .before = t->recovers ? &way->state.inventory : &t->way.state.inventory,
                .plan = way->plan,
                .failed_jobs = &way->failed_jobs,
                .window_usec = JUDGE_WINDOW_USEC,
        };
        _cleanup_(verdict_done) Verdict verdict = { 0 };
        _cleanup_free_ char *names = NULL;
        int r;

        r = judge_weigh(&c, t->manager, &verdict, reterr_error);
        if (r < 0)
                return r;
        event_say_units(t->log, "started", NULL, &verdict.started);
        event_say_units(t->log, "unrelated", NULL, &verdict.unrelated);
        if (verdict.bad.n == 0)
                return 0;

        for (size_t i = 0; i < verdict.bad.n; i++)
                if (!string_list_contains(&way->failed_jobs, verdict.bad.items[i]))
                        unit_report_failure(t->log, t->manager, verdict.bad.items[i]);
        r = string_list_join(&verdict.bad, ", ", &names);
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_UNITS_FAILED, "%s failed: %s",
                                 verdict.bad.n == 1 ? "A unit" : "Units", names);
}

int judge_enter(Transaction *t, sd_bus_error *reterr_error) {
        if (!t->activates)
                return 0;
        return transaction_judge(t, &t->way, reterr_error);
}
