/*
 * enact build, switch, boot, test, plan and dry-activate: from a flake to a system, and as far
 * towards running it as the verb goes. They share one path; a row of the table says where each
 * leaves it.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "display.h"
#include "error.h"
#include "event.h"
#include "file.h"
#include "flake.h"
#include "live-state.h"
#include "manager.h"
#include "nix.h"
#include "options.h"
#include "plan-load.h"
#include "plan-print.h"
#include "request.h"
#include "root-side.h"
#include "toplevel.h"
#include "unit-lists.h"
#include "verbs.h"

#define RUNNING_SYSTEM "/run/current-system"

typedef struct Course {
        const Verb *verb;
        bool plans; /* shows what would be done */
        bool asks;  /* asks the root side for @request */
        bool links; /* leaves ./result */
        RequestVerb request;
} Course;

/* clang-format off */
static const Course courses[] = {
        { &verb_build,        .links = true },
        { &verb_switch,       .asks = true, .request = REQUEST_SWITCH },
        { &verb_boot,         .asks = true, .request = REQUEST_BOOT },
        { &verb_test,         .asks = true, .request = REQUEST_TEST },
        { &verb_plan,         .plans = true },
        { &verb_dry_activate, .plans = true, .asks = true, .request = REQUEST_DRY_ACTIVATE },
};
/* clang-format on */

static const Course *find_course(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(courses); i++)
                if (strcmp(courses[i].verb->name, name) == 0)
                        return &courses[i];
        assert(false);
        return NULL;
}

static int check_systemd(sd_bus_error *reterr_error) {
        if (sd_booted() > 0)
                return 0;
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_NO_SYSTEMD,
                "No systemd runs here (there is no /run/systemd/system), so there is no "
                "running system to change; 'enact build' works. Nothing was changed.");
}

static int build(const Course *course, const Options *options, Display *display, NixOutput **ret,
                 sd_bus_error *reterr_error) {
        _cleanup_(flake_freep) Flake *flake = NULL;
        char host_name[HOST_NAME_MAX + 1];
        Display words = *display;
        NixRequest request = {
                .set = "nixosConfigurations",
                .attribute = "config.system.build.toplevel",
                .out_link = course->links ? "./result" : NULL,
                .options = &options->nix,
                .handler = display_nix_event,
                .userdata = &words,
        };
        int r;

        /* A plan is one object, so what leads to it is words. */
        if (course->plans && !course->asks)
                words.json = false;
        if (gethostname(host_name, sizeof(host_name)) < 0)
                return -errno;
        r = flake_new(options->flake, host_name, &flake, reterr_error);
        if (r < 0)
                return r;
        request.flake = flake;
        return nix_build(&request, ret, reterr_error);
}

/* What the dry activation script said that the live one would want. */
typedef struct DryLists {
        StringList restart, reload;
} DryLists;

static void dry_lists_done(DryLists *lists) {
        string_list_done(&lists->restart);
        string_list_done(&lists->reload);
}

/* What the running system would have to do; anybody may know, of the managers that they may ask. */
static int show_plan(const Course *course, const char *toplevel, const DryLists *lists,
                     const Display *display, sd_bus_error *reterr_error) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *running = NULL, *line = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        LiveSource source = {
                .to = toplevel,
                .lists_directory = NIXOS_DIRECTORY,
                .all_users = geteuid() == 0,
        };
        int r;

        r = file_realpath(RUNNING_SYSTEM, &running);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "No NixOS system runs here ('" RUNNING_SYSTEM "': %s).",
                                         strerror(-r));
        source.from = running;

        r = manager_open(&manager, reterr_error);
        if (r >= 0)
                r = live_plan(manager, &source, &state, &plan, reterr_error);
        if (r >= 0 && lists && lists->restart.n + lists->reload.n > 0)
                r = live_add_lists(manager, running, toplevel, &state, &lists->restart,
                                   &lists->reload, plan);
        if (r < 0)
                return r;

        if (!display->json) {
                printf("A switch from %s\n         to %s would do this:\n", running, toplevel);
                plan_print(plan, stdout);
                (void) fflush(stdout);
                return 0;
        }
        r = plan_to_json(plan, &object);
        if (r >= 0 && course->asks) {
                _cleanup_(cJSON_Deletep) cJSON *event = event_new("plan");

                if (!event || !cJSON_AddItemToObject(event, "plan", TAKE_PTR(object)))
                        return -ENOMEM;
                object = TAKE_PTR(event);
        }
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

/* A dry run's story: the plan is told when the script has said what it would want. */
typedef struct DryRun {
        const Course *course;
        const char *toplevel;
        Display *display;
        sd_bus_error *error;
        int result;
} DryRun;

static void read_list(const cJSON *event, const char *key, StringList *list) {
        const cJSON *item;

        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(event, key))
                if (cJSON_IsString(item))
                        (void) string_list_add(list, item->valuestring);
}

static void on_dry_event(void *userdata, const cJSON *event, const char *line) {
        _cleanup_(dry_lists_done) DryLists lists = { 0 };
        const char *name = json_string(event, "event");
        DryRun *run = userdata;

        if (strcmp(name, "dry-lists") != 0) {
                display_engine_event(run->display, event, line);
                return;
        }
        read_list(event, "restart", &lists.restart);
        read_list(event, "reload", &lists.reload);
        run->result = show_plan(run->course, run->toplevel, &lists, run->display, run->error);
}

static int ask(const Course *course, const Options *options, const char *toplevel, RootSide *root,
               Display *display, sd_bus_error *reterr_error) {
        const Request request = {
                .verb = course->request,
                .toplevel = (char *) toplevel,
                .profile = (char *) options->profile,
                .no_rollback = options->no_rollback,
                .force = options->force,
                .force_host = options->force_host,
                .trial = options->trial,
                .unattended = options->unattended,
                .install_bootloader = options->install_bootloader,
                .no_check = options->no_check,
                .job_limit_sec = options->job_limit_sec,
                .has_judge_window = options->has_judge_window,
                .judge_window_sec = options->judge_window_sec,
                .probes = options->probes,
                .confirm_sec = options->confirm_sec,
                .plan_digest = (char *) options->plan,
                .uid = getuid(),
        };

        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        DryRun run = {
                .course = course,
                .toplevel = toplevel,
                .display = display,
                .error = &error,
        };
        int r;

        if (!course->plans)
                return root_side_ask(root, &request, display_engine_event, display, reterr_error);
        r = root_side_ask(root, &request, on_dry_event, &run, reterr_error);
        if (r >= 0 && run.result < 0) {
                (void) sd_bus_error_move(reterr_error, &error);
                return run.result;
        }
        return r;
}

/* Asks for root first, so that nobody waits for a build only to mistype a password. */
static int follow_course(const Course *course, const Options *options, Display *display,
                         sd_bus_error *reterr_error) {
        _cleanup_(root_side_freep) RootSide *root = NULL;
        _cleanup_(nix_output_freep) NixOutput *output = NULL;
        _cleanup_(toplevel_freep) Toplevel *given = NULL;
        const char *toplevel;
        int r;

        if (course->plans || course->asks) {
                r = check_systemd(reterr_error);
                if (r < 0)
                        return r;
        }
        if (options->store_path) { /* often a link like ./result, which only we can follow */
                r = toplevel_open(options->store_path, &given, reterr_error);
                if (r < 0)
                        return r;
        }
        if (course->asks) {
                r = root_side_start(&root, reterr_error);
                if (r < 0)
                        return r;
        }
        if (!given) {
                r = build(course, options, display, &output, reterr_error);
                if (r < 0)
                        return r;
        }
        toplevel = given ? given->path : output->store_path;
        if (course->links && display->events)
                display_end(display, &SD_BUS_ERROR_NULL, toplevel);
        else if (course->links)
                puts(toplevel);
        if (course->asks)
                return ask(course, options, toplevel, root, display, reterr_error);
        return course->plans ? show_plan(course, toplevel, NULL, display, reterr_error) : 0;
}

/* A word that nothing would wait for must not look as if something did. */
static int check_confirm(const Course *course, const Options *options) {
        const Request request = { .verb = course->request, .no_rollback = options->no_rollback };

        if (options->confirm_sec == 0 || (course->asks && request_can_be_confirmed(&request)))
                return 0;
        fprintf(stderr, "enact: --confirm goes with switch, test and rollback, and without "
                        "--no-rollback.\n");
        return -EINVAL;
}

static int check_trial(const Course *course, const Options *options) {
        if (!options->trial || (course->asks && course->request == REQUEST_BOOT))
                return 0;
        fprintf(stderr, "enact: --trial goes with boot.\n");
        return -EINVAL;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        const Course *course = find_course(argv[0]);
        Display display;
        int r, index;

        r = options_parse(argc, argv, &options, &index);
        if (r >= 0 && index < argc) {
                fprintf(stderr, "enact: '%s' takes no word '%s'; a flake is named by --flake.\n",
                        argv[0], argv[index]);
                r = -EINVAL;
        }
        if (r >= 0)
                r = check_confirm(course, &options);
        if (r >= 0)
                r = check_trial(course, &options);
        if (r < 0)
                return 2;
        display_open(&display, options.json);
        display.events = options.json && (course->asks || course->links);
        display.build_logs = string_list_contains(&options.nix, "--print-build-logs");

        r = follow_course(course, &options, &display, &error);
        if (r >= 0 && !course->asks) /* events that were lost do not undo a switch */
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

#define SYNOPSIS "[--flake REF[#HOST]]"

/* clang-format off */
const Verb verb_build = {
        .name = "build", .synopsis = SYNOPSIS, .help = "Build a system and link it as ./result", .run = run,
};
const Verb verb_switch = {
        .name = "switch", .synopsis = SYNOPSIS, .help = "Build, activate, and make it the boot default", .run = run,
};
const Verb verb_boot = {
        .name = "boot", .synopsis = SYNOPSIS, .help = "Build, and make it the boot default", .run = run,
};
const Verb verb_test = {
        .name = "test", .synopsis = SYNOPSIS, .help = "Build and activate; a reboot undoes it", .run = run,
};
const Verb verb_plan = {
        .name = "plan", .synopsis = SYNOPSIS, .help = "Show what a switch would do, and why", .run = run,
};
const Verb verb_dry_activate = {
        .name = "dry-activate", .synopsis = SYNOPSIS, .help = "The same, with the activation script's forecast", .run = run,
};
/* clang-format on */
