#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "string-list.h"

/* Which options a verb takes; a row of the table belongs to one or more of these. */
enum {
        OPTIONS_JSON = 1 << 0,
        OPTIONS_SOURCE = 1 << 1,         /* which configuration */
        OPTIONS_SYSTEM = 1 << 2,         /* a system that is there already */
        OPTIONS_SPECIALISATION = 1 << 3, /* which variant of it */
        OPTIONS_PROFILE = 1 << 4,
        OPTIONS_SWITCH = 1 << 5, /* how a switch is done, judged and confirmed */
        OPTIONS_NIX = 1 << 6,    /* handed on to Nix */
        OPTIONS_LINK = 1 << 7,   /* where the result is linked */
        OPTIONS_IMAGE = 1 << 8,
        OPTIONS_DRY_RUN = 1 << 9,
        OPTIONS_DIFF = 1 << 10,
        OPTIONS_TRIAL = 1 << 13,
        OPTIONS_MENU = 1 << 14,
        OPTIONS_ASK = 1 << 15,
        OPTIONS_CLEAN = 1 << 12,
        OPTIONS_ROOT = 1 << 16,   /* how to become root */
        OPTIONS_UPDATE = 1 << 11, /* of the flake's inputs, or of channels, before */
};

/* What the verbs are told; nixos-rebuild's words mean what they mean there. */
typedef struct Options {
        const char *flake;      /* --flake REF[#NAME]; "." where only the option stands */
        const char *name;       /* --hostname */
        bool no_flake;          /* --no-flake */
        const char *file;       /* --file */
        const char *attribute;  /* --attr */
        const char *store_path; /* --store-path: a system that is built already */
        bool rollback;          /* --rollback: the one that ran before */
        const char *specialisation;
        bool no_specialisation;
        const char *profile; /* --profile-name */
        const char *plan;    /* --plan DIGEST: refuse another one */
        const char *
                elevate; /* --elevate: a program of root_side_command(); NULL: the first there is */
        uint64_t job_limit_sec; /* --job-timeout */
        bool has_judge_window;
        uint64_t judge_window_sec; /* --judge-window */
        StringList probes;         /* --probe, each */
        uint64_t confirm_sec;      /* --confirm: somebody must say `enact confirm` in time */
        bool no_check;             /* NIXOS_NO_CHECK=1, as NixOS' own texts recommend */
        bool trial;                /* --trial: of boot, the profile waits as well */
        bool json, no_rollback, force, force_host, unattended, install_bootloader;
        const char *out_link;
        bool no_link;
        const char *image_variant;
        const char *esp_path, *extended_path; /* --esp-path, --boot-path */
        bool dry_run, diff, ask, verbose;
        bool update;              /* all inputs of the flake */
        StringList update_inputs; /* these */
        bool upgrade, upgrade_all;
        bool has_keep, has_older;
        uint64_t keep, older_sec; /* --keep, --older-than */
        bool no_gc, yes;
        StringList nix; /* handed on to Nix as they are */
} Options;

typedef struct OptionInfo OptionInfo;

/* A row of the one table of options: what is read, helped with and completed. */
struct OptionInfo {
        const char *name;
        char letter;
        const char *word; /* what stands behind it; "[WORD]" may be left out; NULL: nothing */
        unsigned groups;
        const char *help; /* NULL: an older or foreign name, that help does not list */
        int (*take)(const OptionInfo *info, Options *options, const char *word);
        size_t offset;         /* in Options, of what set_flag() and set_text() set */
        const char *completes; /* what kind its word is of, as complete_run() knows them */
};

/* A group of rows, for help. */
typedef struct OptionGroup {
        unsigned group;
        const char *title;
} OptionGroup;

const OptionGroup *options_groups(size_t *ret_n);
const OptionInfo *options_table(size_t *ret_n);
int options_parse(unsigned groups, int argc, char **argv, Options *options, int *ret_index);
int options_check_source(const Options *options, const char *verb);
void options_done(Options *options);
