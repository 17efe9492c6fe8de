/* Answers as foreign bytes: what is accepted can be written and read again, and is the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL, *again = NULL;
        _cleanup_(answer_done) Answer answer = { 0 }, copy = { 0 };

        if (json_parse((const char *) data, size, &object) < 0 ||
            answer_from_json(object, &answer) < 0)
                return 0;
        assert(answer.verb < _ANSWER_VERB_MAX && !strchr(answer.id, '/'));
        if (answer_to_json(&answer, &again) < 0)
                return 0;
        assert(answer_from_json(again, &copy) == 0);
        assert(strcmp(copy.id, answer.id) == 0 && copy.verb == answer.verb);
        return 0;
}
