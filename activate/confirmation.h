#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "macros.h"

enum { CONFIRMATION_DECIDED = 1 }; /* answer: somebody was faster */

/* What became of the question whether a new system may stay. */
typedef enum ConfirmationWord {
        CONFIRMATION_CONFIRMED,
        CONFIRMATION_REFUSED,
        CONFIRMATION_LATE, /* nobody said a word in time */
        _CONFIRMATION_WORD_MAX,
} ConfirmationWord;

typedef struct Confirmation {
        ConfirmationWord word;
        uid_t uid; /* whose word it was */
} Confirmation;

int confirmation_decide(const char *directory, const char *id, const Confirmation *wanted,
                        Confirmation *ret);
int confirmation_read(const char *directory, const char *id, Confirmation *ret);
void confirmation_forget(const char *directory);
