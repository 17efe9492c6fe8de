#pragma once

#include "flake.h"
#include "nix-log.h"
#include "out-link.h"
#include "string-list.h"

/* What `nix build` is asked for. */
typedef struct NixRequest {
        const Flake *flake;
        const char *set;           /* "nixosConfigurations" */
        const char *attribute;     /* "config.system.build.toplevel" */
        const char *out_link;      /* "./result"; NULL: a private one, removed with the output */
        const StringList *options; /* of Nix, as the user gave them; may be NULL */
        NixEventHandler handler;   /* may be NULL */
        void *userdata;
} NixRequest;

/* A finished build. It is rooted until it is freed, or by @out_link for good. */
typedef struct NixOutput {
        char *store_path;
        OutLink *link; /* the private one; NULL: there is none */
} NixOutput;

int nix_build(const NixRequest *request, NixOutput **ret, sd_bus_error *reterr_error);
NixOutput *nix_output_free(NixOutput *output);

DEFINE_CLEANUP(NixOutput *, nix_output_free);
