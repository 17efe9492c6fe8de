/*
 * Where a configuration comes from, as a command line says it or leaves it out: a flake; a file and
 * an attribute in it; or, on a machine that has channels, <nixpkgs/nixos> and what nixos-config
 * stands for. Source of the rules: nixos-rebuild(8).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "source.h"
#include "text.h"

#define NOTHING_CHANGED "Nothing was changed."
#define CHANNEL_FILE    "<nixpkgs/nixos>"
#define SYSTEM_FILE     "system.nix"

static int set_file(Source *source, const char *file, const char *attribute) {
        source->file = strdup(file);
        source->attribute = strdup(attribute ? attribute : "");
        return source->file && source->attribute ? 0 : -ENOMEM;
}

static int set_flake(Source *source, const Options *options, const char *argument,
                     const char *host_name, sd_bus_error *reterr_error) {
        const char *hash = strchr(argument, '#');

        if (options->name && options->flake && hash && hash[1] != '\0')
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE,
                                         "Two names for one configuration: '%s' by --hostname and "
                                         "'%s' in '%s'. " NOTHING_CHANGED,
                                         options->name, hash + 1, argument);
        if (options->name) { /* a name in the environment is only the usual one */
                _cleanup_free_ char *named = NULL;

                if (text_printf(&named, "%.*s#%s", (int) strcspn(argument, "#"), argument,
                                options->name) < 0)
                        return -ENOMEM;
                return flake_new(named, host_name, &source->flake, reterr_error);
        }
        return flake_new(argument, host_name, &source->flake, reterr_error);
}

/* Whether a search path of Nix has a place for <@name>. */
static bool search_path_has(const char *search_path, const char *name) {
        const size_t n = strlen(name);

        for (const char *p = search_path; p && *p; p += strcspn(p, ":"), p += *p == ':')
                if (strncmp(p, name, n) == 0 && p[n] == '=')
                        return true;
        return false;
}

static bool nix_finds(const Options *options, const char *name) {
        for (size_t i = 0; i + 1 < options->nix.n; i++)
                if ((strcmp(options->nix.items[i], "--include") == 0 ||
                     strcmp(options->nix.items[i], "-I") == 0) &&
                    search_path_has(options->nix.items[i + 1], name))
                        return true;
        return search_path_has(getenv("NIX_PATH"), name);
}

/* --attr alone. */
static int find_file(Source *source, const Options *options, const char *directory,
                     sd_bus_error *reterr_error) {
        static const char *const here[] = { SYSTEM_FILE, "default.nix" };
        _cleanup_free_ char *usual = NULL;

        for (size_t i = 0; i < ELEMENTSOF(here); i++)
                if (access(here[i], F_OK) >= 0)
                        return set_file(source, here[i], options->attribute);
        if (nix_finds(options, "nixos-system"))
                return set_file(source, "<nixos-system>", options->attribute);
        if (text_printf(&usual, "%s/" SYSTEM_FILE, directory) < 0)
                return -ENOMEM;
        if (access(usual, F_OK) >= 0)
                return set_file(source, usual, options->attribute);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                 "There is no file for the attribute '%s': no system.nix or "
                                 "default.nix here, and no '%s'. Name one by "
                                 "--file. " NOTHING_CHANGED,
                                 options->attribute, usual);
}

static int take_file(Source *source, const Options *options, sd_bus_error *reterr_error) {
        const char *file = options->file;

        if (file[0] != '<' && !strstr(file, "://") && access(file, R_OK) < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "Cannot read the file '%s': %s. " NOTHING_CHANGED, file,
                                         strerror(errno));
        return set_file(source, file, options->attribute);
}

/* Without flakes: a file that is the whole system, or channels. */
static int find_usual(Source *source, const Options *options, const char *directory,
                      sd_bus_error *reterr_error) {
        _cleanup_free_ char *system = NULL, *configuration = NULL;
        const char *given = getenv("NIXOS_CONFIG");

        if (text_printf(&system, "%s/" SYSTEM_FILE, directory) < 0 ||
            text_printf(&configuration, "%s/configuration.nix", directory) < 0)
                return -ENOMEM;
        if (access(system, F_OK) >= 0)
                return set_file(source, system, NULL);
        if ((given && *given) || nix_finds(options, "nixos-config") ||
            access(configuration, F_OK) >= 0)
                return set_file(source, CHANNEL_FILE, NULL);
        return sd_bus_error_setf(
                reterr_error, ENACT_ERROR_NO_FLAKE,
                "No configuration was named: there is no --flake and no --file, %s"
                "there is neither '%s/flake.nix' nor '%s' nor '%s'. " NOTHING_CHANGED,
                options->no_flake ? "" : "ENACT_FLAKE, NH_OS_FLAKE and NH_FLAKE are not set, and ",
                directory, system, configuration);
}

/**
 * source_new() - what a command line means
 * @host_name: of this machine, for a flake that no name is given in
 * @directory: SOURCE_DIRECTORY, but in tests
 * @ret:       owned by the caller
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int source_new(const Options *options, const char *host_name, const char *directory, Source **ret,
               sd_bus_error *reterr_error) {
        _cleanup_(source_freep) Source *source = NULL;
        _cleanup_free_ char *usual = NULL, *argument = NULL;
        int r = FLAKE_NONE;

        assert(options && directory && ret);

        source = calloc(1, sizeof(*source));
        if (!source || text_printf(&usual, "%s/flake.nix", directory) < 0)
                return -ENOMEM;

        if (options->file)
                r = take_file(source, options, reterr_error);
        else if (options->attribute)
                r = find_file(source, options, directory, reterr_error);
        else if (options->flake)
                r = set_flake(source, options, options->flake, host_name, reterr_error);
        else {
                if (!options->no_flake)
                        r = flake_find_default(usual, &argument, reterr_error);
                if (r == 0)
                        r = set_flake(source, options, argument, host_name, reterr_error);
                else if (r == FLAKE_NONE)
                        r = find_usual(source, options, directory, reterr_error);
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(source);
        return 0;
}

/**
 * source_add_installable() - the words by which `nix build` finds it
 * @set:       "nixosConfigurations"; of a flake only
 * @attribute: "config.system.build.toplevel"; NULL: the configuration itself
 *
 * Return: 0 or -ENOMEM.
 */
int source_add_installable(const Source *source, const char *set, const char *attribute,
                           StringList *arguments) {
        char *installable;
        int r;

        if (source->flake)
                r = flake_installable(source->flake, set, attribute, &installable);
        else {
                r = string_list_add(arguments, "--file");
                if (r >= 0)
                        r = string_list_add(arguments, source->file);
                if (r >= 0)
                        r = text_printf(&installable, "%s%s%s", source->attribute,
                                        *source->attribute && attribute ? "." : "",
                                        attribute ? attribute : "");
        }
        return r < 0 ? r : string_list_take(arguments, installable);
}

/** source_describe() - "host 'web' of flake '.'" and the like; owned by the caller. 0 or -ENOMEM.
 */
int source_describe(const Source *source, const char *set, char **ret_text) {
        if (source->flake)
                return text_printf(ret_text, "%s '%s' of flake '%s'",
                                   strcmp(set, "homeConfigurations") == 0 ? "home" : "host",
                                   source->flake->name, source->flake->reference);
        if (*source->attribute)
                return text_printf(ret_text, "'%s' of file '%s'", source->attribute, source->file);
        return text_printf(ret_text, "file '%s'", source->file);
}

/** source_name() - a short name for people. */
const char *source_name(const Source *source) {
        return source->flake      ? source->flake->name :
               *source->attribute ? source->attribute :
                                    source->file;
}

/**
 * source_step_down() - from here on work in the name of whoever called, on their configuration
 * @ret: of caller_step_down(); what is root's, channels too, is for root
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int source_step_down(const Source *source, Caller **ret, sd_bus_error *reterr_error) {
        _cleanup_free_ char *directory = NULL;
        int r;

        *ret = NULL;
        if (!source->flake)
                return *source->file == '<' ? 0 : caller_step_down(source->file, ret, reterr_error);
        r = flake_directory(source->flake, &directory, reterr_error);
        return r < 0 ? r : caller_step_down(directory, ret, reterr_error);
}

Source *source_free(Source *source) {
        if (!source)
                return NULL;

        flake_free(source->flake);
        free(source->file);
        free(source->attribute);
        free(source);
        return NULL;
}
