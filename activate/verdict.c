/* Verdicts: what a judge found, as it is told on the screen and kept in the history. */
#include <errno.h>

#include "text.h"
#include "verdict.h"

#define NAMES_MAX 200U /* in a list that is kept: an entry of the history stays readable */

/** verdict_to_string() - "good", "bad" or "could not tell". */
const char *verdict_to_string(const Verdict *verdict) {
        return verdict->bad.n > 0 || verdict->failed_probes.n > 0 ? "bad" :
               verdict->unknown.n > 0                             ? "could not tell" :
                                                                    "good";
}

/** verdict_add_why() - say of a unit what is wrong with it, the last word counts; 0 or -ENOMEM. */
int verdict_add_why(Verdict *verdict, const char *unit, const char *why) {
        if (!verdict->why)
                verdict->why = cJSON_CreateObject();
        cJSON_DeleteItemFromObjectCaseSensitive(verdict->why, unit);
        return cJSON_AddStringToObject(verdict->why, unit, why) ? 0 : -ENOMEM;
}

/** verdict_describe() - "a.service (failed), b.service (is not there)"; 0 or -ENOMEM. */
int verdict_describe(const Verdict *verdict, const StringList *units, char **ret_text) {
        _cleanup_(string_list_done) StringList parts = { 0 };

        for (size_t i = 0; i < units->n; i++) {
                const char *why = json_string(verdict->why, units->items[i]);
                char *part;
                int r;

                r = text_printf(&part, "%s (%s)", units->items[i], why ? why : "not well");
                if (r >= 0)
                        r = string_list_take(&parts, part);
                if (r < 0)
                        return r;
        }
        return string_list_join(&parts, ", ", ret_text);
}

static int add_names(cJSON *object, const char *key, const StringList *first,
                     const StringList *second) {
        cJSON *array = cJSON_AddArrayToObject(object, key);
        size_t n = first->n + (second ? second->n : 0);

        for (size_t i = 0; array && i < n && i < NAMES_MAX; i++) {
                const char *name = i < first->n ? first->items[i] : second->items[i - first->n];
                cJSON *item = cJSON_CreateString(name);

                if (!item || !cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return -ENOMEM;
                }
        }
        return array ? 0 : -ENOMEM;
}

static int add_why(cJSON *object, const cJSON *why) {
        cJSON *copy = cJSON_AddObjectToObject(object, "why");
        const cJSON *item;
        size_t n = 0;

        cJSON_ArrayForEach(item, why) {
                if (n++ < NAMES_MAX &&
                    !cJSON_AddStringToObject(copy, item->string, item->valuestring))
                        return -ENOMEM;
        }
        return copy ? 0 : -ENOMEM;
}

/**
 * verdict_to_json() - the evidence: {"verdict","bad","unknown","unrelated","why"}
 * @ret_object: owned by the caller. Of very many units only the first are named
 *
 * Return: 0 or -ENOMEM.
 */
int verdict_to_json(const Verdict *verdict, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddStringToObject(object, "verdict", verdict_to_string(verdict)) ||
            add_names(object, "bad", &verdict->bad, NULL) < 0 ||
            add_names(object, "unknown", &verdict->unknown, NULL) < 0 ||
            add_names(object, "unrelated", &verdict->unrelated, &verdict->failed_before) < 0 ||
            add_why(object, verdict->why) < 0)
                return -ENOMEM;
        *ret_object = TAKE_PTR(object);
        return 0;
}

void verdict_done(Verdict *verdict) {
        inventory_done(&verdict->after);
        string_list_done(&verdict->bad);
        string_list_done(&verdict->unknown);
        string_list_done(&verdict->unrelated);
        string_list_done(&verdict->failed_before);
        string_list_done(&verdict->failed_probes);
        string_list_done(&verdict->started);
        cJSON_Delete(verdict->why);
        *verdict = (Verdict){ 0 };
}
