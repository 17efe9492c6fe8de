/* enact clean: delete old generations, all that are something to the host excepted, and what only
 * they held. What will go is shown first. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clean.h"
#include "display.h"
#include "error.h"
#include "nix-run.h"
#include "options.h"
#include "question.h"
#include "root-side.h"
#include "systems.h"
#include "text.h"
#include "verbs.h"

static const char *date_of(const Generation *g, char text[static 32]) {
        struct tm tm;

        text[0] = '\0';
        if (g && localtime_r(&g->created, &tm))
                (void) strftime(text, 32, "%Y-%m-%d", &tm);
        return text;
}

static int reasons_to_text(unsigned reasons, char **ret_text) {
        _cleanup_(string_list_done) StringList words = { 0 };
        int r = 0;

        if (reasons & RETENTION_CURRENT)
                r = string_list_add(&words, "is current");
        for (Mark mark = 0; r >= 0 && mark < _MARK_MAX; mark++)
                if (reasons >> mark & 1)
                        r = string_list_add(&words, mark_to_words(mark));
        return r < 0 ? r : string_list_join(&words, ", ", ret_text);
}

static int preview(const Systems *systems, const CleanChoice *choice) {
        char date[32];

        for (size_t i = 0; i < choice->going.n; i++) {
                const UpkeepItem *item = &choice->going.items[i];

                printf("goes   %6" PRIu64 "  %s  %s\n", item->generation,
                       date_of(generation_list_find(&systems->generations, item->generation), date),
                       item->toplevel);
        }
        for (size_t i = 0; i < choice->n_kept; i++) {
                _cleanup_free_ char *why = NULL;
                const Generation *g = choice->kept[i].generation;
                int r = reasons_to_text(choice->kept[i].reasons, &why);

                if (r < 0)
                        return r;
                printf("stays  %6" PRIu64 "  %s  %s: it %s\n", g->number, date_of(g, date),
                       g->target, why);
        }
        if (choice->n_left > 0)
                printf("%zu more go the next time\n", choice->n_left);
        (void) fflush(stdout);
        return 0;
}

static int preview_as_json(const CleanChoice *choice) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        cJSON *going, *kept;
        int r;

        going = cJSON_AddArrayToObject(object, "going");
        kept = cJSON_AddArrayToObject(object, "staying");
        if (!kept || !cJSON_AddNumberToObject(object, "version", 1))
                return -ENOMEM;
        for (size_t i = 0; i < choice->going.n; i++) {
                cJSON *item = cJSON_CreateObject();

                (void) cJSON_AddItemToArray(going, item);
                if (!cJSON_AddNumberToObject(item, "generation",
                                             (double) choice->going.items[i].generation) ||
                    !cJSON_AddStringToObject(item, "toplevel", choice->going.items[i].toplevel))
                        return -ENOMEM;
        }
        for (size_t i = 0; i < choice->n_kept; i++) {
                cJSON *item = cJSON_CreateObject();
                _cleanup_free_ char *why = NULL;

                (void) cJSON_AddItemToArray(kept, item);
                if (reasons_to_text(choice->kept[i].reasons, &why) < 0 ||
                    !cJSON_AddNumberToObject(item, "generation",
                                             (double) choice->kept[i].generation->number) ||
                    !cJSON_AddStringToObject(item, "why", why))
                        return -ENOMEM;
        }
        r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

/* What nothing holds any more. */
static int collect(const Options *options, Display *display, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        _cleanup_free_ char *words = NULL;
        int r;

        if (options->no_gc)
                return 0;
        display_say(display, "collecting garbage", NULL);
        r = nix_arguments("store gc", /* for_build= */ false, NULL, &arguments);
        if (r >= 0)
                r = nix_run(&run, &arguments, STDERR_FILENO, display_nix_event, display,
                            reterr_error);
        if (r < 0 || (run.end.si_code == CLD_EXITED && run.end.si_status == 0))
                return r;
        r = nix_log_error(run.log, &words);
        return r < 0 ? r :
                       sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The generations are deleted, but their garbage could not "
                                         "be collected: %s",
                                         words);
}

static int delete (const CleanChoice *choice, const Options *options, Display *display,
                   sd_bus_error *reterr_error) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_(root_side_freep) RootSide *root = NULL;
        int r;

        r = upkeep_request_to_json(&choice->going, &object);
        if (r >= 0)
                r = root_side_start(options->elevate, &root, reterr_error);
        return r < 0 ? r :
                       root_side_ask_upkeep(root, object, display_engine_event, display,
                                            reterr_error);
}

static int clean(const Options *options, Display *display, sd_bus_error *reterr_error) {
        const CleanWish wish = {
                .has_keep = options->has_keep,
                .keep = options->keep,
                .has_older = options->has_older,
                .older_sec = options->older_sec,
        };
        _cleanup_(clean_choice_done) CleanChoice choice = { 0 };
        _cleanup_(systems_done) Systems systems = { 0 };
        _cleanup_(marks_done) Marks marks = { 0 };
        RetentionView view = { .list = &systems.generations, .marks = &marks };
        bool yes = true;
        int r;

        choice.going.verb = UPKEEP_DELETE;
        choice.going.profile = strdup(options->profile);
        if (!choice.going.profile)
                return -ENOMEM;
        r = systems_read(options->profile, &systems, reterr_error);
        if (r >= 0)
                r = marks_read(&TRANSACTION_PLACES_HOST, BOOTED_SYSTEM, options->profile, &marks,
                               reterr_error);
        view.current = systems.current;
        if (r >= 0)
                r = clean_choose(&view, &wish, time(NULL), &choice);
        if (r >= 0 && (!options->json || options->dry_run))
                r = options->json ? preview_as_json(&choice) : preview(&systems, &choice);
        if (r < 0 || options->dry_run)
                return r;
        if (choice.going.n == 0) {
                display_say(display, "nothing to clean up", NULL);
                display_end(display, &SD_BUS_ERROR_NULL, "Nothing to clean up.");
                return 0;
        }

        if (!options->yes && !options->json && question_can_be_asked())
                r = question_ask("Delete them?", &yes, reterr_error);
        if (r >= 0 && !yes)
                display_say(display, "declined:", "Nothing was changed.");
        if (r < 0 || !yes)
                return r;
        r = delete (&choice, options, display, reterr_error);
        return r < 0 ? r : collect(options, display, reterr_error);
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index;

        r = options_parse(verb_clean.options, argc, argv, &options, &index);
        if (r >= 0 && (index < argc || (!options.has_keep && !options.has_older))) {
                fprintf(stderr, "enact: 'clean' takes --keep N, --older-than AGE or both; what is "
                                "to go is shown first.\n");
                r = -EINVAL;
        }
        if (r < 0)
                return 2;
        display_open(&display, options.json);
        display.events = options.json && !options.dry_run;

        r = clean(&options, &display, &error);
        if (r >= 0 && options.dry_run)
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_clean = {
        .name = "clean",
        .synopsis = "[--keep N] [--older-than AGE]",
        .help = "Delete old generations, and what only they held",
        .options = OPTIONS_JSON | OPTIONS_PROFILE | OPTIONS_DRY_RUN | OPTIONS_CLEAN | OPTIONS_ROOT,
        .run = run,
};
