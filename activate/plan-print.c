/*
 * The plan for people: grouped by what happens, each unit with its reasons. What comes from files
 * may hold anything, so no control character of it reaches a terminal.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "plan-print.h"

#define VALUE_CHARACTERS_MAX 60U

#define BOLD                 "\033[1m"
#define FAINT                "\033[2m"
#define RED                  "\033[31m"
#define GREEN                "\033[32m"
#define YELLOW               "\033[33m"
#define RESET                "\033[0m"

/* clang-format off */
static const struct {
        const char *text, *colour;
} headings[_PLAN_ACTION_MAX] = {
        [PLAN_STOP]    = { "stop",                            RED    },
        [PLAN_SKIP]    = { "leave as it is, though changed",  BOLD   },
        [PLAN_RELOAD]  = { "reload",                          YELLOW },
        [PLAN_RESTART] = { "restart",                         YELLOW },
        [PLAN_START]   = { "start",                           GREEN  },
};
/* clang-format on */

static bool is_coloured(FILE *out) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(fileno(out)) == 1 && !(no_color && *no_color) &&
               !(term && strcmp(term, "dumb") == 0);
}

static const char *paint(FILE *out, const char *sequence) {
        return is_coloured(out) ? sequence : "";
}

static void print_plain(const char *text, FILE *out) {
        for (const char *p = text; *p; p++) {
                unsigned char c = (unsigned char) *p;

                /* Those that UTF-8 has beyond ASCII begin with this byte. */
                bool control =
                        c == 0xc2 && (unsigned char) p[1] >= 0x80 && (unsigned char) p[1] < 0xa0;

                if (c < 0x20 || c == 0x7f || control)
                        fprintf(out, "\\x%02x", c);
                else
                        fputc(c, out);
        }
}

/* Of two long store paths the end is what tells them apart for people. */
static void print_value(const char *value, FILE *out) {
        size_t n = strlen(value);
        const char *shown = n > VALUE_CHARACTERS_MAX ? value + n - VALUE_CHARACTERS_MAX : value;

        while (shown > value && (*shown & 0xc0) == 0x80)
                shown++; /* not from the middle of a character */
        fprintf(out, "\"%s", shown > value ? "…" : "");
        print_plain(shown, out);
        fputc('"', out);
}

static void print_values(const StringList *values, FILE *out) {
        if (values->n == 0)
                fputs("nothing", out);
        for (size_t i = 0; i < values->n; i++) {
                if (i > 0)
                        fputc(' ', out);
                print_value(values->items[i], out);
        }
}

static void print_reason(const PlanReason *why, FILE *out) {
        if (why->rule != PLAN_RULE_NONE) {
                fputs(plan_rule_to_text(why->rule), out);
                return;
        }
        print_plain(why->file, out);
        fputs(" [", out);
        print_plain(why->section, out);
        fputc(']', out);
        if (!why->key)
                return;
        fputc(' ', out);
        print_plain(why->key, out);
        fputs(": ", out);
        print_values(&why->old, out);
        fputs(" -> ", out);
        print_values(&why->new, out);
}

/** plan_print_reasons() - why, one line each, indented. */
void plan_print_reasons(const PlanEntry *entry, FILE *out) {
        for (size_t i = 0; i < entry->n_why; i++) {
                fprintf(out, "      %s", paint(out, FAINT));
                print_reason(&entry->why[i], out);
                fprintf(out, "%s\n", paint(out, RESET));
        }
}

static bool is_visible(const PlanList *list) {
        for (size_t i = 0; i < list->n; i++)
                if (!list->entries[i].hidden)
                        return true;
        return false;
}

static void print_list(const Plan *plan, PlanAction action, FILE *out) {
        const PlanList *list = &plan->lists[action];

        if (!is_visible(list))
                return;
        fprintf(out, "  %s%s:%s\n", paint(out, headings[action].colour), headings[action].text,
                paint(out, RESET));
        for (size_t i = 0; i < list->n; i++) {
                if (list->entries[i].hidden)
                        continue;
                fputs("    ", out);
                print_plain(list->entries[i].unit, out);
                fputc('\n', out);
                plan_print_reasons(&list->entries[i], out);
        }
}

static void print_names(const char *heading, const StringList *names, FILE *out) {
        if (names->n > 0)
                fprintf(out, "  %s%s:%s\n", paint(out, BOLD), heading, paint(out, RESET));
        for (size_t i = 0; i < names->n; i++) {
                fputs("    ", out);
                print_plain(names->items[i], out);
                fputc('\n', out);
        }
}

static void print_one(const Plan *plan, FILE *out) {
        if (plan->reexec)
                fputs("  systemd executes itself anew\n", out);
        print_names("swap no more to", &plan->swapoff, out);
        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                print_list(plan, (PlanAction) action, out);
        print_names("take over from the user's own definition", &plan->migrate, out);
        for (size_t i = 0; i < plan->notes.n; i++) {
                fputs("  note: ", out);
                print_plain(plan->notes.items[i], out);
                fputc('\n', out);
        }
}

/** plan_print() - the whole plan; says so if there is nothing in it. */
void plan_print(const Plan *plan, FILE *out) {
        print_one(plan, out);
        for (size_t i = 0; i < plan->n_users; i++) {
                const Plan *user = plan->users[i];

                if (plan_is_empty(user) && user->notes.n == 0)
                        continue;
                fprintf(out, "  %sunits of the user ", paint(out, BOLD));
                print_plain(user->user, out);
                fprintf(out, ":%s\n", paint(out, RESET));
                print_one(user, out);
        }
        if (plan_is_empty(plan))
                fputs("  no unit changes\n", out);
}
