#include "judge.h"
#include "test.h"

static const char *to_string(JudgeFinding finding) {
        static const char *const names[] = {
                [JUDGE_FINE] = "fine",
                [JUDGE_WAIT] = "wait",
                [JUDGE_BAD] = "bad",
                [JUDGE_UNKNOWN] = "unknown",
                [JUDGE_UNRELATED] = "unrelated",
                [JUDGE_FAILED_BEFORE] = "failed before",
        };

        return names[finding];
}

/* While the window is open, and when it is over. */
static void assert_findings(JudgeUnit unit, JudgeFinding open, JudgeFinding over) {
        unit.over = false;
        if (judge_unit(&unit) != open)
                fail_msg("%s: %s, not %s", wellness_to_string(unit.now),
                         to_string(judge_unit(&unit)), to_string(open));
        unit.over = true;
        if (judge_unit(&unit) != over)
                fail_msg("%s in the end: %s, not %s", wellness_to_string(unit.now),
                         to_string(judge_unit(&unit)), to_string(over));
}

static void assert_always(JudgeUnit unit, JudgeFinding finding) {
        assert_findings(unit, finding, finding);
}

#define UNIT(...) ((JudgeUnit){ __VA_ARGS__ })

TEST(what_is_well_says_nothing_against_a_switch) {
        for (Wellness now = WELLNESS_ACTIVE; now <= WELLNESS_MASKED; now++) {
                assert_always(UNIT(.now = now), JUDGE_FINE);
                assert_always(UNIT(.now = now, .touched = true, .raised = true), JUDGE_FINE);
                assert_always(UNIT(.now = now, .required = true, .before = BEFORE_RAN), JUDGE_FINE);
                assert_always(UNIT(.now = now, .required = true, .before = BEFORE_FAILED),
                              JUDGE_FINE);
        }
}

TEST(what_failed_condemns_if_the_switch_touched_it_or_the_configuration_requires_it) {
        for (JudgeBefore before = BEFORE_IDLE; before <= BEFORE_RAN; before++) {
                const Wellness now = WELLNESS_FAILED;

                assert_always(UNIT(.now = now, .before = before, .touched = true), JUDGE_BAD);
                assert_always(UNIT(.now = now, .before = before, .required = true), JUDGE_BAD);
                assert_always(UNIT(.now = now, .before = before, .declared = true), JUDGE_BAD);
                assert_always(UNIT(.now = now, .before = before, .job_failed = true), JUDGE_BAD);
                assert_always(UNIT(.now = now, .before = before), JUDGE_UNRELATED);
        }
}

TEST(what_had_failed_before_condemns_nothing_however_much_it_was_touched) {
        const JudgeUnit all =
                UNIT(.before = BEFORE_FAILED, .touched = true, .raised = true, .required = true,
                     .declared = true, .job_failed = true, .restarts = 9);

        for (Wellness now = WELLNESS_FAILED; now < _WELLNESS_MAX; now++) {
                JudgeUnit unit = all;

                unit.now = now;
                assert_always(unit, JUDGE_FAILED_BEFORE);
        }
        assert_always(UNIT(.now = WELLNESS_FAILED, .before = BEFORE_FAILED), JUDGE_FAILED_BEFORE);
        assert_always(UNIT(.now = WELLNESS_STARTING, .before = BEFORE_FAILED, .touched = true),
                      JUDGE_FINE);
        assert_always(UNIT(.now = WELLNESS_RESTARTING, .before = BEFORE_FAILED, .touched = true),
                      JUDGE_FAILED_BEFORE);
        assert_findings(UNIT(.now = WELLNESS_ENDED, .before = BEFORE_FAILED, .declared = true),
                        JUDGE_WAIT, JUDGE_FAILED_BEFORE);
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .before = BEFORE_FAILED, .young = true),
                      JUDGE_FINE);
}

TEST(a_failed_job_condemns_whatever_its_unit_is_like) {
        for (Wellness now = WELLNESS_ACTIVE; now < _WELLNESS_MAX; now++)
                if (now != WELLNESS_STARTING && now != WELLNESS_RESTARTING)
                        assert_always(UNIT(.now = now, .job_failed = true), JUDGE_BAD);
}

TEST(still_starting_past_its_time_is_another_word_than_bad) {
        assert_always(UNIT(.now = WELLNESS_STARTING, .touched = true), JUDGE_WAIT);
        assert_always(UNIT(.now = WELLNESS_STARTING, .required = true), JUDGE_WAIT);
        assert_always(UNIT(.now = WELLNESS_STARTING), JUDGE_FINE);
        assert_always(UNIT(.now = WELLNESS_STARTING, .late = true), JUDGE_FINE);
        assert_always(UNIT(.now = WELLNESS_STARTING, .touched = true, .late = true), JUDGE_UNKNOWN);
        assert_always(UNIT(.now = WELLNESS_STARTING, .job_failed = true), JUDGE_UNKNOWN);
}

TEST(what_waits_to_be_restarted_has_one_attempt_and_not_for_ever) {
        for (int hopeless = 0; hopeless < 2; hopeless++) {
                const JudgeUnit unit = UNIT(.now = WELLNESS_RESTARTING, .hopeless = hopeless == 1);
                JudgeUnit touched = unit, required = unit, again = unit;

                touched.touched = true;
                required.required = true;
                required.before = BEFORE_RAN;
                again.touched = true;
                again.restarts = 1;
                assert_always(touched, hopeless ? JUDGE_BAD : JUDGE_WAIT);
                assert_always(required, hopeless ? JUDGE_BAD : JUDGE_WAIT);
                assert_always(unit, hopeless ? JUDGE_UNRELATED : JUDGE_FINE);
                assert_always(again, JUDGE_BAD);
        }
}

TEST(one_restart_may_happen_and_a_second_one_is_a_loop) {
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .touched = true, .restarts = 1), JUDGE_FINE);
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .touched = true, .restarts = 1, .young = true),
                      JUDGE_WAIT);
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .touched = true, .restarts = 2), JUDGE_BAD);
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .required = true, .restarts = 2), JUDGE_BAD);
        assert_always(UNIT(.now = WELLNESS_RESTARTING, .touched = true, .restarts = 2), JUDGE_BAD);
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .restarts = 2), JUDGE_UNRELATED);
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .touched = true, .restarts = 2,
                           .before = BEFORE_FAILED),
                      JUDGE_FAILED_BEFORE);
        assert_always(UNIT(.now = WELLNESS_MASKED, .touched = true, .restarts = 2), JUDGE_FINE);
}

TEST(what_ran_and_does_not_run_any_more_is_missed_if_it_should) {
        assert_findings(UNIT(.now = WELLNESS_ENDED, .before = BEFORE_RAN, .touched = true,
                             .raised = true),
                        JUDGE_WAIT, JUDGE_BAD);
        assert_findings(UNIT(.now = WELLNESS_MISSING, .before = BEFORE_RAN, .required = true),
                        JUDGE_WAIT, JUDGE_BAD);
        assert_always(UNIT(.now = WELLNESS_ENDED, .before = BEFORE_RAN), JUDGE_FINE);
        /* only stopped: it was to go */
        assert_always(UNIT(.now = WELLNESS_ENDED, .before = BEFORE_RAN, .touched = true),
                      JUDGE_FINE);
        assert_always(UNIT(.now = WELLNESS_ENDED, .before = BEFORE_RAN, .touched = true,
                           .required = true),
                      JUDGE_FINE);
}

TEST(what_did_not_run_before_may_end_by_itself_again) {
        assert_always(UNIT(.now = WELLNESS_ENDED, .touched = true, .raised = true), JUDGE_FINE);
        assert_always(UNIT(.now = WELLNESS_ENDED, .required = true), JUDGE_FINE);
}

TEST(a_declared_unit_must_be_active_and_nothing_less) {
        assert_always(UNIT(.now = WELLNESS_ACTIVE, .declared = true), JUDGE_FINE);
        for (Wellness now = WELLNESS_FINISHED; now <= WELLNESS_MASKED; now++)
                assert_findings(UNIT(.now = now, .declared = true), JUDGE_WAIT, JUDGE_BAD);
        assert_findings(UNIT(.now = WELLNESS_ENDED, .declared = true), JUDGE_WAIT, JUDGE_BAD);
        assert_findings(UNIT(.now = WELLNESS_MISSING, .declared = true), JUDGE_WAIT, JUDGE_BAD);
        assert_always(UNIT(.now = WELLNESS_STARTING, .declared = true, .late = true),
                      JUDGE_UNKNOWN);
}

/* How a unit was, of which systemd had counted @restarts; it is up for @age seconds. */
static JudgeBefore before(const char *active, const char *sub, uint32_t restarts, uint64_t age) {
        InventoryUnit unit = {
                .id = (char *) "a.service",
                .active = (char *) active,
                .sub = (char *) sub,
                .following = (char *) "",
        };
        const UnitFacts facts = { .restarts = restarts, .active_usec = 100 - age };

        return judge_before(&unit, restarts > 0 ? &facts : NULL, 100, 10);
}

TEST(before_is_what_was_seen_then) {
        ASSERT_EQ(judge_before(NULL, NULL, 100, 10), BEFORE_IDLE);
        ASSERT_EQ(before("inactive", "dead", 0, 0), BEFORE_IDLE);
        ASSERT_EQ(before("active", "running", 0, 0), BEFORE_RAN);
        ASSERT_EQ(before("reloading", "reload", 0, 0), BEFORE_RAN);
        ASSERT_EQ(before("activating", "start", 0, 0), BEFORE_RAN);
        ASSERT_EQ(before("failed", "failed", 0, 0), BEFORE_FAILED);
        ASSERT_EQ(before("activating", "auto-restart", 0, 0), BEFORE_FAILED);
}

TEST(a_loop_that_was_caught_running_before_was_a_loop_all_the_same) {
        ASSERT_EQ(before("active", "running", 2, 9), BEFORE_FAILED);
        ASSERT_EQ(before("active", "running", 2, 10), BEFORE_RAN);
        ASSERT_EQ(before("active", "running", 1, 9), BEFORE_RAN);
}

/* @run: names the invocation; 0: nothing was counted before. */
static uint32_t restarts(uint32_t before_count, uint8_t before_run, uint32_t count, uint8_t run,
                         bool anew) {
        const UnitFacts earlier = { .restarts = before_count, .invocation.bytes = { before_run } };
        const UnitFacts now = { .restarts = count, .invocation.bytes = { run } };

        return judge_restarts(before_run ? &earlier : NULL, &now, anew);
}

TEST(restarts_are_counted_since_the_switch) {
        ASSERT_EQ(restarts(0, 0, 0, 1, true), 0);
        ASSERT_EQ(restarts(0, 0, 3, 1, true), 3);
        ASSERT_EQ(restarts(5, 1, 5, 1, false), 0);
        ASSERT_EQ(restarts(5, 1, 5, 1, true), 0); /* asked to start, and ran already */
        ASSERT_EQ(restarts(5, 1, 7, 2, false), 2);
        ASSERT_EQ(restarts(5, 1, 7, 2, true), 7);
        ASSERT_EQ(restarts(5, 1, 2, 2, false), 2); /* somebody else has begun a new count */
}

/* One unit before and after; NULL: it is not there. */
typedef struct Unit {
        const char *id;
        const char *before, *before_sub;
        const char *after, *after_sub;
        const char *following;
} Unit;

static void add(Inventory *inventory, const Unit *unit, const char *active, const char *sub) {
        if (active)
                ASSERT_OK(inventory_add(inventory, unit->id, active, sub ? sub : "", "",
                                        unit->following ? unit->following : ""));
}

static void assert_started(const Unit *units, size_t n, const char *wanted) {
        _cleanup_(inventory_done) Inventory earlier = { 0 }, after = { 0 };
        _cleanup_(string_list_done) StringList found = { 0 };
        _cleanup_free_ char *text = NULL;
        Plan plan = { 0 };

        ASSERT_OK(string_list_add(&plan.renamed, "now.service then.service"));
        ASSERT_OK(string_list_add(&plan.heirs, "heir.service gone.service"));
        for (size_t i = 0; i < n; i++) {
                add(&earlier, &units[i], units[i].before, units[i].before_sub);
                add(&after, &units[i], units[i].after, units[i].after_sub);
        }
        inventory_sort(&earlier);
        inventory_sort(&after);
        ASSERT_OK(judge_started(&earlier, &after, &plan, &found));
        ASSERT_OK(string_list_join(&found, " ", &text));
        ASSERT_TEXT(text, wanted);
        string_list_done(&plan.renamed);
        string_list_done(&plan.heirs);
}

TEST(what_ran_by_another_name_is_not_new) {
        const Unit units[] = {
                { "then.service", "active", "running", NULL, NULL, NULL },
                { "now.service", NULL, NULL, "active", "running", NULL },
                { "gone.service", "active", "running", NULL, NULL, NULL },
                { "heir.service", NULL, NULL, "active", "running", NULL },
                { "now.service.service", NULL, NULL, "active", "running", NULL },
        };

        assert_started(units, 4, "");
        assert_started(units + 1, 1, "now.service");
        assert_started(units, ELEMENTSOF(units), "now.service.service");
}

TEST(what_runs_now_and_did_not_before_was_started) {
        const Unit units[] = {
                { "z-new.service", NULL, NULL, "active", "running", NULL },
                { "idle.service", "inactive", "dead", "active", "running", NULL },
                { "slow.service", "inactive", "dead", "activating", "start", NULL },
                { "a.timer", "inactive", "dead", "active", "waiting", NULL },
                { "ran.service", "active", "running", "active", "running", NULL },
                { "reloads.service", "reloading", "reload", "active", "running", NULL },
        };

        assert_started(units, ELEMENTSOF(units), "a.timer idle.service slow.service z-new.service");
}

TEST(what_does_not_run_now_was_not_started) {
        const Unit units[] = {
                { "a.service", "active", "running", "inactive", "dead", NULL },
                { "b.service", "inactive", "dead", "failed", "failed", NULL },
                { "c.service", "inactive", "dead", "deactivating", "stop", NULL },
                { "d.service", "active", "running", NULL, NULL, NULL },
        };

        assert_started(units, ELEMENTSOF(units), "");
}

TEST(kinds_that_come_and_go_by_themselves_are_not_told) {
        const Unit units[] = {
                { "a.device", NULL, NULL, "active", "plugged", NULL },
                { "a.scope", NULL, NULL, "active", "running", NULL },
                { "a.slice", NULL, NULL, "active", "active", NULL },
                { "a.target", NULL, NULL, "active", "active", NULL },
                { "a.mount", NULL, NULL, "active", "mounted", NULL },
                { "b.device", NULL, NULL, "active", "plugged", "a.device" },
                { "alias.service", NULL, NULL, "active", "running", "a.service" },
        };

        assert_started(units, ELEMENTSOF(units), "a.mount");
}
