/* Root's channels, which a configuration without a flake takes nixpkgs from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "channels.h"
#include "error.h"
#include "file.h"
#include "process.h"
#include "text.h"

static bool is_wanted(const char *directory, const char *name, bool all) {
        _cleanup_free_ char *mark = NULL;

        if (strcmp(name, "manifest.nix") == 0)
                return false;
        if (all || strcmp(name, "nixos") == 0)
                return true;
        return text_printf(&mark, "%s/%s/.update-on-nixos-rebuild", directory, name) >= 0 &&
               access(mark, F_OK) >= 0;
}

static int update_one(const char *name, const Display *display, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        const char *const words[] = { "nix-channel", "--update", name };
        ProcessOptions options = PROCESS_OPTIONS_NULL;
        _cleanup_free_ char *how = NULL;
        int r = 0, status;
        pid_t pid;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(words); i++)
                r = string_list_add(&arguments, words[i]);
        if (r < 0)
                return r;
        display_say(display, "updating channel", name);
        options.stdin_fd = STDIN_FILENO;
        options.stdout_fd = options.stderr_fd = STDERR_FILENO;
        r = process_start(&arguments, &options, &pid);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_NIX,
                                         "Cannot start 'nix-channel': %s. Nothing was changed.",
                                         strerror(-r));
        r = process_wait(pid, &status);
        if (r >= 0 && status != 0)
                r = process_status_to_text(status, &how);
        if (r >= 0 && how)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_COPY,
                        "Cannot update the channel '%s': 'nix-channel --update' %s. "
                        "The system was not changed.",
                        name, how);
        return r;
}

/**
 * channels_update() - update root's channels, as `nixos-rebuild --upgrade` does
 * @directory: CHANNELS_DIRECTORY, but in tests
 * @all:       each; else 'nixos' and those that have a file for it
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int channels_update(const char *directory, bool all, const Display *display,
                    sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList names = { 0 };
        size_t n = 0;
        int r;

        r = file_list(AT_FDCWD, directory, &names);
        if (r == -ENOMEM)
                return r;
        string_list_sort(&names);
        for (size_t i = 0; i < names.n; i++) {
                if (!is_wanted(directory, names.items[i], all))
                        continue;
                if (n++ == 0 && geteuid() != 0)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_ROOT,
                                                 "The channels that --upgrade updates are root's: "
                                                 "use sudo. Nothing was changed.");
                r = update_one(names.items[i], display, reterr_error);
                if (r < 0)
                        return r;
        }
        if (n == 0)
                display_say(display, "note:",
                            "root has no channel to upgrade; the inputs of a flake are moved "
                            "forward by --update (-u), or by 'enact update'");
        return 0;
}
