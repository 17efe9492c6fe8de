/* enact rollback: back to the system that ran before the last switch, or to a generation by its
 * number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "after.h"
#include "display.h"
#include "earlier-system.h"
#include "error.h"
#include "options.h"
#include "request.h"
#include "root-side.h"
#include "verbs.h"

#define RUNNING_SYSTEM "/run/current-system"

static int roll_back(const Options *options, const char *word, Display *display,
                     sd_bus_error *reterr_error) {
        _cleanup_(request_done) Request request = { .verb = REQUEST_ROLLBACK };
        _cleanup_(root_side_freep) RootSide *root = NULL;
        _cleanup_(earlier_system_done) EarlierSystem earlier = { 0 };
        int r;

        if (sd_booted() <= 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_SYSTEMD,
                        "No systemd runs here, so there is no running system to change. "
                        "Nothing was changed.");
        r = earlier_system_find(options->profile, word, &earlier, reterr_error);
        if (r < 0)
                return r;
        request.toplevel = TAKE_PTR(earlier.toplevel);
        request.system = TAKE_PTR(earlier.system);
        request.generation = earlier.generation;

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

        r = root_side_start(options->elevate, &root, reterr_error);
        if (r < 0)
                return r;
        return root_side_ask(root, &request, display_engine_event, display, reterr_error);
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index, code;

        r = options_parse(verb_rollback.options, argc, argv, &options, &index);
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
        code = display_result(&display, r, &error);
        after_tell(&display, REQUEST_ROLLBACK, RUNNING_SYSTEM, code);
        return code;
}

const Verb verb_rollback = {
        .name = "rollback",
        .synopsis = "[GENERATION]",
        .help = "Activate an earlier system",
        .completes = "generations",
        .options = OPTIONS_JSON | OPTIONS_PROFILE | OPTIONS_SWITCH | OPTIONS_ROOT,
        .run = run,
};
