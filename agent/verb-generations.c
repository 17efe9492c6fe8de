/* enact generations: which systems there are to go back to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "display.h"
#include "error.h"
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

/* clang-format off */
static const struct {
        const char *name, *synopsis;
        int min_words, max_words;
        int (*run)(const Options *options, const Words *words, Display *display, sd_bus_error *reterr_error);
} kinds[] = {
        { "list", "",  0, 0, list_run },
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

        r = options_parse(argc, argv, &options, &index);
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

        r = kinds[kind].run(&options, &words, &display, &error);
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

const Verb verb_list_generations = {
        .name = "list-generations",
        .synopsis = "[--json]",
        .help = "The same, in nixos-rebuild's word",
        .run = run,
};
