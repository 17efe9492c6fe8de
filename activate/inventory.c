/* The inventory: which units there are and in which state, from a manager or from a recorded file.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"

/* Texts side by side in one allocation, since there are many: @ret[0] owns them all. */
static int copy_texts(const char *const *texts, size_t n, const char **ret[]) {
        size_t length = 0;
        char *all, *end;

        for (size_t i = 0; i < n; i++)
                length += strlen(texts[i]) + 1;
        all = end = malloc(length);
        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                *ret[i] = end;
                end = stpcpy(end, texts[i]) + 1;
        }
        return 0;
}

/* Makes room behind the last unit, for one that is not counted yet. */
static int make_room(Inventory *inventory, InventoryUnit **ret) {
        if (inventory->n >= INVENTORY_UNITS_MAX)
                return -E2BIG;

        /* Grows at each power of two. */
        if ((inventory->n & (inventory->n - 1)) == 0) {
                size_t wanted = inventory->n ? 2 * inventory->n : 1;
                InventoryUnit *units = reallocarray(inventory->units, wanted, sizeof(*units));

                if (!units)
                        return -ENOMEM;
                inventory->units = units;
        }
        *ret = &inventory->units[inventory->n];
        return 0;
}

/** inventory_add() - append one unit; call inventory_sort() after the last. 0, -E2BIG or -ENOMEM.
 */
int inventory_add(Inventory *inventory, const char *id, const char *active, const char *sub,
                  const char *fragment, const char *following) {
        InventoryUnit *u;
        int r;

        assert(!inventory->borrowed);

        r = make_room(inventory, &u);
        if (r < 0)
                return r;
        *u = (InventoryUnit){ 0 };
        r = copy_texts((const char *const[]){ id, active, sub, following }, 4,
                       (const char **[]){ &u->id, &u->active, &u->sub, &u->following });
        if (r < 0)
                return r;
        inventory->n++;
        u->fragment = fragment ? strdup(fragment) : NULL;
        return fragment && !u->fragment ? -ENOMEM : 0;
}

static int compare_units(const void *a, const void *b) {
        return strcmp(((const InventoryUnit *) a)->id, ((const InventoryUnit *) b)->id);
}

/** inventory_sort() - order by id, so that inventory_find() works and plans have one order. */
void inventory_sort(Inventory *inventory) {
        bool sorted = true;

        for (size_t i = 1; sorted && i < inventory->n; i++)
                sorted = compare_units(&inventory->units[i - 1], &inventory->units[i]) <= 0;
        if (!sorted)
                qsort(inventory->units, inventory->n, sizeof(*inventory->units), compare_units);
}

/* What a record says of a unit. */
enum { ID, ACTIVE, SUB, FRAGMENT, FOLLOWING, _FIELD_MAX };

/* clang-format off */
static const char *const field_names[_FIELD_MAX] = {
        [ID]        = "id",
        [ACTIVE]    = "active",
        [SUB]       = "sub",
        [FRAGMENT]  = "fragment",
        [FOLLOWING] = "following",
};
/* clang-format on */

static int complete(const char *fields[static _FIELD_MAX]) {
        if (!fields[ID] || !*fields[ID] || !fields[ACTIVE])
                return -EBADMSG;
        for (int i = 0; i < _FIELD_MAX; i++)
                if (!fields[i])
                        fields[i] = "";
        return 0;
}

/* No two units have one id. */
static int sort_recorded(Inventory *inventory) {
        inventory_sort(inventory);
        for (size_t i = 1; i < inventory->n; i++)
                if (strcmp(inventory->units[i - 1].id, inventory->units[i].id) == 0)
                        return -EBADMSG;
        return 0;
}

/**
 * inventory_from_json() - read recorded units
 * @units: an array; all of a unit but "id" and "active" may be absent
 *
 * Return: 0, -EBADMSG if it is no such record, -E2BIG past INVENTORY_UNITS_MAX, -ENOMEM.
 */
int inventory_from_json(Inventory *inventory, const cJSON *units) {
        const cJSON *unit;

        if (!cJSON_IsArray(units))
                return -EBADMSG;

        cJSON_ArrayForEach(unit, units) {
                const char *fields[_FIELD_MAX];
                int r;

                for (int i = 0; i < _FIELD_MAX; i++)
                        fields[i] = json_string(unit, field_names[i]);
                r = complete(fields);
                if (r >= 0)
                        r = inventory_add(inventory, fields[ID], fields[ACTIVE], fields[SUB],
                                          fields[FRAGMENT], fields[FOLLOWING]);
                if (r < 0)
                        return r;
        }
        return sort_recorded(inventory);
}

static int read_field(JsonReader *unit, const char *fields[static _FIELD_MAX]) {
        const char *key, *text;
        int r;

        r = json_reader_key(unit, &key);
        if (r >= 0)
                r = json_reader_text(unit, &text);
        if (r < 0)
                return r;

        for (int i = 0; i < _FIELD_MAX; i++)
                if (strcmp(key, field_names[i]) == 0) {
                        fields[i] = text;
                        break;
                }
        return 0;
}

static int read_unit(Inventory *inventory, JsonReader *unit) {
        const char *fields[_FIELD_MAX] = { 0 };
        InventoryUnit *u;
        int r;

        r = json_reader_open(unit, '{');
        if (r < 0)
                return r;
        while ((r = json_reader_next(unit, '}')) == JSON_READER_MORE) {
                r = read_field(unit, fields);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = complete(fields);
        if (r >= 0)
                r = make_room(inventory, &u);
        if (r < 0)
                return r;

        *u = (InventoryUnit){
                .id = fields[ID],
                .active = fields[ACTIVE],
                .sub = fields[SUB],
                .fragment = fields[FRAGMENT],
                .following = fields[FOLLOWING],
        };
        inventory->n++;
        return 0;
}

/**
 * inventory_read() - the same without a tree of them all
 * @inventory: empty before; its texts stay where they lie, in what the reader reads
 * @units:     stands at the array, and then behind it
 *
 * Return: as inventory_from_json().
 */
int inventory_read(Inventory *inventory, JsonReader *units) {
        int r;

        assert(inventory->n == 0);

        inventory->borrowed = true;
        r = json_reader_open(units, '[');
        if (r < 0)
                return r;

        while ((r = json_reader_next(units, ']')) == JSON_READER_MORE) {
                r = read_unit(inventory, units);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sort_recorded(inventory);
}

/** inventory_find() - the unit of that id, or NULL. */
InventoryUnit *inventory_find(const Inventory *inventory, const char *id) {
        const InventoryUnit wanted = { .id = id };

        if (inventory->n == 0)
                return NULL;
        return bsearch(&wanted, inventory->units, inventory->n, sizeof(wanted), compare_units);
}

/** inventory_unit_is_active() - active in the widest sense: anything but inactive, and no other
 * name. */
bool inventory_unit_is_active(const InventoryUnit *unit) {
        return unit && !*unit->following && strcmp(unit->active, "inactive") != 0;
}

/** inventory_unit_is_up() - whether it runs, or is reloading or going down, so that systemd starts
 * no socket beside it. */
bool inventory_unit_is_up(const InventoryUnit *unit) {
        return inventory_unit_is_active(unit) && strcmp(unit->active, "failed") != 0;
}

/** inventory_unit_goes_on() - whether it runs or is about to, be it that it is starting, reloading
 * or waiting to be started again. */
bool inventory_unit_goes_on(const InventoryUnit *unit) {
        return inventory_unit_is_up(unit) && strcmp(unit->active, "deactivating") != 0;
}

/** inventory_unit_runs() - whether there is something running that a change could touch. */
bool inventory_unit_runs(const InventoryUnit *unit) {
        return inventory_unit_is_active(unit) &&
               (strcmp(unit->active, "active") == 0 || strcmp(unit->active, "activating") == 0);
}

void inventory_done(Inventory *inventory) {
        for (size_t i = 0; !inventory->borrowed && i < inventory->n; i++) {
                free((char *) inventory->units[i].id); /* and the texts behind it */
                free((char *) inventory->units[i].fragment);
        }
        free(inventory->units);
        *inventory = (Inventory){ 0 };
}
