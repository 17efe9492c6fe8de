/* Wellness: whether a unit is as its own definition wants it to be; docs/judge.md has the table. */
#include <string.h>

#include "text.h"
#include "wellness.h"

/* clang-format off */
static const char *const words[_WELLNESS_MAX] = {
        [WELLNESS_ACTIVE]     = "is active",
        [WELLNESS_FINISHED]   = "has finished",
        [WELLNESS_CONDITION]  = "was skipped, a condition is unmet",
        [WELLNESS_IDLE]       = "waits to be triggered",
        [WELLNESS_MASKED]     = "is masked",
        [WELLNESS_STARTING]   = "is still starting",
        [WELLNESS_RESTARTING] = "failed and is about to be restarted",
        [WELLNESS_ENDED]      = "does not run",
        [WELLNESS_MISSING]    = "is not there",
        [WELLNESS_FAILED]     = "failed",
};
/* clang-format on */

/** wellness_to_string() - what is said of such a unit: "is active". */
const char *wellness_to_string(Wellness wellness) {
        return words[wellness];
}

bool wellness_is_well(Wellness wellness) {
        return wellness <= WELLNESS_MASKED;
}

static bool is_service(const UnitFacts *facts) {
        return text_has_suffix(facts->id, ".service");
}

/* One whose trigger is gone, too, waits for nothing. */
static bool is_idle(const UnitFacts *facts, const Inventory *now) {
        for (size_t i = 0; i < facts->triggers.n; i++)
                if (inventory_unit_runs(inventory_find(now, facts->triggers.items[i])))
                        return true;
        return is_service(facts) && strcmp(facts->type, "dbus") == 0;
}

static Wellness wellness_of_inactive(const UnitFacts *facts, const Inventory *now) {
        if (facts->has_job)
                return WELLNESS_STARTING;
        if (strcmp(facts->load, "not-found") == 0)
                return WELLNESS_MISSING;
        if (!facts->condition_met && facts->condition_usec > 0)
                return WELLNESS_CONDITION;
        if (is_service(facts) && strcmp(facts->type, "oneshot") == 0 &&
            strcmp(facts->result, "success") == 0)
                return WELLNESS_FINISHED;
        return is_idle(facts, now) ? WELLNESS_IDLE : WELLNESS_ENDED;
}

/**
 * wellness_of() - how a unit is
 * @facts: UNIT_FACTS_ALL of them
 * @now:   the units of the same moment, which may be its triggers
 */
Wellness wellness_of(const UnitFacts *facts, const Inventory *now) {
        if (strcmp(facts->load, "masked") == 0)
                return WELLNESS_MASKED;
        if (strcmp(facts->active, "failed") == 0)
                return WELLNESS_FAILED;
        if (text_after_prefix(facts->sub, "auto-restart"))
                return WELLNESS_RESTARTING;
        if (strcmp(facts->active, "activating") == 0 || strcmp(facts->active, "deactivating") == 0)
                return WELLNESS_STARTING;
        if (strcmp(facts->active, "inactive") == 0)
                return wellness_of_inactive(facts, now);
        return WELLNESS_ACTIVE;
}
