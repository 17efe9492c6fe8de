/*
 * What a changed fstab asks for. systemd makes the units of it anew when it reloads, and new
 * entries come up with their targets; here is only what is mounted, or swapped to, and should be
 * otherwise.
 */
#include <errno.h>
#include <string.h>

#include "plan-build.h"
#include "text.h"
#include "unit-name.h"

/** plan_mount_stays() - whether a mount cannot go while the system runs. */
bool plan_mount_stays(const char *unit) {
        static const char *const units[] = { "-.mount", "nix-store.mount", "nix.mount" };

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strcmp(unit, units[i]) == 0)
                        return true;
        return false;
}

static bool runs(const PlanBuild *build, const char *unit) {
        return inventory_unit_runs(inventory_find(build->input->inventory, unit));
}

static int decide_changed(PlanBuild *build, PlanAction action, const FstabEntry *old,
                          const char *key, const char *old_value, const char *new_value) {
        PlanReason reason = {
                .file = strdup("fstab"),
                .section = strdup(old->target),
                .key = strdup(key),
        };
        int r = reason.file && reason.section && reason.key ? 0 : -ENOMEM;

        if (r >= 0)
                r = string_list_add(&reason.old, old_value);
        if (r >= 0)
                r = string_list_add(&reason.new, new_value);
        if (r >= 0)
                return plan_decide_because(build, action, old->unit, &reason);

        plan_reason_done(&reason);
        return r;
}

/* An automount point is stopped instead of the mount behind it, which goes with it. */
static int build_gone(PlanBuild *build, const FstabEntry *old) {
        const PlanCause cause = { .rule = PLAN_RULE_NOT_IN_FSTAB };
        _cleanup_free_ char *automount = NULL;
        int r;

        if (fstab_entry_has_option(old, "x-systemd.automount")) {
                r = unit_name_with_suffix(old->unit, ".automount", &automount);
                if (r < 0)
                        return r;
                if (runs(build, automount))
                        return plan_decide(build, PLAN_STOP, automount, &cause, PLAN_RULE_NONE);
        }
        if (!runs(build, old->unit))
                return 0;
        if (plan_mount_stays(old->unit))
                return plan_decide(build, PLAN_SKIP, old->unit, &cause, PLAN_RULE_MOUNT_STAYS);
        return plan_decide(build, PLAN_STOP, old->unit, &cause, PLAN_RULE_NONE);
}

static int build_changed(PlanBuild *build, const FstabEntry *old, const FstabEntry *new) {
        _cleanup_free_ char *old_options = NULL, *new_options = NULL;
        bool same_options, stays = plan_mount_stays(old->unit);
        const char *key = NULL;
        PlanAction action;
        int r;

        r = fstab_entry_mount_options(old, &old_options);
        if (r >= 0)
                r = fstab_entry_mount_options(new, &new_options);
        if (r < 0)
                return r;
        same_options = strcmp(old_options, new_options) == 0;

        if (strcmp(old->source, new->source) != 0)
                key = "device";
        else if (strcmp(old->type, new->type) != 0)
                key = "type";
        if (!key && same_options)
                return 0;

        if (!key || (stays && !same_options))
                return decide_changed(build, PLAN_RELOAD, old, "options", old->options,
                                      new->options);
        action = stays ? PLAN_SKIP : PLAN_RESTART;
        if (stays) {
                r = plan_decide(build, action, old->unit, NULL, PLAN_RULE_MOUNT_STAYS);
                if (r < 0)
                        return r;
        }
        if (strcmp(key, "type") == 0)
                return decide_changed(build, action, old, key, old->type, new->type);
        return decide_changed(build, action, old, key, old->source, new->source);
}

/* Only what is mounted, and because of fstab: a unit file of the same name is stronger. */
static int build_mount(PlanBuild *build, const FstabEntry *old) {
        const PlanInput *input = build->input;
        const FstabEntry *new = fstab_find_mount(input->new_fstab, old->unit);

        if (plan_is_managed(input, inventory_find(input->inventory, old->unit)))
                return 0;
        if (!new)
                return build_gone(build, old);
        return runs(build, old->unit) ? build_changed(build, old, new) : 0;
}

/* A swap has as many units as its device has names, so the device is what is told to the kernel.
 * One that systemd knows to be off needs no telling. */
static int build_swap(PlanBuild *build, const FstabEntry *old) {
        const InventoryUnit *unit = inventory_find(build->input->inventory, old->unit);
        char *device;
        int r;

        if (fstab_find_swap(build->input->new_fstab, old->unit))
                return 0;
        if (unit && strcmp(unit->active, "active") != 0)
                return 0;

        r = fstab_device_path(old->source, &device);
        return r < 0 ? r : string_list_take(&build->plan->swapoff, device);
}

/** plan_build_fstab() - what happens to mounts and swaps of the old system; 0 or -ENOMEM. */
int plan_build_fstab(PlanBuild *build) {
        const Fstab *old = build->input->old_fstab, *new = build->input->new_fstab;

        if (build->input->bad_fstab)
                return plan_note(build, "fstab cannot be read; mounts and swaps stay as they are");
        if (new->n_bad_lines > 0) {
                int r = plan_note(build,
                                  "the new fstab has lines that are no entries (%zu); passed over",
                                  new->n_bad_lines);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < old->n_mounts; i++) {
                int r = build_mount(build, &old->mounts[i]);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < old->n_swaps; i++) {
                int r = build_swap(build, &old->swaps[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}
