/* Answers: how the user's side speaks to a switch that is under way. They come over the same pipe
 * as requests and are taken apart as strictly. */
#include <errno.h>
#include <string.h>

#include "answer.h"
#include "run-directory.h"

/* clang-format off */
static const char *const verb_names[_ANSWER_VERB_MAX] = {
        [ANSWER_CONFIRM] = "confirm",
        [ANSWER_CANCEL]  = "cancel",
};
/* clang-format on */

const char *answer_verb_to_string(AnswerVerb verb) {
        return verb_names[verb];
}

/** answer_to_json() - @ret_object is owned by the caller; 0 or -ENOMEM. */
int answer_to_json(const Answer *answer, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "answer", verb_names[answer->verb]) ||
            !cJSON_AddStringToObject(object, "id", answer->id))
                return -ENOMEM;

        *ret_object = TAKE_PTR(object);
        return 0;
}

/** answer_is_meant() - whether an object from the pipe is an answer, or something else. */
bool answer_is_meant(const cJSON *object) {
        return cJSON_HasObjectItem(object, "answer");
}

/**
 * answer_from_json() - take an answer apart
 * @answer: all zero before; answer_done() even after an error
 *
 * Return: 0, -EBADMSG for a wrong type, a missing, unknown or doubled key, a value that is none;
 * -ENOMEM.
 */
int answer_from_json(const cJSON *object, Answer *answer) {
        const char *verb = json_string(object, "answer"), *id = json_string(object, "id");
        uint64_t version;

        if (cJSON_GetArraySize(object) != 3 || !verb || !id || !run_directory_is_id(id) ||
            json_number(object, "version", 1, &version) < 0 || version != 1)
                return -EBADMSG;
        for (answer->verb = 0; answer->verb < _ANSWER_VERB_MAX; answer->verb++)
                if (strcmp(verb_names[answer->verb], verb) == 0)
                        break;
        if (answer->verb == _ANSWER_VERB_MAX)
                return -EBADMSG;

        answer->id = strdup(id);
        return answer->id ? 0 : -ENOMEM;
}

void answer_done(Answer *answer) {
        free(answer->id);
        *answer = (Answer){ 0 };
}
