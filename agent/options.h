#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "string-list.h"

/* What the verbs that work on a flake take; nixos-rebuild's words mean what they mean there. */
typedef struct Options {
        const char *flake;      /* --flake REF[#NAME] */
        const char *store_path; /* --store-path: a system that is built already */
        const char *profile;    /* --profile-name */
        const char *plan;       /* --plan DIGEST: refuse another one */
        uint64_t job_limit_sec; /* --job-timeout */
        bool has_judge_window;
        uint64_t judge_window_sec; /* --judge-window */
        StringList probes;         /* --probe, each */
        uint64_t confirm_sec;      /* --confirm: somebody must say `enact confirm` in time */
        bool no_check;             /* NIXOS_NO_CHECK=1, as NixOS' own texts recommend */
        bool json, no_rollback, force, force_host, unattended, install_bootloader;
        bool trial;     /* --trial: of boot, the profile waits as well */
        StringList nix; /* handed on to Nix as they are */
} Options;

int options_parse(int argc, char **argv, Options *options, int *ret_index);
void options_done(Options *options);
