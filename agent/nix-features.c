/*
 * What this Nix can do, asked of itself: versions and forks differ, and numbers would not say how.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "file.h"
#include "json.h"
#include "nix-features.h"
#include "nix-run.h"
#include "text.h"

#define CLI_BYTES_MAX ((size_t) 16 * 1024 * 1024)

/* What `nix` knows of its own command line. Nix before 2.13 has it under another name. */
static int read_command_line(const char *dump, cJSON **ret_object, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        _cleanup_close_ int fd = memfd_create("commands", MFD_CLOEXEC);
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        if (fd < 0)
                return -errno;
        r = string_list_add(&arguments, "nix"); /* it stands alone, or is not known */
        if (r >= 0)
                r = string_list_add(&arguments, dump);
        if (r >= 0)
                r = nix_run(&run, &arguments, fd, NULL, NULL, reterr_error);
        if (r >= 0)
                r = text_printf(&path, "/proc/self/fd/%d", fd);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, CLI_BYTES_MAX, &text, &n);
        return r < 0 ? r : json_parse(text, n, ret_object);
}

/* Whether a command of it has an option. Who cannot be asked is new. */
static int has_option(const char *const command[], size_t n, const char *option, bool *ret,
                      sd_bus_error *reterr_error) {
        static const char *const dumps[] = { "__dump-cli", "__dump-args" };

        *ret = true;
        for (size_t i = 0; i < ELEMENTSOF(dumps); i++) {
                _cleanup_(cJSON_Deletep) cJSON *object = NULL;
                const cJSON *item;
                int r;

                r = read_command_line(dumps[i], &object, reterr_error);
                if (r == -ENOMEM || sd_bus_error_is_set(reterr_error))
                        return r;
                if (r < 0)
                        continue;
                item = cJSON_GetObjectItemCaseSensitive(object, "commands") ?
                               object :
                               cJSON_GetObjectItemCaseSensitive(object, "args");
                for (size_t k = 0; k < n; k++)
                        item = cJSON_GetObjectItemCaseSensitive(
                                cJSON_GetObjectItemCaseSensitive(item, "commands"), command[k]);
                item = cJSON_GetObjectItemCaseSensitive(item, "flags");
                if (!item)
                        continue;
                *ret = cJSON_HasObjectItem(item, option);
                return 0;
        }
        return 0;
}

/**
 * nix_update_takes_inputs() - how the inputs that are to be updated are named
 *
 * True: `nix flake update INPUT… --flake REF`. False: `nix flake lock --update-input INPUT REF`,
 * and the word of `nix flake update` is the flake.
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int nix_update_takes_inputs(bool *ret, sd_bus_error *reterr_error) {
        static const char *const command[] = { "flake", "update" };

        return has_option(command, ELEMENTSOF(command), "flake", ret, reterr_error);
}

/** nix_repl_takes_file_option() - true: `nix repl --file FILE`; false: `nix repl FILE`. As above.
 */
int nix_repl_takes_file_option(bool *ret, sd_bus_error *reterr_error) {
        static const char *const command[] = { "repl" };

        return has_option(command, ELEMENTSOF(command), "file", ret, reterr_error);
}
