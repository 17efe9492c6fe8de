/* The state file: a machine's units, leftovers and users at one moment; docs/plan.md describes it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorded-state.h"
#include "text.h"

#define UID_MAX ((uint64_t) UINT32_MAX - 1)

/**
 * recorded_state_read_leftovers() - what an interrupted switch left, of a manager's record
 * @leftovers: appended to
 *
 * Return: 0 (also where nothing is recorded of it), -EBADMSG, -ENOMEM.
 */
int recorded_state_read_leftovers(const cJSON *object, PlanLeftovers *leftovers) {
        const cJSON *lists = cJSON_GetObjectItemCaseSensitive(object, "leftovers");
        int r;

        if (!lists)
                return 0;
        if (!cJSON_IsObject(lists))
                return -EBADMSG;

        r = json_read_strings(lists, "start", &leftovers->start);
        if (r >= 0)
                r = json_read_strings(lists, "restart", &leftovers->restart);
        if (r >= 0)
                r = json_read_strings(lists, "reload", &leftovers->reload);
        return r;
}

static int read_others(const cJSON *others, StringList *takes_down) {
        const cJSON *other;

        if (!cJSON_IsArray(others))
                return -EBADMSG;
        cJSON_ArrayForEach(other, others) {
                char *edge;
                int r;

                if (!cJSON_IsString(other))
                        return -EBADMSG;
                r = text_printf(&edge, "%s %s", others->string, other->valuestring);
                if (r >= 0)
                        r = string_list_take(takes_down, edge);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * recorded_state_read_takes_down() - what goes down with what, of a manager's record
 * @takes_down: "unit other" for each, in order
 *
 * Return: 0 (also where nothing is recorded of it), -EBADMSG, -ENOMEM.
 */
int recorded_state_read_takes_down(const cJSON *object, StringList *takes_down) {
        const cJSON *units = cJSON_GetObjectItemCaseSensitive(object, "takes-down"), *others;

        if (!units)
                return 0;
        if (!cJSON_IsObject(units))
                return -EBADMSG;
        cJSON_ArrayForEach(others, units) {
                int r = read_others(others, takes_down);

                if (r < 0)
                        return r;
        }
        string_list_sort_unique(takes_down);
        return 0;
}

static int copy_text(const cJSON *object, const char *key, char **ret) {
        const char *text = json_string(object, key);

        if (!text)
                return cJSON_HasObjectItem(object, key) ? -EBADMSG : 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int read_user(const cJSON *object, RecordedUser *user) {
        uint64_t uid;
        int r;

        if (json_number(object, "uid", UID_MAX, &uid) < 0)
                return -EBADMSG;
        user->uid = (uid_t) uid;

        r = copy_text(object, "name", &user->name);
        if (r >= 0)
                r = copy_text(object, "config", &user->config);
        if (r < 0)
                return r;
        if (!user->name || !*user->name)
                return -EBADMSG;
        r = recorded_state_read_leftovers(object, &user->leftovers);
        if (r >= 0)
                r = recorded_state_read_takes_down(object, &user->takes_down);
        if (r < 0)
                return r;
        return inventory_from_json(&user->inventory,
                                   cJSON_GetObjectItemCaseSensitive(object, "units"));
}

static int read_users(const cJSON *object, RecordedState *state) {
        const cJSON *users = cJSON_GetObjectItemCaseSensitive(object, "users"), *user;
        size_t n;

        if (!users)
                return 0;
        if (!cJSON_IsArray(users))
                return -EBADMSG;
        n = (size_t) cJSON_GetArraySize(users);
        if (n > RECORDED_USERS_MAX)
                return -E2BIG;

        state->users = calloc(n + 1, sizeof(*state->users));
        if (!state->users)
                return -ENOMEM;
        cJSON_ArrayForEach(user, users) {
                int r = read_user(user, &state->users[state->n_users++]);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The units are by far the most of it, and are read as they come; the others are put into @rest. */
static int read_member(RecordedState *state, JsonReader *reader, cJSON *rest, bool *has_units) {
        _cleanup_(cJSON_Deletep) cJSON *value = NULL;
        const char *key;
        int r;

        r = json_reader_key(reader, &key);
        if (r < 0)
                return r;

        if (strcmp(key, "units") == 0) {
                if (*has_units)
                        return -EBADMSG;
                *has_units = true;
                return inventory_read(&state->inventory, reader);
        }

        r = json_reader_value(reader, &value);
        if (r < 0)
                return r;
        if (!cJSON_AddItemToObject(rest, key, value))
                return -ENOMEM;
        (void) TAKE_PTR(value);
        return 0;
}

static int read_members(RecordedState *state, char *text, size_t n, cJSON *rest) {
        bool has_units = false;
        JsonReader reader;
        int r;

        r = json_reader_begin(&reader, text, n);
        if (r >= 0)
                r = json_reader_open(&reader, '{');
        if (r < 0)
                return r;

        while ((r = json_reader_next(&reader, '}')) == JSON_READER_MORE) {
                r = read_member(state, &reader, rest, &has_units);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = json_reader_end(&reader);
        return r >= 0 && !has_units ? -EBADMSG : r;
}

/**
 * recorded_state_read() - read a recorded state
 * @state: all zero before; recorded_state_done() even after an error
 * @text:  @n bytes, owned by @state from now on: an object of version 1; all but "units" may be
 *         absent
 *
 * Return: 0, -EBADMSG if it is no such record, -E2BIG past a limit, -ENOMEM.
 */
int recorded_state_read(RecordedState *state, char *text, size_t n) {
        _cleanup_(cJSON_Deletep) cJSON *rest = cJSON_CreateObject();
        uint64_t version;
        int r;

        state->text = text;
        if (!rest)
                return -ENOMEM;
        r = read_members(state, text, n, rest);
        if (r < 0)
                return r;
        if (json_number(rest, "version", 1, &version) < 0 || version != 1)
                return -EBADMSG;

        r = recorded_state_read_leftovers(rest, &state->leftovers);
        if (r >= 0)
                r = recorded_state_read_takes_down(rest, &state->takes_down);
        if (r >= 0)
                r = json_read_strings(rest, "cannot-reload", &state->cannot_reload);
        string_list_sort(&state->cannot_reload);
        if (r >= 0)
                r = read_users(rest, state);
        if (r >= 0)
                r = copy_text(rest, "pid1_exe", &state->pid1_exe);
        return r;
}

void recorded_state_done(RecordedState *state) {
        inventory_done(&state->inventory);
        plan_leftovers_done(&state->leftovers);
        string_list_done(&state->takes_down);
        string_list_done(&state->cannot_reload);
        for (size_t i = 0; i < state->n_users; i++) {
                free(state->users[i].name);
                free(state->users[i].config);
                inventory_done(&state->users[i].inventory);
                plan_leftovers_done(&state->users[i].leftovers);
                string_list_done(&state->users[i].takes_down);
        }
        free(state->users);
        free(state->pid1_exe);
        free(state->text);
        *state = (RecordedState){ 0 };
}
