/*
 * The list of generations: a row for each, and one for each system without a generation that is
 * something to this host all the same - tested, pinned, failed, or its link was deleted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "generations-list.h"
#include "json.h"
#include "marks.h"
#include "systems.h"
#include "text.h"

enum {
        COLUMN_NUMBER,
        COLUMN_DATE,
        COLUMN_VERSION,
        COLUMN_KERNEL,
        COLUMN_REVISION,
        COLUMN_SPECIALISATIONS,
        COLUMN_STATE,
        COLUMN_TOPLEVEL,
        _COLUMN_MAX,
};

static const char *const titles[_COLUMN_MAX] = {
        "NUMBER", "DATE", "VERSION", "KERNEL", "REVISION", "SPECIALISATIONS", "STATE", "TOPLEVEL",
};

#define REVISION_WIDTH 12 /* of 40 digits; --json has them all */

typedef struct Row {
        bool numbered;
        Generation generation; /* its texts belong to others */
        unsigned marks;
        Facts facts;
        char *cells[_COLUMN_MAX];
} Row;

typedef struct Rows {
        Row *items;
        size_t n;
} Rows;

static void rows_done(Rows *rows) {
        for (size_t i = 0; i < rows->n; i++) {
                facts_done(&rows->items[i].facts);
                for (size_t k = 0; k < _COLUMN_MAX; k++)
                        free(rows->items[i].cells[k]);
        }
        free(rows->items);
}

static int add_row(Rows *rows, const Generation *g, bool numbered, const Marks *marks) {
        Row *items = reallocarray(rows->items, rows->n + 1, sizeof(*items)), *row;

        if (!items)
                return -ENOMEM;
        rows->items = items;
        row = &items[rows->n++];
        *row = (Row){
                .numbered = numbered,
                .generation = *g,
                .marks = marks_of(marks, g->target),
        };
        return facts_read(g->target, &row->facts);
}

static bool is_held(const GenerationList *list, const char *path) {
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->items[i].target, path) == 0)
                        return true;
        return false;
}

static int make_rows(const GenerationList *list, const Marks *marks, Rows *rows) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                r = add_row(rows, &list->items[i], /* numbered= */ true, marks);
        for (size_t i = 0; r >= 0 && i < marks->n; i++) {
                const MarkedSystem *system = &marks->systems[i];
                const Generation g = { .target = system->path, .created = system->made };

                if (!is_held(list, system->path))
                        r = add_row(rows, &g, /* numbered= */ false, marks);
        }
        return r;
}

static int add_json_facts(cJSON *object, const Facts *facts) {
        if (!cJSON_AddBoolToObject(object, "there", facts->there) ||
            (facts->version && !cJSON_AddStringToObject(object, "version", facts->version)) ||
            (facts->kernel && !cJSON_AddStringToObject(object, "kernel", facts->kernel)) ||
            (facts->revision &&
             !cJSON_AddStringToObject(object, "configuration-revision", facts->revision)))
                return -ENOMEM;
        return json_add_strings(object, "specialisations", &facts->specialisations);
}

static int add_json_row(cJSON *array, const Row *row) {
        const Generation *g = &row->generation;
        cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        if (!(row->numbered ? cJSON_AddNumberToObject(object, "generation", (double) g->number) :
                              cJSON_AddNullToObject(object, "generation")) ||
            !cJSON_AddStringToObject(object, "toplevel", g->target) ||
            !(g->created > 0 ? cJSON_AddNumberToObject(object, "created", (double) g->created) :
                               cJSON_AddNullToObject(object, "created")) ||
            !cJSON_AddBoolToObject(object, "current", g->current))
                return -ENOMEM;
        for (Mark mark = 0; mark < _MARK_MAX; mark++)
                if (!cJSON_AddBoolToObject(object, mark_to_string(mark), row->marks >> mark & 1))
                        return -ENOMEM;
        return add_json_facts(object, &row->facts);
}

static int print_json(const Rows *rows, const char *profile) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        cJSON *array;
        int r = 0;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "profile", profile))
                return -ENOMEM;
        array = cJSON_AddArrayToObject(object, "generations");
        if (!array)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < rows->n; i++)
                r = add_json_row(array, &rows->items[i]);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int state_of(const Row *row, char **ret_text) {
        _cleanup_(string_list_done) StringList words = { 0 };
        int r = 0;

        if (row->generation.current)
                r = string_list_add(&words, "current");
        for (Mark mark = 0; r >= 0 && mark < _MARK_MAX; mark++)
                if (row->marks >> mark & 1)
                        r = string_list_add(&words, mark_to_string(mark));
        if (r >= 0 && !row->facts.there)
                r = string_list_add(&words, "gone");
        return r < 0 ? r : string_list_join(&words, ", ", ret_text);
}

static int date_of(const Generation *g, char **ret_text) {
        char date[sizeof("2026-01-31 23:59")] = "";
        struct tm tm;

        if (g->created > 0 && localtime_r(&g->created, &tm))
                (void) strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
        *ret_text = strdup(date);
        return *ret_text ? 0 : -ENOMEM;
}

static const char *or_empty(const char *text) {
        return text ? text : "";
}

static int fill_cells(Row *row) {
        const Facts *facts = &row->facts;
        char **cells = row->cells;
        int r;

        r = row->numbered ?
                    text_printf(&cells[COLUMN_NUMBER], "%6" PRIu64, row->generation.number) :
                    text_printf(&cells[COLUMN_NUMBER], "     -");
        if (r >= 0)
                r = date_of(&row->generation, &cells[COLUMN_DATE]);
        if (r >= 0)
                r = text_printf(&cells[COLUMN_VERSION], "%s", or_empty(facts->version));
        if (r >= 0)
                r = text_printf(&cells[COLUMN_KERNEL], "%s", or_empty(facts->kernel));
        if (r >= 0)
                r = text_printf(&cells[COLUMN_REVISION], "%.*s", REVISION_WIDTH,
                                or_empty(facts->revision));
        if (r >= 0)
                r = string_list_join(&facts->specialisations, ",", &cells[COLUMN_SPECIALISATIONS]);
        if (r >= 0)
                r = state_of(row, &cells[COLUMN_STATE]);
        if (r >= 0)
                r = text_printf(&cells[COLUMN_TOPLEVEL], "%s", row->generation.target);
        for (size_t k = 0; r >= 0 && k < _COLUMN_MAX; k++)
                text_strip_controls(cells[k]);
        return r;
}

static void print_cells(const char *const cells[], const size_t widths[]) {
        for (size_t k = 0; k < _COLUMN_MAX; k++)
                if (k == COLUMN_TOPLEVEL)
                        puts(cells[k]);
                else if (widths[k] > 0)
                        printf("%-*s  ", (int) widths[k], cells[k]);
}

/* A column that nothing is in is left out. */
static int print_table(Rows *rows) {
        size_t widths[_COLUMN_MAX] = { 0 };

        for (size_t i = 0; i < rows->n; i++) {
                int r = fill_cells(&rows->items[i]);

                if (r < 0)
                        return r;
                for (size_t k = 0; k < _COLUMN_MAX; k++)
                        if (strlen(rows->items[i].cells[k]) > widths[k])
                                widths[k] = strlen(rows->items[i].cells[k]);
        }
        for (size_t k = 0; k < _COLUMN_MAX; k++)
                if (widths[k] > 0 && strlen(titles[k]) > widths[k])
                        widths[k] = strlen(titles[k]);
        if (rows->n > 0)
                print_cells(titles, widths);
        for (size_t i = 0; i < rows->n; i++)
                print_cells((const char *const *) rows->items[i].cells, widths);
        return 0;
}

/**
 * generations_list() - print all generations of a profile, as a table or one JSON object
 *
 * Return: 0, or a negative errno, with @reterr_error set but without memory.
 */
int generations_list(const Options *options, sd_bus_error *reterr_error) {
        _cleanup_(systems_done) Systems systems = { 0 };
        _cleanup_(marks_done) Marks marks = { 0 };
        _cleanup_(rows_done) Rows rows = { 0 };
        int r;

        r = systems_read(options->profile, &systems, reterr_error);
        if (r >= 0)
                r = marks_read(&TRANSACTION_PLACES_HOST, BOOTED_SYSTEM, options->profile, &marks,
                               reterr_error);
        if (r >= 0)
                r = make_rows(&systems.generations, &marks, &rows);
        if (r < 0)
                return r;
        if (options->json)
                return print_json(&rows, options->profile);
        if (systems.generations.n > 0 || systems.current)
                return print_table(&rows);
        fprintf(stderr, "The profile '%s' has no generation.\n", options->profile);
        return 0;
}

/* "Unknown" is nixos-rebuild's word. */
static const char *or_unknown(const char *text) {
        return text && *text ? text : "Unknown";
}

static void date_to_seconds(const Generation *g, char text[static 32]) {
        struct tm tm;

        text[0] = '\0';
        if (localtime_r(&g->created, &tm))
                (void) strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

enum { FOREIGN_COLUMNS = 7 };

static int fill_foreign_cells(const Generation *g, const Facts *facts,
                              char *cells[static FOREIGN_COLUMNS]) {
        char date[32];
        int r;

        date_to_seconds(g, date);
        r = text_printf(&cells[0], "%" PRIu64, g->number);
        if (r >= 0)
                r = text_printf(&cells[1], "%s", date);
        if (r >= 0)
                r = text_printf(&cells[2], "%s", or_unknown(facts->version));
        if (r >= 0)
                r = text_printf(&cells[3], "%s", or_unknown(facts->kernel));
        if (r >= 0)
                r = text_printf(&cells[4], "%s", or_unknown(facts->revision));
        if (r >= 0)
                r = string_list_join(&facts->specialisations, ", ", &cells[5]);
        if (r >= 0)
                r = text_printf(&cells[6], "%s", g->current ? "True" : "False");
        return r;
}

static int print_foreign_json(const Rows *rows) {
        _cleanup_(cJSON_Deletep) cJSON *array = cJSON_CreateArray();
        _cleanup_free_ char *text = NULL;

        for (size_t i = rows->n; array && i > 0; i--) {
                const Row *row = &rows->items[i - 1];
                cJSON *object = cJSON_CreateObject();
                char date[32];

                date_to_seconds(&row->generation, date);
                (void) cJSON_AddItemToArray(array, object);
                if (!object ||
                    !cJSON_AddNumberToObject(object, "generation",
                                             (double) row->generation.number) ||
                    !cJSON_AddStringToObject(object, "date", date) ||
                    !cJSON_AddStringToObject(object, "nixosVersion",
                                             or_unknown(row->facts.version)) ||
                    !cJSON_AddStringToObject(object, "kernelVersion",
                                             or_unknown(row->facts.kernel)) ||
                    !cJSON_AddStringToObject(object, "configurationRevision",
                                             or_unknown(row->facts.revision)) ||
                    json_add_strings(object, "specialisations", &row->facts.specialisations) < 0 ||
                    !cJSON_AddBoolToObject(object, "current", row->generation.current))
                        return -ENOMEM;
        }
        text = cJSON_Print(array);
        if (!text)
                return -ENOMEM;
        puts(text);
        return 0;
}

static int print_foreign_table(const Rows *rows) {
        static const char *const headers[FOREIGN_COLUMNS] = {
                "Generation",     "Build-date", "NixOS version", "Kernel", "Configuration Revision",
                "Specialisation", "Current",
        };
        char *(*cells)[FOREIGN_COLUMNS] = calloc(rows->n + 1, sizeof(*cells));
        size_t widths[FOREIGN_COLUMNS];
        int r = cells ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < rows->n; i++)
                r = fill_foreign_cells(&rows->items[i].generation, &rows->items[i].facts, cells[i]);
        for (size_t k = 0; r >= 0 && k < FOREIGN_COLUMNS; k++) {
                widths[k] = strlen(headers[k]);
                for (size_t i = 0; i < rows->n; i++) {
                        text_strip_controls(cells[i][k]);
                        if (strlen(cells[i][k]) > widths[k])
                                widths[k] = strlen(cells[i][k]);
                }
        }
        for (size_t i = rows->n + 1; r >= 0 && i > 0; i--) /* the newest one first */
                for (size_t k = 0; k < FOREIGN_COLUMNS; k++) {
                        const char *cell = i > rows->n ? headers[k] : cells[i - 1][k];

                        if (k + 1 == FOREIGN_COLUMNS)
                                puts(cell);
                        else
                                printf("%-*s  ", (int) widths[k], cell);
                }
        for (size_t i = 0; cells && i < rows->n; i++)
                for (size_t k = 0; k < FOREIGN_COLUMNS; k++)
                        free(cells[i][k]);
        free(cells);
        return r;
}

/**
 * generations_list_foreign() - the same in nixos-rebuild's form, which scripts read
 *
 * Source: `nixos-rebuild list-generations [--json]`.
 *
 * Return: as generations_list().
 */
int generations_list_foreign(const Options *options, sd_bus_error *reterr_error) {
        _cleanup_(systems_done) Systems systems = { 0 };
        _cleanup_(rows_done) Rows rows = { 0 };
        const Marks marks = { 0 };
        int r;

        r = systems_read(options->profile, &systems, reterr_error);
        if (r >= 0)
                r = make_rows(&systems.generations, &marks, &rows);
        if (r < 0)
                return r;
        return options->json ? print_foreign_json(&rows) : print_foreign_table(&rows);
}
