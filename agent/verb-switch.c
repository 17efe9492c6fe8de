/*
 * enact build, switch, boot, test, plan and dry-activate: from a flake to a system, and as far
 * towards running it as the verb goes. They share one path; a row of the table says where each
 * leaves it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "after.h"
#include "before.h"
#include "channels.h"
#include "display.h"
#include "earlier-system.h"
#include "error.h"
#include "event.h"
#include "file.h"
#include "generations-diff.h"
#include "identity.h"
#include "lock-update.h"
#include "nix.h"
#include "options.h"
#include "question.h"
#include "request.h"
#include "root-side.h"
#include "source.h"
#include "text.h"
#include "toplevel.h"
#include "variant.h"
#include "verbs.h"

#define RUNNING_SYSTEM "/run/current-system"

enum { DECLINED = 1 }; /* answer: whoever was asked said no */

typedef struct Course {
        const Verb *verb;
        bool plans;     /* shows what would be done */
        bool asks;      /* asks the root side for @request */
        bool links;     /* leaves ./result */
        bool only_says; /* what would be built */
        bool varies;    /* takes a specialisation, if one is meant */
        RequestVerb request;
        const char *attribute; /* of config.system.build; NULL: toplevel */
        const char *runs;      /* what of the result is to be started, by a pattern */
        bool has_variants;     /* the attribute is a set of them */
} Course;

/* clang-format off */
static const Course courses[] = {
        { &verb_build,        .links = true },
        { &verb_dry_build,    .only_says = true },
        { &verb_dry_run,      .only_says = true },
        { &verb_switch,       .asks = true, .varies = true, .request = REQUEST_SWITCH },
        { &verb_boot,         .asks = true, .request = REQUEST_BOOT },
        { &verb_test,         .asks = true, .varies = true, .request = REQUEST_TEST },
        { &verb_plan,         .plans = true, .varies = true },
        { &verb_dry_activate, .plans = true, .asks = true, .varies = true, .request = REQUEST_DRY_ACTIVATE },
        { &verb_build_vm,     .links = true, .attribute = "vm", .runs = "bin/run-*-vm" },
        { &verb_build_vm_with_bootloader, .links = true, .attribute = "vmWithBootLoader", .runs = "bin/run-*-vm" },
        { &verb_build_image,  .links = true, .attribute = "images", .has_variants = true },
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

/* Where in a configuration it is; owned by the caller. */
static int attribute_of(const Course *course, const Options *options, char **ret) {
        return text_printf(ret, "config.system.build.%s%s%s",
                           course->attribute ? course->attribute : "toplevel",
                           options->image_variant ? "." : "",
                           options->image_variant ? options->image_variant : "");
}

/* The link that the user wants; NULL: none. */
static const char *out_link_of(const Course *course, const Options *options) {
        return options->out_link                  ? options->out_link :
               course->links && !options->no_link ? "./result" :
                                                    NULL;
}

/* What is asked of Nix; its handler and options point into what is given here. */
static NixRequest make_request(const Course *course, const Options *options, const Source *source,
                               const char *attribute, Display *words) {
        return (NixRequest){
                .source = source,
                .set = "nixosConfigurations",
                .attribute = attribute,
                .out_link = out_link_of(course, options),
                .options = &options->nix,
                .handler = display_nix_event,
                .userdata = words,
                .shows_logs = !words->json,
        };
}

/* A plan is one object, so what leads to it is words. */
static Display words_of(const Course *course, const Display *display) {
        Display words = *display;

        if (course->plans && !course->asks)
                words.json = false;
        return words;
}

static int find_source(const Options *options, Source **ret, sd_bus_error *reterr_error) {
        char host_name[HOST_NAME_MAX + 1];

        if (gethostname(host_name, sizeof(host_name)) < 0)
                return -errno;
        return source_new(options, host_name, SOURCE_DIRECTORY, ret, reterr_error);
}

/* What is to be built may be moved forward first. */
static int update_source(const Options *options, const Source *source, Display *display,
                         sd_bus_error *reterr_error) {
        _cleanup_(lock_update_done) LockUpdate update = { 0 };
        const StringList all = { 0 };
        int r = 0;

        if (options->upgrade || options->upgrade_all)
                r = channels_update(CHANNELS_DIRECTORY, options->upgrade_all, display,
                                    reterr_error);
        if (r < 0 || (!options->update && options->update_inputs.n == 0))
                return r;
        if (!source->flake)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE,
                                         "'%s' is no flake: it has no inputs to update, and "
                                         "channels are updated by --upgrade. Nothing was changed.",
                                         source->file);
        r = lock_update(source->flake, options->update ? &all : &options->update_inputs,
                        &options->nix, display, &update, reterr_error);
        if (r >= 0)
                lock_update_print(&update, stderr);
        return r;
}

static int build(const Course *course, const Options *options, const Source *source,
                 Display *display, NixOutput **ret, sd_bus_error *reterr_error) {
        Display words = words_of(course, display);
        _cleanup_free_ char *attribute = NULL;
        NixRequest request;
        int r;

        r = attribute_of(course, options, &attribute);
        if (r < 0)
                return r;
        request = make_request(course, options, source, attribute, &words);
        r = update_source(options, source, &words, reterr_error);
        return r < 0 ? r : nix_build(&request, ret, reterr_error);
}

static void print_list(const char *what, const StringList *paths) {
        if (paths->n > 0)
                printf("would %s %zu\n", what, paths->n);
        for (size_t i = 0; i < paths->n; i++)
                printf("  %s\n", paths->items[i]);
}

static int print_forecast(const NixForecast *forecast, const Display *display) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *line = NULL;
        int r;

        if (!display->json) {
                print_list("build", &forecast->builds);
                print_list("fetch", &forecast->fetches);
                if (forecast->builds.n + forecast->fetches.n == 0)
                        puts("all of it is there already");
                return 0;
        }
        object = cJSON_CreateObject();
        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            json_add_strings(object, "build", &forecast->builds) < 0 ||
            json_add_strings(object, "fetch", &forecast->fetches) < 0)
                return -ENOMEM;
        r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

/* The variants of what is asked for, where none is named. */
static int list_variants(const Course *course, const Options *options, const Source *source,
                         Display *display, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *attribute = NULL, *line = NULL;
        Display words = *display;
        NixRequest request;
        int r;

        r = attribute_of(course, options, &attribute);
        if (r < 0)
                return r;
        words.json = false;
        request = make_request(course, options, source, attribute, &words);
        r = nix_names(&request, &names, reterr_error);
        if (r < 0)
                return r;
        for (size_t i = 0; !display->json && i < names.n; i++)
                puts(names.items[i]);
        if (!display->json)
                return 0;
        object = cJSON_CreateObject();
        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            json_add_strings(object, "variants", &names) < 0)
                return -ENOMEM;
        r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

/* Evaluates, and stops there. */
static int only_say(const Course *course, const Options *options, const Source *source,
                    Display *display, sd_bus_error *reterr_error) {
        _cleanup_(nix_forecast_done) NixForecast forecast = { 0 };
        _cleanup_free_ char *attribute = NULL;
        Display words = *display;
        NixRequest request;
        int r;

        r = attribute_of(course, options, &attribute);
        if (r < 0)
                return r;
        words.json = false; /* it is one object */
        request = make_request(course, options, source, attribute, &words);
        r = nix_forecast(&request, &forecast, reterr_error);
        return r < 0 ? r : print_forecast(&forecast, display);
}

/* The system that a command line leads to. */
typedef struct Target {
        NixOutput *output;     /* what keeps it from being collected, where it was built */
        char *system;          /* resolved */
        char *variant;         /* the specialisation of it that is to run; NULL: it itself */
        uint64_t generation;   /* that has it; 0: whichever does, or a new one */
        bool is_for_this_host; /* somebody was asked, and said so */
} Target;

static void target_done(Target *target) {
        nix_output_free(target->output);
        free(target->system);
        free(target->variant);
}

static const char *target_toplevel(const Target *target) {
        return target->variant ? target->variant : target->system;
}

static int print_plan_as_json(const Course *course, const char *running, const char *toplevel,
                              const Plan *plan) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *line = NULL;
        int r;

        r = plan_to_json(plan, &object);
        if (r >= 0 && course->asks) {
                _cleanup_(cJSON_Deletep) cJSON *event = event_new("plan");

                if (!event || !cJSON_AddItemToObject(event, "plan", TAKE_PTR(object)))
                        return -ENOMEM;
                object = TAKE_PTR(event);
        } else if (r >= 0)
                before_add_packages(running, toplevel, object);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int show_plan(const Course *course, const char *toplevel, const DryLists *lists,
                     const Display *display, sd_bus_error *reterr_error) {
        _cleanup_free_ char *running = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = before_find_running(&running, reterr_error);
        if (r >= 0)
                r = before_make_plan(running, toplevel, lists, &plan, reterr_error);
        if (r < 0)
                return r;
        if (display->json)
                return print_plan_as_json(course, running, toplevel, plan);
        if (!course->asks)
                before_print_packages(running, toplevel, stdout);
        before_print_units(running, toplevel, plan, stdout);
        return 0;
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

static int ask(const Course *course, const Options *options, const Target *target, RootSide *root,
               Display *display, sd_bus_error *reterr_error) {
        const char *toplevel = target_toplevel(target);
        const Request request = {
                .verb = options->rollback && course->request == REQUEST_SWITCH ? REQUEST_ROLLBACK :
                                                                                 course->request,
                .toplevel = (char *) toplevel,
                .system = target->variant ? target->system : NULL,
                .profile = (char *) options->profile,
                .generation = target->generation,
                .no_rollback = options->no_rollback,
                .force = options->force,
                .force_host = options->force_host || target->is_for_this_host,
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

/* What is there already and needs no Nix; often a link like ./result, which only we can follow. */
static int find_given(const Options *options, Target *target, sd_bus_error *reterr_error) {
        _cleanup_(earlier_system_done) EarlierSystem earlier = { 0 };
        _cleanup_(toplevel_freep) Toplevel *given = NULL;
        int r;

        if (options->store_path) {
                r = toplevel_open(options->store_path, &given, reterr_error);
                if (r >= 0)
                        target->system = TAKE_PTR(given->path);
                return r;
        }
        if (!options->rollback)
                return 0;
        r = earlier_system_find(options->profile, NULL, &earlier, reterr_error);
        if (r < 0)
                return r;
        target->generation = earlier.generation;
        if (earlier.system)
                target->variant = TAKE_PTR(earlier.toplevel);
        target->system = earlier.system ? TAKE_PTR(earlier.system) : TAKE_PTR(earlier.toplevel);
        return 0;
}

static int find_target(const Course *course, const Options *options, const Source *source,
                       Display *display, Target *target, sd_bus_error *reterr_error) {
        int r;

        if (!target->system) {
                r = build(course, options, source, display, &target->output, reterr_error);
                if (r < 0)
                        return r;
                target->system = strdup(target->output->store_path);
                if (!target->system)
                        return -ENOMEM;
        }
        if (!course->varies || target->variant)
                return 0;
        return variant_choose(options, target->system, display, &target->variant, reterr_error);
}

static bool can_write_beside(const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory =
                slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");

        return directory && faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) >= 0;
}

/* Root's channels are moved by root, and a link is made where only root may by root. */
static int step_down(const Course *course, const Options *options, const Source *source,
                     Caller **ret, sd_bus_error *reterr_error) {
        const char *link = out_link_of(course, options);
        int r;

        *ret = NULL;
        if (!source || options->upgrade || options->upgrade_all)
                return 0;
        r = source_step_down(source, ret, reterr_error);
        if (r >= 0 && link && !can_write_beside(link))
                *ret = caller_step_up(*ret);
        return r;
}

/* What belongs to whoever called is done in their name. */
static int find_target_as_caller(const Course *course, const Options *options, const Source *source,
                                 Display *display, Target *target, sd_bus_error *reterr_error) {
        _cleanup_(caller_step_upp) Caller *caller = NULL;
        int r;

        r = step_down(course, options, source, &caller, reterr_error);
        return r < 0 ? r : find_target(course, options, source, display, target, reterr_error);
}

static int only_say_as_caller(const Course *course, const Options *options, const Source *source,
                              Display *display, sd_bus_error *reterr_error) {
        _cleanup_(caller_step_upp) Caller *caller = NULL;
        int r;

        r = step_down(course, options, source, &caller, reterr_error);
        if (r < 0)
                return r;
        return course->has_variants && !options->image_variant ?
                       list_variants(course, options, source, display, reterr_error) :
                       only_say(course, options, source, display, reterr_error);
}

/* Its link lies where they keep theirs. */
static void free_output_as_caller(const Course *course, const Options *options,
                                  const Source *source, Target *target) {
        _cleanup_(caller_step_upp) Caller *caller = NULL;

        if (target->output && step_down(course, options, source, &caller, NULL) >= 0)
                target->output = nix_output_free(target->output);
}

/* Another host's system is refused by the root side; whoever can be asked is asked. */
static int check_host(const Course *course, const Options *options, Target *target,
                      sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(toplevel_freep) Toplevel *old = NULL, *new = NULL;
        _cleanup_free_ char *text = NULL;
        bool yes = false;
        int r;

        if (course->request == REQUEST_DRY_ACTIVATE || options->force_host || options->rollback ||
            options->unattended || options->json || !question_can_be_asked() ||
            toplevel_open(RUNNING_SYSTEM, &old, NULL) < 0 ||
            toplevel_open(target_toplevel(target), &new, NULL) < 0)
                return 0;
        r = identity_check(old, new, &error);
        if (r >= 0 || !sd_bus_error_has_name(&error, ENACT_ERROR_OTHER_HOST))
                return 0;
        r = text_printf(&text, "%s\nIs it meant for this host all the same?", error.message);
        if (r >= 0)
                r = question_ask(text, &yes, reterr_error);
        if (r < 0)
                return r;
        target->is_for_this_host = yes;
        return yes ? 0 : DECLINED;
}

/* Words, on standard error: they come before the switch, whatever standard output is for. */
static int show_packages(const Target *target, sd_bus_error *reterr_error) {
        _cleanup_free_ char *running = NULL;

        if (file_realpath(RUNNING_SYSTEM, &running) < 0)
                return 0;
        return generations_diff_packages(running, target_toplevel(target), stderr, reterr_error);
}

/* All that would change, and the question; answers DECLINED. */
static int ask_whoever_called(const Course *course, const Target *target,
                              sd_bus_error *reterr_error) {
        _cleanup_free_ char *running = NULL, *question = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        bool yes = false;
        int r;

        r = before_find_running(&running, reterr_error);
        if (r >= 0 && course->request != REQUEST_BOOT)
                r = before_make_plan(running, target_toplevel(target), NULL, &plan, reterr_error);
        if (r < 0)
                return r;
        before_print_packages(running, target_toplevel(target), stderr);
        if (plan)
                before_print_units(running, target_toplevel(target), plan, stderr);
        r = text_printf(&question, "%s '%s'?", course->verb->name, target_toplevel(target));
        if (r >= 0)
                r = question_ask(question, &yes, reterr_error);
        return r < 0 ? r : yes ? 0 : DECLINED;
}

/* What is there is known. */
static int say_given(const Target *target) {
        printf("no build: %s\n", target_toplevel(target));
        return 0;
}

/* The next thing to type. */
static int say_how_to_start(const Course *course, const Target *target, const Display *display) {
        _cleanup_free_ char *pattern = NULL;
        glob_t found = { 0 };

        if (text_printf(&pattern, "%s/%s", target->system, course->runs) < 0)
                return -ENOMEM;
        if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
                display_say(display, "start it by", found.gl_pathv[0]);
        globfree(&found);
        return 0;
}

static int reach(const Course *course, const Options *options, Target *target, RootSide *root,
                 Display *display, sd_bus_error *reterr_error) {
        int r = 0;

        if (options->diff)
                r = show_packages(target, reterr_error);
        if (r < 0)
                return r;
        if (course->links && display->events)
                display_end(display, &SD_BUS_ERROR_NULL, target->system);
        else if (course->links)
                puts(target->system);
        if (course->runs)
                return say_how_to_start(course, target, display);
        if (course->asks) {
                r = options->ask ? ask_whoever_called(course, target, reterr_error) : 0;
                if (r == 0)
                        r = check_host(course, options, target, reterr_error);
                if (r == DECLINED)
                        display_say(display, "declined:", "Nothing was changed.");
                return r != 0 ? r : ask(course, options, target, root, display, reterr_error);
        }
        return course->plans ?
                       show_plan(course, target_toplevel(target), NULL, display, reterr_error) :
                       0;
}

/* Asks for root first, so that nobody waits for a build only to mistype a password. */
static int follow_course(const Course *course, const Options *options, Display *display,
                         Target *target, sd_bus_error *reterr_error) {
        _cleanup_(root_side_freep) RootSide *root = NULL;
        _cleanup_(source_freep) Source *source = NULL;
        const bool only_says = options->dry_run || course->only_says;
        int r = 0;

        if (!only_says && (course->plans || course->asks))
                r = check_systemd(reterr_error);
        if (r >= 0)
                r = find_given(options, target, reterr_error);
        if (r >= 0 && !target->system)
                r = find_source(options, &source, reterr_error);
        if (r >= 0 && ((course->has_variants && !options->image_variant) || only_says))
                return target->system ?
                               say_given(target) :
                               only_say_as_caller(course, options, source, display, reterr_error);
        if (r >= 0 && course->asks)
                r = root_side_start(options->elevate, &root, reterr_error);
        if (r >= 0)
                r = find_target_as_caller(course, options, source, display, target, reterr_error);
        if (r >= 0)
                r = reach(course, options, target, root, display, reterr_error);
        free_output_as_caller(course, options, source, target);
        return r;
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

/* Silence would be taken for a no, and a script would never learn why nothing happens. */
static int check_ask(const Options *options) {
        if (!options->ask || options->dry_run || (question_can_be_asked() && !options->json))
                return 0;
        fprintf(stderr, "enact: --ask needs a terminal, and goes without --json.\n");
        return -EINVAL;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        _cleanup_(target_done) Target target = { 0 };
        const Course *course = find_course(argv[0]);
        Display display;
        int r, index, code;

        r = options_parse(course->verb->options, argc, argv, &options, &index);
        if (r >= 0)
                r = options_check_source(&options, argv[0]);
        if (r >= 0 && index < argc) {
                fprintf(stderr, "enact: '%s' takes no word '%s'; a flake is named by --flake.\n",
                        argv[0], argv[index]);
                r = -EINVAL;
        }
        if (r >= 0)
                r = check_confirm(course, &options);
        if (r >= 0)
                r = check_ask(&options);
        if (r < 0)
                return 2;
        display_open(&display, options.json);
        display.events = options.json && (course->asks || course->links) && !options.dry_run;
        display.verbose = options.verbose;
        display.build_logs = string_list_contains(&options.nix, "--print-build-logs");

        r = follow_course(course, &options, &display, &target, &error);
        if (r >= 0 &&
            (!course->asks || options.dry_run)) /* events that were lost do not undo a switch */
                r = display_finish(&error);
        code = display_result(&display, r, &error);
        if (course->asks && target.system)
                after_tell(&display, course->request, target_toplevel(&target), code);
        return code;
}

#define SYNOPSIS "[--flake REF[#HOST]]"

/* What nixos-rebuild takes with all of them is taken with all of them. */
#define BUILDS                                                                                     \
        (OPTIONS_JSON | OPTIONS_SOURCE | OPTIONS_PROFILE | OPTIONS_NIX | OPTIONS_LINK |            \
         OPTIONS_DRY_RUN | OPTIONS_UPDATE)
#define SYSTEMS  (BUILDS | OPTIONS_SYSTEM | OPTIONS_DIFF)
#define SWITCHES (SYSTEMS | OPTIONS_SPECIALISATION | OPTIONS_SWITCH | OPTIONS_ASK | OPTIONS_ROOT)

/* clang-format off */
const Verb verb_build = {
        .name = "build", .synopsis = SYNOPSIS, .help = "Build a system and link it as ./result", .options = SYSTEMS, .run = run,
};
const Verb verb_dry_build = {
        .name = "dry-build", .synopsis = SYNOPSIS, .help = "Say what would be built and fetched", .options = SYSTEMS, .run = run,
};
const Verb verb_dry_run = {
        .name = "dry-run", .synopsis = SYNOPSIS, .help = "The same, in nixos-rebuild's other word", .options = SYSTEMS, .run = run,
};
const Verb verb_switch = {
        .name = "switch", .synopsis = SYNOPSIS, .help = "Build, activate, and make it the boot default", .options = SWITCHES, .run = run,
};
const Verb verb_boot = {
        .name = "boot", .synopsis = SYNOPSIS, .help = "Build, and make it the boot default", .options = SYSTEMS | OPTIONS_SWITCH | OPTIONS_TRIAL | OPTIONS_ASK | OPTIONS_ROOT, .run = run,
};
const Verb verb_test = {
        .name = "test", .synopsis = SYNOPSIS, .help = "Build and activate; a reboot undoes it", .options = SWITCHES, .run = run,
};
const Verb verb_plan = {
        .name = "plan", .synopsis = SYNOPSIS, .help = "Show what a switch would do, and why", .options = SYSTEMS | OPTIONS_SPECIALISATION, .run = run,
};
const Verb verb_dry_activate = {
        .name = "dry-activate", .synopsis = SYNOPSIS, .help = "The same, with the activation script's forecast", .options = SWITCHES & ~OPTIONS_ASK, .run = run,
};
const Verb verb_build_vm = {
        .name = "build-vm", .synopsis = SYNOPSIS, .help = "Build a script that starts the system in a virtual machine", .options = BUILDS, .run = run,
};
const Verb verb_build_vm_with_bootloader = {
        .name = "build-vm-with-bootloader", .synopsis = SYNOPSIS, .help = "The same, started by its own boot loader", .options = BUILDS, .run = run,
};
const Verb verb_build_image = {
        .name = "build-image", .synopsis = "[--image-variant VARIANT]", .help = "Build a disk image of the system, or list those that there are", .options = BUILDS | OPTIONS_IMAGE, .run = run,
};
/* clang-format on */
