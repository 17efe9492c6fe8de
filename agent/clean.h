#pragma once

#include <stdbool.h>
#include <time.h>

#include "retention.h"

/* Which generations are to go: those that are beyond the newest @keep, and older than @older_sec.
 */
typedef struct CleanWish {
        bool has_keep, has_older;
        uint64_t keep, older_sec;
} CleanWish;

/* One that would go, and is something to the host. */
typedef struct CleanKept {
        const Generation *generation;
        unsigned reasons; /* of retention_reasons() */
} CleanKept;

typedef struct CleanChoice {
        UpkeepRequest going; /* as many as one request takes */
        CleanKept *kept;
        size_t n_kept;
        size_t n_left; /* to go the next time */
} CleanChoice;

int clean_age_from_text(const char *text, uint64_t *ret_sec);
int clean_choose(const RetentionView *view, const CleanWish *wish, time_t now, CleanChoice *choice);
void clean_choice_done(CleanChoice *choice);
