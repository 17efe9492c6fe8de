/* Help, from the tables of verbs and options. */
#include <string.h>

#include "help.h"

#define HELP_COLUMN 30

/** help_print() - all verbs, for people. */
void help_print(const Verb *const verbs[], FILE *f) {
        fputs("Usage: enact VERB [OPTION...] [WORD...]\n\n", f);
        for (size_t i = 0; verbs[i]; i++)
                fprintf(f, "  %-25s %s\n", verbs[i]->name, verbs[i]->help);
        fputs("\n'enact VERB --help' has the options, 'man enact-VERB' says more.\n", f);
}

/** help_lists() - whether an option is one of a verb's that people are to know. */
bool help_lists(const Verb *verb, const OptionInfo *option) {
        return option->help && (option->groups & verb->options);
}

static void print_option(const OptionInfo *option, FILE *f) {
        char left[80];
        int n;

        n = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", option->letter ? '-' : ' ',
                     option->letter ? option->letter : ' ', option->letter ? ',' : ' ',
                     option->name, option->word ? " " : "", option->word ? option->word : "");
        if (n >= HELP_COLUMN)
                fprintf(f, "%s\n%*s %s\n", left, HELP_COLUMN, "", option->help);
        else
                fprintf(f, "%-*s %s\n", HELP_COLUMN, left, option->help);
}

static void print_group(const Verb *verb, const OptionGroup *group, FILE *f) {
        bool titled = false;
        size_t n;
        const OptionInfo *options = options_table(&n);

        for (size_t i = 0; i < n; i++) {
                if (!help_lists(verb, &options[i]) || !(options[i].groups & group->group))
                        continue;
                if (!titled)
                        fprintf(f, "\n%s\n", group->title);
                titled = true;
                print_option(&options[i], f);
        }
}

/** help_print_verb() - one verb and its options. */
void help_print_verb(const Verb *verb, FILE *f) {
        size_t n;
        const OptionGroup *groups = options_groups(&n);

        fprintf(f, "Usage: enact %s%s%s [OPTION...]\n\n%s.\n", verb->name,
                *verb->synopsis ? " " : "", verb->synopsis, verb->help);
        for (size_t i = 0; i < n; i++)
                print_group(verb, &groups[i], f);
}
