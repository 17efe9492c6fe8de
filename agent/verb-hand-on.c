/* enact repl and edit: what Nix and an editor do, with the configuration that the command line
 * means.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "display.h"
#include "error.h"
#include "file.h"
#include "nix-features.h"
#include "options.h"
#include "out-link.h"
#include "process.h"
#include "source.h"
#include "text.h"
#include "verbs.h"

static int become(const StringList *arguments, sd_bus_error *reterr_error) {
        (void) fflush(stdout);
        execvp(arguments->items[0], arguments->items);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_NIX,
                                 "Cannot start '%s': %s. Nothing was changed.", arguments->items[0],
                                 strerror(errno));
}

static int find_source(const Options *options, Source **ret, sd_bus_error *reterr_error) {
        char host_name[HOST_NAME_MAX + 1];

        if (gethostname(host_name, sizeof(host_name)) < 0)
                return -errno;
        return source_new(options, host_name, SOURCE_DIRECTORY, ret, reterr_error);
}

/* As a string of the Nix language. */
static void print_string(FILE *f, const char *text) {
        fputc('"', f);
        for (; *text; text++) {
                if (strchr("\"\\$", *text))
                        fputc('\\', f);
                fputc(*text, f);
        }
        fputc('"', f);
}

/* What is to be in scope. A flake must be named absolutely: the expression lies in no directory. */
static int print_expression(const Source *source, FILE *f, sd_bus_error *reterr_error) {
        _cleanup_free_ char *directory = NULL, *file = NULL;
        int r;

        if (source->flake) {
                r = flake_directory(source->flake, &directory, reterr_error);
                if (r < 0)
                        return r;
                fputs("let flake = builtins.getFlake ", f);
                print_string(f, directory ? directory : source->flake->reference);
                fputs("; configuration = flake.nixosConfigurations.", f);
                print_string(f, source->flake->name);
        } else {
                r = source->file[0] == '<' ? 0 : file_realpath(source->file, &file);
                if (r < 0)
                        return r;
                fputs("let flake = null; all = ", f);
                if (file) {
                        fputs("import (/. + ", f);
                        print_string(f, file);
                        fputc(')', f);
                } else
                        fprintf(f, "import %s", source->file);
                fputs("; applied = if builtins.isFunction all then all { } else all; "
                      "configuration = applied",
                      f);
                if (*source->attribute)
                        fprintf(f, ".%s", source->attribute);
        }
        fputs("; in (if flake == null then { } else { inherit flake; inherit (flake) inputs; }) // "
              "{ inherit configuration; inherit (configuration) config options; pkgs = "
              "configuration.pkgs or null; lib = configuration.lib or "
              "configuration.pkgs.lib or null; }",
              f);
        return 0;
}

/* In a private folder: Nix wants a file with a name. */
static int write_expression(const Source *source, const char *path, sd_bus_error *reterr_error) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        FILE *f = open_memstream(&text, &n);
        int r;

        if (!f)
                return -ENOMEM;
        r = print_expression(source, f, reterr_error);
        if (fclose(f) != 0 && r >= 0)
                r = -ENOMEM;
        return r < 0 ? r : file_write(AT_FDCWD, path, text, 0600);
}

/* It reads the terminal, and Ctrl-C is for it alone. */
static int wait_for(const StringList *arguments, sd_bus_error *reterr_error) {
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        int r, status = 0;
        pid_t pid;

        options.stdin_fd = STDIN_FILENO;
        options.stdout_fd = STDOUT_FILENO;
        options.stderr_fd = STDERR_FILENO;
        (void) fflush(stdout);
        r = process_start(arguments, &options, &pid);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_NIX,
                                         "Cannot start '%s': %s. Nothing was changed.",
                                         arguments->items[0], strerror(-r));
        (void) signal(SIGINT, SIG_IGN);
        r = process_wait(pid, &status);
        (void) signal(SIGINT, SIG_DFL);
        if (r >= 0 && status != 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_EVALUATION,
                                         "'nix repl' did not open the configuration.");
        return r;
}

static int add_all(StringList *arguments, const char *const words[], size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = string_list_add(arguments, words[i]);
        return r;
}

static int open_repl(const Options *options, sd_bus_error *reterr_error) {
        const char *const first[] = { "nix", "--extra-experimental-features", "nix-command flakes",
                                      "repl" };
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(source_freep) Source *source = NULL;
        _cleanup_(caller_step_upp) Caller *caller = NULL;
        _cleanup_(out_link_freep) OutLink *place = NULL;
        bool by_option;
        int r;

        r = find_source(options, &source, reterr_error);
        if (r >= 0)
                r = source_step_down(source, &caller, reterr_error);
        if (r >= 0)
                r = out_link_make(&place, reterr_error);
        if (r >= 0)
                r = write_expression(source, place->path, reterr_error);
        if (r >= 0)
                r = nix_repl_takes_file_option(&by_option, reterr_error);
        if (r >= 0)
                r = add_all(&arguments, first, ELEMENTSOF(first));
        for (size_t i = 0; r >= 0 && i < options->nix.n; i++)
                r = string_list_add(&arguments, options->nix.items[i]);
        if (r >= 0 && by_option)
                r = string_list_add(&arguments, "--file");
        if (r >= 0)
                r = string_list_add(&arguments, place->path);
        return r < 0 ? r : wait_for(&arguments, reterr_error);
}

/* What is in angle brackets, as Nix finds it. */
static int find_channel_configuration(const Options *options, char **ret_file) {
        const char *given = getenv("NIXOS_CONFIG"), *path = getenv("NIX_PATH");
        const char *found = NULL;
        struct stat st;

        for (size_t i = 0; !found && i + 1 < options->nix.n; i++)
                found = text_after_prefix(options->nix.items[i + 1], "nixos-config=");
        if (!found && given && *given)
                found = given;
        for (const char *p = path; !found && p && *p; p += strcspn(p, ":"), p += *p == ':')
                found = text_after_prefix(p, "nixos-config=");
        if (!found)
                found = SOURCE_DIRECTORY "/configuration.nix";
        *ret_file = strndup(found, strcspn(found, ":"));
        if (!*ret_file)
                return -ENOMEM;
        if (stat(*ret_file, &st) >= 0 && S_ISDIR(st.st_mode)) {
                _cleanup_free_ char *directory = TAKE_PTR(*ret_file);

                return text_printf(ret_file, "%s/default.nix", directory);
        }
        return 0;
}

static int find_file(const Options *options, const Source *source, char **ret_file,
                     sd_bus_error *reterr_error) {
        _cleanup_free_ char *directory = NULL;
        int r;

        if (!source->flake && source->file[0] == '<')
                return find_channel_configuration(options, ret_file);
        if (!source->flake) {
                *ret_file = strdup(source->file);
                return *ret_file ? 0 : -ENOMEM;
        }
        r = flake_directory(source->flake, &directory, reterr_error);
        if (r == FLAKE_NONE)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_FLAKE,
                        "Flake '%s' is not a directory on this machine, and cannot "
                        "be edited from here. Nothing was changed.",
                        source->flake->reference);
        return r < 0 ? r : text_printf(ret_file, "%s/flake.nix", directory);
}

/* The variables may hold arguments as well, apart by blanks; no shell reads them. */
static int add_editor(StringList *arguments) {
        static const char *const variables[] = { "VISUAL", "EDITOR" };
        static const char *const usual[] = { "nano", "vi" };
        int r = 0;

        for (size_t i = 0; r >= 0 && arguments->n == 0 && i < ELEMENTSOF(variables); i++) {
                const char *value = getenv(variables[i]);
                _cleanup_free_ char *copy = strdup(value ? value : "");
                char *rest = NULL;

                if (!copy)
                        return -ENOMEM;
                for (char *word = strtok_r(copy, " \t", &rest); r >= 0 && word;
                     word = strtok_r(NULL, " \t", &rest))
                        r = string_list_add(arguments, word);
        }
        for (size_t i = 0; r >= 0 && arguments->n == 0 && i < ELEMENTSOF(usual); i++) {
                char *program = NULL;

                if (process_find(usual[i], &program) >= 0)
                        r = string_list_take(arguments, program);
        }
        return r;
}

static int open_editor(const Options *options, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(source_freep) Source *source = NULL;
        _cleanup_free_ char *file = NULL;
        int r;

        r = find_source(options, &source, reterr_error);
        if (r >= 0)
                r = find_file(options, source, &file, reterr_error);
        if (r >= 0)
                r = add_editor(&arguments);
        if (r >= 0 && arguments.n == 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "There is no editor: set EDITOR. Nothing was changed.");
        if (r >= 0)
                r = string_list_add(&arguments, file);
        return r < 0 ? r : become(&arguments, reterr_error);
}

static int run(int argc, char **argv) {
        const bool edits = strcmp(argv[0], verb_edit.name) == 0;
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(options_done) Options options = { 0 };
        Display display;
        int r, index;

        r = options_parse(verb_repl.options, argc, argv, &options, &index);
        if (r >= 0)
                r = options_check_source(&options, argv[0]);
        if (r >= 0 && index < argc) {
                fprintf(stderr, "enact: '%s' takes no word '%s'; a flake is named by --flake.\n",
                        argv[0], argv[index]);
                r = -EINVAL;
        }
        if (r < 0)
                return 2;
        display_open(&display, /* json= */ false);

        r = edits ? open_editor(&options, &error) : open_repl(&options, &error);
        return display_result(&display, r, &error);
}

const Verb verb_repl = {
        .name = "repl",
        .synopsis = "[--flake REF[#HOST]]",
        .help = "Look around in a configuration, in Nix' own shell",
        .options = OPTIONS_SOURCE | OPTIONS_NIX,
        .run = run,
};

const Verb verb_edit = {
        .name = "edit",
        .synopsis = "[--flake REF[#HOST]]",
        .help = "Open the configuration in the editor",
        .options = OPTIONS_SOURCE | OPTIONS_NIX,
        .run = run,
};
