/* Options of the verbs that work on a flake: our own, and those that are Nix' and are handed on. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "probe.h"
#include "request.h"
#include "text.h"

#define JOB_TIMEOUT_MAX ((uint64_t) 7 * 24 * 3600)

enum {
        A_WORD = 1, /* getopt's own number */
        OPTION_STORE_PATH = 256,
        OPTION_NO_ROLLBACK,
        OPTION_FORCE,
        OPTION_FORCE_HOST,
        OPTION_TRIAL,
        OPTION_UNATTENDED,
        OPTION_INSTALL_BOOTLOADER,
        OPTION_JSON,
        OPTION_JOB_TIMEOUT,
        OPTION_JUDGE_WINDOW,
        OPTION_PROBE,
        OPTION_CONFIRM,
        OPTION_PLAN,
        OPTION_NIX_FLAG,  /* handed on without a word */
        OPTION_NIX_WORD,  /* with one */
        OPTION_NIX_WORDS, /* with two */
};

/* clang-format off */
static const struct option known[] = {
        { "flake",              required_argument, NULL, 'F' },
        { "store-path",         required_argument, NULL, OPTION_STORE_PATH },
        { "profile-name",       required_argument, NULL, 'p' },
        { "no-rollback",        no_argument,       NULL, OPTION_NO_ROLLBACK },
        { "force",              no_argument,       NULL, OPTION_FORCE },
        { "force-host",         no_argument,       NULL, OPTION_FORCE_HOST },
        { "trial",              no_argument,       NULL, OPTION_TRIAL },
        { "unattended",         no_argument,       NULL, OPTION_UNATTENDED },
        { "install-bootloader", no_argument,       NULL, OPTION_INSTALL_BOOTLOADER },
        { "json",               no_argument,       NULL, OPTION_JSON },
        { "job-timeout",        required_argument, NULL, OPTION_JOB_TIMEOUT },
        { "judge-window",       required_argument, NULL, OPTION_JUDGE_WINDOW },
        { "probe",              required_argument, NULL, OPTION_PROBE },
        { "plan",               required_argument, NULL, OPTION_PLAN },
        { "confirm",            required_argument, NULL, OPTION_CONFIRM },

        { "accept-flake-config",  no_argument,       NULL, OPTION_NIX_FLAG },
        { "builders",             required_argument, NULL, OPTION_NIX_WORD },
        { "commit-lock-file",     no_argument,       NULL, OPTION_NIX_FLAG },
        { "cores",                required_argument, NULL, OPTION_NIX_WORD },
        { "fallback",             no_argument,       NULL, OPTION_NIX_FLAG },
        { "impure",               no_argument,       NULL, OPTION_NIX_FLAG },
        { "include",              required_argument, NULL, OPTION_NIX_WORD },
        { "keep-failed",          no_argument,       NULL, OPTION_NIX_FLAG },
        { "keep-going",           no_argument,       NULL, OPTION_NIX_FLAG },
        { "max-jobs",             required_argument, NULL, OPTION_NIX_WORD },
        { "no-update-lock-file",  no_argument,       NULL, OPTION_NIX_FLAG },
        { "no-write-lock-file",   no_argument,       NULL, OPTION_NIX_FLAG },
        { "offline",              no_argument,       NULL, OPTION_NIX_FLAG },
        { "option",               required_argument, NULL, OPTION_NIX_WORDS },
        { "override-input",       required_argument, NULL, OPTION_NIX_WORDS },
        { "print-build-logs",     no_argument,       NULL, OPTION_NIX_FLAG },
        { "recreate-lock-file",   no_argument,       NULL, OPTION_NIX_FLAG },
        { "refresh",              no_argument,       NULL, OPTION_NIX_FLAG },
        { "repair",               no_argument,       NULL, OPTION_NIX_FLAG },
        { "show-trace",           no_argument,       NULL, OPTION_NIX_FLAG },
        { "update-input",         required_argument, NULL, OPTION_NIX_WORD },
        { 0 },
};

/* Nix' short options and the long ones that they stand for. */
static const struct {
        int letter;
        const char *name;
        bool word;
} short_options[] = {
        { 'j', "max-jobs",         /* word= */ true  },
        { 'I', "include",          /* word= */ true  },
        { 'k', "keep-going",       /* word= */ false },
        { 'K', "keep-failed",      /* word= */ false },
        { 'L', "print-build-logs", /* word= */ false },
};
/* clang-format on */

static int add_nix_option(Options *options, const char *name, const char *word, const char *word2) {
        _cleanup_free_ char *dashed = NULL;

        if (asprintf(&dashed, "--%s", name) < 0)
                return -ENOMEM;
        if (string_list_add(&options->nix, dashed) < 0 ||
            (word && string_list_add(&options->nix, word) < 0) ||
            (word2 && string_list_add(&options->nix, word2) < 0))
                return -ENOMEM;
        return 0;
}

static int take_nix_words(Options *options, int argc, char **argv, const char *name) {
        if (optind >= argc) {
                fprintf(stderr, "enact: --%s takes two words.\n", name);
                return -EINVAL;
        }
        return add_nix_option(options, name, optarg, argv[optind++]);
}

static int take_short_option(Options *options, int letter) {
        for (size_t i = 0; i < ELEMENTSOF(short_options); i++)
                if (short_options[i].letter == letter)
                        return add_nix_option(options, short_options[i].name,
                                              short_options[i].word ? optarg : NULL, NULL);
        return -EINVAL;
}

static int take_job_timeout(Options *options) {
        if (text_to_unsigned(optarg, JOB_TIMEOUT_MAX, &options->job_limit_sec) >= 0)
                return 0;
        fprintf(stderr, "enact: --job-timeout takes a number of seconds, not '%s'.\n", optarg);
        return -EINVAL;
}

static int take_judge_window(Options *options) {
        options->has_judge_window = true;
        if (text_to_unsigned(optarg, JUDGE_WINDOW_MAX, &options->judge_window_sec) >= 0)
                return 0;
        fprintf(stderr, "enact: --judge-window takes a number of seconds up to 3600, not '%s'.\n",
                optarg);
        return -EINVAL;
}

static int take_confirm(Options *options) {
        if (text_to_unsigned(optarg, REQUEST_CONFIRM_MAX, &options->confirm_sec) >= 0 &&
            options->confirm_sec > 0)
                return 0;
        fprintf(stderr, "enact: --confirm takes a number of seconds, at most a day, not '%s'.\n",
                optarg);
        return -EINVAL;
}

static int take_probe(Options *options) {
        _cleanup_(probe_done) Probe probe = { 0 };
        const char *wanted;
        int r;

        r = probe_from_text(optarg, &probe, &wanted);
        if (r >= 0 && options->probes.n >= PROBES_MAX) {
                fprintf(stderr, "enact: --probe can be there %u times and no more.\n", PROBES_MAX);
                return -EINVAL;
        }
        if (r >= 0)
                return string_list_add(&options->probes, optarg);
        if (r == -EINVAL)
                fprintf(stderr, "enact: --probe takes %s, not '%s'.\n", wanted, optarg);
        return r;
}

static int take_profile(Options *options) {
        if (request_is_profile_name(optarg)) {
                options->profile = optarg;
                return 0;
        }
        fprintf(stderr, "enact: --profile-name takes the name of a profile, not '%s'.\n", optarg);
        return -EINVAL;
}

static int take_option(Options *options, int c, int index, int argc, char **argv) {
        switch (c) {
        case 'F':
                options->flake = optarg;
                return 0;
        case 'p':
                return take_profile(options);
        case OPTION_STORE_PATH:
                options->store_path = optarg;
                return 0;
        case OPTION_NO_ROLLBACK:
                options->no_rollback = true;
                return 0;
        case OPTION_FORCE:
                options->force = true;
                return 0;
        case OPTION_TRIAL:
                options->trial = true;
                return 0;
        case OPTION_FORCE_HOST:
                options->force_host = true;
                return 0;
        case OPTION_UNATTENDED:
                options->unattended = true;
                return 0;
        case OPTION_INSTALL_BOOTLOADER:
                options->install_bootloader = true;
                return 0;
        case OPTION_JSON:
                options->json = true;
                return 0;
        case OPTION_PLAN:
                options->plan = optarg;
                return 0;
        case OPTION_JOB_TIMEOUT:
                return take_job_timeout(options);
        case OPTION_JUDGE_WINDOW:
                return take_judge_window(options);
        case OPTION_PROBE:
                return take_probe(options);
        case OPTION_CONFIRM:
                return take_confirm(options);
        case OPTION_NIX_FLAG:
                return add_nix_option(options, known[index].name, NULL, NULL);
        case OPTION_NIX_WORD:
                return add_nix_option(options, known[index].name, optarg, NULL);
        case OPTION_NIX_WORDS:
                return take_nix_words(options, argc, argv, known[index].name);
        default:
                return take_short_option(options, c);
        }
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
 * @argv:      argv[0] is the verb
 * @options:   all zero before; points into @argv. options_done() even after an error
 * @ret_index: of the first word that is no option; those words are the last in @argv afterwards.
 *             What follows a `--` is none of them and is handed on to Nix
 *
 * Says on standard error what is wrong.
 *
 * Return: 0, -EINVAL for an unknown or incomplete option, -ENOMEM.
 */
int options_parse(int argc, char **argv, Options *options, int *ret_index) {
        const char *no_check = getenv("NIXOS_NO_CHECK");
        int c, r, index = 0, n_words = 0;

        options->no_check = no_check && strcmp(no_check, "1") == 0;
        options->profile = "system";
        opterr = 0;
        optind = 0; /* from the start, whatever was parsed before */
        while ((c = getopt_long(argc, argv, "-:F:p:j:I:kKL", known, &index)) >= 0) {
                if (c == A_WORD) { /* never before its place: that was read already */
                        argv[++n_words] = optarg;
                        continue;
                }
                if (c == '?' || c == ':')
                        say_bad_option(c, argv);
                r = c == '?' || c == ':' ? -EINVAL : take_option(options, c, index, argc, argv);
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

void options_done(Options *options) {
        string_list_done(&options->nix);
        string_list_done(&options->probes);
}
