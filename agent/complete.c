/*
 * What can stand at a place of a command line, for the shells' completions: one name a line. Who
 * completes wants no errors; what cannot be found has no names.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "complete.h"
#include "file.h"
#include "json.h"
#include "lock-file.h"
#include "nix-run.h"
#include "source.h"
#include "specialisation.h"
#include "systems.h"
#include "text.h"

#define RUNNING_SYSTEM "/run/current-system"

/* The flake that is named before on the command line, or the usual one. */
static Source *find_source(const char *flake) {
        const Options options = { .flake = flake && *flake ? flake : NULL };
        Source *source = NULL;

        (void) source_new(&options, "", SOURCE_DIRECTORY, &source, NULL);
        return source;
}

static int print_hosts(const char *flake) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        _cleanup_(source_freep) Source *source = find_source(flake);
        _cleanup_close_ int fd = memfd_create("names", MFD_CLOEXEC);
        _cleanup_(cJSON_Deletep) cJSON *array = NULL;
        _cleanup_free_ char *installable = NULL, *path = NULL, *text = NULL;
        const char *words[] = { "--json", NULL, "--apply", "builtins.attrNames" };
        const cJSON *name;
        int r;

        if (!source || !source->flake || fd < 0)
                return 0;
        r = text_printf(&installable, "%s#nixosConfigurations", source->flake->reference);
        words[1] = installable;
        if (r >= 0)
                r = nix_arguments("eval", /* for_build= */ false, NULL, &arguments);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(words); i++)
                r = string_list_add(&arguments, words[i]);
        if (r >= 0)
                r = nix_run(&run, &arguments, fd, NULL, NULL, NULL);
        if (r >= 0)
                r = text_printf(&path, "/proc/self/fd/%d", fd);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL);
        array = r >= 0 ? cJSON_Parse(text) : NULL;
        cJSON_ArrayForEach(name, array) {
                if (cJSON_IsString(name))
                        puts(name->valuestring);
        }
        return 0;
}

static int print_inputs(const char *flake) {
        _cleanup_(source_freep) Source *source = find_source(flake);
        _cleanup_(lock_file_done) LockFile lock = { 0 };
        _cleanup_free_ char *directory = NULL;

        if (!source || !source->flake || flake_directory(source->flake, &directory, NULL) != 0 ||
            lock_file_read(directory, &lock) < 0)
                return 0;
        for (size_t i = 0; i < lock.n; i++)
                puts(lock.inputs[i].path);
        return 0;
}

static int print_generations(_unused_ const char *flake) {
        _cleanup_(systems_done) Systems systems = { 0 };

        if (systems_read(SYSTEM_PROFILE, &systems, NULL) < 0)
                return 0;
        for (size_t i = systems.generations.n; i > 0; i--)
                printf("%" PRIu64 "\n", systems.generations.items[i - 1].number);
        return 0;
}

/* Of what runs, or of the system that it is one of. */
static int print_specialisations(_unused_ const char *flake) {
        static const char *const systems[] = { RUNNING_SYSTEM,
                                               PROFILES_DIRECTORY "/" SYSTEM_PROFILE };
        _cleanup_(string_list_done) StringList names = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(systems); i++)
                r = specialisation_list(systems[i], &names);
        string_list_sort_unique(&names);
        for (size_t i = 0; i < names.n; i++)
                puts(names.items[i]);
        return 0;
}

/**
 * complete_run() - print the names of a kind
 * @argv: the kind; and the flake that is named on the command line, if one is
 *
 * Return: the exit code.
 */
int complete_run(int argc, char **argv) {
        static const struct {
                const char *kind;
                int (*print)(const char *flake);
        } kinds[] = {
                { "hosts", print_hosts },
                { "inputs", print_inputs },
                { "generations", print_generations },
                { "specialisations", print_specialisations },
        };

        for (size_t i = 0; argc > 0 && i < ELEMENTSOF(kinds); i++)
                if (strcmp(kinds[i].kind, argv[0]) == 0)
                        return kinds[i].print(argc > 1 ? argv[1] : NULL);
        return 2;
}
