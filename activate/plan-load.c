/*
 * Loading: all that the pure plan looks at is read here, from two toplevels and an inventory. What
 * is read depends on what may matter: definitions of running units that differ, and those of units
 * that somebody listed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "plan-dependents.h"
#include "plan-listed.h"
#include "plan-load.h"
#include "plan-names.h"
#include "plan-related.h"
#include "text.h"
#include "unit-tree.h"

#define SYSTEM_DIRECTORY "/etc/systemd/system"
#define USER_DIRECTORY   "/etc/systemd/user"
#define FSTAB            "/etc/fstab"
#define SYSTEMD_BINARY   "systemd/lib/systemd/systemd"
#define SYSTEMD_CONF     "etc/systemd/system.conf"

/* All that is loaded, and owned here; the input points into it. */
typedef struct Loaded {
        UnitTree old_tree, new_tree;
        UnitPair *pairs, *named, *wanted_sockets, *moved, *heirs;
        size_t n_pairs, n_named, n_wanted_sockets, n_moved, n_heirs;
        Fstab old_fstab, new_fstab;
        StringList migrate, renamed, heirs_of;
        PlanLeftovers leftovers;
        PlanInput input;
} Loaded;

/* What is not loaded is no descriptor either: 0 would be the caller's standard input. */
#define LOADED_EMPTY                                                                               \
        (Loaded) {                                                                                 \
                .old_tree = UNIT_TREE_EMPTY, .new_tree = UNIT_TREE_EMPTY                           \
        }

static void pairs_done(UnitPair *pairs, size_t n) {
        for (size_t i = 0; i < n; i++)
                unit_pair_done(&pairs[i]);
        free(pairs);
}

static void loaded_done(Loaded *l) {
        unit_tree_done(&l->old_tree);
        unit_tree_done(&l->new_tree);
        pairs_done(l->pairs, l->n_pairs);
        pairs_done(l->named, l->n_named);
        pairs_done(l->wanted_sockets, l->n_wanted_sockets);
        pairs_done(l->moved, l->n_moved);
        pairs_done(l->heirs, l->n_heirs);
        fstab_done(&l->old_fstab);
        fstab_done(&l->new_fstab);
        string_list_done(&l->migrate);
        string_list_done(&l->renamed);
        string_list_done(&l->heirs_of);
        plan_leftovers_done(&l->leftovers);
}

/* An old system without units is none at all, as on a first switch. */
static int loaded_begin(Loaded *l, const PlanSource *source, const char *directory) {
        _cleanup_free_ char *old_path = NULL, *new_path = NULL;
        int r;

        l->input = (PlanInput){
                .from = source->from,
                .to = source->to,
                .directory = directory,
                .inventory = source->inventory,
                .cannot_reload = source->cannot_reload,
        };

        r = text_printf(&old_path, "%s%s", source->from, directory);
        if (r >= 0)
                r = text_printf(&new_path, "%s%s", source->to, directory);
        if (r >= 0)
                r = unit_tree_open(&l->old_tree, old_path);
        if (r < 0 && r != -ENOENT)
                return r;
        return unit_tree_open(&l->new_tree, new_path);
}

/* At the end of the list, which has room for all units there are. */
static int load_pair(Loaded *l, const char *id) {
        return unit_pair_load(&l->pairs[l->n_pairs++], id, &l->old_tree, &l->new_tree);
}

/* Most units did not change, and nothing can become of them. */
static int load_changed_pair(Loaded *l, const char *id) {
        UnitPair *last = &l->pairs[l->n_pairs++];
        int r;

        r = unit_pair_load_changed(last, id, &l->old_tree, &l->new_tree);
        if (r == UNIT_PAIR_SAME) {
                unit_pair_done(last);
                l->n_pairs--;
        }
        return r < 0 ? r : 0;
}

static int load_pairs(Loaded *l) {
        const Inventory *inventory = l->input.inventory;

        l->pairs = calloc(inventory->n + 1, sizeof(*l->pairs));
        if (!l->pairs)
                return -ENOMEM;

        for (size_t i = 0; i < inventory->n; i++) {
                const InventoryUnit *unit = &inventory->units[i];
                int r;

                if (!plan_is_managed(&l->input, unit))
                        continue;
                r = load_changed_pair(l, unit->id);
                if (r < 0)
                        return r;
        }
        l->input.pairs = l->pairs;
        l->input.n_pairs = l->n_pairs;
        return 0;
}

/* What a pair speaks of is known to the inventory by the name that it runs by. */
static int use_running_names(const Loaded *l, UnitPair *pair) {
        StringList *const lists[] = { &pair->sockets, &pair->sockets_in_new };
        int r;

        r = plan_names_running(l->input.renamed, l->input.inventory, &pair->new.service);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (size_t j = 0; r >= 0 && j < lists[i]->n; j++)
                        r = plan_names_running(l->input.renamed, l->input.inventory,
                                               &lists[i]->items[j]);
        return r;
}

static int load_heirs(Loaded *l) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = plan_names_find_heirs(&l->input, &l->old_tree, &l->new_tree, &l->heirs_of);
        for (size_t i = 0; r >= 0 && i < l->heirs_of.n; i++)
                r = string_list_add(&names, strchr(l->heirs_of.items[i], ' ') + 1);
        if (r < 0)
                return r;
        string_list_sort_unique(&names);
        l->heirs = calloc(names.n + 1, sizeof(*l->heirs));
        if (!l->heirs)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                UnitPair *pair = &l->heirs[l->n_heirs++];

                r = unit_pair_load(pair, names.items[i], &l->old_tree, &l->new_tree);
                if (r >= 0)
                        r = unit_pair_load_new(pair, &l->new_tree);
        }
        l->input.heirs = l->heirs;
        l->input.n_heirs = l->n_heirs;
        l->input.heirs_of = &l->heirs_of;
        return r;
}

/* What has one name in the old system and another in the new one. */
static int load_names(Loaded *l) {
        int r;

        r = plan_names_find_renamed(&l->input, &l->renamed);
        l->input.renamed = &l->renamed;
        for (size_t i = 0; r >= 0 && l->renamed.n > 0 && i < l->n_pairs; i++)
                r = use_running_names(l, &l->pairs[i]);
        return r < 0 ? r : load_heirs(l);
}

/* A unit that did not change, and matters all the same; @id may be NULL. */
static int add_related(const Loaded *l, const char *id, StringList *names) {
        if (!id || plan_find_pair(&l->input, id) ||
            !plan_is_managed(&l->input, inventory_find(l->input.inventory, id)))
                return 0;
        return string_list_add(names, id);
}

/* A service matters where its socket changed, and a socket where its service did. */
static int find_counterparts(const Loaded *l, StringList *names) {
        for (size_t i = 0; i < l->n_pairs; i++) {
                const UnitPair *pair = &l->pairs[i];
                int r;

                if (pair->identical)
                        continue;
                r = add_related(l, pair->old.service, names);
                if (r >= 0)
                        r = add_related(l, pair->new.service, names);
                for (size_t j = 0; r >= 0 && j < pair->sockets.n; j++)
                        r = add_related(l, pair->sockets.items[j], names);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Whether @edges, at @at or behind it, have some of a socket; @at goes on with each question, which
 * come in order. */
static bool has_edges(const StringList *edges, const char *socket, size_t *at) {
        const char *rest;

        while (*at < edges->n && strcmp(edges->items[*at], socket) < 0)
                (*at)++;
        rest = *at < edges->n ? text_after_prefix(edges->items[*at], socket) : NULL;
        return rest && *rest == ' ';
}

static int load_wanted_socket(Loaded *l, const char *socket, bool wanted_before,
                              StringList *related) {
        UnitPair *pair;
        int r;

        if (inventory_unit_is_active(inventory_find(l->input.inventory, socket)) ||
            unit_tree_defines(&l->new_tree, socket) != UNIT_FILE_PRESENT)
                return 0;
        pair = &l->wanted_sockets[l->n_wanted_sockets++];
        r = unit_pair_load(pair, socket, &l->old_tree, &l->new_tree);
        if (r >= 0)
                r = unit_pair_load_new(pair, &l->new_tree);
        if (r >= 0)
                r = use_running_names(l, pair);
        if (r < 0)
                return r;
        pair->newly_wanted = !wanted_before || pair->old.state != UNIT_FILE_PRESENT;
        return add_related(l, pair->new.service, related);
}

/* One pair for all edges of a socket. */
static int load_edge(Loaded *l, const char *edge, const StringList *olds, size_t *at,
                     StringList *related) {
        const char *space = strchr(edge, ' ');
        _cleanup_free_ char *socket = strndup(edge, (size_t) (space - edge));
        UnitPair *last =
                l->n_wanted_sockets > 0 ? &l->wanted_sockets[l->n_wanted_sockets - 1] : NULL;
        int r = 0;

        if (!socket)
                return -ENOMEM;
        if (!last || strcmp(last->id, socket) != 0) {
                size_t n = l->n_wanted_sockets;

                r = load_wanted_socket(l, socket, has_edges(olds, socket, at), related);
                if (r < 0 || l->n_wanted_sockets == n)
                        return r;
                last = &l->wanted_sockets[n];
        }
        return string_list_add(&last->wanted_by, space + 1);
}

/* Sockets that are down and wanted, and the services of them. */
static int load_wanted_sockets(Loaded *l, StringList *related) {
        _cleanup_(string_list_done) StringList olds = { 0 }, news = { 0 };
        size_t at = 0;
        int r;

        r = plan_related_wanted_sockets(&l->new_tree, &l->input, /* old= */ false, &news);
        if (r < 0 || news.n == 0)
                return r;
        r = plan_related_wanted_sockets(&l->old_tree, &l->input, /* old= */ true, &olds);
        l->wanted_sockets = calloc(news.n, sizeof(*l->wanted_sockets));
        if (!l->wanted_sockets)
                return -ENOMEM;

        for (size_t i = 0; r >= 0 && i < news.n; i++)
                r = load_edge(l, news.items[i], &olds, &at, related);
        l->input.wanted_sockets = l->wanted_sockets;
        l->input.n_wanted_sockets = l->n_wanted_sockets;
        return r;
}

static int compare_pairs(const void *a, const void *b) {
        return strcmp(((const UnitPair *) a)->id, ((const UnitPair *) b)->id);
}

static int load_related(Loaded *l) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = find_counterparts(l, &names);
        if (r >= 0)
                r = load_wanted_sockets(l, &names);
        string_list_sort_unique(&names);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                r = load_pair(l, names.items[i]);
                if (r >= 0)
                        r = unit_pair_load_new(&l->pairs[l->n_pairs - 1], &l->new_tree);
                if (r >= 0)
                        r = use_running_names(l, &l->pairs[l->n_pairs - 1]);
        }
        if (names.n > 0)
                qsort(l->pairs, l->n_pairs, sizeof(*l->pairs), compare_pairs);
        l->input.n_pairs = l->n_pairs;
        return r;
}

static int load_units(Loaded *l) {
        int r;

        r = load_pairs(l);
        if (r >= 0)
                r = load_names(l);
        return r < 0 ? r : load_related(l);
}

/* A reload may turn out to be a start, which is known when it is known what stops. */
static int forecast_reloads(const Loaded *l, Plan *plan) {
        const PlanList *reloads = &plan->lists[PLAN_RELOAD];
        PlanNeeds *needs;
        size_t n;
        int r;

        if (reloads->n == 0)
                return 0;
        r = plan_related_needs(&l->old_tree, &l->new_tree, &l->input, reloads, &needs, &n);
        if (r < 0)
                return r;
        r = plan_forecast_reloads(plan, &l->input, needs, n);
        plan_needs_free(needs, n);
        return r;
}

static int make_plan(const Loaded *l, Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = plan_new(&l->input, &plan);
        if (r >= 0)
                r = forecast_reloads(l, plan);
        if (r >= 0)
                *ret = TAKE_PTR(plan);
        return r;
}

/* @names: put in order here, as pairs are */
static int load_named(Loaded *l, StringList *names) {
        string_list_sort_unique(names);
        l->named = calloc(names->n + 1, sizeof(*l->named));
        if (!l->named)
                return -ENOMEM;

        for (size_t i = 0; i < names->n; i++) {
                UnitPair *pair = &l->named[l->n_named++];
                int r;

                r = unit_pair_load(pair, names->items[i], &l->old_tree, &l->new_tree);
                if (r >= 0)
                        r = unit_pair_load_new(pair, &l->new_tree);
                if (r < 0)
                        return r;
        }
        l->input.named = l->named;
        l->input.n_named = l->n_named;
        return 0;
}

/* A service that is restarted late takes its sockets along, unless those refuse it. */
static int load_named_with_sockets(Loaded *l, StringList *names) {
        size_t n_before;
        int r;

        r = load_named(l, names);
        n_before = names->n;
        for (size_t i = 0; r >= 0 && i < l->n_named; i++)
                r = string_list_copy(names, &l->named[i].sockets);
        if (r < 0 || names->n == n_before)
                return r;

        pairs_done(l->named, l->n_named);
        l->named = NULL;
        l->n_named = 0;
        return load_named(l, names);
}

/* Who lists a unit may know it by another name; the inventory has it by one only. */
static int add_listed(const Loaded *l, const StringList *listed, StringList *units,
                      StringList *names) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < listed->n; i++) {
                char *unit;

                r = plan_related_inventory_name(&l->new_tree, &l->input, listed->items[i], &unit);
                if (r >= 0)
                        r = string_list_take(units, unit);
        }
        return r < 0 ? r : string_list_copy(names, units);
}

static int load_leftovers(Loaded *l, const PlanLeftovers *leftovers) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = add_listed(l, &leftovers->start, &l->leftovers.start, &names);
        if (r >= 0)
                r = add_listed(l, &leftovers->restart, &l->leftovers.restart, &names);
        if (r >= 0)
                r = add_listed(l, &leftovers->reload, &l->leftovers.reload, &names);
        l->input.leftovers = &l->leftovers;
        return r < 0 ? r : load_named(l, &names);
}

/**
 * plan_load_fstab() - the fstab of a toplevel
 * @root_fd: as for fstab_parse()
 * @fstab:   all zero before; fstab_done() even after an error
 *
 * Return: 0 (also if there is none), or an error of file_read() or fstab_parse().
 */
int plan_load_fstab(const char *toplevel, int root_fd, Fstab *fstab) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        r = text_printf(&path, "%s" FSTAB, toplevel);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, FSTAB_BYTES_MAX, &text, &n);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : fstab_parse(fstab, text, n, root_fd);
}

/* Where one of them cannot be read nothing is concluded from it: to take it for empty would
 * unmount all there is. */
static int load_fstabs(Loaded *l, const PlanSource *source) {
        const char *root = source->live ? "/" : source->root;
        _cleanup_close_ int root_fd = -EBADF;
        int r;

        if (root)
                (void) file_open_directory(AT_FDCWD, root, &root_fd);
        r = plan_load_fstab(source->live ? "" : source->from, root_fd, &l->old_fstab);
        if (r >= 0)
                r = plan_load_fstab(source->to, root_fd, &l->new_fstab);
        if (r == -ENOMEM)
                return r;
        l->input.bad_fstab = r < 0;
        l->input.old_fstab = &l->old_fstab;
        l->input.new_fstab = &l->new_fstab;
        return 0;
}

/* Units of the old fstab that the new system has files of. */
static int find_moved(const Loaded *l, StringList *names) {
        const Fstab *old = &l->old_fstab;
        _cleanup_(string_list_done) StringList all = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < old->n_mounts; i++)
                r = string_list_add(&all, old->mounts[i].unit);
        for (size_t i = 0; r >= 0 && i < old->n_swaps; i++)
                r = string_list_add(&all, old->swaps[i].unit);
        for (size_t i = 0; r >= 0 && i < all.n; i++)
                if (unit_tree_defines(&l->new_tree, all.items[i]) == UNIT_FILE_PRESENT)
                        r = string_list_add(names, all.items[i]);
        string_list_sort_unique(names);
        return r;
}

static int load_moved(Loaded *l) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = find_moved(l, &names);
        if (r < 0)
                return r;
        l->moved = calloc(names.n + 1, sizeof(*l->moved));
        if (!l->moved)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                UnitPair *pair = &l->moved[l->n_moved++];

                r = unit_pair_load(pair, names.items[i], &l->old_tree, &l->new_tree);
                if (r >= 0)
                        r = unit_pair_load_new(pair, &l->new_tree);
        }
        l->input.moved = l->moved;
        l->input.n_moved = l->n_moved;
        return r;
}

static int resolve_below(const char *toplevel, const char *name, char **ret_path) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", toplevel, name);
        return r < 0 ? r : file_realpath(path, ret_path);
}

/* Whether the manager's binary is another one; without a new one there is nothing to
 * execute. */
static int binary_changed(const PlanSource *source, bool *ret) {
        _cleanup_free_ char *running = NULL, *wanted = NULL;
        const char *old = source->pid1_exe;
        int r;

        *ret = false;
        r = resolve_below(source->to, SYSTEMD_BINARY, &wanted);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        if (!old) {
                r = source->live ? file_realpath("/proc/1/exe", &running) :
                                   resolve_below(source->from, SYSTEMD_BINARY, &running);
                if (r == -ENOMEM)
                        return r;
                old = running;
        }
        *ret = !old || strcmp(old, wanted) != 0;
        return 0;
}

static int configuration_changed(const PlanSource *source, bool *ret) {
        _cleanup_free_ char *old = NULL, *new = NULL;

        if (resolve_below(source->live ? "" : source->from, SYSTEMD_CONF, &old) == -ENOMEM ||
            resolve_below(source->to, SYSTEMD_CONF, &new) == -ENOMEM)
                return -ENOMEM;
        *ret = !old != !new || (old && strcmp(old, new) != 0);
        return 0;
}

static int load_manager(Loaded *l, const PlanSource *source) {
        bool binary, configuration;
        int r;

        r = binary_changed(source, &binary);
        if (r >= 0)
                r = configuration_changed(source, &configuration);
        if (r < 0)
                return r;
        l->input.reexec = binary || configuration;
        return 0;
}

/**
 * plan_load() - read both systems and make the plan for the system's manager
 * @ret: owned by the caller
 *
 * Return: 0, or an errno: of openat(2) if @to has no unit files, -ENOMEM.
 */
int plan_load(const PlanSource *source, Plan **ret) {
        _cleanup_(loaded_done) Loaded l = LOADED_EMPTY;
        int r;

        r = loaded_begin(&l, source, SYSTEM_DIRECTORY);
        if (r >= 0)
                r = load_manager(&l, source);
        if (r >= 0)
                r = load_units(&l);
        if (r >= 0)
                r = load_fstabs(&l, source);
        if (r >= 0)
                r = load_moved(&l);
        if (r >= 0 && source->leftovers)
                r = load_leftovers(&l, source->leftovers);
        return r < 0 ? r : make_plan(&l, ret);
}

/* Whether it is about to come from the system: a unit that the user's own files define, or
 * one that the old system did not have. */
static bool moves_here(const Loaded *l, const InventoryUnit *unit, const char *config) {
        const char *slash = unit->fragment ? strrchr(unit->fragment, '/') : NULL;
        const char *below;

        if (!slash || !inventory_unit_is_active(unit) || plan_is_managed(&l->input, unit) ||
            unit_tree_defines(&l->new_tree, unit->id) != UNIT_FILE_PRESENT)
                return false;
        below = config ? text_after_prefix(unit->fragment, config) : NULL;
        return (below && below == slash) ||
               unit_tree_defines(&l->old_tree, unit->id) == UNIT_FILE_MISSING;
}

static int find_moves(Loaded *l, const char *config) {
        const Inventory *inventory = l->input.inventory;

        for (size_t i = 0; i < inventory->n; i++) {
                int r;

                if (!moves_here(l, &inventory->units[i], config))
                        continue;
                r = string_list_add(&l->migrate, inventory->units[i].id);
                if (r < 0)
                        return r;
        }
        l->input.migrate = &l->migrate;
        return 0;
}

/**
 * plan_load_user() - the same for the manager of a user
 * @source: its inventory is that manager's
 * @ret:    owned by the caller, who may give it to plan_add_user()
 *
 * A system without unit files for users has none of them.
 *
 * Return: 0, an errno of openat(2), -ENOMEM.
 */
int plan_load_user(const PlanSource *source, const PlanUser *user, Plan **ret) {
        _cleanup_(loaded_done) Loaded l = LOADED_EMPTY;
        int r;

        r = loaded_begin(&l, source, USER_DIRECTORY);
        if (r < 0 && r != -ENOENT)
                return r;
        l.input.user = user->name;
        l.input.uid = user->uid;

        r = load_units(&l);
        if (r >= 0)
                r = find_moves(&l, user->config);
        if (r >= 0 && source->leftovers)
                r = load_leftovers(&l, source->leftovers);
        return r < 0 ? r : make_plan(&l, ret);
}

static int load_users(const PlanSource *system, const RecordedState *state, Plan *plan) {
        for (size_t i = 0; i < state->n_users; i++) {
                const RecordedUser *recorded = &state->users[i];
                const PlanUser whose = {
                        .uid = recorded->uid,
                        .name = recorded->name,
                        .config = recorded->config,
                };
                PlanSource source = *system;
                Plan *user;
                int r;

                source.inventory = &recorded->inventory;
                source.leftovers = &recorded->leftovers;
                source.cannot_reload = NULL; /* that is of the system's units */
                r = plan_load_user(&source, &whose, &user);
                if (r < 0)
                        return r;
                r = plan_load_dependents(&source, user, &recorded->takes_down);
                if (r >= 0)
                        r = plan_add_user(plan, user);
                else
                        plan_free(user);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * plan_load_dependents() - start again what goes down though it did not change
 * @source:     as the plan was made of
 * @plan:       the system's or a user's
 * @takes_down: "unit other", in order: the other goes down with the unit
 *
 * Return: 0, or an errno as plan_load().
 */
int plan_load_dependents(const PlanSource *source, Plan *plan, const StringList *takes_down) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_(loaded_done) Loaded l = LOADED_EMPTY;
        int r;

        r = plan_dependents_find(plan, source->inventory, takes_down, &names);
        if (r < 0 || names.n == 0)
                return r;
        r = loaded_begin(&l, source, plan->user ? USER_DIRECTORY : SYSTEM_DIRECTORY);
        if (r >= 0)
                r = load_named(&l, &names);
        return r < 0 ? r : plan_bring_back(plan, &l.input, takes_down);
}

/**
 * plan_load_state() - the plan for a whole machine, users included
 * @state: recorded, or read just now
 * @live:  compare with what runs here, not with what @from has
 * @ret:   owned by the caller
 *
 * Return: 0, or an errno as plan_load().
 */
int plan_load_state(const char *from, const char *to, const RecordedState *state, bool live,
                    Plan **ret) {
        const PlanSource source = {
                .from = from,
                .to = to,
                .inventory = &state->inventory,
                .leftovers = &state->leftovers,
                .cannot_reload = &state->cannot_reload,
                .pid1_exe = state->pid1_exe,
                .live = live,
        };
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = plan_load(&source, &plan);
        if (r >= 0)
                r = plan_load_dependents(&source, plan, &state->takes_down);
        if (r >= 0)
                r = load_users(&source, state, plan);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(plan);
        return 0;
}

/**
 * plan_load_lists() - take the lists of the activation script into the plan
 * @source:  as the plan was made of; its inventory is of before the switch
 * @restart: names as they stand in the file, line by line; may be empty
 * @reload:  the same
 *
 * Call it after the activation script, before anything is reloaded. Entries that come so
 * are marked late; the digest stays.
 *
 * Return: 0, or an errno as plan_load().
 */
int plan_load_lists(const PlanSource *source, Plan *plan, const StringList *restart,
                    const StringList *reload) {
        _cleanup_(string_list_done) StringList names = { 0 }, restarts = { 0 }, reloads = { 0 };
        _cleanup_(loaded_done) Loaded l = LOADED_EMPTY;
        int r;

        r = loaded_begin(&l, source, SYSTEM_DIRECTORY);
        l.input.renamed = &plan->renamed;
        if (r >= 0)
                r = add_listed(&l, restart, &restarts, &names);
        if (r >= 0)
                r = add_listed(&l, reload, &reloads, &names);
        if (r >= 0)
                r = load_fstabs(&l, source);
        if (r >= 0)
                r = load_named_with_sockets(&l, &names);
        if (r >= 0)
                r = plan_add_restart_list(plan, &l.input, &restarts);
        if (r >= 0)
                r = plan_add_reload_list(plan, &l.input, &reloads);
        return r;
}

/**
 * plan_load_inactive_reloads() - start what was to be reloaded and does not run any more
 * @source: its inventory is of now
 *
 * Return: 0, or an errno as plan_load().
 */
int plan_load_inactive_reloads(const PlanSource *source, Plan *plan) {
        const PlanList *reloads = &plan->lists[PLAN_RELOAD];
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_(loaded_done) Loaded l = LOADED_EMPTY;
        int r;

        for (size_t i = 0; i < reloads->n; i++)
                if (string_list_add(&names, reloads->entries[i].unit) < 0)
                        return -ENOMEM;

        r = loaded_begin(&l, source, SYSTEM_DIRECTORY);
        if (r >= 0)
                r = load_named(&l, &names);
        return r < 0 ? r : plan_replace_inactive_reloads(plan, &l.input);
}

/**
 * plan_load_migration() - what happens to a user's units that the system defines from now
 * on
 * @source: its inventory is of now, after the user's manager was reloaded
 * @before: the user's plan
 * @ret:    restarts, reloads, starts and skips; owned by the caller
 *
 * Return: 0, or an errno as plan_load_user().
 */
int plan_load_migration(const PlanSource *source, const Plan *before, Plan **ret) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_(loaded_done) Loaded l = LOADED_EMPTY;
        int r;

        if (string_list_copy(&names, &before->migrate) < 0)
                return -ENOMEM;

        r = loaded_begin(&l, source, USER_DIRECTORY);
        if (r < 0 && r != -ENOENT)
                return r;
        r = load_named(&l, &names);
        return r < 0 ? r : plan_new_migration(&l.input, before, ret);
}
