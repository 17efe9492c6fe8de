/* Loading: all that the pure plan looks at is read here, from two toplevels and an inventory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "plan-load.h"
#include "text.h"

#define MANAGED_DIRECTORY "/etc/systemd/system"
#define SYSTEMD_BINARY    "systemd/lib/systemd/systemd"
#define SYSTEMD_CONF      "etc/systemd/system.conf"

/* Only what the system's own unit files define is ours to stop or start. */
static bool is_managed(const InventoryUnit *unit) {
        return inventory_unit_is_active(unit) && unit->fragment &&
               text_after_prefix(unit->fragment, MANAGED_DIRECTORY "/");
}

static int open_units(const char *toplevel, int *ret_fd) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s" MANAGED_DIRECTORY, toplevel);
        if (r < 0)
                return r;
        return file_open_directory(AT_FDCWD, path, ret_fd);
}

/* Whether two names lead to the same file; what cannot be resolved is the same as nothing else. */
static bool same_path(const char *a, const char *b) {
        _cleanup_free_ char *x = NULL, *y = NULL;

        if (file_realpath(b, &y) < 0)
                return true; /* the new system has none: nothing to execute anew for */
        return file_realpath(a, &x) >= 0 && strcmp(x, y) == 0;
}

static int systemd_changed(const PlanSource *source, const char *running, const char *name,
                           bool *ret_changed) {
        _cleanup_free_ char *old = NULL, *new = NULL;
        int r;

        r = text_printf(&old, "%s/%s", source->from, name);
        if (r < 0)
                return r;
        r = text_printf(&new, "%s/%s", source->to, name);
        if (r < 0)
                return r;

        *ret_changed = !same_path(source->live ? running : old, new);
        return 0;
}

static int needs_reexec(const PlanSource *source, bool *ret) {
        bool binary, conf;
        int r;

        r = systemd_changed(source, "/proc/1/exe", SYSTEMD_BINARY, &binary);
        if (r < 0)
                return r;
        r = systemd_changed(source, "/etc/systemd/system.conf", SYSTEMD_CONF, &conf);
        if (r < 0)
                return r;

        *ret = binary || conf;
        return 0;
}

static int load_pairs(const PlanSource *source, UnitPair *pairs, size_t *n_pairs) {
        _cleanup_close_ int old_fd = -EBADF, new_fd = -EBADF;
        int r;

        r = open_units(source->from, &old_fd);
        if (r < 0 && r != -ENOENT)
                return r;
        r = open_units(source->to, &new_fd);
        if (r < 0)
                return r;

        for (size_t i = 0; i < source->inventory->n; i++) {
                const InventoryUnit *unit = &source->inventory->units[i];

                if (!is_managed(unit))
                        continue;
                r = unit_pair_load(&pairs[(*n_pairs)++], unit->id, old_fd, new_fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * plan_load() - read both systems and make the plan
 * @ret: owned by the caller
 *
 * Return: 0, or an errno: of openat(2) if @to has no unit files, -ENOMEM.
 */
int plan_load(const PlanSource *source, Plan **ret) {
        PlanInput input = { .from = source->from, .to = source->to };
        UnitPair *pairs;
        size_t n_pairs = 0;
        int r;

        input.inventory = source->inventory;
        r = needs_reexec(source, &input.reexec);
        if (r < 0)
                return r;

        input.pairs = pairs = calloc(source->inventory->n + 1, sizeof(*pairs));
        if (!pairs)
                return -ENOMEM;

        r = load_pairs(source, pairs, &n_pairs);
        input.n_pairs = n_pairs;
        if (r >= 0)
                r = plan_new(&input, ret);

        for (size_t i = 0; i < n_pairs; i++)
                unit_pair_done(&pairs[i]);
        free(pairs);
        return r;
}
