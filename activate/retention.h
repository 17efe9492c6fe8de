#pragma once

#include <stdint.h>

#include "marks.h"
#include "profile.h"
#include "upkeep-request.h"

#define RETENTION_CURRENT                                                                          \
        (1U << _MARK_MAX) /* a reason beside the marks: the profile stands for it */

/* A profile and what its systems are to the host. */
typedef struct RetentionView {
        const GenerationList *list;
        const Marks *marks;
        const char *current; /* store path that the profile stands for; NULL: nothing */
} RetentionView;

unsigned retention_reasons(const RetentionView *view, const UpkeepRequest *going,
                           const Generation *generation);
int retention_choose(const RetentionView *view, uint64_t keep, UpkeepRequest *going);
