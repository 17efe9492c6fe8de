/*
 * Cleaning up: which generations nobody wants any more, by their number and their age, less those
 * that are something to the host. The root side refuses the latter again, whatever is chosen here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "text.h"

#define AGE_MAX ((uint64_t) 100 * 365 * 24 * 3600)

/** clean_age_from_text() - "30d", "2w", "12h"; a bare number is days. 0 or -EINVAL. */
int clean_age_from_text(const char *text, uint64_t *ret_sec) {
        static const struct {
                char letter;
                uint64_t sec;
        } units[] = { { 'h', 3600 }, { 'd', 24 * 3600 }, { 'w', 7 * 24 * 3600 } };
        const size_t n = strlen(text);
        _cleanup_free_ char *digits = NULL;
        uint64_t number, sec = 24 * 3600;
        bool has_unit = false;

        for (size_t i = 0; n > 0 && i < ELEMENTSOF(units); i++)
                if (text[n - 1] == units[i].letter) {
                        sec = units[i].sec;
                        has_unit = true;
                }
        digits = strndup(text, has_unit ? n - 1 : n);
        if (!digits)
                return -ENOMEM;
        if (text_to_unsigned(digits, AGE_MAX / sec, &number) < 0)
                return -EINVAL;
        *ret_sec = number * sec;
        return 0;
}

static int keep(CleanChoice *choice, const Generation *generation, unsigned reasons) {
        CleanKept *kept = reallocarray(choice->kept, choice->n_kept + 1, sizeof(*kept));

        if (!kept)
                return -ENOMEM;
        choice->kept = kept;
        kept[choice->n_kept++] = (CleanKept){ generation, reasons };
        return 0;
}

/**
 * clean_choose() - what is to go, oldest first
 * @now:    by the wall clock; what was made after it is not old
 * @choice: all zero before but for the profile of what goes; clean_choice_done() even after an
 *          error. Points into @view
 *
 * Return: 0 or -ENOMEM.
 */
int clean_choose(const RetentionView *view, const CleanWish *wish, time_t now,
                 CleanChoice *choice) {
        const GenerationList *list = view->list;

        for (size_t i = 0; i < list->n; i++) {
                const Generation *g = &list->items[i];
                unsigned reasons;
                int r;

                if (wish->has_keep && list->n - i <= wish->keep)
                        break; /* it is one of the newest, and so are those behind it */
                if (wish->has_older &&
                    (g->created > now || (uint64_t) (now - g->created) <= wish->older_sec))
                        continue;
                reasons = retention_reasons(view, &choice->going, g);
                r = reasons != 0 ? keep(choice, g, reasons) :
                                   upkeep_request_add(&choice->going, g->number, g->target);
                if (r == -E2BIG)
                        choice->n_left++;
                else if (r < 0)
                        return r;
        }
        return 0;
}

void clean_choice_done(CleanChoice *choice) {
        upkeep_request_done(&choice->going);
        free(choice->kept);
        *choice = (CleanChoice){ 0 };
}
