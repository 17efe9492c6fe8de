/* enact-activate plan: what a switch would do, offline from a recorded state or from the running
 * manager. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "live-state.h"
#include "manager.h"
#include "plan-load.h"
#include "plan-print.h"
#include "recorded-state.h"
#include "verbs.h"

typedef struct Options {
        const char *from, *to, *state;
        bool json;
} Options;

static int parse_options(int argc, char **argv, Options *options) {
        static const struct option known[] = {
                { "from", required_argument, NULL, 'f' },
                { "to", required_argument, NULL, 't' },
                { "state", required_argument, NULL, 's' },
                { "json", no_argument, NULL, 'j' },
                { 0 },
        };
        int c;

        while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                if (c == 'f')
                        options->from = optarg;
                else if (c == 't')
                        options->to = optarg;
                else if (c == 's')
                        options->state = optarg;
                else if (c == 'j')
                        options->json = true;
                else
                        return -EINVAL;
        }
        return options->from && options->to && optind == argc ? 0 : -EINVAL;
}

static int read_state(const char *path, RecordedState *state, sd_bus_error *reterr_error) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = file_read(AT_FDCWD, path, RECORDED_STATE_BYTES_MAX, &text, &n);
        if (r >= 0)
                r = recorded_state_read(state, TAKE_PTR(text), n);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot read the state file '%s': %s", path,
                                         r == -EBADMSG ? "not a recorded state of version 1" :
                                                         strerror(-r));
        return 0;
}

static int ask_manager(Manager **ret_manager, RecordedState *state, sd_bus_error *reterr_error) {
        int r;

        r = manager_open(ret_manager, reterr_error);
        return r < 0 ? r : manager_inventory(*ret_manager, &state->inventory, reterr_error);
}

static int print_json(const Plan *plan) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *line = NULL;
        int r;

        r = plan_to_json(plan, &object);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int make_plan(const Options *options, sd_bus_error *reterr_error) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        if (options->state)
                r = read_state(options->state, &state, reterr_error);
        else
                r = ask_manager(&manager, &state, reterr_error);
        if (r < 0)
                return r;

        r = plan_load_state(options->from, options->to, &state, /* live= */ false, &plan);
        if (r >= 0 && manager)
                r = live_add_dependents(manager, options->from, options->to, &state, plan);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot plan the way from '%s' to '%s': %s", options->from,
                                         options->to, strerror(-r));
        if (options->json)
                return print_json(plan);
        plan_print(plan, stdout);
        return 0;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Options options = { 0 };
        int r;

        if (parse_options(argc, argv, &options) < 0) {
                fprintf(stderr, "Usage: enact-activate plan %s\n", verb_plan.synopsis);
                return 2;
        }

        r = make_plan(&options, &error);
        if (r >= 0)
                return 0;
        fprintf(stderr, "enact-activate: %s\n", error.message ? error.message : strerror(-r));
        return 1;
}

const Verb verb_plan = {
        .name = "plan",
        .synopsis = "--from OLD --to NEW [--state FILE] [--json]",
        .help = "Show what a switch between two systems would do",
        .run = run,
};
