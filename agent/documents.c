/*
 * Writes what is made of the tables when enact is built: manual pages, and completions for bash,
 * zsh and fish. It is not installed.
 *
 *   documents man VERB PROSE       the page of a verb; PROSE is its file of text, which may be
 * empty documents man-enact PROSE      the page of the program documents bash|zsh|fish completions
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "file.h"
#include "help.h"
#include "text.h"
#include "verbs.h"

#define PROSE_BYTES_MAX ((size_t) 1024 * 1024)

/* Text as roff has it: no line is taken for a request, and no hyphen for a dash. */
static void print_roff(const char *text, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (i == 0 && (text[i] == '.' || text[i] == '\''))
                        fputs("\\&", stdout);
                if (text[i] == '\\')
                        fputs("\\e", stdout);
                else if (text[i] == '-')
                        fputs("\\-", stdout);
                else
                        putchar(text[i]);
        }
}

static void print_roff_text(const char *text) {
        print_roff(text, strlen(text));
}

/* Paragraphs apart by empty lines; what begins with blanks is shown as it is; a line that ends with
 * a colon and stands alone is a heading. */
static int print_prose(const char *path) {
        _cleanup_free_ char *text = NULL;
        bool literal = false;
        int r;

        r = file_read(AT_FDCWD, path, PROSE_BYTES_MAX, &text, NULL);
        if (r < 0)
                return r;
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                const size_t n = strcspn(line, "\n");
                const bool indented = n > 0 && *line == ' ';

                if (literal && !indented) {
                        puts(".fi\n.RE");
                        literal = false;
                }
                if (n == 0) {
                        puts(".PP");
                        continue;
                }
                if (indented && !literal) {
                        puts(".RS 4\n.nf");
                        literal = true;
                }
                print_roff(line + (indented ? strspn(line, " ") : 0),
                           n - (indented ? strspn(line, " ") : 0));
                putchar('\n');
        }
        if (literal)
                puts(".fi\n.RE");
        return 0;
}

static void print_title(const char *name, const char *help) {
        char upper[80];
        size_t n;

        for (n = 0; name[n] && n + 1 < sizeof(upper); n++)
                upper[n] =
                        (char) (name[n] >= 'a' && name[n] <= 'z' ? name[n] - 'a' + 'A' : name[n]);
        upper[n] = '\0';
        printf(".TH ");
        print_roff_text(upper);
        printf(" 1 \"\" \"enact " ENACT_VERSION "\" \"enact\"\n.SH NAME\n");
        print_roff_text(name);
        fputs(" \\- ", stdout);
        print_roff_text(help);
        putchar('\n');
}

static void print_option(const OptionInfo *option) {
        puts(".TP");
        if (option->letter)
                printf("\\fB\\-%c\\fR, ", option->letter);
        fputs("\\fB\\-\\-", stdout);
        print_roff_text(option->name);
        fputs("\\fR", stdout);
        if (option->word) {
                fputs(" \\fI", stdout);
                print_roff_text(option->word);
                fputs("\\fR", stdout);
        }
        putchar('\n');
        print_roff_text(option->help);
        puts(".");
}

static void print_options(const Verb *verb) {
        size_t n, n_groups;
        const OptionInfo *options = options_table(&n);
        const OptionGroup *groups = options_groups(&n_groups);

        puts(".SH OPTIONS");
        for (size_t k = 0; k < n_groups; k++) {
                bool titled = false;

                for (size_t i = 0; i < n; i++) {
                        if (!help_lists(verb, &options[i]) ||
                            !(options[i].groups & groups[k].group))
                                continue;
                        if (!titled) {
                                fputs(".SS ", stdout);
                                print_roff_text(groups[k].title);
                                putchar('\n');
                        }
                        titled = true;
                        print_option(&options[i]);
                }
        }
}

static int print_man(const char *name, const char *prose) {
        const Verb *verb = verb_find(enact_verbs, name);
        _cleanup_free_ char *title = NULL;
        int r;

        if (!verb)
                return -ENOENT;
        r = text_printf(&title, "enact-%s", name);
        if (r < 0)
                return r;
        print_title(title, verb->help);
        fputs(".SH SYNOPSIS\n\\fBenact ", stdout);
        print_roff_text(name);
        fputs("\\fR ", stdout);
        print_roff_text(verb->synopsis);
        puts(" [OPTION...]\n.SH DESCRIPTION");
        print_roff_text(verb->help);
        puts(".\n.PP");
        r = print_prose(prose);
        if (r < 0)
                return r;
        print_options(verb);
        puts(".SH SEE ALSO\n\\fBenact\\fR(1)");
        return 0;
}

static void print_exit_codes(void) {
        static const struct {
                int code;
                const char *meaning;
        } codes[] = {
                { 0, "done, or nothing to do, or declined when asked" },
                { 1, "failed; the running system, the profile and the boot default are what they "
                     "were" },
                { 2, "wrong usage" },
                { 3, "failed after activation began, and rolled back: the old system runs again" },
                { 4, "active, and not well (only where a rollback was declined)" },
                { 5, "the rollback failed, too; 'enact status' says what holds" },
                { 6, "busy: another switch is under way" },
                { 10, "evaluation failed, or there is nothing to evaluate; nothing was touched" },
                { 11, "a build failed; nothing was touched" },
                { 12, "a copy failed; nothing was touched" },
                { 100, "could not go live without a reboot; it is the boot default" },
                { 130, "interrupted before activation; nothing was changed" },
        };

        puts(".SH EXIT STATUS");
        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                printf(".TP\n%d\n", codes[i].code);
                print_roff_text(codes[i].meaning);
                puts(".");
        }
}

static int print_man_enact(const char *prose) {
        int r;

        print_title("enact", "make a NixOS machine what its flake says it is, and put it back if "
                             "that goes wrong");
        puts(".SH SYNOPSIS\n\\fBenact\\fR \\fIVERB\\fR [OPTION...] [WORD...]\n.SH DESCRIPTION");
        r = print_prose(prose);
        if (r < 0)
                return r;
        puts(".SH VERBS");
        for (size_t i = 0; enact_verbs[i]; i++) {
                puts(".TP");
                fputs("\\fBenact\\-", stdout);
                print_roff_text(enact_verbs[i]->name);
                puts("\\fR(1)");
                print_roff_text(enact_verbs[i]->help);
                puts(".");
        }
        print_exit_codes();
        return 0;
}

/* Between single quotes of a shell. */
static void print_quoted(const char *text) {
        putchar('\'');
        for (; *text; text++)
                if (*text == '\'')
                        fputs("'\\''", stdout);
                else
                        putchar(*text);
        putchar('\'');
}

static void print_bash_options(const Verb *verb) {
        size_t n;
        const OptionInfo *options = options_table(&n);

        for (size_t i = 0; i < n; i++) {
                if (!help_lists(verb, &options[i]))
                        continue;
                printf(" --%s", options[i].name);
                if (options[i].letter)
                        printf(" -%c", options[i].letter);
        }
}

/* Each option that takes a word of a known kind, once. */
static void print_bash_kinds(void) {
        size_t n;
        const OptionInfo *options = options_table(&n);

        for (size_t i = 0; i < n; i++) {
                if (!options[i].word || !options[i].help)
                        continue;
                printf("        --%s", options[i].name);
                if (options[i].letter)
                        printf("|-%c", options[i].letter);
                printf(") kind=%s ;;\n", options[i].completes ? options[i].completes : "none");
        }
}

static void print_bash(void) {
        puts("# Completions of enact for bash, made from its tables.\n"
             "_enact() {\n"
             "    local cur prev verb flake='' kind='' words='' i\n"
             "    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
             "    COMPREPLY=()\n"
             "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
        fputs("        words='", stdout);
        for (size_t i = 0; enact_verbs[i]; i++)
                printf("%s%s", i > 0 ? " " : "", enact_verbs[i]->name);
        puts(" --help --version'\n"
             "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
             "        return\n"
             "    fi\n"
             "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
             "        case ${COMP_WORDS[i]} in --flake|-F) flake=${COMP_WORDS[i+1]} ;; esac\n"
             "    done\n"
             "    case $prev in");
        print_bash_kinds();
        puts("    esac\n"
             "    if [ -z \"$kind\" ]; then\n"
             "        case $verb in");
        for (size_t i = 0; enact_verbs[i]; i++) {
                const Verb *verb = enact_verbs[i];

                printf("        %s) words='%s' kind='%s'\n            options='", verb->name,
                       verb->words ? verb->words : "", verb->completes ? verb->completes : "");
                print_bash_options(verb);
                puts(" --help' ;;");
        }
        puts("        *) return ;;\n"
             "        esac\n"
             "        case $cur in -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return ;; esac\n"
             "    fi\n"
             "    case $kind in\n"
             "        ''|none) ;;\n"
             "        files) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
             "        flakes)\n"
             "            case $cur in\n"
             "                *'#'*) words=$(enact --complete hosts \"${cur%%#*}\" 2> /dev/null |\n"
             "                    while read -r i; do echo \"${cur%%#*}#$i\"; done) ;;\n"
             "                *) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
             "            esac ;;\n"
             "        *) words=\"$words $(enact --complete \"$kind\" \"$flake\" 2> /dev/null)\" ;;\n"
             "    esac\n"
             "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
             "}\n"
             "complete -o filenames -F _enact enact");
}

static void print_fish_words(const Verb *verb) {
        _cleanup_free_ char *copy = strdup(verb->words ? verb->words : "");
        char *rest = NULL;

        if (!copy)
                return;
        for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
                printf("complete -c enact -f -n '__fish_seen_subcommand_from %s' -a %s\n",
                       verb->name, word);
        if (verb->completes)
                printf("complete -c enact -f -n '__fish_seen_subcommand_from %s' -a '(enact "
                       "--complete %s 2> /dev/null)'\n",
                       verb->name, verb->completes);
}

static void print_fish_option(const Verb *verb, const OptionInfo *option) {
        printf("complete -c enact -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
               option->name);
        if (option->letter)
                printf(" -s %c", option->letter);
        if (option->word) {
                const char *kind = option->completes ? option->completes : "none";

                if (strcmp(kind, "files") == 0 || strcmp(kind, "flakes") == 0)
                        fputs(" -r -F", stdout);
                else if (strcmp(kind, "none") == 0)
                        fputs(" -x", stdout);
                else
                        printf(" -x -a '(enact --complete %s 2> /dev/null)'", kind);
        }
        fputs(" -d ", stdout);
        print_quoted(option->help);
        putchar('\n');
}

static void print_fish(void) {
        size_t n;
        const OptionInfo *options = options_table(&n);

        puts("# Completions of enact for fish, made from its tables.\n"
             "complete -c enact -f");
        for (size_t i = 0; enact_verbs[i]; i++) {
                printf("complete -c enact -f -n __fish_use_subcommand -a %s -d ",
                       enact_verbs[i]->name);
                print_quoted(enact_verbs[i]->help);
                putchar('\n');
        }
        for (size_t i = 0; enact_verbs[i]; i++) {
                print_fish_words(enact_verbs[i]);
                for (size_t k = 0; k < n; k++)
                        if (help_lists(enact_verbs[i], &options[k]))
                                print_fish_option(enact_verbs[i], &options[k]);
        }
}

/* In a specification of _arguments a colon and brackets have a meaning. */
static void print_zsh_text(const char *text) {
        for (; *text; text++) {
                if (strchr("[]:\\", *text))
                        putchar('\\');
                if (*text == '\'')
                        fputs("'\\''", stdout);
                else
                        putchar(*text);
        }
}

static const char *zsh_action(const char *kind) {
        static const struct {
                const char *kind, *action;
        } actions[] = {
                { "files", "_files" },
                { "flakes", "_files -/" },
                { "hosts", "{_enact_names hosts}" },
                { "inputs", "{_enact_names inputs}" },
                { "generations", "{_enact_names generations}" },
                { "specialisations", "{_enact_names specialisations}" },
        };

        for (size_t i = 0; kind && i < ELEMENTSOF(actions); i++)
                if (strcmp(actions[i].kind, kind) == 0)
                        return actions[i].action;
        return "";
}

static void print_zsh_option(const char *dashed, const OptionInfo *option) {
        printf("                '*%s[", dashed);
        print_zsh_text(option->help);
        putchar(']');
        if (option->word) {
                _cleanup_free_ char *copy = strdup(option->word);
                char *rest = NULL;

                for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL; word;
                     word = strtok_r(NULL, " ", &rest)) {
                        putchar(':');
                        print_zsh_text(word);
                        printf(":%s", zsh_action(option->completes));
                }
        }
        puts("' \\");
}

static void print_zsh(void) {
        size_t n;
        const OptionInfo *options = options_table(&n);

        puts("#compdef enact\n"
             "# Completions of enact for zsh, made from its tables.\n"
             "_enact_names() {\n"
             "    local -a names\n"
             "    names=(${(f)\"$(enact --complete $1 ${opt_args[--flake]:-${opt_args[-F]}} 2> /dev/null)\"})\n"
             "    compadd -a names\n"
             "}\n"
             "_enact() {\n"
             "    local -a verbs\n"
             "    verbs=(");
        for (size_t i = 0; enact_verbs[i]; i++) {
                printf("        '%s:", enact_verbs[i]->name);
                print_zsh_text(enact_verbs[i]->help);
                puts("'");
        }
        puts("    )\n"
             "    if (( CURRENT == 2 )); then\n"
             "        _describe -t verbs verb verbs\n"
             "        return\n"
             "    fi\n"
             "    local verb=$words[2]\n"
             "    shift words\n"
             "    (( CURRENT-- ))\n"
             "    case $verb in");
        for (size_t i = 0; enact_verbs[i]; i++) {
                const Verb *verb = enact_verbs[i];

                printf("        %s)\n            _arguments -s \\\n", verb->name);
                for (size_t k = 0; k < n; k++) {
                        char dashed[80];

                        if (!help_lists(verb, &options[k]))
                                continue;
                        (void) snprintf(dashed, sizeof(dashed), "--%s", options[k].name);
                        print_zsh_option(dashed, &options[k]);
                        if (!options[k].letter)
                                continue;
                        (void) snprintf(dashed, sizeof(dashed), "-%c", options[k].letter);
                        print_zsh_option(dashed, &options[k]);
                }
                if (verb->words)
                        printf("                '1:what:(%s)' \\\n", verb->words);
                if (verb->completes)
                        printf("                '*:%s:%s' \\\n", verb->completes,
                               zsh_action(verb->completes));
                puts("                '--help[Show the options]' ;;");
        }
        puts("    esac\n"
             "}\n"
             "_enact \"$@\"");
}

int main(int argc, char **argv) {
        int r = 0;

        if (argc == 4 && strcmp(argv[1], "man") == 0)
                r = print_man(argv[2], argv[3]);
        else if (argc == 3 && strcmp(argv[1], "man-enact") == 0)
                r = print_man_enact(argv[2]);
        else if (argc == 2 && strcmp(argv[1], "bash") == 0)
                print_bash();
        else if (argc == 2 && strcmp(argv[1], "zsh") == 0)
                print_zsh();
        else if (argc == 2 && strcmp(argv[1], "fish") == 0)
                print_fish();
        else
                r = -EINVAL;
        if (r >= 0 && fflush(stdout) != 0)
                r = -errno;
        if (r < 0)
                fprintf(stderr, "documents: %s\n", strerror(-r));
        return r < 0;
}
