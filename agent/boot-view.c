/*
 * The boot menu as it is: every entry that the loader would show, which generation it boots,
 * whether what it needs is there, and which one the next start takes. Reads only.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "boot-install.h"
#include "boot-view.h"
#include "efi-variable.h"
#include "error.h"
#include "text.h"

/* clang-format off */
static const char *const variable_names[] = {
        EFI_LOADER_ONE_SHOT, EFI_LOADER_DEFAULT, EFI_LOADER_PREFERRED, EFI_LOADER_LAST_BOOTED, EFI_LOADER_SELECTED,
};
/* clang-format on */

enum { ONE_SHOT, DEFAULT, PREFERRED, LAST_BOOTED, SELECTED };

static int read_variables(int fd, BootView *view) {
        for (size_t i = 0; fd >= 0 && i < ELEMENTSOF(variable_names); i++) {
                int r = efi_variable_read(fd, variable_names[i], &view->variables[i]);

                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

/* What is on the partition decides the next start; what runs now has said so itself. */
static int read_loader(int variables_fd, BootView *view, sd_bus_error *reterr_error) {
        _cleanup_free_ char *info = NULL;
        int r;

        r = boot_install_read_loader(&view->partitions.esp, &view->loader, reterr_error);
        if (r < 0 || view->loader.text || variables_fd < 0)
                return r;
        if (efi_variable_read(variables_fd, EFI_LOADER_INFO, &info) != 0)
                return 0;
        return loader_version_parse(info, &view->loader);
}

/* A folder that was named need be no partition: it is only looked at. */
static int open_partitions(const BootPlaces *places, const char *esp_path,
                           const char *extended_path, BootView *view, sd_bus_error *reterr_error) {
        BootPartitions *partitions = &view->partitions;
        int r;

        if (!esp_path)
                return boot_partitions_open(places, NULL, extended_path, partitions, reterr_error);
        r = boot_partition_open_unchecked(esp_path, &partitions->esp, reterr_error);
        if (r >= 0 && extended_path)
                r = boot_partition_open_unchecked(extended_path, &partitions->extended,
                                                  reterr_error);
        return r;
}

static int copy_text(const char *text, char **ret_copy) {
        return text ? text_printf(ret_copy, "%s", text) : 0;
}

/* "PROFILE NUMBER -|=SPECIALISATION DATE", as boot-menu notes it. */
static int take_note(BootRow *row, const char *note) {
        _cleanup_free_ char *copy = strdup(note);
        char *rest, *profile, *number, *specialisation;
        int r;

        if (!copy)
                return -ENOMEM;
        profile = strtok_r(copy, " ", &rest);
        number = strtok_r(NULL, " ", &rest);
        specialisation = strtok_r(NULL, " ", &rest);
        if (!specialisation || text_to_unsigned(number, UINT64_MAX, &row->generation) < 0)
                return 0;
        row->numbered = true;
        r = strcmp(profile, SYSTEM_PROFILE) == 0 ? 0 : loader_entry_decode(profile, &row->profile);
        if (r >= 0 && *specialisation == '=')
                r = loader_entry_decode(specialisation + 1, &row->specialisation);
        return r == -EBADMSG ? 0 : r;
}

static int take_name(BootRow *row, const EntryName *name) {
        int r;

        row->numbered = true;
        row->generation = name->generation;
        r = copy_text(name->profile, &row->profile);
        return r < 0 ? r : copy_text(name->specialisation, &row->specialisation);
}

static int take_system(BootRow *row, const MenuSystem *system, const Bootspec *spec) {
        int r;

        if (!system)
                return 0;
        row->numbered = true;
        row->generation = system->number;
        r = copy_text(system->profile, &row->profile);
        return r < 0 || !spec ? r : copy_text(spec->specialisation, &row->specialisation);
}

static bool is_id(const MenuEntry *entry, const LoaderVersion *version, const char *id) {
        _cleanup_free_ char *own = NULL;

        return id && menu_entry_id(entry, version, &own) >= 0 && strcasecmp(own, id) == 0;
}

/* The last word that was said of a system is what holds. */
static const char *judged(const BootView *view, const char *toplevel) {
        unsigned marks = toplevel ? marks_of(&view->marks, toplevel) : 0;

        return marks & 1U << MARK_FAILED ? mark_to_string(MARK_FAILED) :
               marks & 1U << MARK_GOOD   ? mark_to_string(MARK_GOOD) :
                                           NULL;
}

static int fill_row(const BootView *view, const MenuEntry *entry, BootRow *row) {
        const char *note = loader_entry_note(&entry->entry, "generation");
        const MenuSystem *system = NULL;
        const Bootspec *spec = NULL;
        int r;

        *row = (BootRow){ .entry = entry, .boots = entry == view->next.entry };
        row->booted = is_id(entry, &view->loader, view->variables[SELECTED]);
        r = loader_entry_toplevel(&entry->entry, &row->toplevel);
        if (r == -ENOMEM)
                return r;
        row->judged = judged(view, row->toplevel);
        if (row->toplevel)
                system = boot_systems_find(&view->systems, row->toplevel, &spec);
        if (entry->name.style == ENTRY_ENACT && entry->intact && note)
                r = take_note(row, note);
        else if (entry->name.style == ENTRY_NIXOS_NUMBERED)
                r = take_name(row, &entry->name);
        else
                r = take_system(row, system, spec);
        return r < 0 ? r :
                       boot_verify_entry(boot_partitions_menu(&view->partitions)->fd,
                                         &view->listing, entry, spec, &row->state, &row->why);
}

static int compare_rows(const void *a, const void *b, void *version) {
        return menu_entry_compare(((const BootRow *) a)->entry, ((const BootRow *) b)->entry,
                                  version);
}

static int fill_rows(BootView *view) {
        size_t n = view->listing.n_entries;

        view->rows = calloc(n + 1, sizeof(*view->rows));
        if (!view->rows)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = fill_row(view, &view->listing.entries[i], &view->rows[view->n_rows++]);

                if (r < 0)
                        return r;
        }
        if (n > 1)
                qsort_r(view->rows, n, sizeof(*view->rows), compare_rows, &view->loader);
        return 0;
}

static int find_next(BootView *view) {
        const LoaderConf *conf = &view->listing.conf;
        BootWishes wishes;
        int r;

        r = loader_conf_get(conf, "default", &view->conf_default);
        if (r != -ENOMEM)
                r = loader_conf_get(conf, "preferred", &view->conf_preferred);
        if (r == -ENOMEM)
                return r;
        wishes = (BootWishes){
                .one_shot = view->variables[ONE_SHOT],
                .variable_default = view->variables[DEFAULT],
                .variable_preferred = view->variables[PREFERRED],
                .last_booted = view->variables[LAST_BOOTED],
                .conf_default = view->conf_default,
                .conf_preferred = view->conf_preferred,
                .version = view->loader,
        };
        return boot_default_find(view->listing.entries, view->listing.n_entries, &wishes,
                                 &view->next);
}

static int read_all(int variables_fd, BootView *view, sd_bus_error *reterr_error) {
        const BootPartition *menu = boot_partitions_menu(&view->partitions);
        int r;

        r = boot_partition_room(menu, &view->room);
        if (r >= 0)
                r = boot_listing_read(menu->fd, view->partitions.esp.fd, menu->path, &view->listing,
                                      reterr_error);
        if (r >= 0)
                r = read_loader(variables_fd, view, reterr_error);
        if (r >= 0)
                r = boot_systems_read(PROFILES_DIRECTORY, &view->systems, reterr_error);
        if (r >= 0)
                r = find_next(view);
        return r < 0 ? r : fill_rows(view);
}

/**
 * boot_view_read() - look at the boot menu
 * @esp_path, @extended_path: folders to look at instead of what is mounted; NULL: those
 * @view: all zero before; boot_view_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set, but without memory.
 */
int boot_view_read(const char *esp_path, const char *extended_path, BootView *view,
                   sd_bus_error *reterr_error) {
        _cleanup_close_ int variables_fd = -EBADF;
        BootPlaces places;
        int r;

        /* A folder's own menu has nothing to do with this machine's variables. */
        if (!esp_path && efi_variables_open(&variables_fd) < 0)
                variables_fd = -EBADF;
        places = boot_places(variables_fd);
        r = open_partitions(&places, esp_path, extended_path, view, reterr_error);
        if (r >= 0 && !esp_path)
                r = marks_read(&TRANSACTION_PLACES_HOST, BOOTED_SYSTEM, SYSTEM_PROFILE,
                               &view->marks, reterr_error);
        if (r >= 0)
                r = read_variables(variables_fd, view);
        return r < 0 ? r : read_all(variables_fd, view, reterr_error);
}

static _printf_(2, 3) int add_problem(StringList *problems, const char *format, ...) {
        va_list ap;
        char *text;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : string_list_take(problems, text);
}

static int check_row(const BootView *view, const BootRow *row, StringList *problems) {
        const MenuEntry *entry = row->entry;

        if (row->state == ENTRY_DAMAGED && entry->name.style != ENTRY_FOREIGN)
                return add_problem(problems, "'%s' is damaged: %s", entry->file, row->why);
        for (size_t i = 0; !entry->name.counted && i < view->n_rows; i++)
                if (view->rows[i].entry->name.counted &&
                    strcmp(view->rows[i].entry->name.stem, entry->name.stem) == 0)
                        return add_problem(problems,
                                           "'%s' lies beside '%s', which is never counted then",
                                           entry->file, view->rows[i].entry->file);
        return 0;
}

/* Whether some entry that the loader would start, and that is not bad, boots that system. */
static int check_system(const BootView *view, const char *toplevel, const char *what,
                        StringList *problems) {
        for (size_t i = 0; i < view->n_rows; i++) {
                const BootRow *row = &view->rows[i];

                if (row->toplevel && strcmp(row->toplevel, toplevel) == 0 &&
                    row->entry->startable && row->state != ENTRY_DAMAGED &&
                    !entry_name_is_bad(&row->entry->name))
                        return 0;
        }
        return add_problem(problems, "%s has no entry that boots: %s", what, toplevel);
}

static int check_next(const BootView *view, const char *wanted, StringList *problems) {
        for (size_t i = 0; i < view->n_rows; i++) {
                const BootRow *row = &view->rows[i];

                if (!row->boots)
                        continue;
                if (row->state == ENTRY_DAMAGED && row->entry->name.style == ENTRY_FOREIGN)
                        return add_problem(problems, "'%s' boots next and is damaged: %s",
                                           row->entry->file, row->why);
                if (view->next.reason == BOOT_ONE_SHOT) /* which is what somebody wants, once */
                        return 0;
                if (wanted && (!row->toplevel || strcmp(row->toplevel, wanted) != 0))
                        return add_problem(problems, "'%s' boots next (%s), which is not %s",
                                           row->entry->file,
                                           boot_reason_to_words(view->next.reason), wanted);
                return 0;
        }
        return add_problem(problems, "nothing boots: %s", boot_reason_to_words(view->next.reason));
}

/**
 * boot_view_problems() - what is wrong with the menu, each a sentence
 * @wanted: the system that must be the default; NULL: any
 * @booted: the one that was booted; NULL: not known
 *
 * Return: 0 or -ENOMEM.
 */
int boot_view_problems(const BootView *view, const char *wanted, const char *booted,
                       StringList *problems) {
        int r = string_list_copy(problems, &view->systems.problems);

        for (size_t i = 0; r >= 0 && i < view->n_rows; i++)
                r = check_row(view, &view->rows[i], problems);
        for (size_t i = 0; r >= 0 && i < view->listing.leftovers.n; i++)
                r = add_problem(problems, "'%s' was left by a run that was cut off",
                                view->listing.leftovers.items[i]);
        if (r >= 0)
                r = check_next(view, wanted, problems);
        if (r >= 0 && booted)
                r = check_system(view, booted, "the booted system", problems);
        return r;
}

static void row_done(BootRow *row) {
        free(row->toplevel);
        free(row->profile);
        free(row->specialisation);
        free(row->why);
}

void boot_view_done(BootView *view) {
        for (size_t i = 0; i < view->n_rows; i++)
                row_done(&view->rows[i]);
        free(view->rows);
        for (size_t i = 0; i < ELEMENTSOF(view->variables); i++)
                free(view->variables[i]);
        free(view->conf_default);
        free(view->conf_preferred);
        loader_version_done(&view->loader);
        boot_systems_done(&view->systems);
        marks_done(&view->marks);
        boot_listing_done(&view->listing);
        boot_partitions_done(&view->partitions);
        *view = (BootView){ 0 };
}
