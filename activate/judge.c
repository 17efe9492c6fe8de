/*
 * The judge: whether a switch is good. A unit counts against it if it was well before, the switch
 * touched it or the configuration requires it, and it is not well now. What had failed already, or
 * has nothing to do with the switch, is reported and condemns nothing. docs/judge.md is the law.
 */
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "judge.h"
#include "text.h"

#define RESTARTS_ALLOWED 1U /* a service may come up at its second attempt; more is a loop */

/* With regard to a unit that is not what it should be. */
static JudgeFinding condemn(const JudgeUnit *unit, bool concerned) {
        return unit->before == BEFORE_FAILED ? JUDGE_FAILED_BEFORE :
               concerned                     ? JUDGE_BAD :
                                               JUDGE_UNRELATED;
}

static JudgeFinding judge_well(const JudgeUnit *unit) {
        if (unit->job_failed)
                return condemn(unit, /* concerned= */ true);
        if (unit->declared && unit->now != WELLNESS_ACTIVE)
                return unit->over ? condemn(unit, /* concerned= */ true) : JUDGE_WAIT;
        return unit->young && unit->before != BEFORE_FAILED ? JUDGE_WAIT : JUDGE_FINE;
}

/* It came and went, or somebody else ended it: only what ran, and should still, is missed. */
static JudgeFinding judge_ended(const JudgeUnit *unit) {
        bool missed = unit->before == BEFORE_RAN && (unit->raised || !unit->touched) &&
                      (unit->raised || unit->required);

        if (unit->job_failed)
                return condemn(unit, /* concerned= */ true);
        if (!missed && !unit->declared)
                return JUDGE_FINE;
        return unit->over ? condemn(unit, /* concerned= */ true) : JUDGE_WAIT;
}

/* Nobody waits for what condemns nothing. */
static JudgeFinding judge_restarting(const JudgeUnit *unit, bool concerned) {
        if (unit->before == BEFORE_FAILED || unit->restarts >= RESTARTS_ALLOWED || unit->hopeless)
                return condemn(unit, concerned);
        return concerned ? JUDGE_WAIT : JUDGE_FINE;
}

/**
 * judge_unit() - what a unit says about the switch
 *
 * JUDGE_WAIT is not answered for ever: once the window is @over only for a unit that is @young,
 * which ends by itself, or starting and not @late.
 */
JudgeFinding judge_unit(const JudgeUnit *unit) {
        bool concerned = unit->job_failed || unit->touched || unit->required || unit->declared;

        if (unit->restarts > RESTARTS_ALLOWED && unit->now != WELLNESS_MASKED)
                return condemn(unit, concerned);
        switch (unit->now) {
        case WELLNESS_ACTIVE:
        case WELLNESS_FINISHED:
        case WELLNESS_CONDITION:
        case WELLNESS_IDLE:
        case WELLNESS_MASKED:
                return judge_well(unit);
        case WELLNESS_STARTING:
                if (!concerned || unit->before == BEFORE_FAILED)
                        return JUDGE_FINE;
                return unit->job_failed || unit->late ? JUDGE_UNKNOWN : JUDGE_WAIT;
        case WELLNESS_RESTARTING:
                return judge_restarting(unit, concerned);
        case WELLNESS_ENDED:
        case WELLNESS_MISSING:
                return judge_ended(unit);
        case WELLNESS_FAILED:
                return condemn(unit, concerned);
        case _WELLNESS_MAX:
                break;
        }
        return JUDGE_FINE;
}

/**
 * judge_before() - how a unit was before the switch
 * @unit:         NULL: it was not loaded
 * @facts:        if systemd had restarted it before; else NULL
 * @looked_usec:  when that was seen
 * @settled_usec: how long one must run that is not in a loop
 */
JudgeBefore judge_before(const InventoryUnit *unit, const UnitFacts *facts, uint64_t looked_usec,
                         uint64_t settled_usec) {
        if (!unit)
                return BEFORE_IDLE;
        if (strcmp(unit->active, "failed") == 0 || text_after_prefix(unit->sub, "auto-restart"))
                return BEFORE_FAILED;
        if (facts && facts->restarts > RESTARTS_ALLOWED &&
            facts->active_usec + settled_usec > looked_usec)
                return BEFORE_FAILED;
        return inventory_unit_runs(unit) || strcmp(unit->active, "reloading") == 0 ? BEFORE_RAN :
                                                                                     BEFORE_IDLE;
}

/**
 * judge_restarts() - how often systemd restarted a service by itself since the switch began
 * @before: what it had counted then; NULL: nothing
 * @anew:   whether the switch started or restarted it, which begins a new count
 */
uint32_t judge_restarts(const UnitFacts *before, const UnitFacts *now, bool anew) {
        if (!before)
                return now->restarts;
        if (sd_id128_equal(before->invocation, now->invocation))
                return 0;
        return anew || now->restarts < before->restarts ? now->restarts :
                                                          now->restarts - before->restarts;
}

/** judge_cares_for() - whether a unit is of no kind that comes and goes by itself, and not our own.
 */
bool judge_cares_for(const char *unit) {
        static const char *const dull[] = { ".device", ".scope", ".slice", ".target" };

        for (size_t i = 0; i < ELEMENTSOF(dull); i++)
                if (text_has_suffix(unit, dull[i]))
                        return false;
        return !text_after_prefix(unit, DEAD_MAN_PREFIX) && strcmp(unit, BOOT_CHECK_UNIT) != 0;
}

/* By whichever name: one that has another name now is no new unit. */
static bool was_active(const Inventory *before, const Plan *plan, const char *unit) {
        return inventory_unit_is_active(inventory_find(before, unit)) ||
               inventory_unit_is_active(inventory_find(before, plan_old_name(plan, unit)));
}

/**
 * judge_started() - which units run now and did not before, in order of names
 * @plan: what was done meanwhile
 *
 * Return: 0 or -ENOMEM.
 */
int judge_started(const Inventory *before, const Inventory *after, const Plan *plan,
                  StringList *started) {
        for (size_t i = 0; i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];
                int r;

                if (!judge_cares_for(unit->id) || !inventory_unit_runs(unit) ||
                    was_active(before, plan, unit->id))
                        continue;
                r = string_list_add(started, unit->id);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* In the drop-in's sense: failed, or about to be started again after a failure. */
static bool has_failed(Manager *manager, const InventoryUnit *unit) {
        int32_t status;

        if (strcmp(unit->active, "failed") == 0)
                return true;
        return text_has_suffix(unit->id, ".service") &&
               text_after_prefix(unit->sub, "auto-restart") &&
               manager_exit_status_of(manager, unit->id, &status) >= 0 && status != 0;
}

/**
 * judge_report() - what NixOS' own program says in the end: new units and failed ones, whoever
 * caused it
 *
 * Return: 0 or -ENOMEM.
 */
int judge_report(const Inventory *before, const Inventory *after, const Plan *plan,
                 Manager *manager, StringList *started, StringList *failed) {
        for (size_t i = 0; i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];
                int r = 0;

                if (!inventory_unit_is_active(unit))
                        continue;
                if (has_failed(manager, unit))
                        r = string_list_add(failed, unit->id);
                else if (!was_active(before, plan, unit->id) &&
                         !text_has_suffix(unit->id, ".scope"))
                        r = string_list_add(started, unit->id);
                if (r < 0)
                        return r;
        }
        return 0;
}
