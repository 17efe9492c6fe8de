#include "judge.h"
#include "test.h"

/* One unit before and after; NULL: it is not there. */
typedef struct Unit {
        const char *id;
        const char *before, *before_sub;
        const char *after, *after_sub;
        const char *following;
} Unit;

typedef struct Scene {
        Inventory before, after;
        StringList failed_jobs, found;
} Scene;

static void add(Inventory *inventory, const Unit *unit, const char *active, const char *sub) {
        if (active)
                ASSERT_OK(inventory_add(inventory, unit->id, active, sub ? sub : "", "",
                                        unit->following ? unit->following : ""));
}

static void set_up(Scene *scene, const Unit *units, size_t n) {
        for (size_t i = 0; i < n; i++) {
                add(&scene->before, &units[i], units[i].before, units[i].before_sub);
                add(&scene->after, &units[i], units[i].after, units[i].after_sub);
        }
        inventory_sort(&scene->before);
        inventory_sort(&scene->after);
}

static void scene_done(Scene *scene) {
        inventory_done(&scene->before);
        inventory_done(&scene->after);
        string_list_done(&scene->failed_jobs);
        string_list_done(&scene->found);
}

static void assert_found(const Scene *scene, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(string_list_join(&scene->found, " ", &text));
        ASSERT_TEXT(text, wanted);
}

/* @failed_job may be NULL. */
static void assert_suspects(const Unit *units, size_t n, const char *failed_job,
                            const char *wanted) {
        _cleanup_(scene_done) Scene scene = { 0 };
        const JudgeCase c = { .before = &scene.before, .failed_jobs = &scene.failed_jobs };

        set_up(&scene, units, n);
        if (failed_job)
                ASSERT_OK(string_list_add(&scene.failed_jobs, failed_job));
        ASSERT_OK(judge_units(&c, &scene.after, &scene.found));
        assert_found(&scene, wanted);
}

static void assert_started(const Unit *units, size_t n, const char *wanted) {
        _cleanup_(scene_done) Scene scene = { 0 };

        set_up(&scene, units, n);
        ASSERT_OK(judge_started(&scene.before, &scene.after, &scene.found));
        assert_found(&scene, wanted);
}

TEST(nothing_is_suspect_where_all_is_well) {
        const Unit units[] = {
                { "a.service", "active", "running", "active", "running", NULL },
                { "b.service", "active", "running", "inactive", "dead", NULL },
                { "c.service", "failed", "failed", "active", "running", NULL },
                { "gone.service", "failed", "failed", NULL, NULL, NULL },
                { "new.service", NULL, NULL, "activating", "start", NULL },
        };

        assert_suspects(NULL, 0, NULL, "");
        assert_suspects(units, ELEMENTSOF(units), NULL, "");
}

TEST(a_unit_that_failed_since_is_suspect) {
        const Unit units[] = {
                { "ran.service", "active", "running", "failed", "failed", NULL },
                { "idle.service", "inactive", "dead", "failed", "failed", NULL },
                { "new.service", NULL, NULL, "failed", "failed", NULL },
        };

        assert_suspects(units, ELEMENTSOF(units), NULL, "idle.service new.service ran.service");
}

TEST(what_had_failed_already_condemns_nothing) {
        const Unit units[] = {
                { "a.service", "failed", "failed", "failed", "failed", NULL },
                { "b.service", "failed", "failed", "activating", "auto-restart", NULL },
                { "c.service", "activating", "auto-restart", "failed", "failed", NULL },
        };

        assert_suspects(units, ELEMENTSOF(units), NULL, "");
        assert_suspects(units, ELEMENTSOF(units), "a.service", "");
}

TEST(a_unit_that_waits_to_be_restarted_is_not_well) {
        const Unit units[] = {
                { "a.service", "active", "running", "activating", "auto-restart", NULL },
        };

        assert_suspects(units, ELEMENTSOF(units), NULL, "a.service");
}

TEST(a_failed_job_makes_its_unit_suspect_whatever_state_that_is_in) {
        const Unit units[] = {
                { "a.service", "active", "running", "active", "running", NULL },
                { "b.service", "inactive", "dead", "inactive", "dead", NULL },
                { "c.service", "failed", "failed", "inactive", "dead", NULL },
        };

        assert_suspects(units, ELEMENTSOF(units), "a.service", "a.service");
        assert_suspects(units, ELEMENTSOF(units), "b.service", "b.service");
        assert_suspects(units, ELEMENTSOF(units), "c.service", "c.service");
        assert_suspects(units, ELEMENTSOF(units), "unloaded.service", "unloaded.service");
}

TEST(suspects_are_in_order_and_each_is_named_once) {
        const Unit units[] = {
                { "z.service", "active", "running", "failed", "failed", NULL },
                { "m.service", "active", "running", "failed", "failed", NULL },
                { "a.service", "active", "running", "active", "running", NULL },
        };

        assert_suspects(units, ELEMENTSOF(units), "z.service", "m.service z.service");
        assert_suspects(units, ELEMENTSOF(units), "a.service", "a.service m.service z.service");
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
