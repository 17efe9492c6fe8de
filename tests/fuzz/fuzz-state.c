/* State files as foreign bytes: whatever is recorded, a plan can be made of it and printed. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "recorded-state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plan(const RecordedState *state) {
        const PlanInput input = {
                .from = "/old",
                .to = "/new",
                .directory = "/etc/systemd/system",
                .inventory = &state->inventory,
                .leftovers = &state->leftovers,
        };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        if (plan_new(&input, &plan) < 0)
                return;
        assert(plan->lists[PLAN_STOP].n == 0 && plan->lists[PLAN_SKIP].n == 0);
        for (size_t i = 0; i < plan->lists[PLAN_START].n; i++)
                assert(plan_find(plan, PLAN_START, plan->lists[PLAN_START].entries[i].unit));
        (void) plan_to_json(plan, &object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };
        char *text;

        /* No byte more, so that reading behind it is seen. */
        text = malloc(size + (size == 0));
        assert(text);
        if (size > 0)
                memcpy(text, data, size);
        if (recorded_state_read(&state, text, size) < 0)
                return 0;
        for (size_t i = 0; i < state.inventory.n; i++)
                assert(inventory_find(&state.inventory, state.inventory.units[i].id) ==
                       &state.inventory.units[i]);
        check_plan(&state);
        return 0;
}
