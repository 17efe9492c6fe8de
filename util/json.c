/* JSON: the questions asked of an object that came from elsewhere; cJSON does the reading. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "json.h"

#define JSON_DEPTH_MAX 64

/* From the quote at @i to the one that closes it. */
static size_t skip_string(const char *text, size_t n, size_t i) {
        for (i++; i < n && text[i] != '"'; i++)
                if (text[i] == '\\')
                        i++;
        return i;
}

/**
 * json_is_too_deep() - whether the first object or array of a text nests deeper than anybody needs
 *
 * cJSON recurses; this keeps foreign text from growing the stack.
 */
bool json_is_too_deep(const char *text, size_t n) {
        int depth = 0;

        for (size_t i = 0; i < n; i++) {
                if (text[i] == '"')
                        i = skip_string(text, n, i);
                else if (text[i] == '{' || text[i] == '[')
                        depth++;
                else if ((text[i] == '}' || text[i] == ']') && --depth <= 0)
                        return false;
                if (depth > JSON_DEPTH_MAX)
                        return true;
        }
        return false;
}

/**
 * json_parse() - read one JSON object
 * @ret_object: owned by the caller
 *
 * Return: 0, -EBADMSG if @text is not exactly one object (blanks around it may be).
 */
int json_parse(const char *text, size_t n, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const char *end = NULL;

        if (json_is_too_deep(text, n))
                return -EBADMSG;

        object = cJSON_ParseWithLengthOpts(text, n, &end, /* require_null_terminated= */ false);
        if (!cJSON_IsObject(object))
                return -EBADMSG;
        for (; end < text + n; end++)
                if (!strchr(" \t\r\n", *end) || *end == '\0')
                        return -EBADMSG;

        *ret_object = TAKE_PTR(object);
        return 0;
}

/** json_string() - the text under @key, owned by @object; NULL if it is absent or no text. */
const char *json_string(const cJSON *object, const char *key) {
        return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/**
 * json_number() - the whole number under @key
 *
 * Return: 0, -ENOENT if it is absent, -EBADMSG if it is no whole number from 0 to @max.
 */
int json_number(const cJSON *object, const char *key, uint64_t max, uint64_t *ret_number) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
        double number;

        if (!item)
                return -ENOENT;
        if (!cJSON_IsNumber(item))
                return -EBADMSG;

        number = item->valuedouble;
        if (!(number >= 0) || number > (double) max || number > 9007199254740992.0 ||
            trunc(number) < number)
                return -EBADMSG;

        *ret_number = (uint64_t) number;
        return 0;
}

/** json_add_strings() - an array of texts under @key; 0 or -ENOMEM. */
int json_add_strings(cJSON *object, const char *key, const StringList *list) {
        cJSON *array = cJSON_AddArrayToObject(object, key);

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < list->n; i++) {
                cJSON *item = cJSON_CreateString(list->items[i]);

                if (!item || !cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return -ENOMEM;
                }
        }
        return 0;
}

/** json_boolean() - the truth under @key; 0, or -EBADMSG if it is absent or no truth. */
int json_boolean(const cJSON *object, const char *key, bool *ret) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

        *ret = cJSON_IsTrue(item);
        return cJSON_IsBool(item) ? 0 : -EBADMSG;
}

/**
 * json_read_strings() - the array of texts under @key, added to a list
 *
 * Return: 0 (also if it is absent), -EBADMSG if it is something else, or -ENOMEM.
 */
int json_read_strings(const cJSON *object, const char *key, StringList *list) {
        const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, key), *item;

        if (!array)
                return 0;
        if (!cJSON_IsArray(array))
                return -EBADMSG;
        cJSON_ArrayForEach(item, array) {
                const char *text = cJSON_GetStringValue(item);
                int r;

                if (!text)
                        return -EBADMSG;
                r = string_list_add(list, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/** json_print() - @object as one line without its newline; 0 or -ENOMEM. */
int json_print(const cJSON *object, char **ret_line) {
        char *line = cJSON_PrintUnformatted(object);

        if (!line)
                return -ENOMEM;
        *ret_line = line;
        return 0;
}
