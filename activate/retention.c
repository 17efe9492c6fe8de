/* Retention: which generations may go, and which of them go by themselves because newer ones have
 * come. Nothing is changed here. */
#include <errno.h>
#include <string.h>

#include "retention.h"

static bool is_going(const UpkeepRequest *going, uint64_t number) {
        for (size_t i = 0; i < going->n; i++)
                if (going->items[i].generation == number)
                        return true;
        return false;
}

/* Whether a generation that stays stands for the same system. */
static bool has_another(const RetentionView *view, const UpkeepRequest *going,
                        const Generation *generation) {
        for (size_t i = 0; i < view->list->n; i++) {
                const Generation *g = &view->list->items[i];

                if (g->number != generation->number && strcmp(g->target, generation->target) == 0 &&
                    !is_going(going, g->number))
                        return true;
        }
        return false;
}

/**
 * retention_reasons() - why a generation must not be deleted
 * @going:      what is deleted with it
 * @generation: of the list of @view
 *
 * What is only something to the host by its system can go while another generation of that stays; a
 * pin holds all the same, and so does being the one that the profile names.
 *
 * Return: 1 << Mark and RETENTION_CURRENT; 0 if it may go.
 */
unsigned retention_reasons(const RetentionView *view, const UpkeepRequest *going,
                           const Generation *generation) {
        unsigned reasons = marks_of(view->marks, generation->target) & ~(1U << MARK_FAILED);

        if (view->current && strcmp(view->current, generation->target) == 0)
                reasons |= RETENTION_CURRENT;
        if (has_another(view, going, generation))
                reasons &= 1U << MARK_PINNED;
        return generation->current ? reasons | RETENTION_CURRENT : reasons;
}

/**
 * retention_choose() - the generations beyond the newest @keep that may go, oldest first
 * @keep:  0: all are kept
 * @going: of the profile, without items before; what does not fit goes the next time
 *
 * Return: 0 or -ENOMEM.
 */
int retention_choose(const RetentionView *view, uint64_t keep, UpkeepRequest *going) {
        const GenerationList *list = view->list;

        for (size_t i = 0; keep > 0 && i + keep < list->n; i++) {
                const Generation *g = &list->items[i];
                int r;

                if (retention_reasons(view, going, g) != 0)
                        continue;
                r = upkeep_request_add(going, g->number, g->target);
                if (r < 0)
                        return r == -E2BIG ? 0 : r;
        }
        return 0;
}
