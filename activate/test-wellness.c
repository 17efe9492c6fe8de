#include "test.h"
#include "wellness.h"

/* A unit as systemd shows it; what is not said is as it mostly is. */
typedef struct Case {
        const char *id, *active, *sub;
        Wellness wanted;
        const char *type, *result, *load, *trigger;
        bool condition_unmet, has_job;
} Case;

static void assert_case(const Case *c) {
        _cleanup_(inventory_done) Inventory now = { 0 };
        UnitFacts facts = {
                .id = (char *) c->id,
                .load = (char *) (c->load ? c->load : "loaded"),
                .active = (char *) c->active,
                .sub = (char *) c->sub,
                .type = (char *) (c->type ? c->type : "simple"),
                .result = (char *) (c->result ? c->result : "success"),
                .condition_met = !c->condition_unmet,
                .condition_usec = c->condition_unmet ? 1 : 0,
                .has_job = c->has_job,
        };

        ASSERT_OK(inventory_add(&now, "down.timer", "failed", "failed", "", ""));
        ASSERT_OK(inventory_add(&now, "up.path", "active", "waiting", "", ""));
        ASSERT_OK(inventory_add(&now, "up.socket", "active", "listening", "", ""));
        ASSERT_OK(inventory_add(&now, "up.timer", "active", "waiting", "", ""));
        if (c->trigger)
                ASSERT_OK(string_list_add(&facts.triggers, c->trigger));
        if (wellness_of(&facts, &now) != c->wanted)
                fail_msg("%s (%s, %s) %s, not %s", c->id, c->active, c->sub,
                         wellness_to_string(wellness_of(&facts, &now)),
                         wellness_to_string(c->wanted));
        string_list_done(&facts.triggers);
}

TEST(each_unit_is_as_the_table_says) {
        static const Case cases[] = {
                { "a.service", "active", "running", WELLNESS_ACTIVE },
                { "a.service", "active", "exited", WELLNESS_ACTIVE, .type = "oneshot" },
                { "a.service", "reloading", "reload", WELLNESS_ACTIVE },
                { "a.timer", "active", "waiting", WELLNESS_ACTIVE },
                { "a.mount", "active", "mounted", WELLNESS_ACTIVE },

                { "a.service", "inactive", "dead", WELLNESS_FINISHED, .type = "oneshot" },
                { "a.service", "inactive", "dead", WELLNESS_ENDED, .type = "oneshot",
                  .result = "exit-code" },
                { "a.service", "failed", "failed", WELLNESS_FAILED, .type = "oneshot",
                  .result = "exit-code" },

                { "a.service", "inactive", "dead", WELLNESS_CONDITION, .condition_unmet = true },
                { "a.mount", "inactive", "dead", WELLNESS_CONDITION, .condition_unmet = true },

                { "a.service", "inactive", "dead", WELLNESS_IDLE, .trigger = "up.socket" },
                { "a.service", "inactive", "dead", WELLNESS_IDLE, .trigger = "up.path" },
                { "a.service", "inactive", "dead", WELLNESS_IDLE, .trigger = "up.timer" },
                { "a.service", "inactive", "dead", WELLNESS_ENDED, .trigger = "down.timer" },
                { "a.service", "inactive", "dead", WELLNESS_ENDED, .trigger = "gone.timer" },
                { "a.service", "inactive", "dead", WELLNESS_IDLE, .type = "dbus" },
                { "a.service", "failed", "failed", WELLNESS_FAILED, .trigger = "up.timer" },

                { "a.service", "inactive", "dead", WELLNESS_MASKED, .load = "masked" },
                { "a.service", "failed", "failed", WELLNESS_MASKED, .load = "masked" },

                { "a.service", "activating", "start", WELLNESS_STARTING },
                { "a.service", "activating", "start-pre", WELLNESS_STARTING },
                { "a.service", "deactivating", "stop-sigterm", WELLNESS_STARTING },
                { "a.service", "inactive", "dead", WELLNESS_STARTING, .has_job = true },

                { "a.service", "activating", "auto-restart", WELLNESS_RESTARTING },
                { "a.service", "activating", "auto-restart-queued", WELLNESS_RESTARTING },

                { "a.service", "inactive", "dead", WELLNESS_ENDED },
                { "a.socket", "inactive", "dead", WELLNESS_ENDED },
                { "a.service", "inactive", "dead", WELLNESS_MISSING, .load = "not-found" },
                { "a.service", "failed", "failed", WELLNESS_FAILED },
                { "a.mount", "failed", "failed", WELLNESS_FAILED },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_case(&cases[i]);
}

TEST(well_is_what_needs_nobodys_care) {
        for (Wellness wellness = 0; wellness < _WELLNESS_MAX; wellness++)
                ASSERT_EQ(wellness_is_well(wellness),
                          wellness == WELLNESS_ACTIVE || wellness == WELLNESS_FINISHED ||
                                  wellness == WELLNESS_CONDITION || wellness == WELLNESS_IDLE ||
                                  wellness == WELLNESS_MASKED);
}
