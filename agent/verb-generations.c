/* enact generations: which systems there are to go back to. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "display.h"
#include "error.h"
#include "generations-change.h"
#include "generations-diff.h"
#include "generations-list.h"
#include "options.h"
#include "verbs.h"

/* What a command line asks for beyond its options. */
typedef struct Words {
        char **items;
        int n;
} Words;

static int list_run(const Options *options, _unused_ const Words *words, _unused_ Display *display,
                    sd_bus_error *reterr_error) {
        return generations_list(options, reterr_error);
}

static int diff_run(const Options *options, const Words *words, _unused_ Display *display,
                    sd_bus_error *reterr_error) {
        return generations_diff(options, words->items, words->n, reterr_error);
}

static int pin_run(const Options *options, const Words *words, Display *display,
                   sd_bus_error *reterr_error) {
        return generations_change(UPKEEP_PIN, options, words->items, words->n, display,
                                  reterr_error);
}

static int unpin_run(const Options *options, const Words *words, Display *display,
                     sd_bus_error *reterr_error) {
        return generations_change(UPKEEP_UNPIN, options, words->items, words->n, display,
                                  reterr_error);
}

static int delete_run(const Options *options, const Words *words, Display *display,
                      sd_bus_error *reterr_error) {
        return generations_change(UPKEEP_DELETE, options, words->items, words->n, display,
                                  reterr_error);
}

/* clang-format off */
static const struct {
        const char *name, *synopsis;
        int min_words, max_words;
        int (*run)(const Options *options, const Words *words, Display *display, sd_bus_error *reterr_error);
        bool changes; /* --json tells events */
} kinds[] = {
        { "list",   "[--json]",               0, 0,       list_run   },
        { "diff",   "[--json] A [B] | A..B",  1, 2,       diff_run   },
        { "pin",    "NUMBER|FROM-TO|PATH...", 1, INT_MAX, pin_run,    .changes = true },
        { "unpin",  "NUMBER|FROM-TO|PATH...", 1, INT_MAX, unpin_run,  .changes = true },
        { "delete", "NUMBER|FROM-TO...",      1, INT_MAX, delete_run, .changes = true },
};
/* clang-format on */

static int say_usage(void) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                fprintf(stderr, "%s enact generations %s%s%s\n", i == 0 ? "Usage:" : "      ",
                        kinds[i].name, *kinds[i].synopsis ? " " : "", kinds[i].synopsis);
        return 2;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        size_t kind = 0; /* list */
        Display display;
        Words words;
        int r, index;

        r = options_parse(verb_generations.options, argc, argv, &options, &index);
        if (r < 0)
                return 2;
        if (index < argc) {
                for (kind = 0; kind < ELEMENTSOF(kinds); kind++)
                        if (strcmp(kinds[kind].name, argv[index]) == 0)
                                break;
                index++;
        }
        words = (Words){ argv + index, argc - index };
        if (kind == ELEMENTSOF(kinds) || words.n < kinds[kind].min_words ||
            words.n > kinds[kind].max_words)
                return say_usage();
        display_open(&display, options.json);
        display.events = options.json && kinds[kind].changes;

        r = kinds[kind].run(&options, &words, &display, &error);
        if (r >= 0 && !kinds[kind].changes) /* events that were lost undo nothing */
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

static int run_foreign(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index;

        r = options_parse(verb_list_generations.options, argc, argv, &options, &index);
        if (r >= 0 && index < argc) {
                fprintf(stderr, "enact: 'list-generations' takes no word '%s'.\n", argv[index]);
                r = -EINVAL;
        }
        if (r < 0)
                return 2;
        display_open(&display, options.json);
        r = generations_list_foreign(&options, &error);
        if (r >= 0)
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_generations = {
        .name = "generations",
        .synopsis = "[list|diff|pin|unpin|delete]",
        .help = "List, compare, pin and delete the systems there are to go back to",
        .words = "list diff pin unpin delete",
        .completes = "generations",
        .options = OPTIONS_JSON | OPTIONS_PROFILE | OPTIONS_ROOT,
        .run = run,
};

const Verb verb_list_generations = {
        .name = "list-generations",
        .synopsis = "",
        .help = "List the generations as nixos-rebuild does",
        .options = OPTIONS_JSON | OPTIONS_PROFILE,
        .run = run_foreign,
};
