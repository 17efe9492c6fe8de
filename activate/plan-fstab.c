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

/** plan_is_in_fstab() - whether the new fstab makes that unit. */
bool plan_is_in_fstab(const PlanInput *input, const char *unit) {
        _cleanup_free_ char *mount = NULL;

        if (!input->new_fstab)
                return false;
        if (fstab_find_mount(input->new_fstab, unit) || fstab_find_swap(input->new_fstab, unit))
                return true;
        if (!text_has_suffix(unit, ".automount") ||
            unit_name_with_suffix(unit, ".mount", &mount) < 0)
                return false;
        return fstab_find_mount(input->new_fstab, mount);
}

static bool runs(const PlanBuild *build, const char *unit) {
        return inventory_unit_runs(inventory_find(build->input->inventory, unit));
}

static int decide_for(PlanBuild *build, PlanAction action, const char *unit, const char *section,
                      const char *key, const char *old_value, const char *new_value) {
        PlanReason reason = {
                .file = strdup("fstab"),
                .section = strdup(section),
                .key = strdup(key),
        };
        int r = reason.file && reason.section && reason.key ? 0 : -ENOMEM;

        if (r >= 0)
                r = string_list_add(&reason.old, old_value);
        if (r >= 0)
                r = string_list_add(&reason.new, new_value);
        if (r >= 0)
                return plan_decide_because(build, action, unit, &reason);

        plan_reason_done(&reason);
        return r;
}

static int decide_changed(PlanBuild *build, PlanAction action, const FstabEntry *old,
                          const char *key, const char *old_value, const char *new_value) {
        return decide_for(build, action, old->unit, old->target, key, old_value, new_value);
}

static int decide_options(PlanBuild *build, PlanAction action, const char *unit,
                          const FstabEntry *old, const FstabEntry *new) {
        return decide_for(build, action, unit, old->target, "options", old->options, new->options);
}

/* An automount point is stopped instead of the mount behind it, which goes with it. */
static int build_gone(PlanBuild *build, const FstabEntry *old) {
        const PlanCause cause = { .rule = PLAN_RULE_NOT_IN_FSTAB };
        _cleanup_free_ char *automount = NULL;
        int r;

        if (fstab_entry_is_automount(old)) {
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
                return decide_options(build, PLAN_RELOAD, old->unit, old, new);
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

/* What a unit file says of a file system, in the words of fstab. Its texts are borrowed. */
static FstabEntry entry_of(const UnitPair *pair, const UnitFile *file) {
        const char *source = unit_file_value(file, "Mount", "What");
        const char *target = unit_file_value(file, "Mount", "Where");
        const char *type = unit_file_value(file, "Mount", "Type");
        const char *options = unit_file_value(file, "Mount", "Options");

        return (FstabEntry){
                .unit = pair->id,
                .source = (char *) (source ? source : ""),
                .target = (char *) (target ? target : ""),
                .type = (char *) (type ? type : "auto"),
                .options = (char *) (options ? options : ""),
        };
}

/* From fstab to a unit file or back: of one file system both mean the same mount. */
static int build_moved(PlanBuild *build, FstabEntry old, FstabEntry new) {
        _cleanup_free_ char *old_source = NULL, *new_source = NULL;
        int r;

        r = fstab_device_path(old.source, &old_source);
        if (r >= 0)
                r = fstab_device_path(new.source, &new_source);
        if (r < 0)
                return r;
        old.source = old_source;
        new.source = new_source;
        return build_changed(build, &old, &new);
}

/* An automount point stays armed, since to stop it unmounts what is in use. */
static int build_mount_to_file(PlanBuild *build, const FstabEntry *old, const UnitPair *file) {
        _cleanup_free_ char *automount = NULL;
        int r;

        if (fstab_entry_is_automount(old)) {
                r = unit_name_with_suffix(old->unit, ".automount", &automount);
                if (r >= 0 && runs(build, automount))
                        r = plan_decide(build, PLAN_SKIP, automount, NULL,
                                        PLAN_RULE_AUTOMOUNT_STAYS);
                if (r < 0)
                        return r;
        }
        return runs(build, old->unit) ? build_moved(build, *old, entry_of(file, file->new.file)) :
                                        0;
}

/**
 * plan_build_to_fstab() - a mount, an automount or a swap whose unit file gives way to a line of
 * fstab
 *
 * Return: 0 or -ENOMEM.
 */
int plan_build_to_fstab(PlanBuild *build, const UnitPair *pair) {
        const FstabEntry *new = fstab_find_mount(build->input->new_fstab, pair->id);

        if (text_has_suffix(pair->id, ".automount"))
                return plan_decide(build, PLAN_SKIP, pair->id, NULL, PLAN_RULE_AUTOMOUNT_STAYS);
        return new ? build_moved(build, entry_of(pair, pair->old.file), *new) : 0;
}

/* Only what is mounted, and because of fstab: a unit file of the same name is stronger. */
static int build_mount(PlanBuild *build, const FstabEntry *old) {
        const PlanInput *input = build->input;
        const FstabEntry *new = fstab_find_mount(input->new_fstab, old->unit);
        const UnitPair *file = plan_find_moved(input, old->unit);

        if (plan_is_managed(input, inventory_find(input->inventory, old->unit)))
                return 0;
        if (file)
                return build_mount_to_file(build, old, file);
        if (!new)
                return build_gone(build, old);
        return runs(build, old->unit) ? build_changed(build, old, new) : 0;
}

/* How it is armed differs; what is mounted behind it is another matter. */
static int decide_automount(PlanBuild *build, const FstabEntry *old, const FstabEntry *new,
                            const char *automount, PlanAction action, PlanRule rule) {
        int r;

        r = decide_options(build, action, automount, old, new);
        if (r < 0 || rule == PLAN_RULE_NONE)
                return r;
        return plan_decide(build, action, automount, NULL, rule);
}

/* An automount point that is stopped takes along what is mounted there, whoever uses it, and leaves
 * an empty directory to the activation script; so one that only changes is left armed. */
static int build_automount_changed(PlanBuild *build, const FstabEntry *old, const FstabEntry *new,
                                   const char *automount) {
        if (!fstab_entry_is_automount(new))
                return decide_automount(build, old, new, automount, PLAN_SKIP,
                                        PLAN_RULE_AUTOMOUNT_STAYS);
        if (fstab_entry_same_option(old, new, "x-systemd.idle-timeout"))
                return 0; /* all others arrive with the manager's reload */
        if (runs(build, new->unit))
                return decide_automount(build, old, new, automount, PLAN_SKIP,
                                        PLAN_RULE_AUTOMOUNT_STAYS);
        return decide_automount(build, old, new, automount, PLAN_RESTART, PLAN_RULE_NONE);
}

/* systemd refuses to arm an automount point over what is mounted, and a target that requires it
 * fails with it; for local-fs.target that is the emergency mode. */
static int hold_automount(PlanBuild *build, const FstabEntry *old, const FstabEntry *new,
                          const char *automount) {
        int r;

        r = string_list_add(&build->plan->hold, automount);
        if (r < 0 || (old && fstab_entry_is_automount(old)))
                return r; /* so it was before: nothing has changed */
        if (old)
                return decide_automount(build, old, new, automount, PLAN_SKIP,
                                        PLAN_RULE_ALREADY_MOUNTED);
        return plan_decide(build, PLAN_SKIP, automount, NULL, PLAN_RULE_ALREADY_MOUNTED);
}

/* Of entries that the new system has. Where a unit file of the same name is stronger than fstab, it
 * is judged by that. */
static int build_automount(PlanBuild *build, const FstabEntry *new) {
        const PlanInput *input = build->input;
        const FstabEntry *old = fstab_find_mount(input->old_fstab, new->unit);
        _cleanup_free_ char *automount = NULL;
        int r;

        r = unit_name_with_suffix(new->unit, ".automount", &automount);
        if (r < 0 || plan_is_managed(input, inventory_find(input->inventory, automount)))
                return r;
        if (runs(build, automount))
                return old && fstab_entry_is_automount(old) ?
                               build_automount_changed(build, old, new, automount) :
                               0;
        if (fstab_entry_is_automount(new) && runs(build, new->unit))
                return hold_automount(build, old, new, automount);
        return 0;
}

/* A swap has as many units as its device has names, so the device is what is told to the kernel.
 * One that systemd knows to be off needs no telling. */
static int build_swap(PlanBuild *build, const FstabEntry *old) {
        const InventoryUnit *unit = inventory_find(build->input->inventory, old->unit);
        char *device;
        int r;

        if (fstab_find_swap(build->input->new_fstab, old->unit) ||
            plan_find_moved(build->input, old->unit) ||
            plan_is_managed(build->input, unit)) /* its unit file is stronger */
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
        for (size_t i = 0; i < new->n_mounts; i++) {
                int r = build_automount(build, &new->mounts[i]);

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
