#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "json-reader.h"

#define INVENTORY_UNITS_MAX 100000U

/* A unit as the manager knows it. Texts are systemd's own words ("active", "running"). */
typedef struct InventoryUnit {
        const char *id;
        const char *active, *sub;
        const char *following; /* "" unless it is another name of a unit */
        const char *fragment;  /* path of its file; "" if it has none, NULL if not asked for */
} InventoryUnit;

/* All units of one manager at one moment, ordered by id. */
typedef struct Inventory {
        InventoryUnit *units;
        size_t n;
        bool borrowed; /* the texts are somebody else's; else the first four are one allocation */
} Inventory;

int inventory_add(Inventory *inventory, const char *id, const char *active, const char *sub,
                  const char *fragment, const char *following);
void inventory_sort(Inventory *inventory);
int inventory_from_json(Inventory *inventory, const cJSON *units);
int inventory_read(Inventory *inventory, JsonReader *units);
InventoryUnit *inventory_find(const Inventory *inventory, const char *id);
bool inventory_unit_is_active(const InventoryUnit *unit);
bool inventory_unit_is_up(const InventoryUnit *unit);
bool inventory_unit_goes_on(const InventoryUnit *unit);
bool inventory_unit_runs(const InventoryUnit *unit);
void inventory_done(Inventory *inventory);
