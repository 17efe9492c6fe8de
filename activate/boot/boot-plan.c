/*
 * From the menu that is there to the one that is wanted, in an order in which each state between
 * boots: files before the entry that names them, the default last, and what is not wanted any more
 * after that, entries before their files. Where there is no room for both, what nobody needs goes
 * first, and only if the rest then fits. Entries of others are never touched; while there is a
 * generation that cannot be read, nothing is. Nothing is read or written here.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "boot-plan.h"
#include "text.h"

/* clang-format off */
static const char *const kind_names[_BOOT_STEP_KIND_MAX] = {
        [BOOT_STEP_REMOVE_ENTRY]    = "remove-entry",
        [BOOT_STEP_REMOVE_PAYLOAD]  = "remove-payload",
        [BOOT_STEP_REMOVE_LEFTOVER] = "remove-leftover",
        [BOOT_STEP_WRITE_PAYLOAD]   = "write-payload",
        [BOOT_STEP_WRITE_ENTRY]     = "write-entry",
        [BOOT_STEP_RENAME_ENTRY]     = "rename-entry",
        [BOOT_STEP_SET_DEFAULT]     = "set-default",
        [BOOT_STEP_BARRIER]         = "barrier",
};
/* clang-format on */

/* Which entries and files are to go, as of now; and with which of them already taken away. */
typedef struct Planner {
        const MenuWish *wish;
        const BootListing *listing;
        BootMenu *menu;
        const BootRoom *room;
        BootPlan *plan;
        bool may_delete;
        bool *gone;         /* of the listing's entries: removed before anything is written */
        bool *payload_gone; /* of its files */
} Planner;

const char *boot_step_kind_to_string(BootStepKind kind) {
        return kind_names[kind];
}

static void planner_done(Planner *planner) {
        free(planner->gone);
        free(planner->payload_gone);
}

static int add_step(Planner *planner, BootStepKind kind, const char *folder, const char *name,
                    BootStep **ret) {
        BootPlan *plan = planner->plan;
        BootStep *steps = reallocarray(plan->steps, plan->n + 1, sizeof(*steps));

        if (!steps)
                return -ENOMEM;
        plan->steps = steps;
        steps[plan->n] = (BootStep){ .kind = kind };
        if (ret)
                *ret = &steps[plan->n];
        return text_printf(&steps[plan->n++].path, "%s%s%s", folder, *folder ? "/" : "", name);
}

static int add_barrier(Planner *planner) {
        const BootPlan *plan = planner->plan;

        if (plan->n == 0 || plan->steps[plan->n - 1].kind == BOOT_STEP_BARRIER)
                return 0;
        return add_step(planner, BOOT_STEP_BARRIER, "", "", NULL);
}

/* What the file of an entry is called now, if there is one. */
static const char *file_now(const WantedEntry *entry) {
        return entry->present_file ? entry->present_file : entry->file;
}

static bool is_wanted_file(const BootMenu *menu, const char *file) {
        for (size_t i = 0; i < menu->n; i++)
                if (!menu->entries[i].dropped && strcmp(file_now(&menu->entries[i]), file) == 0)
                        return true;
        return false;
}

static bool is_wanted_payload(const BootMenu *menu, const char *path) {
        const char *name = text_after_prefix(path, BOOT_PAYLOADS_FOLDER "/");

        for (size_t i = 0; name && i < menu->n; i++)
                if (!menu->entries[i].dropped &&
                    string_list_contains(&menu->entries[i].payloads, name))
                        return true;
        return false;
}

static bool is_selected(const Planner *planner, const MenuEntry *entry) {
        return planner->wish->selected && strcasecmp(planner->wish->selected, entry->file) == 0;
}

/* Ours and NixOS' own, which the wanted menu has nothing of. */
static bool is_stale(const Planner *planner, const MenuEntry *entry) {
        return !entry->unified && entry->name.style != ENTRY_FOREIGN &&
               !is_wanted_file(planner->menu, entry->file) && !is_selected(planner, entry);
}

/* While nothing is written yet, it may be the only one that boots a system which must boot. */
static bool is_spare(const Planner *planner, const MenuEntry *entry) {
        _cleanup_free_ char *toplevel = NULL;

        if (!is_stale(planner, entry))
                return false;
        if (loader_entry_toplevel(&entry->entry, &toplevel) < 0)
                return !entry->startable;
        for (size_t i = 0; i < planner->wish->n_systems; i++) {
                const MenuSystem *system = &planner->wish->systems[i];

                if (!system->is_protected)
                        continue;
                if (strcmp(system->toplevel, toplevel) == 0)
                        return false;
                for (size_t j = 0; j < system->spec->n_specialisations; j++)
                        if (strcmp(system->spec->specialisations[j].toplevel, toplevel) == 0)
                                return false;
        }
        return true;
}

/* As both of NixOS' builders name them: a store name and what is in it, or a hash. */
static bool is_nixos_payload(const char *path) {
        const char *name = text_after_prefix(path, BOOT_NIXOS_PAYLOADS_FOLDER "/");

        return name && text_has_suffix(name, BOOT_PAYLOAD_SUFFIX) &&
               strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz") >= 32;
}

static bool is_our_payload(const char *path) {
        const char *name = text_after_prefix(path, BOOT_PAYLOADS_FOLDER "/");

        return name && payload_name_is_ours(name);
}

/* @all: also what is removed only at the end counts as removed. */
static bool is_payload_free(const Planner *planner, const PayloadFile *payload, bool all) {
        const BootListing *listing = planner->listing;

        if (!is_our_payload(payload->path) && !is_nixos_payload(payload->path))
                return false;
        if (is_wanted_payload(planner->menu, payload->path))
                return false;
        for (size_t i = 0; i < listing->n_entries; i++) {
                bool gone = planner->gone[i] || (all && is_stale(planner, &listing->entries[i]));

                if (!gone && menu_entry_refers_to(&listing->entries[i], payload->path))
                        return false;
        }
        return true;
}

static uint64_t room_for_payloads(const Planner *planner, const WantedEntry *entry, size_t until) {
        const BootMenu *menu = planner->menu;
        uint64_t bytes = 0;

        for (size_t i = 0; i < entry->payloads.n; i++) {
                const char *name = entry->payloads.items[i];
                _cleanup_free_ char *path = NULL;
                const PayloadFile *there;
                bool counted = false;

                for (size_t j = 0; j < until; j++)
                        counted =
                                counted || (!menu->entries[j].dropped &&
                                            string_list_contains(&menu->entries[j].payloads, name));
                if (counted || text_printf(&path, BOOT_PAYLOADS_FOLDER "/%s", name) < 0)
                        continue;
                there = boot_listing_payload(planner->listing, path);
                if (there && there->verified)
                        continue;
                for (size_t j = 0; j < planner->wish->sources.n; j++) {
                        const BootSource *source = &planner->wish->sources.items[j];
                        _cleanup_free_ char *is = NULL;

                        if (payload_name_print(&source->digest, &is) < 0 || strcmp(is, name) != 0)
                                continue;
                        bytes += boot_room_of_file(source->digest.size,
                                                   planner->room->cluster_bytes);
                        break;
                }
        }
        return bytes;
}

static uint64_t needed_bytes(const Planner *planner) {
        const BootMenu *menu = planner->menu;
        uint64_t bytes = 0;

        for (size_t i = 0; i < menu->n; i++) {
                const WantedEntry *entry = &menu->entries[i];

                if (entry->dropped)
                        continue;
                if (!entry->present || entry->damaged)
                        bytes += boot_room_of_file(strlen(entry->text),
                                                   planner->room->cluster_bytes);
                bytes += room_for_payloads(planner, entry, i);
        }
        return bytes;
}

static uint64_t freed_bytes(const Planner *planner) {
        const BootListing *listing = planner->listing;
        uint64_t cluster = planner->room->cluster_bytes, bytes = 0;

        for (size_t i = 0; i < listing->n_payloads; i++)
                if (is_payload_free(planner, &listing->payloads[i], false))
                        bytes += (listing->payloads[i].size + cluster - 1) / cluster * cluster;
        return bytes;
}

static bool fits(Planner *planner) {
        planner->plan->needed_bytes = needed_bytes(planner);
        return planner->plan->needed_bytes == 0 ||
               planner->plan->needed_bytes + BOOT_ROOM_SPARE_BYTES <=
                       planner->room->free_bytes + planner->plan->freed_bytes;
}

/* All entries of the generation go: it is there or it is not. */
static void drop(Planner *planner, const MenuSystem *system) {
        BootMenu *menu = planner->menu;

        for (size_t i = 0; i < menu->n; i++) {
                if (menu->entries[i].system != system)
                        continue;
                menu->entries[i].dropped = true;
                for (size_t j = 0; j < planner->listing->n_entries; j++)
                        if (menu->entries[i].present && strcmp(planner->listing->entries[j].file,
                                                               file_now(&menu->entries[i])) == 0)
                                planner->gone[j] = true;
        }
}

static const MenuSystem *find_oldest(const Planner *planner) {
        const BootMenu *menu = planner->menu;
        const MenuSystem *oldest = NULL;

        for (size_t i = 0; i < menu->n; i++) {
                const MenuSystem *system = menu->entries[i].system;

                if (menu->entries[i].dropped || !system || system->is_protected)
                        continue;
                if (!oldest || system->created < oldest->created ||
                    (system->created == oldest->created && system->number < oldest->number))
                        oldest = system;
        }
        return oldest;
}

static int note(Planner *planner, char *text) {
        return string_list_take(&planner->plan->notes, text);
}

/* First what is not wanted anyway, then the oldest generation that nobody needs, and so on. */
static int make_room(Planner *planner) {
        const BootListing *listing = planner->listing;
        const MenuSystem *oldest;
        int r = 0;

        planner->plan->fits = fits(planner);
        if (planner->plan->fits || !planner->may_delete)
                return 0;
        for (size_t i = 0; i < listing->n_entries; i++)
                planner->gone[i] = is_spare(planner, &listing->entries[i]);
        planner->plan->freed_bytes = freed_bytes(planner);
        while (!(planner->plan->fits = fits(planner)) && (oldest = find_oldest(planner))) {
                char *text = NULL;

                drop(planner, oldest);
                planner->plan->freed_bytes = freed_bytes(planner);
                r = text_printf(&text,
                                "generation %ju is left out of the boot menu, for want of room",
                                (uintmax_t) oldest->number);
                if (r >= 0)
                        r = note(planner, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_removals_for_room(Planner *planner) {
        const BootListing *listing = planner->listing;
        int r = 0;

        if (planner->plan->freed_bytes == 0)
                return 0;
        for (size_t i = 0; r >= 0 && i < listing->n_entries; i++)
                if (planner->gone[i])
                        r = add_step(planner, BOOT_STEP_REMOVE_ENTRY, BOOT_ENTRIES_FOLDER,
                                     listing->entries[i].file, NULL);
        if (r >= 0)
                r = add_barrier(planner);
        for (size_t i = 0; r >= 0 && i < listing->n_payloads; i++) {
                planner->payload_gone[i] = is_payload_free(planner, &listing->payloads[i], false);
                if (planner->payload_gone[i])
                        r = add_step(planner, BOOT_STEP_REMOVE_PAYLOAD, "",
                                     listing->payloads[i].path, NULL);
        }
        return r < 0 ? r : add_barrier(planner);
}

static bool is_planned(const BootPlan *plan, const char *path) {
        for (size_t i = 0; i < plan->n; i++)
                if (plan->steps[i].kind == BOOT_STEP_WRITE_PAYLOAD &&
                    strcmp(plan->steps[i].path, path) == 0)
                        return true;
        return false;
}

static int add_payload(Planner *planner, const char *name) {
        _cleanup_free_ char *path = NULL;
        const PayloadFile *there;
        BootStep *step;
        int r;

        r = text_printf(&path, BOOT_PAYLOADS_FOLDER "/%s", name);
        if (r < 0)
                return r;
        there = boot_listing_payload(planner->listing, path);
        if ((there && there->verified) || is_planned(planner->plan, path))
                return 0;
        r = add_step(planner, BOOT_STEP_WRITE_PAYLOAD, "", path, &step);
        if (r < 0)
                return r;
        step->replaces = there;
        for (size_t i = 0; i < planner->wish->sources.n; i++) {
                const BootSource *source = &planner->wish->sources.items[i];
                _cleanup_free_ char *is = NULL;

                r = payload_name_print(&source->digest, &is);
                if (r < 0)
                        return r;
                if (strcmp(is, name) == 0 && (!step->source || source->file))
                        step->source = source;
        }
        assert(step->source);
        return 0;
}

static int add_payloads(Planner *planner) {
        const BootMenu *menu = planner->menu;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < menu->n; i++)
                for (size_t j = 0;
                     r >= 0 && !menu->entries[i].dropped && j < menu->entries[i].payloads.n; j++)
                        r = add_payload(planner, menu->entries[i].payloads.items[j]);
        return r < 0 ? r : add_barrier(planner);
}

static int add_entry(Planner *planner, const WantedEntry *entry) {
        BootStep *step;
        int r;

        if (entry->dropped || (entry->present && !entry->damaged))
                return 0;
        r = add_step(planner, BOOT_STEP_WRITE_ENTRY, BOOT_ENTRIES_FOLDER, file_now(entry), &step);
        if (r < 0)
                return r;
        step->text = entry->text;
        step->replaces = entry->damaged;
        return 0;
}

static int add_other_entries(Planner *planner, const WantedEntry *but) {
        const BootMenu *menu = planner->menu;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < menu->n; i++)
                if (&menu->entries[i] != but)
                        r = add_entry(planner, &menu->entries[i]);
        return r < 0 ? r : add_barrier(planner);
}

/* Once the entry is whole, it gets its counter or loses it. */
static int add_rename(Planner *planner, const WantedEntry *entry) {
        BootStep *step;
        int r;

        if (entry->dropped || !entry->present_file)
                return 0;
        r = add_step(planner, BOOT_STEP_RENAME_ENTRY, BOOT_ENTRIES_FOLDER, entry->present_file,
                     &step);
        if (r >= 0)
                step->text = entry->file;
        return r;
}

static int add_other_renames(Planner *planner, const WantedEntry *but) {
        const BootMenu *menu = planner->menu;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < menu->n; i++)
                if (&menu->entries[i] != but)
                        r = add_rename(planner, &menu->entries[i]);
        return r < 0 ? r : add_barrier(planner);
}

static bool is_set(const LoaderConf *conf, const char *key, const char *value) {
        _cleanup_free_ char *now = NULL;

        return loader_conf_get(conf, key, &now) == 0 && strcmp(now, value) == 0;
}

/*
 * How loader.conf names it. A loader that knows "preferred" calls an entry by its name without the
 * counter, and passes over it where it is bad. To the others a counted entry must not be named:
 * some would not find it, and some would boot it for ever, however bad it is.
 */
static int print_default(const LoaderVersion *version, const WantedEntry *entry, char **ret_value) {
        if (loader_version_prefers(version) || !strchr(entry->file, '+'))
                return text_printf(ret_value, "%s" LOADER_ENTRY_SUFFIX, entry->stem);
        return text_printf(ret_value, BOOT_ALL_ENTRIES);
}

static int add_default(Planner *planner, const WantedEntry *entry) {
        const LoaderVersion *version = &planner->wish->version;
        const char *key = loader_version_prefers(version) ? "preferred" : "default";
        _cleanup_free_ char *value = NULL;
        int r;

        r = print_default(version, entry, &value);
        if (r < 0 || is_set(&planner->listing->conf, key, value))
                return r;
        r = add_step(planner, BOOT_STEP_SET_DEFAULT, "", value, NULL);
        return r < 0 ? r : add_barrier(planner);
}

/* Of what is not wanted any more: entries, and after them their files. */
static int add_removals(Planner *planner) {
        const BootListing *listing = planner->listing;
        int r = 0;

        if (!planner->may_delete)
                return 0;
        for (size_t i = 0; r >= 0 && i < listing->n_entries; i++)
                if (is_stale(planner, &listing->entries[i]) &&
                    !(planner->plan->freed_bytes > 0 && planner->gone[i]))
                        r = add_step(planner, BOOT_STEP_REMOVE_ENTRY, BOOT_ENTRIES_FOLDER,
                                     listing->entries[i].file, NULL);
        if (r >= 0)
                r = add_barrier(planner);
        for (size_t i = 0; r >= 0 && i < listing->n_payloads; i++)
                if (!planner->payload_gone[i] &&
                    is_payload_free(planner, &listing->payloads[i], true))
                        r = add_step(planner, BOOT_STEP_REMOVE_PAYLOAD, "",
                                     listing->payloads[i].path, NULL);
        for (size_t i = 0; r >= 0 && i < listing->leftovers.n; i++)
                r = add_step(planner, BOOT_STEP_REMOVE_LEFTOVER, "", listing->leftovers.items[i],
                             NULL);
        return r < 0 ? r : add_barrier(planner);
}

static int note_unreadable(Planner *planner) {
        const StringList *unreadable = &planner->menu->unreadable;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < unreadable->n; i++) {
                char *text;

                r = text_printf(&text,
                                "'%s' cannot be read: it gets no entry, and nothing is deleted "
                                "from the boot partition",
                                unreadable->items[i]);
                if (r >= 0)
                        r = note(planner, text);
        }
        return r;
}

/* The default comes before all other entries: none that is new could be taken for it. */
static int add_all(Planner *planner) {
        const char *toplevel = planner->wish->default_toplevel;
        const WantedEntry *entry = toplevel ? boot_menu_default(planner->menu, toplevel) : NULL;
        int r;

        if (toplevel && !entry)
                return -ENOENT;
        r = add_payloads(planner);
        if (r >= 0 && entry)
                r = add_entry(planner, entry);
        if (r >= 0 && entry)
                r = add_rename(planner, entry);
        if (r >= 0)
                r = add_barrier(planner);
        if (r >= 0 && entry)
                r = add_default(planner, entry);
        if (r >= 0)
                r = add_other_entries(planner, entry);
        if (r >= 0)
                r = add_other_renames(planner, entry);
        return r < 0 ? r : add_removals(planner);
}

/**
 * boot_plan_new() - what is to be done, in its order
 * @menu: of the same @wish and @listing; entries that are given up for room are marked so
 * @plan: all zero before; points into @wish and @menu; boot_plan_done() even after an error
 *
 * Where it does not fit, there are no steps.
 *
 * Return: 0, -ENOENT if the default is to be a system without an entry, or -ENOMEM.
 */
int boot_plan_new(const MenuWish *wish, const BootListing *listing, BootMenu *menu,
                  const BootRoom *room, BootPlan *plan) {
        _cleanup_(planner_done) Planner planner = {
                .wish = wish,
                .listing = listing,
                .menu = menu,
                .room = room,
                .plan = plan,
                .may_delete = menu->unreadable.n == 0 && menu->n > 0,
        };
        int r;

        planner.gone = calloc(listing->n_entries + 1, sizeof(bool));
        planner.payload_gone = calloc(listing->n_payloads + 1, sizeof(bool));
        if (!planner.gone || !planner.payload_gone)
                return -ENOMEM;

        r = note_unreadable(&planner);
        if (r >= 0)
                r = make_room(&planner);
        if (r < 0 || !plan->fits)
                return r;
        r = add_removals_for_room(&planner);
        return r < 0 ? r : add_all(&planner);
}

void boot_plan_done(BootPlan *plan) {
        for (size_t i = 0; i < plan->n; i++)
                free(plan->steps[i].path);
        free(plan->steps);
        string_list_done(&plan->notes);
        *plan = (BootPlan){ 0 };
}
