#pragma once

#include <stdint.h>

#include "macros.h"
#include "nix-log.h"

typedef enum ProgressKind {
        PROGRESS_BUILD,
        PROGRESS_COPY,
        PROGRESS_FETCH,
        PROGRESS_STEP,
        _PROGRESS_KIND_MAX,
} ProgressKind;

/* Something that is under way. */
typedef struct ProgressItem ProgressItem;
struct ProgressItem {
        uint64_t id;
        ProgressKind kind;
        uint64_t begun_usec;
        char *name;
        char *phase; /* of a build; may be NULL */
        NixAmount amount;
        ProgressItem *previous, *next; /* of its kind, by their beginning */
};

/* What there was so far, over all that Nix did. */
typedef struct ProgressTotals {
        uint64_t n_built, n_failed, n_copied;
        uint64_t copied_bytes;
} ProgressTotals;

typedef struct Progress Progress;

int progress_new(uint64_t now_usec, Progress **ret);
int progress_take(Progress *progress, const NixEvent *event, uint64_t now_usec);

uint64_t progress_begun(const Progress *progress);
const char *progress_evaluating(const Progress *progress);
size_t progress_n(const Progress *progress, ProgressKind kind);
const ProgressItem *progress_oldest(const Progress *progress, ProgressKind kind);
const ProgressItem *progress_newest(const Progress *progress, ProgressKind kind);
NixCount progress_builds(const Progress *progress);
NixCount progress_copies(const Progress *progress);
NixAmount progress_copied(const Progress *progress);
ProgressTotals progress_totals(const Progress *progress);

Progress *progress_free(Progress *progress);

DEFINE_CLEANUP(Progress *, progress_free);
