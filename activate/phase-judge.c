/*
 * Judgement: whether what was activated is good. A rollback is judged as well, with the same
 * patience; what the new system declares does not bind the old one.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "judge-watch.h"
#include "transaction-phases.h"
#include "unit-report.h"

/* What systemd had to restart already, and what was not well: that is in the record, too. */
int judge_take_failing(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        t->before_usec = clock_monotonic_usec();
        r = judge_look_before(t->manager, &t->way.state.inventory, &t->restarted_before);
        if (r >= 0)
                r = judge_failed_before(&t->way.state.inventory, &t->restarted_before,
                                        t->before_usec, &t->record.failing);
        return r < 0 ? sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot ask systemd how the units are: %s", strerror(-r)) :
                       0;
}

/* "before" of the judge: that, and which probes fail already. */
int judge_take_before(Transaction *t, sd_bus_error *reterr_error) {
        int r = judge_take_failing(t, reterr_error);

        return r < 0 ? r :
                       transaction_ask_probes(t, "before", t->old ? t->old->path : t->new->path,
                                              &t->probes_before, reterr_error);
}

static void tell_verdict(Transaction *t, const Verdict *verdict, const cJSON *evidence) {
        cJSON *event = event_new("verdict"), *item;

        event_say_units(t->log, "started", NULL, &verdict->started);
        event_say_units(t->log, "unrelated", NULL, &verdict->unrelated);
        event_say_units(t->log, "failed-before", NULL, &verdict->failed_before);
        event_add_text(event, "text", verdict_to_string(verdict));
        cJSON_ArrayForEach(item, evidence) {
                if (event)
                        (void) cJSON_AddItemReferenceToObject(event, item->string, (cJSON *) item);
        }
        event_emit(t->log, event);
}

/* Of a rollback it lies within that of the switch. */
static int keep_evidence(Transaction *t, const Way *way, const Verdict *verdict,
                         const ProbeOutcomes *probes) {
        _cleanup_(cJSON_Deletep) cJSON *evidence = NULL;
        int r;

        r = verdict_to_json(verdict, &evidence);
        if (r >= 0)
                r = transaction_add_probes(t, probes, evidence);
        if (r < 0)
                return r;
        tell_verdict(t, verdict, evidence);
        if (way == &t->way) {
                cJSON_Delete(t->record.evidence);
                t->record.evidence = TAKE_PTR(evidence);
                return 0;
        }
        if (!t->record.evidence)
                t->record.evidence = cJSON_CreateObject();
        if (!cJSON_AddItemToObject(t->record.evidence, "rollback", evidence))
                return -ENOMEM;
        TAKE_PTR(evidence);
        return 0;
}

/* The last words of each unit; those of a failed job were told when it failed, or why there was
 * none. */
static void tell_failures(Transaction *t, const Way *way, const StringList *units) {
        for (size_t i = 0; i < units->n; i++)
                if (!string_list_contains(&way->failed_jobs, units->items[i]) &&
                    !string_list_contains(&way->told, units->items[i]))
                        unit_report_failure(t->log, t->manager, units->items[i]);
}

static int condemn(const Verdict *verdict, sd_bus_error *reterr_error) {
        bool one = verdict->bad.n + (verdict->bad.n == 0 ? verdict->unknown.n : 0) == 1;
        _cleanup_free_ char *names = NULL;
        int r;

        if (verdict->bad.n > 0 && verdict->failed) {
                r = string_list_join(&verdict->bad, ", ", &names);
                if (r < 0)
                        return r;
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_UNITS_FAILED, "%s failed: %s",
                                         one ? "A unit" : "Units", names);
        }
        if (verdict->failed_probes.n > 0) {
                r = string_list_join(&verdict->failed_probes, ", ", &names);
                if (r < 0)
                        return r;
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_PROBE_FAILED, "%s failed: %s",
                                         verdict->failed_probes.n == 1 ? "A probe" : "Probes",
                                         names);
        }
        r = verdict_describe(verdict, verdict->bad.n > 0 ? &verdict->bad : &verdict->unknown,
                             &names);
        if (r < 0)
                return r;
        if (verdict->bad.n > 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_UNITS_FAILED, "%s not well: %s",
                                         one ? "A unit is" : "Units are", names);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_COULD_NOT_TELL,
                                 "Could not tell whether %s well: %s",
                                 one ? "a unit is" : "units are", names);
}

/* Where the units have decided nobody need be asked; after a rollback the answers decide nothing.
 */
static int judge_probes(Transaction *t, const Way *way, Verdict *verdict, ProbeOutcomes *outcomes,
                        sd_bus_error *reterr_error) {
        const bool forwards = way == &t->way && !t->recovers;
        int r;

        if (!forwards)
                return transaction_ask_probes(t, "rollback", way->plan->to, outcomes, reterr_error);
        if (verdict->bad.n > 0 || verdict->unknown.n > 0)
                return 0;
        r = transaction_ask_probes(t, "after", t->new->path, outcomes, reterr_error);
        return r < 0 ? r : transaction_failed_probes(t, outcomes, &verdict->failed_probes);
}

static uint64_t window_usec(const Transaction *t) {
        return t->settings.has_window ? t->settings.window_usec : JUDGE_WINDOW_DEFAULT;
}

/* Sets the deadline; the record that is written next holds it. */
void judge_begin(Transaction *t) {
        t->record.judge_deadline = clock_monotonic_usec() + judge_watch_usec(window_usec(t));
}

/* Judges what runs now against what ran before; the sentence names the units. */
int transaction_judge(Transaction *t, const Way *way, sd_bus_error *reterr_error) {
        static const StringList none = { 0 };
        const Settings *settings = &t->settings;
        const JudgeCase c = {
                .before = t->recovers ? &way->state.inventory : &t->way.state.inventory,
                .restarted_before = &t->restarted_before,
                .before_usec = t->before_usec,
                .plan = way->plan,
                .failed_jobs = &way->failed_jobs,
                .declared = way == &t->way ? &settings->units : &none,
                .window_usec = window_usec(t),
                .job_limit_usec = transaction_job_limit_usec(t),
                .log = t->log,
                .interrupted = t->interrupted,
                .goes_on = way != &t->way,
        };
        _cleanup_(probe_outcomes_done) ProbeOutcomes probes = { 0 };
        _cleanup_(verdict_done) Verdict verdict = { 0 };
        int r;

        t->activated_usec = clock_monotonic_usec();
        r = judge_watch(&c, t->manager, &verdict, reterr_error);
        if (r >= 0)
                r = judge_probes(t, way, &verdict, &probes, reterr_error);
        if (r >= 0)
                r = keep_evidence(t, way, &verdict, &probes);
        if (r < 0 || (verdict.bad.n == 0 && verdict.unknown.n == 0 && verdict.failed_probes.n == 0))
                return r;
        tell_failures(t, way, &verdict.bad);
        return condemn(&verdict, reterr_error);
}

int judge_enter(Transaction *t, sd_bus_error *reterr_error) {
        if (!t->activates)
                return 0;
        return transaction_judge(t, &t->way, reterr_error);
}
