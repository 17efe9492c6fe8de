/* enact log: what was switched here, when, by whom and with what end; newest first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "display.h"
#include "error.h"
#include "history.h"
#include "json.h"
#include "options.h"
#include "past.h"
#include "state-directory.h"
#include "text.h"
#include "verbs.h"

#define ENTRIES_SHOWN 10 /* to a person who named no number */

/* What of the history is shown: @n entries from @end backwards. */
typedef struct Span {
        size_t end, n;
} Span;

/* A number is how many, and everything else an id, which has dashes. */
static int find_span(const History *history, const char *word, bool json, Span *ret,
                     sd_bus_error *reterr_error) {
        const HistoryEntry *entry;
        uint64_t n = json ? history->n : ENTRIES_SHOWN;

        if (!word || text_to_unsigned(word, UINT64_MAX, &n) >= 0) {
                *ret = (Span){ .end = history->n, .n = n < history->n ? (size_t) n : history->n };
                return 0;
        }
        entry = history_find(history, word);
        if (!entry)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "The history has no switch '%s'; 'enact log' shows those it has.", word);
        *ret = (Span){ .end = (size_t) (entry - history->entries) + 1, .n = 1 };
        return 0;
}

static void print_span(const History *history, Span span, bool one) {
        for (size_t i = 0; i < span.n; i++)
                past_print(&history->entries[span.end - 1 - i]);
        if (one)
                past_print_evidence(&history->entries[span.end - 1]);
        if (history->n == 0)
                fprintf(stderr, "Nothing was switched by enact yet.\n");
        else if (!one && span.n < history->n)
                fprintf(stderr, "%zu earlier: 'enact log %zu' shows all.\n", history->n - span.n,
                        history->n);
}

static int print_json(const History *history, Span span) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        cJSON *array, *item;
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1))
                return -ENOMEM;
        array = cJSON_AddArrayToObject(object, "entries");
        for (size_t i = 0; i < span.n; i++) {
                r = past_to_json(&history->entries[span.end - 1 - i], &item);
                if (r < 0)
                        return r;
                if (!cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return -ENOMEM;
                }
        }
        r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

static int show(const Options *options, const char *word, sd_bus_error *reterr_error) {
        _cleanup_(history_done) History history = { 0 };
        Span span = { 0 };
        int r;

        r = history_read(state_directory(), &history);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot read the history in '%s': %s", state_directory(),
                                         strerror(-r));
        r = find_span(&history, word, options->json, &span, reterr_error);
        if (r < 0)
                return r;
        if (options->json)
                return print_json(&history, span);
        print_span(&history, span, word && strchr(word, '-'));
        return 0;
}

static int run(int argc, char **argv) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index;

        r = options_parse(verb_log.options, argc, argv, &options, &index);
        if (r < 0 || argc - index > 1) {
                fprintf(stderr, "Usage: enact log %s\n", verb_log.synopsis);
                return 2;
        }
        display_open(&display, options.json);

        r = show(&options, index < argc ? argv[index] : NULL, &error);
        if (r >= 0)
                r = display_finish(&error);
        return display_result(&display, r, &error);
}

const Verb verb_log = {
        .name = "log",
        .synopsis = "[NUMBER|ID]",
        .help = "Show what was switched, when, by whom and with what end",
        .options = OPTIONS_JSON,
        .run = run,
};
