/*
 * Watching: what was started is looked at again and again until it can be said how it is. What is
 * bad is not watched any longer; where nothing was started there is nothing to watch.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "job-limit.h"
#include "judge-watch.h"
#include "text.h"

#define WINDOW_USEC        (2 * USEC_PER_SEC)
#define SETTLED_USEC       (10 * USEC_PER_SEC) /* so long a service runs that is in no loop */
#define PAUSE_USEC         (250 * USEC_PER_MSEC)
#define PAUSE_LONGEST_USEC (1 * USEC_PER_SEC)
#define TELL_PAUSE_USEC    (5 * USEC_PER_SEC)
#define START_MARGIN_USEC  (5 * USEC_PER_SEC) /* systemd ends it itself when its time is over */
#define SILENCE_USEC       (5 * 60 * USEC_PER_SEC) /* longer than systemd may take to answer */
#define START_ENDLESS_USEC (600 * USEC_PER_SEC)

/* What is waited for, of all that is: the one that will take the longest. */
typedef struct Wait {
        const char *job;
        char unit[256];
        uint64_t since_usec, until_usec;
} Wait;

typedef struct Watch {
        const JudgeCase *c;
        Manager *manager;
        Verdict *verdict;
        uint64_t begun_usec, now_usec, told_usec;
        bool over; /* the window */
        bool waits;
        Wait wait;
        StringList seen_restarting;
        UnitFactsList facts;
} Watch;

static uint64_t window(uint64_t window_usec) {
        return window_usec == JUDGE_WINDOW_DEFAULT ? WINDOW_USEC : window_usec;
}

static uint64_t settled(uint64_t window_usec) {
        return window_usec < SETTLED_USEC ? window_usec : SETTLED_USEC;
}

static uint64_t window_of(const JudgeCase *c) {
        return window(c->window_usec);
}

static uint64_t settled_of(const JudgeCase *c) {
        return settled(c->window_usec);
}

/**
 * judge_watch_usec() - how long at most units are watched that are not starting any more
 * @window_usec: as in JudgeCase
 */
uint64_t judge_watch_usec(uint64_t window_usec) {
        return window(window_usec) + settled(window_usec);
}

static bool plan_has(const Plan *plan, PlanAction first, const char *unit) {
        for (int action = first; action < _PLAN_ACTION_MAX; action++)
                if (action != PLAN_SKIP && plan_find(plan, action, unit))
                        return true;
        return false;
}

/* A unit that has another name now was worked with by the one that it had. */
static bool plan_has_either(const Plan *plan, PlanAction first, const char *unit) {
        return plan_has(plan, first, unit) || plan_has(plan, first, plan_old_name(plan, unit));
}

static bool is_touched(const JudgeCase *c, const char *unit) {
        return plan_has_either(c->plan, PLAN_STOP, unit);
}

/* Whether it was to run after the switch: it was not only stopped. */
static bool is_raised(const Watch *w, const char *unit) {
        return plan_has_either(w->c->plan, PLAN_RELOAD, unit) ||
               string_list_has_sorted(&w->verdict->started, unit);
}

static bool is_started_anew(const Watch *w, const char *unit) {
        return plan_has_either(w->c->plan, PLAN_RESTART, unit) ||
               string_list_has_sorted(&w->verdict->started, unit);
}

static bool is_required(const Watch *w, const UnitFacts *facts) {
        for (size_t i = 0; i < facts->wanted_by.n; i++)
                if (inventory_unit_runs(
                            inventory_find(&w->verdict->after, facts->wanted_by.items[i])))
                        return true;
        return false;
}

/* An early end of it would not be seen: it is up again at once, or has told nobody that it is up.
 */
static bool hides_its_end(const UnitFacts *facts) {
        return (strcmp(facts->type, "simple") == 0 || strcmp(facts->type, "exec") == 0) &&
               *facts->restart && strcmp(facts->restart, "no") != 0;
}

static uint64_t young_until(const Watch *w, const UnitFacts *facts, const JudgeUnit *unit) {
        bool watched =
                w->c->window_usec == JUDGE_WINDOW_DEFAULT && unit->touched && hides_its_end(facts);

        if (unit->now != WELLNESS_ACTIVE || (!watched && unit->restarts == 0))
                return 0;
        return facts->active_usec + settled_of(w->c);
}

/* The timeout counts anew for each command; how many there are is asked when one is not enough. */
static uint64_t late_at(const Watch *w, const UnitFacts *facts) {
        uint64_t endless = w->c->job_limit_usec > 0 ? w->c->job_limit_usec : START_ENDLESS_USEC;
        uint64_t once;

        if (strcmp(facts->active, "activating") != 0 || facts->start_limit_usec == UINT64_MAX ||
            facts->start_limit_usec == 0)
                return w->begun_usec + endless;
        once = facts->start_usec + facts->start_limit_usec + START_MARGIN_USEC;
        if (w->now_usec < once)
                return once;
        return facts->start_usec + job_limit_of(w->manager, facts->id, "start");
}

/* When a service that failed must have been restarted. */
static uint64_t hopeless_at(const Watch *w) {
        return w->begun_usec + judge_watch_usec(w->c->window_usec);
}

static JudgeUnit unit_of(const Watch *w, const UnitFacts *facts) {
        const JudgeCase *c = w->c;
        const char *old_name = plan_old_name(c->plan, facts->id);
        const UnitFacts *before = unit_facts_find(c->restarted_before, old_name);
        JudgeUnit unit = {
                .now = wellness_of(facts, &w->verdict->after),
                .before = judge_before(inventory_find(c->before, old_name), before, c->before_usec,
                                       SETTLED_USEC),
                .job_failed = string_list_contains(c->failed_jobs, facts->id),
                .touched = is_touched(c, facts->id) || is_raised(w, facts->id),
                .raised = is_raised(w, facts->id),
                .required = is_required(w, facts),
                .declared = string_list_contains(c->declared, facts->id),
                .late = w->now_usec >= late_at(w, facts),
                .hopeless = w->now_usec >= hopeless_at(w),
                .over = w->over,
        };

        /* A oneshot that has done its work, at whichever attempt, is in no loop. */
        if (strcmp(facts->type, "oneshot") != 0 || !wellness_is_well(unit.now))
                unit.restarts = judge_restarts(before, facts, is_started_anew(w, facts->id));
        /* One that is counted and has only been asked for yet. */
        if (unit.now == WELLNESS_RESTARTING && facts->has_job && unit.restarts > 0)
                unit.restarts--;
        unit.young = w->now_usec < young_until(w, facts, &unit);
        return unit;
}

static int explain(Watch *w, const UnitFacts *facts, const JudgeUnit *unit) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (unit->job_failed && wellness_is_well(unit->now))
                r = text_printf(&why, "%s, but its job failed", wellness_to_string(unit->now));
        else if (unit->restarts > 0)
                r = text_printf(&why, "%s; restarted %u time%s since the switch",
                                wellness_to_string(unit->now), unit->restarts,
                                unit->restarts == 1 ? "" : "s");
        else if (unit->now == WELLNESS_FAILED && *facts->result)
                r = text_printf(&why, "failed: %s", facts->result);
        else if (unit->now == WELLNESS_STARTING && strcmp(facts->active, "activating") == 0)
                r = text_printf(&why, "is still starting after %llu s",
                                (unsigned long long) ((w->now_usec - facts->start_usec) /
                                                      USEC_PER_SEC));
        else
                r = text_printf(&why, "%s", wellness_to_string(unit->now));
        return r < 0 ? r : verdict_add_why(w->verdict, facts->id, why);
}

static void wait_for(Watch *w, const UnitFacts *facts, const JudgeUnit *unit) {
        bool starts = unit->now == WELLNESS_STARTING;
        uint64_t until = starts                           ? late_at(w, facts) :
                         unit->young                      ? facts->active_usec + settled_of(w->c) :
                         unit->now == WELLNESS_RESTARTING ? hopeless_at(w) :
                                                            w->begun_usec + window_of(w->c);

        if (w->waits && until <= w->wait.until_usec)
                return;
        w->waits = true;
        w->wait = (Wait){
                .job = starts ? "start" : "settle",
                .since_usec = starts ? facts->start_usec : w->begun_usec,
                .until_usec = until,
        };
        (void) strncpy(w->wait.unit, facts->id, sizeof(w->wait.unit) - 1);
}

/* Whether a unit is down without having failed: then it did not fail, but it is missed. */
static bool only_missed(const JudgeUnit *unit) {
        return !unit->job_failed && (unit->now == WELLNESS_ENDED || unit->now == WELLNESS_MISSING ||
                                     (wellness_is_well(unit->now) && unit->restarts == 0));
}

static int find(Watch *w, const UnitFacts *facts) {
        const JudgeUnit unit = unit_of(w, facts);
        Verdict *verdict = w->verdict;
        StringList *list;

        switch (judge_unit(&unit)) {
        case JUDGE_WAIT:
                wait_for(w, facts, &unit);
                return 0;
        case JUDGE_BAD:
                verdict->failed = verdict->failed || !only_missed(&unit);
                list = &verdict->bad;
                break;
        case JUDGE_UNKNOWN:
                list = &verdict->unknown;
                break;
        case JUDGE_UNRELATED:
                list = &verdict->unrelated;
                break;
        case JUDGE_FAILED_BEFORE:
                list = &verdict->failed_before;
                break;
        case JUDGE_FINE:
        default:
                return 0;
        }
        return string_list_add(list, facts->id) < 0 ? -ENOMEM : explain(w, facts, &unit);
}

/* Whether its state alone says that nothing more need be asked. */
static bool is_up(const InventoryUnit *unit) {
        return unit &&
               (strcmp(unit->active, "active") == 0 || strcmp(unit->active, "reloading") == 0);
}

static bool is_in_trouble(const InventoryUnit *unit) {
        return strcmp(unit->active, "failed") == 0 || text_after_prefix(unit->sub, "auto-restart");
}

/* Of those that are loaded: which to ask about, all or only how they run. */
static int choose_loaded(Watch *w, StringList *all, StringList *run) {
        const Inventory *after = &w->verdict->after;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];
                bool restarting = text_after_prefix(unit->sub, "auto-restart");

                if (*unit->following)
                        continue;
                if (restarting && !string_list_contains(&w->seen_restarting, unit->id))
                        r = string_list_add(&w->seen_restarting, unit->id);
                if (r < 0)
                        break;
                if (is_in_trouble(unit) || string_list_contains(&w->seen_restarting, unit->id))
                        r = string_list_add(all, unit->id);
                else if (is_up(unit)) {
                        if (text_has_suffix(unit->id, ".service") && is_raised(w, unit->id))
                                r = string_list_add(run, unit->id);
                } else if (judge_cares_for(unit->id) &&
                           (strcmp(unit->active, "inactive") != 0 || is_raised(w, unit->id)))
                        r = string_list_add(all, unit->id);
        }
        return r;
}

/* What ran before and does not now, unless it was to go. */
static int choose_gone(const Watch *w, StringList *all) {
        const Inventory *before = w->c->before;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < before->n; i++) {
                const InventoryUnit *unit = &before->units[i], *now;

                if (!inventory_unit_runs(unit) || !judge_cares_for(unit->id))
                        continue;
                now = inventory_find(&w->verdict->after, unit->id);
                if (now && strcmp(now->active, "inactive") != 0)
                        continue;
                if (is_touched(w->c, unit->id) && !is_raised(w, unit->id))
                        continue;
                r = string_list_add(all, unit->id);
        }
        return r;
}

static int add_all(StringList *to, const StringList *from) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < from->n; i++)
                r = string_list_add(to, from->items[i]);
        return r;
}

static int ask_and_find(Watch *w, StringList *units, UnitFactsDepth depth) {
        int r;

        string_list_sort_unique(units);
        r = unit_facts_read(w->manager, units, depth, &w->facts);
        for (size_t i = 0; r >= 0 && i < w->facts.n; i++)
                r = find(w, &w->facts.items[i]);
        unit_facts_list_done(&w->facts);
        return r;
}

/* What has been found already is not found twice. */
static int take_out(const StringList *list, const StringList *found, StringList *rest) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                if (!string_list_contains(found, list->items[i]))
                        r = string_list_add(rest, list->items[i]);
        return r;
}

static int sort_out(Watch *w) {
        _cleanup_(string_list_done) StringList all = { 0 }, up = { 0 }, run = { 0 };
        int r;

        r = judge_started(w->c->before, &w->verdict->after, w->c->plan, &w->verdict->started);
        if (r >= 0)
                r = add_all(&all, w->c->failed_jobs);
        if (r >= 0)
                r = add_all(&all, w->c->declared);
        if (r >= 0)
                r = choose_loaded(w, &all, &up);
        if (r >= 0)
                r = choose_gone(w, &all);
        if (r >= 0)
                r = ask_and_find(w, &all, UNIT_FACTS_ALL);
        if (r >= 0)
                r = take_out(&up, &all, &run);
        return r < 0 ? r : ask_and_find(w, &run, UNIT_FACTS_RUN);
}

static int look(Watch *w, sd_bus_error *reterr_error) {
        int r;

        verdict_done(w->verdict);
        w->waits = false;
        w->now_usec = clock_monotonic_usec();
        w->over = w->now_usec >= w->begun_usec + window_of(w->c);
        r = manager_units(w->manager, &w->verdict->after, reterr_error);
        if (r < 0)
                return r;
        r = sort_out(w);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot ask systemd how the units are: %s", strerror(-r));
        return 0;
}

/* Somebody may have systemd execute itself anew meanwhile. */
static int look_again(Watch *w, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = look(w, &error);
        if (r >= 0 || manager_reconnect(w->manager) < 0) {
                (void) sd_bus_error_move(reterr_error, &error);
                return r;
        }
        return look(w, reterr_error);
}

static void tell_wait(Watch *w) {
        cJSON *event;

        if (!w->waits || w->now_usec - w->told_usec < TELL_PAUSE_USEC)
                return;
        w->told_usec = w->now_usec;
        event = event_new("wait");
        event_add_text(event, "job", w->wait.job);
        event_add_text(event, "unit", w->wait.unit);
        event_add_number(event, "seconds",
                         (double) ((w->now_usec - w->wait.since_usec) / USEC_PER_SEC));
        event_add_number(event, "limit",
                         (double) ((w->wait.until_usec - w->wait.since_usec) / USEC_PER_SEC));
        event_emit(w->c->log, event);
}

/* Where there are very many units, looking at them is most of what the host does: then less often.
 */
static void pause_between(uint64_t look_usec) {
        uint64_t pause = look_usec > PAUSE_USEC ? PAUSE_LONGEST_USEC : PAUSE_USEC;

        (void) poll(NULL, 0, (int) (pause / USEC_PER_MSEC));
}

static bool nothing_to_watch(const Watch *w) {
        return w->verdict->started.n == 0 && plan_is_empty(w->c->plan);
}

static int watch(Watch *w, sd_bus_error *reterr_error) {
        for (;;) {
                int r;

                if (w->c->interrupted() && !w->c->goes_on)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                                 "The switch was told to stop");
                event_log_expect(w->c->log, SILENCE_USEC);
                r = look_again(w, reterr_error);
                if (r < 0 || w->verdict->bad.n > 0)
                        return r;
                if (!w->over && nothing_to_watch(w))
                        w->begun_usec -= window_of(w->c); /* so it is over now */
                else if (w->over && !w->waits)
                        return 0;
                else {
                        tell_wait(w);
                        pause_between(clock_monotonic_usec() - w->now_usec);
                }
        }
}

/**
 * judge_watch() - watch the units until it can be said which of them condemn the switch
 * @verdict: all zero before; verdict_done() even after an error
 *
 * It ends: a unit is waited for until its window, its own timeout or its tenth second is over.
 *
 * Return: 0, or a negative errno with @reterr_error set; then nothing can be said.
 */
int judge_watch(const JudgeCase *c, Manager *manager, Verdict *verdict,
                sd_bus_error *reterr_error) {
        Watch w = {
                .c = c,
                .manager = manager,
                .verdict = verdict,
                .begun_usec = clock_monotonic_usec(),
        };
        int r;

        w.told_usec = w.begun_usec;
        r = watch(&w, reterr_error);
        string_list_done(&w.seen_restarting);
        return r;
}

/**
 * judge_look_before() - which services systemd had restarted already
 * @before:    the units of this moment
 * @restarted: all zero before; unit_facts_list_done() even after an error
 *
 * Return: 0, -ENOMEM, or an error of the connection.
 */
int judge_look_before(Manager *manager, const Inventory *before, UnitFactsList *restarted) {
        _cleanup_(string_list_done) StringList services = { 0 }, found = { 0 };
        _cleanup_(unit_facts_list_done) UnitFactsList counts = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < before->n; i++)
                if (text_has_suffix(before->units[i].id, ".service") &&
                    inventory_unit_is_active(&before->units[i]))
                        r = string_list_add(&services, before->units[i].id);
        if (r >= 0)
                r = unit_facts_read(manager, &services, UNIT_FACTS_RESTARTS, &counts);
        for (size_t i = 0; r >= 0 && i < counts.n; i++)
                if (counts.items[i].restarts > 0)
                        r = string_list_add(&found, counts.items[i].id);
        return r < 0 ? r : unit_facts_read(manager, &found, UNIT_FACTS_RUN, restarted);
}

/**
 * judge_failed_before() - which units had failed before, or were about to
 * @before, @restarted, @looked_usec: what was seen, and when
 *
 * Return: 0 or -ENOMEM.
 */
int judge_failed_before(const Inventory *before, const UnitFactsList *restarted,
                        uint64_t looked_usec, StringList *failed) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < before->n; i++) {
                const InventoryUnit *unit = &before->units[i];

                if (judge_before(unit, unit_facts_find(restarted, unit->id), looked_usec,
                                 SETTLED_USEC) == BEFORE_FAILED)
                        r = string_list_add(failed, unit->id);
        }
        return r;
}
