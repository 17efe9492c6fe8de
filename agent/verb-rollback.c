/* enact rollback: back to the system that ran before the last switch, or to a generation by its
 * number. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "display.h"
#include "error.h"
#include "options.h"
#include "request.h"
#include "root-side.h"
#include "systems.h"
#include "text.h"
#include "verbs.h"
#include "way-back.h"

static int by_number(const Systems *systems, const char *word, Request *request,
                     sd_bus_error *reterr_error) {
        const Generation *g;
        uint64_t number;

        if (text_to_unsigned(word, UINT64_MAX, &number) < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_USAGE,
                        "'%s' is no number of a generation; 'enact generations' lists "
                        "them.",
                        word);
        g = generation_list_find(&systems->generations, number);
        if (!g)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "There is no generation %" PRIu64
                                         "; 'enact generations' lists "
                                         "those there are. Nothing was changed.",
                                         number);
        request->generation = number;
        request->toplevel = strdup(g->target);
        return request->toplevel ? 0 : -ENOMEM;
}

static int by_record(const Systems *systems, Request *request, sd_bus_error *reterr_error) {
        WayBack way;
        int r;

        r = way_back_find(&systems->generations, &systems->history, systems->running, &way);
        if (r < 0)
                return r;
        if (!way.toplevel && way.failed)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "The system that ran before, '%s', has failed, and no other one is known "
                        "to go back to; name a generation ('enact generations' lists them). "
                        "Nothing was changed.",
                        way.failed);
        if (!way.toplevel)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "No earlier system is known to go back to; name a generation "
                        "('enact generations' lists them). Nothing was changed.");
        if (access(way.toplevel, F_OK) < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "The system that ran before, '%s', is not in the store any more; name a "
                        "generation ('enact generations' lists them). Nothing was changed.",
                        way.toplevel);
        request->generation = way.generation;
        request->toplevel = strdup(way.toplevel);
        return request->toplevel ? 0 : -ENOMEM;
}

/* One that is not there would be made, and its first generation be the boot default. */
static int check_profile(const char *profile, const Systems *systems, sd_bus_error *reterr_error) {
        if (systems->generations.n > 0 || strcmp(profile, SYSTEM_PROFILE) == 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "There is no profile '%s' to roll back: it has no generation. "
                                 "Nothing was changed.",
                                 profile);
}

static int roll_back(const Options *options, const char *word, Display *display,
                     sd_bus_error *reterr_error) {
        _cleanup_(request_done) Request request = { .verb = REQUEST_ROLLBACK };
        _cleanup_(root_side_freep) RootSide *root = NULL;
        _cleanup_(systems_done) Systems systems = { 0 };
        int r;

        if (sd_booted() <= 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_SYSTEMD,
                        "No systemd runs here, so there is no running system to change. "
                        "Nothing was changed.");
        r = systems_read(options->profile, &systems, reterr_error);
        if (r < 0)
                return r;
        r = check_profile(options->profile, &systems, reterr_error);
        if (r < 0)
                return r;
        r = word ? by_number(&systems, word, &request, reterr_error) :
                   by_record(&systems, &request, reterr_error);
        if (r < 0)
                return r;

        request.profile = strdup(options->profile);
        if (!request.profile)
                return -ENOMEM;
        request.no_rollback = options->no_rollback;
        request.no_check = options->no_check;
        request.job_limit_sec = options->job_limit_sec;
        request.has_judge_window = options->has_judge_window;
        request.judge_window_sec = options->judge_window_sec;
        r = string_list_copy(&request.probes, &options->probes);
        if (r < 0)
                return r;
        request.confirm_sec = options->confirm_sec;
        request.force = options->force;
        request.unattended = options->unattended;
        request.uid = getuid();

        r = root_side_start(&root, reterr_error);
        if (r < 0)
                return r;
        return root_side_ask(root, &request, display_engine_event, display, reterr_error);
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index;

        r = options_parse(argc, argv, &options, &index);
        if (r >= 0 && argc - index > 1) {
                fprintf(stderr, "Usage: enact rollback %s\n", verb_rollback.synopsis);
                r = -EINVAL;
        }
        if (r >= 0 && options.confirm_sec > 0 && options.no_rollback) {
                fprintf(stderr, "enact: --confirm goes without --no-rollback.\n");
                r = -EINVAL;
        }
        if (r < 0)
                return 2;
        display_open(&display, options.json);
        display.events = options.json;

        r = roll_back(&options, index < argc ? argv[index] : NULL, &display, &error);
        return display_result(&display, r, &error);
}

const Verb verb_rollback = {
        .name = "rollback",
        .synopsis = "[GENERATION]",
        .help = "Activate an earlier system",
        .run = run,
};
