/* Mounts that a switch would move under its own feet. */
#include <fcntl.h>

#include "file.h"
#include "state-mount.h"
#include "test.h"
#include "text.h"

static const char *place; /* of the two systems of a test */

static void put(const char *name, const char *text) {
        _cleanup_free_ char *path = NULL, *directory = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", place, name));
        directory = strndup(path, (size_t) (strrchr(path, '/') - path));
        ASSERT_OK(file_make_directories(directory, 0755));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

/* What a switch from "old" to "new" with one decision does to @directory. */
static int find(PlanAction action, const char *unit, const Inventory *inventory,
                const char *directory, StateMount *ret) {
        _cleanup_free_ char *from = NULL, *to = NULL;
        PlanEntry entry = { .unit = (char *) unit };
        Plan plan = { 0 };
        const StateMountSource source = { .inventory = inventory, .plan = &plan };
        StateMountSource real = source;

        ASSERT_OK(text_printf(&from, "%s/old", place));
        ASSERT_OK(text_printf(&to, "%s/new", place));
        put("old/etc/motd", "");
        put("new/etc/motd", "");
        real.from = from;
        real.to = to;
        if (unit)
                plan.lists[action] = (PlanList){ .entries = &entry, .n = 1 };
        return state_mount_find(&real, directory, ret);
}

static void assert_planned(PlanAction action, const char *unit, const char *where,
                           const char *fate) {
        const Inventory nothing = { 0 };
        StateMount mount = { 0 };

        if (!where) {
                ASSERT_EQ(find(action, unit, &nothing, "/var/lib/enact", &mount), STATE_MOUNT_NONE);
                return;
        }
        ASSERT_EQ(find(action, unit, &nothing, "/var/lib/enact", &mount), 0);
        ASSERT_TEXT(mount.unit, unit);
        ASSERT_TEXT(mount.where, where);
        ASSERT_TEXT(mount.fate, fate);
        state_mount_done(&mount);
}

TEST(what_is_planned_at_the_directory_or_above_it_is_found) {
        place = test_directory();
        assert_planned(PLAN_START, "var-lib-enact.mount", "/var/lib/enact", "started");
        assert_planned(PLAN_STOP, "var-lib.mount", "/var/lib", "stopped");
        assert_planned(PLAN_RESTART, "var.mount", "/var", "restarted");
        assert_planned(PLAN_RELOAD, "var.mount", "/var", "reloaded");
        assert_planned(PLAN_STOP, "var-lib.automount", "/var/lib", "stopped");
}

TEST(what_is_planned_beside_or_below_it_does_not_matter) {
        place = test_directory();
        assert_planned(PLAN_STOP, "var-lib-enact2.mount", NULL, NULL);
        assert_planned(PLAN_STOP, "var-lib-enact-history.mount", NULL, NULL);
        assert_planned(PLAN_STOP, "va.mount", NULL, NULL);
        assert_planned(PLAN_STOP, "lib-enact.mount", NULL, NULL);
        assert_planned(PLAN_STOP, "var-lib.service", NULL, NULL);
        assert_planned(PLAN_SKIP, "var-lib.mount", NULL, NULL);
        assert_planned(PLAN_RELOAD, "-.mount", NULL, NULL);
}

TEST(what_cannot_go_while_the_system_runs_stays) {
        const Inventory nothing = { 0 };
        StateMount mount = { 0 };

        place = test_directory();
        ASSERT_EQ(find(PLAN_RELOAD, "nix.mount", &nothing, "/nix/var/enact", &mount),
                  STATE_MOUNT_NONE);
        ASSERT_EQ(find(PLAN_RELOAD, "nix-var.mount", &nothing, "/nix/var/enact", &mount), 0);
        state_mount_done(&mount);
}

static void assert_found(const Inventory *inventory, const char *unit) {
        StateMount mount = { 0 };

        if (!unit) {
                ASSERT_EQ(find(0, NULL, inventory, "/var/lib/enact", &mount), STATE_MOUNT_NONE);
                return;
        }
        ASSERT_EQ(find(0, NULL, inventory, "/var/lib/enact", &mount), 0);
        ASSERT_TEXT(mount.unit, unit);
        ASSERT_TEXT(mount.fate, "started");
        state_mount_done(&mount);
}

TEST(a_new_mount_comes_up_with_its_target_unless_it_is_up) {
        _cleanup_(inventory_done) Inventory up = { 0 };
        const Inventory nothing = { 0 };

        place = test_directory();
        ASSERT_OK(inventory_add(&up, "var-lib.mount", "active", "mounted", "", ""));
        inventory_sort(&up);
        assert_found(&nothing, NULL);
        put("new/etc/systemd/system/var-lib.mount", "[Mount]\nWhat=/x\nWhere=/var/lib\n");
        assert_found(&nothing, "var-lib.mount");
        assert_found(&up, NULL);
        put("old/etc/systemd/system/var-lib.mount", "[Mount]\nWhat=/x\nWhere=/var/lib\n");
        assert_found(&nothing, NULL); /* and has not come up with the old one's */
}

TEST(a_new_line_of_fstab_is_a_mount_unless_it_is_not_for_the_boot_or_masked) {
        const Inventory nothing = { 0 };

        place = test_directory();
        put("new/etc/fstab", "/dev/x /var/lib ext4 noauto 0 0\n");
        assert_found(&nothing, NULL);
        put("new/etc/fstab", "/dev/x /var/lib ext4 noauto,x-systemd.automount 0 0\n");
        assert_found(&nothing, "var-lib.mount");
        put("new/etc/fstab", "/dev/x /var/lib ext4 defaults 0 0\n");
        assert_found(&nothing, "var-lib.mount");
        put("new/etc/systemd/system/var-lib.mount", "");
        assert_found(&nothing, NULL);
}

TEST(a_new_automount_changes_what_is_there_as_well) {
        const Inventory nothing = { 0 };

        place = test_directory();
        put("new/etc/systemd/system/var-lib.automount", "[Automount]\nWhere=/var/lib\n");
        assert_found(&nothing, "var-lib.mount");
}
