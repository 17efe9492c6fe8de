#pragma once

#include "json.h"
#include "macros.h"

typedef enum AnswerVerb {
        ANSWER_CONFIRM,
        ANSWER_CANCEL,
        _ANSWER_VERB_MAX,
} AnswerVerb;

/* What is said to a switch that is under way. It names that switch, so that it never reaches
 * another one. */
typedef struct Answer {
        AnswerVerb verb;
        char *id; /* of the switch */
} Answer;

const char *answer_verb_to_string(AnswerVerb verb);
int answer_to_json(const Answer *answer, cJSON **ret_object);
bool answer_is_meant(const cJSON *object);
int answer_from_json(const cJSON *object, Answer *answer);
void answer_done(Answer *answer);
