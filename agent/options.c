/*
 * The one table of options: what each verb's command line is read by, and its help. Some are our
 * own, the others are Nix' and are handed on. Source of what they mean: nixos-rebuild(8), and for
 * the letters that it does not use, nh.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "clean.h"
#include "job-limit.h"
#include "options.h"
#include "probe.h"
#include "request.h"
#include "root-side.h"
#include "text.h"

#define A_WORD       1   /* getopt's own number */
#define FIRST_OPTION 256 /* and ours, by row */
#define LETTERS_MAX  64U

static int add_nix_option(const OptionInfo *info, Options *options, const char *word);

static int set_flag(const OptionInfo *info, Options *options, _unused_ const char *word) {
        *(bool *) ((char *) options + info->offset) = true;
        return 0;
}

static int set_text(const OptionInfo *info, Options *options, const char *word) {
        *(const char **) (void *) ((char *) options + info->offset) = word;
        return 0;
}

static int set_verbose(const OptionInfo *info, Options *options, const char *word) {
        options->verbose = true;
        return add_nix_option(info, options, word);
}

/* Without a word it is the flake around here, as nixos-rebuild has it. */
static int set_flake(_unused_ const OptionInfo *info, Options *options, const char *word) {
        options->flake = word ? word : ".";
        return 0;
}

/* What nixos-rebuild has for what does not concern us: to other hosts, or of its own insides. */
static int ignore(_unused_ const OptionInfo *info, _unused_ Options *options,
                  _unused_ const char *word) {
        return 0;
}

static int say_later(const OptionInfo *info, _unused_ Options *options, _unused_ const char *word) {
        fprintf(stderr,
                "enact: --%s comes with 'enact deploy', for other hosts; this version has no such "
                "verb yet, and the others work on this machine alone.\n",
                info->name);
        return -EINVAL;
}

static int add_update_input(_unused_ const OptionInfo *info, Options *options, const char *word) {
        return string_list_add(&options->update_inputs, word);
}

static int add_nix_option(const OptionInfo *info, Options *options, const char *word) {
        _cleanup_free_ char *dashed = NULL;

        if (asprintf(&dashed, "--%s", info->name) < 0)
                return -ENOMEM;
        if (string_list_add(&options->nix, dashed) < 0 ||
            (word && string_list_add(&options->nix, word) < 0))
                return -ENOMEM;
        return 0;
}

static int set_job_timeout(_unused_ const OptionInfo *info, Options *options, const char *word) {
        if (text_to_unsigned(word, JOB_LIMIT_SEC_MAX, &options->job_limit_sec) >= 0)
                return 0;
        fprintf(stderr, "enact: --job-timeout takes a number of seconds, not '%s'.\n", word);
        return -EINVAL;
}

static int set_judge_window(_unused_ const OptionInfo *info, Options *options, const char *word) {
        options->has_judge_window = true;
        if (text_to_unsigned(word, JUDGE_WINDOW_MAX, &options->judge_window_sec) >= 0)
                return 0;
        fprintf(stderr, "enact: --judge-window takes a number of seconds up to 3600, not '%s'.\n",
                word);
        return -EINVAL;
}

static int set_confirm(_unused_ const OptionInfo *info, Options *options, const char *word) {
        if (text_to_unsigned(word, REQUEST_CONFIRM_MAX, &options->confirm_sec) >= 0 &&
            options->confirm_sec > 0)
                return 0;
        fprintf(stderr, "enact: --confirm takes a number of seconds, at most a day, not '%s'.\n",
                word);
        return -EINVAL;
}

static int add_probe(_unused_ const OptionInfo *info, Options *options, const char *word) {
        _cleanup_(probe_done) Probe probe = { 0 };
        const char *wanted;
        int r;

        r = probe_from_text(word, &probe, &wanted);
        if (r >= 0 && options->probes.n >= PROBES_MAX) {
                fprintf(stderr, "enact: --probe can be there %u times and no more.\n", PROBES_MAX);
                return -EINVAL;
        }
        if (r >= 0)
                return string_list_add(&options->probes, word);
        if (r == -EINVAL)
                fprintf(stderr, "enact: --probe takes %s, not '%s'.\n", wanted, word);
        return r;
}

static int set_elevate(_unused_ const OptionInfo *info, Options *options, const char *word) {
        if (root_side_knows_program(word)) {
                options->elevate = word;
                return 0;
        }
        fprintf(stderr, "enact: --elevate takes run0, sudo, doas, pkexec or none, not '%s'.\n",
                word);
        return -EINVAL;
}

static int set_keep(_unused_ const OptionInfo *info, Options *options, const char *word) {
        options->has_keep = true;
        if (text_to_unsigned(word, UINT32_MAX, &options->keep) >= 0)
                return 0;
        fprintf(stderr, "enact: --keep takes how many generations stay, not '%s'.\n", word);
        return -EINVAL;
}

static int set_older_than(_unused_ const OptionInfo *info, Options *options, const char *word) {
        int r;

        options->has_older = true;
        r = clean_age_from_text(word, &options->older_sec);
        if (r == -EINVAL)
                fprintf(stderr, "enact: --older-than takes an age like 30d, 2w or 12h, not '%s'.\n",
                        word);
        return r;
}

static int set_profile(_unused_ const OptionInfo *info, Options *options, const char *word) {
        if (request_is_profile_name(word)) {
                options->profile = word;
                return 0;
        }
        fprintf(stderr, "enact: --profile-name takes the name of a profile, not '%s'.\n", word);
        return -EINVAL;
}

#define FLAG(member) set_flag, offsetof(Options, member)
#define TEXT(member) set_text, offsetof(Options, member)
#define SOURCE       OPTIONS_SOURCE
#define SWITCH       OPTIONS_SWITCH
#define NIX          OPTIONS_NIX

/* clang-format off */
static const OptionInfo table[] = {
        { "flake",              'F', "[REF[#NAME]]", SOURCE, "Build configuration NAME of the flake REF (without a word: of the one around here)", set_flake, .completes = "flakes" },
        { "hostname",           'H', "NAME",         SOURCE, "The configuration NAME of the flake, instead of this machine's name", TEXT(name), .completes = "hosts" },
        { "no-flake",            0,  NULL,           SOURCE, "No flake, even if there is one: /etc/nixos/system.nix, or channels and their nixos-config", FLAG(no_flake) },
        { "file",               'f', "FILE",         SOURCE, "Build the configuration in a Nix file that is no flake", TEXT(file), .completes = "files" },
        { "attr",               'A', "ATTRIBUTE",    SOURCE, "Where in the file it is; without --file: in system.nix here, or in /etc/nixos/system.nix", TEXT(attribute) },
        { "store-path",          0,  "PATH",         OPTIONS_SYSTEM, "Take a system that is built already; no Nix is run", TEXT(store_path), .completes = "files" },
        { "rollback",            0,  NULL,           OPTIONS_SYSTEM, "Take the system that ran before; no Nix is run", FLAG(rollback) },
        { "specialisation",     'c', "NAME",         OPTIONS_SPECIALISATION, "Take this variant of the system, instead of the one that runs", TEXT(specialisation), .completes = "specialisations" },
        { "specialisation",     's', "NAME",         OPTIONS_SPECIALISATION, NULL, TEXT(specialisation), .completes = "specialisations" },
        { "no-specialisation",  'S', NULL,           OPTIONS_SPECIALISATION, "Leave the specialisation that runs, for the system itself", FLAG(no_specialisation) },
        { "profile-name",       'p', "NAME",         OPTIONS_PROFILE, "Another profile than 'system', in /nix/var/nix/profiles/system-profiles", set_profile },
        { "install-bootloader",  0,  NULL,           SWITCH, "Install the boot loader itself anew, too", FLAG(install_bootloader) },
        { "no-rollback",         0,  NULL,           SWITCH, "Keep the new system even if it does not work", FLAG(no_rollback) },
        { "confirm",             0,  "SECONDS",      SWITCH, "Go back unless somebody says 'enact confirm' within this time", set_confirm },
        { "judge-window",        0,  "SECONDS",      SWITCH, "How long units are watched before the new system counts as good", set_judge_window },
        { "probe",               0,  "PROBE",        SWITCH, "Ask http:URL, tcp:HOST:PORT, systemd:UNIT or exec:PROGRAM whether it works; any number of times", add_probe },
        { "job-timeout",         0,  "SECONDS",      SWITCH, "Limit of each start and stop, instead of the unit's own", set_job_timeout },
        { "plan",                0,  "DIGEST",       SWITCH, "Refuse unless this is the plan (its digest is what 'enact plan' prints last)", TEXT(plan) },
        { "force",               0,  NULL,           SWITCH, "Activate even where nothing seems to be left to do", FLAG(force) },
        { "force-host",          0,  NULL,           SWITCH, "It is meant for this machine, whatever host it is made for", FLAG(force_host) },
        { "trial",               0,  NULL,           OPTIONS_TRIAL, "The profile moves only after the next boot was judged good, too", FLAG(trial) },
        { "elevate",             0,  "PROGRAM",      OPTIONS_ROOT, "Become root by run0, sudo, doas or pkexec; none: only if we are it already (else by $ENACT_ELEVATE, or the first there is)", set_elevate },
        { "unattended",          0,  NULL,           SWITCH, "Nobody looks on: a system that has failed before is refused", FLAG(unattended) },
        { "out-link",           'o', "PATH",         OPTIONS_LINK, "Where the link to the result is made", TEXT(out_link), .completes = "files" },
        { "no-link",             0,  NULL,           OPTIONS_LINK, "Make no link to the result", FLAG(no_link) },
        { "image-variant",       0,  "VARIANT",      OPTIONS_IMAGE, "Which image; without it, those that there are are listed", TEXT(image_variant) },
        { "dry-run",            'n', NULL,           OPTIONS_DRY_RUN, "Build nothing and change nothing: only say what would be built and fetched", FLAG(dry_run) },
        { "diff",                0,  NULL,           OPTIONS_DIFF, "Show which packages differ from those of the running system", FLAG(diff) },
        { "ask",                'a', NULL,           OPTIONS_ASK, "Show which packages and units would change, and ask, once it is built", FLAG(ask) },
        { "update",             'u', NULL,           OPTIONS_UPDATE, "Move all inputs of the flake forward first", FLAG(update) },
        { "update-one",         'U', "INPUT",        OPTIONS_UPDATE, "Move this input of the flake forward first; any number of times", add_update_input, .completes = "inputs" },
        { "upgrade",             0,  NULL,           OPTIONS_UPDATE, "Update root's channel 'nixos' first, and those with a file .update-on-nixos-rebuild", FLAG(upgrade) },
        { "upgrade-all",         0,  NULL,           OPTIONS_UPDATE, "Update all of root's channels first", FLAG(upgrade_all) },
        { "keep",                0,  "N",            OPTIONS_CLEAN, "The newest N generations stay", set_keep },
        { "older-than",          0,  "AGE",          OPTIONS_CLEAN, "Only what is older than 30d, 2w or 12h goes", set_older_than },
        { "no-gc",               0,  NULL,           OPTIONS_CLEAN, "Delete the generations alone; no garbage is collected", FLAG(no_gc) },
        { "yes",                'y', NULL,           OPTIONS_CLEAN, "Do not ask", FLAG(yes) },
        { "esp-path",            0,  "PATH",         OPTIONS_MENU, "Read the boot partition that is mounted there, and not this machine's", TEXT(esp_path), .completes = "files" },
        { "boot-path",           0,  "PATH",         OPTIONS_MENU, "Its extended boot partition (XBOOTLDR), which has the entries", TEXT(extended_path), .completes = "files" },
        { "json",                0,  NULL,           OPTIONS_JSON, "Data for programs, on standard output", FLAG(json) },

        { "accept-flake-config",  0,  NULL,          NIX, "Take the settings that the flake asks Nix for", add_nix_option },
        { "builders",             0,  "MACHINES",    NIX, "Build on these machines", add_nix_option },
        { "commit-lock-file",     0,  NULL,          NIX, "Commit flake.lock if it changes", add_nix_option },
        { "cores",                0,  "N",           NIX, "Processors that each build may use", add_nix_option },
        { "fallback",             0,  NULL,          NIX, "Build what cannot be fetched", add_nix_option },
        { "impure",               0,  NULL,          NIX, "Let the flake see the environment", add_nix_option },
        { "include",             'I', "[NAME=]PATH", NIX, "Another place for <NAME>, before those of NIX_PATH", add_nix_option, .completes = "files" },
        { "keep-failed",         'K', NULL,          NIX, "Keep the directory of a failed build", add_nix_option },
        { "keep-going",          'k', NULL,          NIX, "Build the rest when one build fails", add_nix_option },
        { "max-jobs",            'j', "N",           NIX, "Builds at a time", add_nix_option },
        { "log-format",           0,  "FORMAT",      NIX, NULL, ignore },
        { "no-build-output",     'Q', NULL,          NIX, NULL, ignore },
        { "no-net",               0,  NULL,          NIX, "No network at all", add_nix_option },
        { "no-registries",        0,  NULL,          NIX, "Look no flake's name up in a registry", add_nix_option },
        { "no-update-lock-file",  0,  NULL,          NIX, "Fail if flake.lock would have to change", add_nix_option },
        { "no-write-lock-file",   0,  NULL,          NIX, "Leave flake.lock as it is", add_nix_option },
        { "offline",              0,  NULL,          NIX, "Fetch nothing", add_nix_option },
        { "option",               0,  "NAME VALUE",  NIX, "A setting of Nix, as in nix.conf", add_nix_option },
        { "override-input",       0,  "INPUT REF",   NIX, "Another flake for an input", add_nix_option },
        { "print-build-logs",    'L', NULL,          NIX, "Show what builds print", add_nix_option },
        { "quiet",                0,  NULL,          NIX, "Fewer words of Nix", add_nix_option },
        { "recreate-lock-file",   0,  NULL,          NIX, "Make flake.lock anew", add_nix_option },
        { "refresh",              0,  NULL,          NIX, "Take nothing for fetched already", add_nix_option },
        { "repair",               0,  NULL,          NIX, "Build anew what is damaged in the store", add_nix_option },
        { "show-trace",           0,  NULL,          NIX, "Show where in the code an error comes from", add_nix_option },
        { "update-input",         0,  "INPUT",       NIX, "Move one input forward in this command, as Nix has it", add_nix_option, .completes = "inputs" },
        { "verbose",             'v', NULL,          NIX, "More words of Nix", set_verbose },

        { "install-grub",                0,  NULL, SWITCH,         NULL, FLAG(install_bootloader) },
        { "use-substitutes",             0,  NULL, SOURCE,         NULL, ignore },
        { "substitute-on-destination",   0,  NULL, SOURCE,         NULL, ignore },
        { "fast",                        0,  NULL, SOURCE,         NULL, ignore },
        { "no-build-nix",                0,  NULL, SOURCE,         NULL, ignore },
        { "no-reexec",                   0,  NULL, SOURCE,         NULL, ignore },
        { "no-ssh-tty",                  0,  NULL, SOURCE,         NULL, ignore },
        { "target-host",                 0,  "HOST", SOURCE,       NULL, say_later },
        { "build-host",                  0,  "HOST", SOURCE,       NULL, say_later },
        { "sudo",                        0,  NULL, SOURCE,         NULL, say_later },
        { "use-remote-sudo",             0,  NULL, SOURCE,         NULL, say_later },
        { "ask-sudo-password",           0,  NULL, SOURCE,         NULL, say_later },
};
/* clang-format on */

static const OptionGroup titles[] = {
        { OPTIONS_SOURCE, "Which configuration" },
        { OPTIONS_SYSTEM, "Or a system that is there already" },
        { OPTIONS_SPECIALISATION, "Which variant of it" },
        { OPTIONS_IMAGE, "Which image" },
        { OPTIONS_UPDATE, "Before it is built" },
        { OPTIONS_LINK, "The result" },
        { OPTIONS_DRY_RUN | OPTIONS_DIFF | OPTIONS_ASK, "To look first" },
        { OPTIONS_PROFILE, "Which profile" },
        { OPTIONS_SWITCH | OPTIONS_TRIAL, "How it is done" },
        { OPTIONS_ROOT, "How to become root" },
        { OPTIONS_CLEAN, "What goes" },
        { OPTIONS_MENU, "Which boot menu" },
        { OPTIONS_JSON, "For programs" },
        { OPTIONS_NIX, "Handed on to Nix, as is all that follows --" },
};

/** options_groups() - all groups there are, in the order of help. */
const OptionGroup *options_groups(size_t *ret_n) {
        *ret_n = ELEMENTSOF(titles);
        return titles;
}

/** options_table() - all options there are, in the order of help. */
const OptionInfo *options_table(size_t *ret_n) {
        *ret_n = ELEMENTSOF(table);
        return table;
}

static bool takes_two_words(const OptionInfo *info) {
        return info->word && strchr(info->word, ' ');
}

static bool may_stand_alone(const OptionInfo *info) {
        return info->word && info->word[0] == '[' && info->word[strlen(info->word) - 1] == ']';
}

/* What getopt_long(3) is to know of the rows, in its own form. */
typedef struct Grammar {
        struct option names[ELEMENTSOF(table) + 1];
        char letters[3 * LETTERS_MAX];
} Grammar;

static void grammar_fill(Grammar *grammar) {
        char *end = stpcpy(grammar->letters, "-:");

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                int argument = !table[i].word             ? no_argument :
                               may_stand_alone(&table[i]) ? optional_argument :
                                                            required_argument;

                grammar->names[i] =
                        (struct option){ table[i].name, argument, NULL, FIRST_OPTION + (int) i };
                if (!table[i].letter)
                        continue;
                *end++ = table[i].letter;
                for (int k = 0; k < argument; k++)
                        *end++ = ':';
        }
        *end = '\0';
}

static const OptionInfo *find_by_letter(int letter) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].letter == letter)
                        return &table[i];
        return NULL;
}

/* The next word, unless it is an option or there is none. */
static const char *take_loose_word(int argc, char **argv) {
        return optind < argc && argv[optind][0] != '-' ? argv[optind++] : NULL;
}

static int take_option(const OptionInfo *info, unsigned groups, int argc, char **argv,
                       Options *options) {
        const char *word = optarg;
        int r;

        if (!(info->groups & groups)) {
                fprintf(stderr, "enact: '%s' takes no option '--%s'.\n", argv[0], info->name);
                return -EINVAL;
        }
        if (!word && may_stand_alone(info))
                word = take_loose_word(argc, argv);
        if (takes_two_words(info) && optind >= argc) {
                fprintf(stderr, "enact: --%s takes two words.\n", info->name);
                return -EINVAL;
        }
        r = info->take(info, options, word);
        if (r >= 0 && takes_two_words(info))
                r = string_list_add(&options->nix, argv[optind++]);
        return r;
}

/* In our own words: getopt's would begin with the name of the verb. */
static void say_bad_option(int c, char **argv) {
        const char letter[] = { '-', (char) optopt, '\0' };

        fprintf(stderr, "enact: the option '%s' of '%s' is %s.\n",
                c == '?' && optopt > 0 && optopt < 256 ? letter : argv[optind - 1], argv[0],
                c == ':' ? "missing its word" : "not known");
}

/**
 * options_parse() - read a verb's options
 * @groups:    OPTIONS_ of those that it takes
 * @argv:      argv[0] is the verb
 * @options:   all zero before; points into @argv. options_done() even after an error
 * @ret_index: of the first word that is no option; those words are the last in @argv afterwards.
 *             What follows a `--` is none of them and is handed on to Nix
 *
 * Says on standard error what is wrong.
 *
 * Return: 0, -EINVAL for an unknown or incomplete option, -ENOMEM.
 */
int options_parse(unsigned groups, int argc, char **argv, Options *options, int *ret_index) {
        const char *no_check = getenv("NIXOS_NO_CHECK");
        Grammar grammar = { 0 };
        int c, r, n_words = 0;

        options->no_check = no_check && strcmp(no_check, "1") == 0;
        options->profile = "system";
        grammar_fill(&grammar);
        opterr = 0;
        optind = 0; /* from the start, whatever was parsed before */
        while ((c = getopt_long(argc, argv, grammar.letters, grammar.names, NULL)) >= 0) {
                const OptionInfo *info =
                        c >= FIRST_OPTION ? &table[c - FIRST_OPTION] : find_by_letter(c);

                if (c == A_WORD) { /* never before its place: that was read already */
                        argv[++n_words] = optarg;
                        continue;
                }
                if (c == '?' || c == ':' || !info) {
                        say_bad_option(c, argv);
                        return -EINVAL;
                }
                r = take_option(info, groups, argc, argv, options);
                if (r < 0)
                        return r;
        }

        for (int i = optind; i < argc; i++) {
                r = string_list_add(&options->nix, argv[i]);
                if (r < 0)
                        return r;
        }
        *ret_index = argc - n_words;
        memmove(argv + *ret_index, argv + 1, (size_t) n_words * sizeof(*argv));
        return 0;
}

/**
 * options_check_source() - whether no two options name a system at once
 *
 * Says on standard error which two do. A flake beside --rollback is let pass, as nixos-rebuild
 * does: it is what scripts always say.
 *
 * Return: 0 or -EINVAL.
 */
int options_check_source(const Options *options, const char *verb) {
        const bool in_file = options->file || options->attribute;
        const struct {
                bool first, second;
                const char *names;
        } rivals[] = {
                { options->flake, in_file, "--flake and --file (or --attr)" },
                { options->flake, options->no_flake, "--flake and --no-flake" },
                { options->name, in_file || options->no_flake,
                  "--hostname (a name in a flake) and --file, --attr or --no-flake" },
                { options->store_path, options->flake, "--store-path and --flake" },
                { options->store_path, in_file, "--store-path and --file (or --attr)" },
                { options->store_path, options->rollback, "--store-path and --rollback" },
                { options->specialisation, options->no_specialisation,
                  "--specialisation and --no-specialisation" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rivals); i++)
                if (rivals[i].first && rivals[i].second) {
                        fprintf(stderr, "enact: %s exclude each other in '%s'.\n", rivals[i].names,
                                verb);
                        return -EINVAL;
                }
        return 0;
}

void options_done(Options *options) {
        string_list_done(&options->nix);
        string_list_done(&options->probes);
        string_list_done(&options->update_inputs);
}
