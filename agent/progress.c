/*
 * What is under way and how much is left, made of what Nix's log tells: a model without a terminal,
 * for whoever draws it. Each event takes one step, however many things are under way, and what is
 * kept of each is bounded.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "id-map.h"
#include "progress.h"
#include "text.h"

#define ITEMS_MAX      4096U /* under way at once; others are not shown */
#define NAME_BYTES_MAX 256U  /* no terminal is wider */

typedef struct ItemList {
        ProgressItem *oldest, *newest;
        size_t n;
} ItemList;

struct Progress {
        uint64_t begun_usec;
        char *evaluating;
        IdMap items;
        ItemList lists[_PROGRESS_KIND_MAX];
        NixCount builds, copies;
        NixAmount copied;
        ProgressTotals totals;
};

static ProgressItem *item_free(ProgressItem *item) {
        if (!item)
                return NULL;

        free(item->name);
        free(item->phase);
        free(item);
        return NULL;
}

DEFINE_CLEANUP(ProgressItem *, item_free);

/* One line, cut where a character ends. */
static char *line_of(const char *text) {
        size_t n = strnlen(text, NAME_BYTES_MAX);
        _cleanup_free_ char *cut = NULL;
        char *line;

        while (n > 0 && text[n] && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        cut = strndup(text, n);
        line = cut ? text_to_utf8(cut) : NULL;
        for (char *p = line; p && *p; p++)
                if (*p == '\n' || *p == '\t')
                        *p = ' ';
        return line;
}

static int start(Progress *progress, ProgressKind kind, const NixEvent *event, uint64_t now_usec) {
        ItemList *list = &progress->lists[kind];
        _cleanup_(item_freep) ProgressItem *item = NULL;
        int r;

        if (progress->items.n == ITEMS_MAX)
                return 0;

        item = calloc(1, sizeof(*item));
        if (!item)
                return -ENOMEM;
        item->id = event->id;
        item->kind = kind;
        item->begun_usec = now_usec;
        item->name = line_of(event->name ? event->name : "");
        if (!item->name)
                return -ENOMEM;
        r = id_map_put(&progress->items, item->id, item);
        if (r == -EEXIST)
                return 0;
        if (r < 0)
                return r;

        item->previous = list->newest;
        *(list->newest ? &list->newest->next : &list->oldest) = item;
        list->newest = item;
        list->n++;
        TAKE_PTR(item);
        return 0;
}

static void finish(Progress *progress, uint64_t id) {
        ProgressItem *item = id_map_remove(&progress->items, id);
        ItemList *list;

        if (!item)
                return;
        list = &progress->lists[item->kind];
        *(item->previous ? &item->previous->next : &list->oldest) = item->next;
        *(item->next ? &item->next->previous : &list->newest) = item->previous;
        list->n--;
        item_free(item);
}

static int set_text(char **ret, const char *text) {
        char *line = line_of(text ? text : "");

        if (!line)
                return -ENOMEM;
        free(*ret);
        *ret = line;
        return 0;
}

static int set_phase(Progress *progress, const NixEvent *event) {
        ProgressItem *item = id_map_get(&progress->items, event->id);

        return item ? set_text(&item->phase, event->text) : 0;
}

static void set_amount(Progress *progress, const NixEvent *event) {
        ProgressItem *item = id_map_get(&progress->items, event->id);
        ProgressTotals *totals = &progress->totals;

        if (!item)
                return;
        if (item->kind == PROGRESS_COPY && event->amount.done > item->amount.done)
                totals->copied_bytes += event->amount.done - item->amount.done;
        item->amount = event->amount;
}

static int take_turn(Progress *progress, const NixEvent *event, uint64_t now_usec) {
        ProgressTotals *totals = &progress->totals;

        switch (event->kind) {
        case NIX_EVENT_EVALUATING:
                return set_text(&progress->evaluating, event->name);
        case NIX_EVENT_BUILD_STARTED:
                return start(progress, PROGRESS_BUILD, event, now_usec);
        case NIX_EVENT_COPY_STARTED:
                return start(progress, PROGRESS_COPY, event, now_usec);
        case NIX_EVENT_FETCH_STARTED:
                return start(progress, PROGRESS_FETCH, event, now_usec);
        case NIX_EVENT_STEP_STARTED:
                return start(progress, PROGRESS_STEP, event, now_usec);
        case NIX_EVENT_BUILD_PHASE:
                return set_phase(progress, event);
        case NIX_EVENT_AMOUNT:
                set_amount(progress, event);
                return 0;
        case NIX_EVENT_BUILD_FINISHED:
                totals->n_built++;
                break;
        case NIX_EVENT_BUILD_FAILED:
                totals->n_failed++;
                break;
        case NIX_EVENT_COPY_FINISHED:
                totals->n_copied++;
                break;
        case NIX_EVENT_BUILD_CANCELLED:
        case NIX_EVENT_FETCH_FINISHED:
        case NIX_EVENT_STEP_FINISHED:
                break;
        case NIX_EVENT_BUILD_LINE:
        case NIX_EVENT_PROGRESS:
        case NIX_EVENT_MESSAGE:
        case NIX_EVENT_PLAIN:
        case NIX_EVENT_TICK:
        case NIX_EVENT_ENDED:
        case _NIX_EVENT_MAX:
                return 0;
        }
        finish(progress, event->id);
        return 0;
}

/**
 * progress_take() - follow an event
 * @now_usec: when it came, by the clock of progress_new()
 *
 * Return: 0 or -ENOMEM.
 */
int progress_take(Progress *progress, const NixEvent *event, uint64_t now_usec) {
        /* Those of nix_build() and nix_run() have no counters. */
        if (event->kind != NIX_EVENT_EVALUATING && event->kind != NIX_EVENT_TICK &&
            event->kind != NIX_EVENT_ENDED) {
                progress->builds = event->builds;
                progress->copies = event->copies;
                progress->copied = event->copied;
        }
        return take_turn(progress, event, now_usec);
}

/** progress_begun() - when it began. */
uint64_t progress_begun(const Progress *progress) {
        return progress->begun_usec;
}

/** progress_evaluating() - what is evaluated first of all; "" if that is not known. */
const char *progress_evaluating(const Progress *progress) {
        return progress->evaluating ? progress->evaluating : "";
}

/** progress_n() - how many of a kind are under way. */
size_t progress_n(const Progress *progress, ProgressKind kind) {
        return progress->lists[kind].n;
}

/** progress_oldest() - the one of a kind that began first, or NULL; the others follow by @next. */
const ProgressItem *progress_oldest(const Progress *progress, ProgressKind kind) {
        return progress->lists[kind].oldest;
}

/** progress_newest() - the one of a kind that began last, or NULL. */
const ProgressItem *progress_newest(const Progress *progress, ProgressKind kind) {
        return progress->lists[kind].newest;
}

/** progress_builds() - Nix's count of what it realises now, as the next two. */
NixCount progress_builds(const Progress *progress) {
        return progress->builds;
}

NixCount progress_copies(const Progress *progress) {
        return progress->copies;
}

NixAmount progress_copied(const Progress *progress) {
        return progress->copied;
}

/** progress_totals() - what has ended, in all. */
ProgressTotals progress_totals(const Progress *progress) {
        return progress->totals;
}

/**
 * progress_new() - nothing yet
 * @now_usec: by any clock that does not go back
 *
 * Return: 0 or -ENOMEM.
 */
int progress_new(uint64_t now_usec, Progress **ret) {
        Progress *progress = calloc(1, sizeof(*progress));

        if (!progress)
                return -ENOMEM;
        progress->begun_usec = now_usec;
        *ret = progress;
        return 0;
}

Progress *progress_free(Progress *progress) {
        size_t position = 0;

        if (!progress)
                return NULL;

        for (ProgressItem *item; (item = id_map_next(&progress->items, &position));)
                item_free(item);
        id_map_done(&progress->items);
        free(progress->evaluating);
        free(progress);
        return NULL;
}
