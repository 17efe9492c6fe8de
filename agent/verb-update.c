/* enact update: move the inputs of a flake forward, and show what has moved. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "display.h"
#include "error.h"
#include "lock-update.h"
#include "options.h"
#include "source.h"
#include "verbs.h"

static int print(const LockUpdate *moved, const Display *display) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *line = NULL;
        int r;

        if (!display->json) {
                lock_update_print(moved, stdout);
                return 0;
        }
        r = lock_update_to_json(moved, &object);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int update(const Options *options, const StringList *inputs, Display *display,
                  sd_bus_error *reterr_error) {
        _cleanup_(lock_update_done) LockUpdate moved = { 0 };
        _cleanup_(source_freep) Source *source = NULL;
        _cleanup_(caller_step_upp) Caller *caller = NULL;
        int r;

        r = source_new(options, NULL, SOURCE_DIRECTORY, &source, reterr_error);
        if (r < 0)
                return r;
        if (!source->flake)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "'%s' is no flake and has no inputs to update; channels "
                                         "are updated by 'enact switch --upgrade'. Nothing was "
                                         "changed.",
                                         source->file);
        r = source_step_down(source, &caller, reterr_error);
        if (r < 0)
                return r;
        r = lock_update(source->flake, inputs, &options->nix, display, &moved, reterr_error);
        return r < 0 ? r : print(&moved, display);
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        _cleanup_(string_list_done) StringList inputs = { 0 };
        Display display;
        int r, index;

        r = options_parse(verb_update.options, argc, argv, &options, &index);
        if (r >= 0)
                r = options_check_source(&options, argv[0]);
        if (r < 0)
                return 2;
        for (int i = index; r >= 0 && i < argc; i++)
                r = string_list_add(&inputs, argv[i]);
        display_open(&display, options.json);
        if (r >= 0)
                r = update(&options, &inputs, &display, &error);
        if (r >= 0)
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_update = {
        .name = "update",
        .synopsis = "[INPUT...] [--flake REF]",
        .help = "Move the inputs of the flake forward, and show what has moved",
        .completes = "inputs",
        .options = OPTIONS_JSON | OPTIONS_SOURCE | OPTIONS_NIX,
        .run = run,
};
