#pragma once

#include "drop-in.h"
#include "event.h"
#include "manager.h"
#include "plan.h"
#include "recorded-state.h"
#include "steps.h"

/* What rollback.dropIn adds to the drop-in: the judge, and the way back. */
typedef struct DropInGuard DropInGuard;

int drop_in_guard_new(const DropIn *drop_in, const char *old, EventLog *log, DropInGuard **ret,
                      sd_bus_error *reterr_error);
int drop_in_guard_begin(DropInGuard *guard, Manager *manager, const RecordedState *state,
                        Plan *plan, sd_bus_error *reterr_error);
int drop_in_guard_end(DropInGuard *guard, const Steps *steps, sd_bus_error *error, int code);
DropInGuard *drop_in_guard_free(DropInGuard *guard);
DEFINE_CLEANUP(DropInGuard *, drop_in_guard_free);
