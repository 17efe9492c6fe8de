/*
 * Mounts that a switch would move under its own feet. The open record goes by path: once something
 * else is mounted at the state directory or above it, neither the engine nor who comes after it
 * finds the record, and what the locks are held in cannot be unmounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "plan-build.h"
#include "plan-load.h"
#include "state-mount.h"
#include "text.h"
#include "unit-name.h"
#include "unit-tree.h"

/* What a system mounts, by unit files and by fstab. */
typedef struct Mounts {
        UnitTree tree;
        Fstab fstab;
} Mounts;

static void mounts_done(Mounts *mounts) {
        unit_tree_done(&mounts->tree);
        fstab_done(&mounts->fstab);
}

/* An fstab that cannot be read mounts nothing; the plan says so. */
static int read_mounts(const char *toplevel, Mounts *mounts) {
        _cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/etc/systemd/system", toplevel);
        if (r >= 0)
                r = unit_tree_open(&mounts->tree, path);
        if (r < 0 && r != -ENOENT)
                return r;
        r = plan_load_fstab(toplevel, root_fd, &mounts->fstab);
        return r == -ENOMEM ? r : 0;
}

/* A unit file, or a mask, is stronger than fstab. */
static bool mounts_have(const Mounts *mounts, const char *mount, const char *automount) {
        const FstabEntry *entry = fstab_find_mount(&mounts->fstab, mount);
        const UnitFileState state = unit_tree_defines(&mounts->tree, mount);

        if (unit_tree_defines(&mounts->tree, automount) == UNIT_FILE_PRESENT)
                return true;
        if (state != UNIT_FILE_MISSING)
                return state == UNIT_FILE_PRESENT;
        return entry &&
               (!fstab_entry_has_option(entry, "noauto") || fstab_entry_is_automount(entry));
}

static const char *fate_by_plan(const Plan *plan, const char *unit) {
        /* clang-format off */
        static const char *const fates[_PLAN_ACTION_MAX] = {
                [PLAN_STOP]    = "stopped",
                [PLAN_RELOAD]  = "reloaded",
                [PLAN_RESTART] = "restarted",
                [PLAN_START]   = "started",
        };
        /* clang-format on */

        for (PlanAction action = 0; action < _PLAN_ACTION_MAX; action++)
                if (fates[action] && plan_find(plan, action, unit))
                        return fates[action];
        return NULL;
}

/* New mounts are in no plan: they come up with their targets. One that the old system has as well
 * and that is not up has not come up with them. */
static bool is_new(const StateMountSource *source, const Mounts *old, const Mounts *new,
                   const char *mount, const char *automount) {
        return mounts_have(new, mount, automount) && !mounts_have(old, mount, automount) &&
               !inventory_unit_runs(inventory_find(source->inventory, mount));
}

static int look_at(const StateMountSource *source, const Mounts *old, const Mounts *new,
                   const char *where, StateMount *ret) {
        _cleanup_free_ char *mount = NULL, *automount = NULL;
        const char *fate, *unit;
        int r;

        r = unit_name_from_path(where, ".mount", &mount);
        if (r >= 0)
                r = unit_name_from_path(where, ".automount", &automount);
        if (r < 0)
                return r;
        unit = mount;
        fate = plan_mount_stays(mount) ? NULL : fate_by_plan(source->plan, mount);
        if (!fate) {
                fate = fate_by_plan(source->plan, automount);
                unit = fate ? automount : mount;
        }
        if (!fate && is_new(source, old, new, mount, automount))
                fate = "started";
        if (!fate)
                return STATE_MOUNT_NONE;

        *ret = (StateMount){ .unit = strdup(unit), .where = strdup(where), .fate = fate };
        if (ret->unit && ret->where)
                return 0;
        state_mount_done(ret);
        return -ENOMEM;
}

/**
 * state_mount_find() - what a switch would change of what is mounted at a directory
 * @directory: absolute, without links
 * @ret:       state_mount_done()
 *
 * There is no file system above the root directory's that it could be; those that cannot go while
 * the system runs are at most mounted anew with other options.
 *
 * Return: 0, STATE_MOUNT_NONE, or a negative errno.
 */
int state_mount_find(const StateMountSource *source, const char *directory, StateMount *ret) {
        _cleanup_(mounts_done) Mounts old = { .tree = UNIT_TREE_EMPTY };
        _cleanup_(mounts_done) Mounts new = { .tree = UNIT_TREE_EMPTY };
        _cleanup_free_ char *where = strdup(directory);
        int r;

        if (!where)
                return -ENOMEM;
        r = source->from ? read_mounts(source->from, &old) : 0;
        if (r >= 0)
                r = read_mounts(source->to, &new);
        if (r < 0)
                return r;
        for (char *end = where + strlen(where); end && end > where; end = strrchr(where, '/')) {
                *end = '\0';
                r = look_at(source, &old, &new, where, ret);
                if (r != STATE_MOUNT_NONE)
                        return r;
        }
        return STATE_MOUNT_NONE;
}

/**
 * state_mount_refusal() - why a switch that is planned cannot be made, in words
 * @directory: that of the state; it may not be there yet
 * @ret_text:  sentences; owned by the caller
 *
 * Return: as state_mount_find().
 */
int state_mount_refusal(const StateMountSource *source, const char *directory, char **ret_text) {
        _cleanup_(state_mount_done) StateMount mount = { 0 };
        _cleanup_free_ char *path = NULL;
        int r;

        r = file_realpath(directory, &path);
        r = state_mount_find(source, r >= 0 ? path : directory, &mount);
        if (r != 0)
                return r;
        return text_printf(
                ret_text,
                "What is mounted at '%s' would change in the middle of the switch ('%s' is to be "
                "%s), and enact keeps the switch's record there, in '%s'. Use 'enact boot' and "
                "reboot.",
                mount.where, mount.unit, mount.fate, directory);
}

void state_mount_done(StateMount *mount) {
        free(mount->unit);
        free(mount->where);
        *mount = (StateMount){ 0 };
}
