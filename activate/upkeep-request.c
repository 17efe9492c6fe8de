/* Requests for upkeep: how the user's side asks the root side to pin and delete generations. They
 * come over a pipe and are taken apart strictly. */
#include <errno.h>
#include <string.h>

#include "request.h"
#include "text.h"
#include "upkeep-request.h"

#define GENERATION_MAX ((uint64_t) 1 << 53)

static const char *const verb_names[_UPKEEP_VERB_MAX] = {
        [UPKEEP_PIN] = "pin",
        [UPKEEP_UNPIN] = "unpin",
        [UPKEEP_DELETE] = "delete",
};

const char *upkeep_verb_to_string(UpkeepVerb verb) {
        return verb_names[verb];
}

/** upkeep_request_add() - one more generation; 0: a system without one. Return: 0, -E2BIG past
 * UPKEEP_ITEMS_MAX, or -ENOMEM. */
int upkeep_request_add(UpkeepRequest *request, uint64_t generation, const char *toplevel) {
        UpkeepItem *items;
        char *copy;

        if (request->n >= UPKEEP_ITEMS_MAX)
                return -E2BIG;
        items = reallocarray(request->items, request->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        request->items = items;
        copy = strdup(toplevel);
        if (!copy)
                return -ENOMEM;
        items[request->n++] = (UpkeepItem){ generation, copy };
        return 0;
}

static int item_to_json(const UpkeepItem *item, cJSON *array) {
        cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        return cJSON_AddNumberToObject(object, "generation", (double) item->generation) &&
                               cJSON_AddStringToObject(object, "toplevel", item->toplevel) ?
                       0 :
                       -ENOMEM;
}

/** upkeep_request_to_json() - @ret_object is owned by the caller; 0 or -ENOMEM. */
int upkeep_request_to_json(const UpkeepRequest *request, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        cJSON *array;
        int r = 0;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "verb", verb_names[request->verb]) ||
            !cJSON_AddStringToObject(object, "profile", request->profile))
                return -ENOMEM;
        array = cJSON_AddArrayToObject(object, "generations");
        if (!array)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < request->n; i++)
                r = item_to_json(&request->items[i], array);
        if (r < 0)
                return r;

        *ret_object = TAKE_PTR(object);
        return 0;
}

static int verb_from_string(const char *text, UpkeepVerb *ret_verb) {
        for (UpkeepVerb verb = 0; text && verb < _UPKEEP_VERB_MAX; verb++)
                if (strcmp(verb_names[verb], text) == 0) {
                        *ret_verb = verb;
                        return 0;
                }
        return -EBADMSG;
}

/** upkeep_request_is_meant() - whether a request, good or bad, has one of these verbs. */
bool upkeep_request_is_meant(const cJSON *object) {
        UpkeepVerb verb;

        return verb_from_string(json_string(object, "verb"), &verb) >= 0;
}

/* Each once and no other: where all are there and there are no more, none is doubled. */
static bool has_exactly(const cJSON *object, const char *const keys[], int n) {
        if (!cJSON_IsObject(object) || cJSON_GetArraySize(object) != n)
                return false;
        for (int i = 0; i < n; i++)
                if (!cJSON_GetObjectItemCaseSensitive(object, keys[i]))
                        return false;
        return true;
}

static int take_item(const cJSON *object, UpkeepRequest *request) {
        static const char *const keys[] = { "generation", "toplevel" };
        const char *toplevel = json_string(object, "toplevel");
        uint64_t generation;
        int r;

        if (!has_exactly(object, keys, ELEMENTSOF(keys)) ||
            json_number(object, "generation", GENERATION_MAX, &generation) < 0 || !toplevel ||
            *toplevel != '/')
                return -EBADMSG;
        r = upkeep_request_add(request, generation, toplevel);
        return r == -E2BIG ? -EBADMSG : r;
}

/**
 * upkeep_request_from_json() - take a request apart
 * @request: all zero before; upkeep_request_done() even after an error
 *
 * Return: 0, -EBADMSG for a wrong type, a missing, unknown or doubled key, a value out of range;
 * -ENOMEM.
 */
int upkeep_request_from_json(const cJSON *object, UpkeepRequest *request) {
        static const char *const keys[] = { "version", "verb", "profile", "generations" };
        const char *profile = json_string(object, "profile");
        const cJSON *array, *item;
        uint64_t version;

        if (!has_exactly(object, keys, ELEMENTSOF(keys)) ||
            json_number(object, "version", 1, &version) < 0 || version != 1 ||
            verb_from_string(json_string(object, "verb"), &request->verb) < 0 || !profile ||
            !request_is_profile_name(profile))
                return -EBADMSG;
        array = cJSON_GetObjectItemCaseSensitive(object, "generations");
        if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) == 0)
                return -EBADMSG;

        cJSON_ArrayForEach(item, array) {
                int r = take_item(item, request);

                if (r < 0)
                        return r;
        }
        request->profile = strdup(profile);
        return request->profile ? 0 : -ENOMEM;
}

void upkeep_request_done(UpkeepRequest *request) {
        for (size_t i = 0; i < request->n; i++)
                free(request->items[i].toplevel);
        free(request->items);
        free(request->profile);
        *request = (UpkeepRequest){ 0 };
}
