/* The plan as JSON, version 1; docs/plan.md describes it. */
#include <errno.h>

#include "plan.h"

/* @key is a constant of ours, and is not copied: there are thousands. */
static int add_text(cJSON *object, const char *key, const char *text) {
        cJSON *item = cJSON_CreateString(text);

        if (item && cJSON_AddItemToObjectCS(object, key, item))
                return 0;
        cJSON_Delete(item);
        return -ENOMEM;
}

static int reason_to_json(const PlanReason *reason, cJSON *array) {
        cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        if (reason->rule != PLAN_RULE_NONE)
                return add_text(object, "rule", plan_rule_to_string(reason->rule));

        if (add_text(object, "file", reason->file) < 0 ||
            add_text(object, "section", reason->section) < 0)
                return -ENOMEM;
        if (!reason->key)
                return 0;
        if (add_text(object, "key", reason->key) < 0 ||
            json_add_strings(object, "old", &reason->old) < 0 ||
            json_add_strings(object, "new", &reason->new) < 0)
                return -ENOMEM;
        return 0;
}

static int entry_to_json(const PlanEntry *entry, cJSON *array) {
        cJSON *object = cJSON_CreateObject(), *why;

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        if (add_text(object, "unit", entry->unit) < 0)
                return -ENOMEM;

        why = cJSON_AddArrayToObject(object, "why");
        if (!why || !cJSON_AddBoolToObject(object, "hidden", entry->hidden))
                return -ENOMEM;
        if (entry->late && !cJSON_AddTrueToObject(object, "late"))
                return -ENOMEM;
        for (size_t i = 0; i < entry->n_why; i++) {
                int r = reason_to_json(&entry->why[i], why);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_to_json(const PlanList *list, const char *key, cJSON *object) {
        cJSON *array = cJSON_AddArrayToObject(object, key);

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < list->n; i++) {
                int r = entry_to_json(&list->entries[i], array);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int lists_to_json(const Plan *plan, cJSON *object) {
        for (int action = 0; action < _PLAN_ACTION_MAX; action++) {
                int r = list_to_json(&plan->lists[action], plan_action_to_string(action), object);

                if (r < 0)
                        return r;
        }
        return json_add_strings(object, "sockets", &plan->sockets);
}

static int user_to_json(const Plan *user, cJSON *array) {
        cJSON *object = cJSON_CreateObject();
        int r;

        if (!object || !cJSON_AddItemToArray(array, object)) {
                cJSON_Delete(object);
                return -ENOMEM;
        }
        if (!cJSON_AddNumberToObject(object, "uid", user->uid) ||
            add_text(object, "name", user->user) < 0)
                return -ENOMEM;

        r = lists_to_json(user, object);
        if (r >= 0)
                r = json_add_strings(object, "migrate", &user->migrate);
        if (r >= 0)
                r = json_add_strings(object, "notes", &user->notes);
        return r;
}

static int users_to_json(const Plan *plan, cJSON *object) {
        cJSON *array = cJSON_AddArrayToObject(object, "users");

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_users; i++) {
                int r = user_to_json(plan->users[i], array);

                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * plan_to_json() - the plan as one object
 * @plan:       the system's
 * @ret_object: owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int plan_to_json(const Plan *plan, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            add_text(object, "from", plan->from) < 0 || add_text(object, "to", plan->to) < 0 ||
            add_text(object, "digest", plan->digest) < 0 ||
            !cJSON_AddBoolToObject(object, "reexec", plan->reexec))
                return -ENOMEM;

        r = json_add_strings(object, "swapoff", &plan->swapoff);
        if (r >= 0)
                r = json_add_strings(object, "hold", &plan->hold);
        if (r >= 0)
                r = lists_to_json(plan, object);
        if (r >= 0)
                r = users_to_json(plan, object);
        if (r >= 0)
                r = json_add_strings(object, "notes", &plan->notes);
        if (r < 0)
                return r;

        *ret_object = TAKE_PTR(object);
        return 0;
}
