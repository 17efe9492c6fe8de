/* Inventories: which units count, and which records are refused. */
#include "inventory.h"
#include "test.h"

static int read_units(Inventory *inventory, const char *text) {
        _cleanup_(cJSON_Deletep) cJSON *units = cJSON_Parse(text);

        return inventory_from_json(inventory, units);
}

static int read_bad(const char *text) {
        _cleanup_(inventory_done) Inventory inventory = { 0 };

        return read_units(&inventory, text);
}

TEST(units_are_found_by_name_whatever_their_order) {
        _cleanup_(inventory_done) Inventory inventory = { 0 };

        ASSERT_OK(inventory_add(&inventory, "b.service", "active", "running", "/b", ""));
        ASSERT_OK(inventory_add(&inventory, "a.service", "failed", "failed", NULL, ""));
        ASSERT_OK(inventory_add(&inventory, "c.service", "inactive", "dead", "", ""));
        inventory_sort(&inventory);

        ASSERT_TEXT(inventory_find(&inventory, "a.service")->active, "failed");
        ASSERT_TEXT(inventory_find(&inventory, "b.service")->fragment, "/b");
        ASSERT_NULL(inventory_find(&inventory, "d.service"));
        ASSERT_NULL(inventory_find(&(Inventory){ 0 }, "a.service"));
}

TEST(active_is_all_but_inactive_and_other_names) {
        InventoryUnit unit = { .active = (char *) "failed", .following = (char *) "" };

        ASSERT_TRUE(inventory_unit_is_active(&unit));
        ASSERT_FALSE(inventory_unit_runs(&unit));
        unit.active = (char *) "activating";
        ASSERT_TRUE(inventory_unit_runs(&unit));
        unit.active = (char *) "active";
        ASSERT_TRUE(inventory_unit_runs(&unit));
        unit.following = (char *) "other.device";
        ASSERT_FALSE(inventory_unit_is_active(&unit));
        unit.following = (char *) "";
        unit.active = (char *) "inactive";
        ASSERT_FALSE(inventory_unit_is_active(&unit));
        ASSERT_FALSE(inventory_unit_is_active(NULL));
}

TEST(a_record_may_leave_out_what_is_not_needed) {
        _cleanup_(inventory_done) Inventory inventory = { 0 };

        ASSERT_OK(read_units(&inventory, "[{\"id\":\"a.service\",\"active\":\"active\"}]"));
        ASSERT_TEXT(inventory.units[0].sub, "");
        ASSERT_TEXT(inventory.units[0].fragment, "");
}

TEST(records_that_are_none_are_refused) {
        ASSERT_EQ(read_bad("{}"), -EBADMSG);
        ASSERT_EQ(read_bad("[1]"), -EBADMSG);
        ASSERT_EQ(read_bad("[{}]"), -EBADMSG);
        ASSERT_EQ(read_bad("[{\"id\":\"\",\"active\":\"active\"}]"), -EBADMSG);
        ASSERT_EQ(read_bad("[{\"id\":\"a.service\"}]"), -EBADMSG);
        ASSERT_EQ(read_bad("[{\"id\":\"a\",\"active\":\"\"},{\"id\":\"a\",\"active\":\"\"}]"),
                  -EBADMSG);
}
