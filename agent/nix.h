#pragma once

#include "nix-log.h"
#include "out-link.h"
#include "source.h"
#include "string-list.h"

/* What `nix build` is asked for. */
typedef struct NixRequest {
        const Source *source;
        const char *set;           /* "nixosConfigurations"; of a flake only */
        const char *attribute;     /* "config.system.build.toplevel" */
        const char *out_link;      /* "./result"; NULL: a private one, removed with the output */
        const StringList *options; /* of Nix, as the user gave them; may be NULL */
        NixEventHandler handler;   /* may be NULL */
        void *userdata;
        bool shows_logs; /* the handler shows the end of a failed build's log, so no error need to
                          */
} NixRequest;

/* A finished build. It is rooted until it is freed, or by @out_link for good. */
typedef struct NixOutput {
        char *store_path;
        OutLink *link; /* the private one; NULL: there is none */
} NixOutput;

/* What a build would take: store paths. */
typedef struct NixForecast {
        StringList builds, fetches;
} NixForecast;

int nix_forecast(const NixRequest *request, NixForecast *forecast, sd_bus_error *reterr_error);
void nix_forecast_done(NixForecast *forecast);
int nix_names(const NixRequest *request, StringList *names, sd_bus_error *reterr_error);
int nix_build(const NixRequest *request, NixOutput **ret, sd_bus_error *reterr_error);
NixOutput *nix_output_free(NixOutput *output);

DEFINE_CLEANUP(NixOutput *, nix_output_free);
