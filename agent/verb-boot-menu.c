/* enact boot-menu: what the machine can start, what it will, and whether all of it is whole; and to
 * have it written anew. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot-view.h"
#include "display.h"
#include "error.h"
#include "file.h"
#include "marks.h"
#include "menu-refresh.h"
#include "options.h"
#include "root-side.h"
#include "text.h"
#include "verbs.h"

#define MENU_PROFILE PROFILES_DIRECTORY "/" SYSTEM_PROFILE

static const char *style_word(const MenuEntry *entry) {
        switch (entry->name.style) {
        case ENTRY_ENACT:
        case ENTRY_ENACT_EXTRA:
                return "enact";
        case ENTRY_NIXOS_NUMBERED:
        case ENTRY_NIXOS_HASHED:
                return "nixos";
        case ENTRY_FOREIGN:
                break;
        }
        return "other";
}

static int add_text(cJSON *object, const char *key, const char *text) {
        _cleanup_free_ char *clean = text ? text_to_utf8(text) : NULL;

        if (text && !clean)
                return -ENOMEM;
        return (clean ? cJSON_AddStringToObject(object, key, clean) :
                        cJSON_AddNullToObject(object, key)) ?
                       0 :
                       -ENOMEM;
}

static int add_counter(cJSON *object, const EntryName *name) {
        cJSON *counter;

        if (!name->counted)
                return cJSON_AddNullToObject(object, "counter") ? 0 : -ENOMEM;
        counter = cJSON_AddObjectToObject(object, "counter");
        return counter && cJSON_AddNumberToObject(counter, "left", name->left) &&
                               cJSON_AddNumberToObject(counter, "done", name->done) ?
                       0 :
                       -ENOMEM;
}

static int add_json_row(cJSON *array, const BootRow *row) {
        cJSON *object = cJSON_CreateObject();
        int r;

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        r = add_text(object, "file", row->entry->file);
        if (r >= 0)
                r = add_text(object, "title", row->entry->entry.title);
        if (r >= 0)
                r = add_text(object, "maker", style_word(row->entry));
        if (r >= 0 && !(row->numbered ? cJSON_AddNumberToObject(object, "generation",
                                                                (double) row->generation) :
                                        cJSON_AddNullToObject(object, "generation")))
                r = -ENOMEM;
        if (r >= 0)
                r = add_text(object, "profile",
                             row->profile  ? row->profile :
                             row->numbered ? SYSTEM_PROFILE :
                                             NULL);
        if (r >= 0)
                r = add_text(object, "specialisation", row->specialisation);
        if (r >= 0)
                r = add_text(object, "toplevel", row->toplevel);
        if (r >= 0)
                r = add_counter(object, &row->entry->name);
        if (r >= 0)
                r = add_text(object, "state", entry_state_to_string(row->state));
        if (r >= 0)
                r = add_text(object, "damage", row->why);
        if (r >= 0)
                r = add_text(object, "judged", row->judged);
        if (r >= 0 && (!cJSON_AddBoolToObject(object, "shown", row->entry->startable) ||
                       !cJSON_AddBoolToObject(object, "boots", row->boots) ||
                       !cJSON_AddBoolToObject(object, "booted", row->booted)))
                r = -ENOMEM;
        return r;
}

static int add_next(cJSON *object, const BootDefault *next) {
        cJSON *item = cJSON_AddObjectToObject(object, "next");
        int r;

        if (!item || !cJSON_AddBoolToObject(item, "uncertain", next->uncertain))
                return -ENOMEM;
        r = add_text(item, "file", next->entry ? next->entry->file : NULL);
        if (r >= 0)
                r = add_text(item, "reason", boot_reason_to_string(next->reason));
        return r < 0 ? r : add_text(item, "pattern", next->pattern);
}

static int print_json(const BootView *view, const StringList *problems) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        cJSON *array;
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddNumberToObject(object, "free-bytes", (double) view->room.free_bytes) ||
            !cJSON_AddNumberToObject(object, "size-bytes", (double) view->room.size_bytes))
                return -ENOMEM;
        r = add_text(object, "partition", boot_partitions_menu(&view->partitions)->path);
        if (r >= 0)
                r = add_text(object, "esp", view->partitions.esp.path);
        if (r >= 0)
                r = add_text(object, "loader", view->loader.text);
        if (r >= 0)
                r = add_next(object, &view->next);
        array = r >= 0 ? cJSON_AddArrayToObject(object, "entries") : NULL;
        if (r >= 0 && !array)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < view->n_rows; i++)
                r = add_json_row(array, &view->rows[i]);
        if (r >= 0)
                r = json_add_strings(object, "problems", problems);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int describe_system(const BootRow *row, char **ret_text) {
        char number[sizeof("18446744073709551615")] = "";

        if (row->numbered)
                (void) snprintf(number, sizeof(number), "%" PRIu64, row->generation);
        return text_printf(ret_text, "%s%s%s%s%s", row->profile ? row->profile : "",
                           row->profile ? " " : "", *number ? number : "-",
                           row->specialisation ? " " : "",
                           row->specialisation ? row->specialisation : "");
}

static int describe_state(const BootRow *row, char **ret_text) {
        const EntryName *name = &row->entry->name;
        _cleanup_free_ char *tries = NULL;
        int r = 0;

        if (name->counted && name->left == 0)
                r = text_printf(&tries, ", bad after %u tries", name->done);
        else if (name->counted)
                r = text_printf(&tries, ", on trial: %u tries left", name->left);
        return r < 0 ? r :
                       text_printf(ret_text, "%s%s%s%s%s%s%s", entry_state_to_string(row->state),
                                   tries ? tries : "", row->judged ? ", " : "",
                                   row->judged ? row->judged : "", row->booted ? ", booted" : "",
                                   row->why ? ": " : "", row->why ? row->why : "");
}

static int print_row(const BootRow *row) {
        _cleanup_free_ char *system = NULL, *state = NULL, *file = NULL;
        int r;

        r = describe_system(row, &system);
        if (r >= 0)
                r = describe_state(row, &state);
        if (r >= 0)
                r = text_printf(&file, "%s", row->entry->file);
        if (r < 0)
                return r;
        text_strip_controls(system);
        text_strip_controls(state);
        text_strip_controls(file);
        printf("%s %-12s %-6s %-34s %s\n", row->boots ? "*" : " ", system, style_word(row->entry),
               file, state);
        return 0;
}

static void print_next(const BootView *view) {
        const BootDefault *next = &view->next;

        if (!next->entry)
                printf("\nNothing boots: %s.\n", boot_reason_to_words(next->reason));
        else
                printf("\n* boots next: %s%s.\n", boot_reason_to_words(next->reason),
                       next->uncertain ? ", unless a unified kernel image comes before it" : "");
}

static int print_table(const BootView *view) {
        int r = 0;

        printf("%s on %s, %.1f of %.1f MiB free\n\n",
               view->loader.text ? view->loader.text : "No known boot loader",
               boot_partitions_menu(&view->partitions)->path,
               (double) view->room.free_bytes / 1048576.0,
               (double) view->room.size_bytes / 1048576.0);
        if (view->n_rows > 0)
                printf("  %-12s %-6s %-34s %s\n", "GENERATION", "MAKER", "ENTRY", "STATE");
        for (size_t i = 0; r >= 0 && i < view->n_rows; i++)
                r = print_row(&view->rows[i]);
        print_next(view);
        return r;
}

static int find_problems(const Options *options, const BootView *view, StringList *problems) {
        _cleanup_free_ char *wanted = NULL, *booted = NULL;

        (void) file_realpath(MENU_PROFILE, &wanted);
        if (!options->esp_path)
                (void) file_realpath(BOOTED_SYSTEM, &booted);
        return boot_view_problems(view, wanted, booted, problems);
}

static int show(const Options *options, _unused_ Display *display, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList problems = { 0 };
        _cleanup_(boot_view_done) BootView view = { 0 };
        int r;

        r = boot_view_read(options->esp_path, options->extended_path, &view, reterr_error);
        if (r >= 0)
                r = find_problems(options, &view, &problems);
        if (r < 0)
                return r;
        return options->json ? print_json(&view, &problems) : print_table(&view);
}

static int verify(const Options *options, _unused_ Display *display, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList problems = { 0 };
        _cleanup_(boot_view_done) BootView view = { 0 };
        int r;

        r = boot_view_read(options->esp_path, options->extended_path, &view, reterr_error);
        if (r >= 0)
                r = find_problems(options, &view, &problems);
        if (r >= 0 && options->json)
                r = print_json(&view, &problems);
        if (r < 0)
                return r;
        for (size_t i = 0; !options->json && i < problems.n; i++) {
                text_strip_controls(problems.items[i]);
                puts(problems.items[i]);
        }
        if (problems.n > 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "The boot menu has %zu problem%s. Nothing was changed.",
                                         problems.n, problems.n == 1 ? "" : "s");
        if (!options->json)
                printf("The boot menu is whole: %zu entries, the default is the profile's.\n",
                       view.n_rows);
        return 0;
}

static int refresh(const Options *options, Display *display, sd_bus_error *reterr_error) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_(root_side_freep) RootSide *root = NULL;
        int r;

        r = menu_refresh_request(&object);
        if (r >= 0)
                r = root_side_start(options->elevate, &root, reterr_error);
        return r < 0 ? r :
                       root_side_ask_upkeep(root, object, display_engine_event, display,
                                            reterr_error);
}

/* clang-format off */
static const struct {
        const char *name;
        int (*run)(const Options *options, Display *display, sd_bus_error *reterr_error);
        bool changes; /* the machine's own menu; --json tells events */
} kinds[] = {
        { "show",    show },
        { "verify",  verify },
        { "refresh", refresh, .changes = true },
};
/* clang-format on */

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        size_t kind = 0; /* show */
        Display display;
        int r, index;

        r = options_parse(verb_boot_menu.options, argc, argv, &options, &index);
        if (r >= 0 && index < argc) {
                for (kind = 0; kind < ELEMENTSOF(kinds); kind++)
                        if (strcmp(kinds[kind].name, argv[index]) == 0)
                                break;
                index++;
        }
        if (r < 0 || kind == ELEMENTSOF(kinds) || index < argc ||
            (options.extended_path && !options.esp_path) ||
            (options.esp_path && kinds[kind].changes)) {
                fprintf(stderr, "Usage: enact boot-menu %s\n", verb_boot_menu.synopsis);
                return 2;
        }
        display_open(&display, options.json);
        display.events = options.json && kinds[kind].changes;

        r = kinds[kind].run(&options, &display, &error);
        if (r >= 0 && !kinds[kind].changes) /* events that were lost undo nothing */
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_boot_menu = {
        .name = "boot-menu",
        .synopsis = "[show|verify|refresh]",
        .help = "Show what the machine can start and will, and whether it is whole; write it anew",
        .words = "show verify refresh",
        .options = OPTIONS_JSON | OPTIONS_MENU | OPTIONS_ROOT,
        .run = run,
};
