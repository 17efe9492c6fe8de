/* The plan for people: grouped by what happens, each unit with its reasons. */
#include <string.h>

#include "plan-print.h"

#define VALUE_CHARACTERS_MAX 60

/* clang-format off */
static const char *const headings[_PLAN_ACTION_MAX] = {
        [PLAN_STOP]    = "stop",
        [PLAN_SKIP]    = "leave as it is, though changed",
        [PLAN_RELOAD]  = "reload",
        [PLAN_RESTART] = "restart",
        [PLAN_START]   = "start",
};
/* clang-format on */

static void print_values(const StringList *values, FILE *out) {
        if (values->n == 0) {
                fputs("nothing", out);
                return;
        }
        for (size_t i = 0; i < values->n; i++) {
                const char *value = values->items[i];
                bool cut = strlen(value) > VALUE_CHARACTERS_MAX;

                /* Of two long store paths the end is what tells them apart for people. */
                fprintf(out, "%s\"%s%s\"", i > 0 ? " " : "", cut ? "…" : "",
                        cut ? value + strlen(value) - VALUE_CHARACTERS_MAX : value);
        }
}

/** plan_print_reasons() - why, one line each, indented. */
void plan_print_reasons(const PlanEntry *entry, FILE *out) {
        for (size_t i = 0; i < entry->n_why; i++) {
                const PlanReason *why = &entry->why[i];

                if (why->rule != PLAN_RULE_NONE) {
                        fprintf(out, "      %s\n", plan_rule_to_text(why->rule));
                        continue;
                }
                fprintf(out, "      %s [%s]", why->file, why->section);
                if (why->key) {
                        fprintf(out, " %s: ", why->key);
                        print_values(&why->old, out);
                        fputs(" -> ", out);
                        print_values(&why->new, out);
                }
                fputc('\n', out);
        }
}

static size_t n_visible(const PlanList *list) {
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++)
                n += !list->entries[i].hidden;
        return n;
}

/** plan_print() - the whole plan; says so if there is nothing in it. */
void plan_print(const Plan *plan, FILE *out) {
        if (plan->reexec)
                fputs("  systemd executes itself anew\n", out);

        for (int action = 0; action < _PLAN_ACTION_MAX; action++) {
                const PlanList *list = &plan->lists[action];

                if (n_visible(list) == 0)
                        continue;
                fprintf(out, "  %s:\n", headings[action]);
                for (size_t i = 0; i < list->n; i++) {
                        if (list->entries[i].hidden)
                                continue;
                        fprintf(out, "    %s\n", list->entries[i].unit);
                        plan_print_reasons(&list->entries[i], out);
                }
        }
        for (size_t i = 0; i < plan->notes.n; i++)
                fprintf(out, "  note: %s\n", plan->notes.items[i]);
        if (plan_is_empty(plan))
                fputs("  no unit changes\n", out);
}
