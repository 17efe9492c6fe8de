/*
 * Pinning, unpinning and deleting, on the side of whoever asks: words become generations with the
 * store paths that they have now, and the root side refuses if they have others by then.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "generations-change.h"
#include "root-side.h"
#include "systems.h"
#include "text.h"

#define NOT_A_GENERATION                                                                           \
        "'%s' is no number of a generation, no range like 3-7 and no store path; "                 \
        "'enact generations' lists what there is."

static int add(UpkeepRequest *request, uint64_t number, const char *toplevel,
               sd_bus_error *reterr_error) {
        int r = upkeep_request_add(request, number, toplevel);

        if (r == -E2BIG)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "That are more than %u generations at once. "
                                         "Nothing was changed.",
                                         UPKEEP_ITEMS_MAX);
        return r;
}

/* A path means each generation that stands for it; where there is none, the system itself. */
static int add_path(const Systems *systems, const char *path, UpkeepRequest *request,
                    sd_bus_error *reterr_error) {
        _cleanup_free_ char *real = NULL;
        size_t n_before = request->n;
        int r = 0;

        if (file_realpath(path, &real) < 0) { /* gone from the store; its link may still be there */
                real = strdup(path);
                if (!real)
                        return -ENOMEM;
        }
        for (size_t i = 0; r >= 0 && i < systems->generations.n; i++)
                if (strcmp(systems->generations.items[i].target, real) == 0)
                        r = add(request, systems->generations.items[i].number, real, reterr_error);
        if (r >= 0 && request->n == n_before)
                r = add(request, 0, real, reterr_error);
        return r;
}

static int add_number(const Systems *systems, uint64_t number, UpkeepRequest *request,
                      sd_bus_error *reterr_error) {
        const Generation *g = generation_list_find(&systems->generations, number);

        if (g)
                return add(request, number, g->target, reterr_error);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "There is no generation %" PRIu64 " of '%s'; 'enact generations' "
                                 "lists those there are. Nothing was changed.",
                                 number, request->profile);
}

/* Of a range those that there are: gaps are normal. */
static int add_range(const Systems *systems, uint64_t first, uint64_t last, UpkeepRequest *request,
                     sd_bus_error *reterr_error) {
        const GenerationList *list = &systems->generations;
        size_t n_before = request->n;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                if (list->items[i].number >= first && list->items[i].number <= last)
                        r = add(request, list->items[i].number, list->items[i].target,
                                reterr_error);
        if (r >= 0 && request->n == n_before)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "There is no generation from %" PRIu64 " to %" PRIu64
                                         " of '%s'. Nothing was changed.",
                                         first, last, request->profile);
        return r;
}

static int add_word(const Systems *systems, const char *word, UpkeepRequest *request,
                    sd_bus_error *reterr_error) {
        _cleanup_free_ char *first_digits = NULL;
        const char *dash = strchr(word, '-');
        uint64_t first, last;

        if (strchr(word, '/'))
                return add_path(systems, word, request, reterr_error);
        if (text_to_unsigned(word, UINT64_MAX, &first) >= 0)
                return add_number(systems, first, request, reterr_error);
        first_digits = dash ? strndup(word, (size_t) (dash - word)) : NULL;
        if (first_digits && text_to_unsigned(first_digits, UINT64_MAX, &first) >= 0 &&
            text_to_unsigned(dash + 1, UINT64_MAX, &last) >= 0 && first <= last)
                return add_range(systems, first, last, request, reterr_error);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE, NOT_A_GENERATION, word);
}

/**
 * generations_change() - have generations pinned, unpinned or deleted
 * @words: numbers, ranges of them, or store paths
 *
 * Return: 0, or a negative errno with @reterr_error set; ENACT_ERROR_USAGE for a word that is none.
 */
int generations_change(UpkeepVerb verb, const Options *options, char *const words[], int n_words,
                       Display *display, sd_bus_error *reterr_error) {
        _cleanup_(upkeep_request_done) UpkeepRequest request = { .verb = verb };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_(root_side_freep) RootSide *root = NULL;
        _cleanup_(systems_done) Systems systems = { 0 };
        int r;

        request.profile = strdup(options->profile);
        if (!request.profile)
                return -ENOMEM;
        r = systems_read(options->profile, &systems, reterr_error);
        for (int i = 0; r >= 0 && i < n_words; i++)
                r = add_word(&systems, words[i], &request, reterr_error);
        if (r >= 0)
                r = upkeep_request_to_json(&request, &object);
        if (r >= 0)
                r = root_side_start(options->elevate, &root, reterr_error);
        if (r < 0)
                return r;
        return root_side_ask_upkeep(root, object, display_engine_event, display, reterr_error);
}
