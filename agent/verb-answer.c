/* enact confirm and enact cancel: a word to the switch that is under way. Which one is meant is
 * found out first and said to the root side, so that the word never reaches another one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "display.h"
#include "error.h"
#include "options.h"
#include "past.h"
#include "record.h"
#include "root-side.h"
#include "state-directory.h"
#include "text.h"
#include "under-way.h"
#include "unit-lists.h"
#include "verbs.h"

/* How the last one ended is what somebody who comes too late wants to know. */
static int say_nothing_open(sd_bus_error *reterr_error) {
        _cleanup_(history_done) History history = { 0 };
        const HistoryEntry *last;
        char date[64];

        (void) history_read(state_directory(), &history);
        if (history.n == 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                         "Nothing is under way.");
        last = &history.entries[history.n - 1];
        past_date(last->ended, date, sizeof(date));
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                 "Nothing is under way. The last %s ended at %s: %s", last->verb,
                                 date, last->text);
}

static int say_not_ours(const UnderWay *under_way, sd_bus_error *reterr_error) {
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                 "What is under way is no switch that hears: process %d ('%s').",
                                 under_way->pid, under_way->command);
}

/* The engine that works says which switch; where its command line is hidden from us, or it was
 * killed, the record. */
static int find_id(char **ret_id, sd_bus_error *reterr_error) {
        _cleanup_(under_way_done) UnderWay under_way = { 0 };
        _cleanup_(record_done) Record record = { 0 };
        int r;

        r = under_way_find(state_directory(), NIXOS_DIRECTORY, &under_way);
        if (r < 0)
                return r;
        if (under_way.id) {
                *ret_id = TAKE_PTR(under_way.id);
                return 0;
        }
        if (record_read(state_directory(), &record) != 0)
                return r == UNDER_WAY_NOTHING ? say_nothing_open(reterr_error) :
                                                say_not_ours(&under_way, reterr_error);
        *ret_id = TAKE_PTR(record.id);
        return 0;
}

/* Whether it waits for a word at all is known without root. */
static int check_waits(const char *id, sd_bus_error *reterr_error) {
        _cleanup_(record_done) Record record = { 0 };

        if (record_read(state_directory(), &record) == 0 && strcmp(record.id, id) == 0 &&
            record.confirm_deadline > 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                 "The switch that is under way does not wait for a confirmation.");
}

static int answer(AnswerVerb verb, const char *word, const Options *options, Display *display,
                  sd_bus_error *reterr_error) {
        _cleanup_(root_side_freep) RootSide *root = NULL;
        _cleanup_(answer_done) Answer answer = { .verb = verb };
        int r;

        if (word) {
                answer.id = strdup(word);
                r = answer.id ? 0 : -ENOMEM;
        } else
                r = find_id(&answer.id, reterr_error);
        if (r >= 0 && verb == ANSWER_CONFIRM && !word)
                r = check_waits(answer.id, reterr_error);
        if (r >= 0)
                r = root_side_start(options->elevate, &root, reterr_error);
        if (r < 0)
                return r;
        return root_side_answer(root, &answer, display_engine_event, display, reterr_error);
}

/* A switch that went back, or that never began, is what was wanted. */
static int weigh_cancel(int r, Display *display, sd_bus_error *error) {
        if (r >= 0)
                return sd_bus_error_setf(error, ENACT_ERROR_FAILED,
                                         "It was too late to cancel: the switch has ended well.");
        if (!sd_bus_error_has_name(error, ENACT_ERROR_ROLLED_BACK) &&
            !sd_bus_error_has_name(error, ENACT_ERROR_INTERRUPTED))
                return r;
        display_say(display, "cancelled:", error->message);
        sd_bus_error_free(error);
        return 0;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        AnswerVerb verb = strcmp(argv[0], verb_confirm.name) == 0 ? ANSWER_CONFIRM : ANSWER_CANCEL;
        Display display;
        int r, index;

        r = options_parse(verb_confirm.options, argc, argv, &options, &index);
        if (r < 0 || argc - index > 1) {
                fprintf(stderr, "Usage: enact %s %s\n", argv[0], verb_confirm.synopsis);
                return 2;
        }
        display_open(&display, options.json);
        display.events = options.json;

        r = answer(verb, index < argc ? argv[index] : NULL, &options, &display, &error);
        if (verb == ANSWER_CANCEL && display.ended)
                r = weigh_cancel(r, &display, &error);
        return display_result(&display, r, &error);
}

const Verb verb_confirm = {
        .name = "confirm",
        .synopsis = "[ID]",
        .help = "Say that the new system may stay",
        .options = OPTIONS_JSON | OPTIONS_ROOT,
        .run = run,
};

const Verb verb_cancel = {
        .name = "cancel",
        .synopsis = "[ID]",
        .help = "End the switch that is under way; the old system runs again",
        .options = OPTIONS_JSON | OPTIONS_ROOT,
        .run = run,
};
