#pragma once

#include <systemd/sd-bus.h>

#include "caller.h"
#include "flake.h"
#include "options.h"

#define SOURCE_DIRECTORY "/etc/nixos"

/* Where a configuration comes from: a flake, or a Nix file. */
typedef struct Source {
        Flake *flake;    /* NULL: a file */
        char *file;      /* as `nix build --file` takes it: a path, or "<nixpkgs/nixos>" */
        char *attribute; /* of the configuration in the file; "": the file is one */
} Source;

int source_new(const Options *options, const char *host_name, const char *directory, Source **ret,
               sd_bus_error *reterr_error);
int source_add_installable(const Source *source, const char *set, const char *attribute,
                           StringList *arguments);
int source_describe(const Source *source, const char *set, char **ret_text);
int source_step_down(const Source *source, Caller **ret, sd_bus_error *reterr_error);
const char *source_name(const Source *source);
Source *source_free(Source *source);
DEFINE_CLEANUP(Source *, source_free);
