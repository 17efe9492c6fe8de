/* enact generations: which systems there are to go back to. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "display.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "options.h"
#include "systems.h"
#include "text.h"
#include "verbs.h"

static bool is_path(const Generation *g, const char *path) {
        return path && strcmp(g->target, path) == 0;
}

static char *version_of(const Generation *g) {
        _cleanup_free_ char *path = NULL;
        char *version;

        if (text_printf(&path, "%s/nixos-version", g->target) < 0 ||
            file_read_line(AT_FDCWD, path, &version) < 0)
                return NULL;
        return version;
}

static void print_line(const Generation *g, const Systems *systems) {
        _cleanup_free_ char *version = version_of(g);
        char date[sizeof("2026-01-31 23:59")] = "";
        struct tm tm;

        if (localtime_r(&g->created, &tm))
                (void) strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
        printf("%6" PRIu64 "  %s  %-20s %s%s%s%s\n", g->number, date, version ? version : "-",
               g->target, g->current ? "  default" : "",
               is_path(g, systems->running) ? "  running" : "",
               is_path(g, systems->booted) ? "  booted" : "");
}

static int add_json(const Generation *g, const Systems *systems, cJSON *array) {
        _cleanup_free_ char *version = version_of(g);
        cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        if (!cJSON_AddNumberToObject(object, "generation", (double) g->number) ||
            !cJSON_AddStringToObject(object, "toplevel", g->target) ||
            !cJSON_AddNumberToObject(object, "created", (double) g->created) ||
            (version && !cJSON_AddStringToObject(object, "version", version)) ||
            !cJSON_AddBoolToObject(object, "default", g->current) ||
            !cJSON_AddBoolToObject(object, "running", is_path(g, systems->running)) ||
            !cJSON_AddBoolToObject(object, "booted", is_path(g, systems->booted)))
                return -ENOMEM;
        return 0;
}

static int print_json(const Systems *systems) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        cJSON *array;
        int r;

        array = object ? cJSON_AddArrayToObject(object, "generations") : NULL;
        if (!array || !cJSON_AddNumberToObject(object, "version", 1))
                return -ENOMEM;
        for (size_t i = 0; i < systems->generations.n; i++) {
                r = add_json(&systems->generations.items[i], systems, array);
                if (r < 0)
                        return r;
        }
        r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int list(const Options *options, sd_bus_error *reterr_error) {
        _cleanup_(systems_done) Systems systems = { 0 };
        int r;

        r = systems_read(options->profile, &systems, reterr_error);
        if (r < 0)
                return r;
        if (options->json)
                return print_json(&systems);
        for (size_t i = 0; i < systems.generations.n; i++)
                print_line(&systems.generations.items[i], &systems);
        if (systems.generations.n == 0)
                fprintf(stderr, "The profile '%s' has no generation.\n", options->profile);
        return 0;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index;

        r = options_parse(argc, argv, &options, &index);
        if (r < 0)
                return 2;
        if (index + 1 == argc && strcmp(argv[index], "list") == 0)
                index++;
        if (index < argc) {
                fprintf(stderr, "Usage: enact generations %s\n", verb_generations.synopsis);
                return 2;
        }
        display_open(&display, options.json);

        r = list(&options, &error);
        if (r >= 0)
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_generations = {
        .name = "generations",
        .synopsis = "[list] [--json]",
        .help = "List the systems there are to go back to",
        .run = run,
};
