/*
 * The boot menu around a run of a system's own installer: what it was before, and whether it is
 * what it must be afterwards (menu-check.c), with what the host knows about its systems.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "clock.h"
#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "installed-menu.h"
#include "text.h"

#define GOOD_ROOT "good"
#define NO_INSTALLER                                                                               \
        "no-bootloader" /* what NixOS has where no loader is enabled: it only warns                \
                         */
#define READ_LIMIT_USEC  (10 * 60 * USEC_PER_SEC) /* of kernels, on a slow card */
#define STORE_HASH_CHARS 32U

/* "install-grub.sh": what a program is called, whichever build of it it is; NULL: there is none. */
static const char *installer_name(const Toplevel *toplevel, size_t *ret_n) {
        const char *command =
                toplevel ? wrapper_get(&toplevel->wrapper, "INSTALL_BOOTLOADER") : NULL;
        const char *below;

        if (!command)
                return NULL;
        command += strspn(command, " \t\n");
        below = text_after_prefix(command, STORE_DIRECTORY "/");
        if (below && strlen(below) > STORE_HASH_CHARS && below[STORE_HASH_CHARS] == '-')
                command = below + STORE_HASH_CHARS + 1;
        *ret_n = strcspn(command, " \t\n");
        return *ret_n > 0 ? command : NULL;
}

static bool has_same_installer(const InstalledMenuSource *source) {
        size_t n = 0, m = 0;
        const char *a = installer_name(source->of, &n), *b = installer_name(source->other, &m);

        return a && b && n == m && strncmp(a, b, n) == 0;
}

static bool has_installer(const Toplevel *toplevel) {
        size_t n = 0;
        const char *name = installer_name(toplevel, &n);

        return name && !(n == strlen(NO_INSTALLER) && strncmp(name, NO_INSTALLER, n) == 0);
}

static const char *known(const char *path) {
        return path && *path ? path : NULL;
}

/**
 * installed_menu_begin() - look at the menu before the installer runs
 * @check: all zero before; menu_check_done() even after an error
 *
 * Return: 0 (also where there is nothing to look at), -ENOMEM, or an errno of opening the root.
 */
int installed_menu_begin(const InstalledMenuSource *source, MenuCheck *check) {
        _cleanup_free_ char *booted = NULL, *good = NULL, *path = NULL;
        const TransactionPlaces *places = source->places;
        MenuCheckSource check_source = {
                .places = { places->root, -EBADF },
                .toplevel = source->of->path,
                .led_to = { known(source->led_to[0]), known(source->led_to[1]) },
                .same_installer = has_same_installer(source),
        };
        _cleanup_close_ int variables_fd = -EBADF;
        int r;

        if (!places->root || !has_installer(source->of))
                return 0;
        event_log_expect(source->log, READ_LIMIT_USEC);
        r = text_printf(&path, "%s/" GOOD_ROOT, places->roots);
        if (r < 0)
                return r;
        if (file_realpath(places->booted, &booted) == -ENOMEM ||
            file_readlink(AT_FDCWD, path, &good) == -ENOMEM)
                return -ENOMEM;
        if (strcmp(places->root, "/") == 0 && efi_variables_open(&variables_fd) < 0)
                variables_fd = -EBADF;
        check_source.booted = booted;
        check_source.good = good;
        check_source.places.variables_fd = variables_fd;
        return menu_check_begin(&check_source, check);
}

static int tell(const InstalledMenuSource *source, const StringList *notes) {
        for (size_t i = 0; i < notes->n; i++) {
                _cleanup_free_ char *text = text_to_utf8(notes->items[i]);

                if (!text)
                        return -ENOMEM;
                text_strip_controls(text);
                event_say(source->log, "note", "text", text);
        }
        return 0;
}

static int tell_untold(const InstalledMenuSource *source) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = text_printf(&text,
                        "whether the boot menu leads to '%s' could not be told: the boot loader "
                        "installer wrote none that is known here",
                        source->of->path);
        if (r >= 0)
                event_say(source->log, "note", "text", text);
        return r < 0 ? r : INSTALLED_MENU_UNTOLD;
}

/**
 * installed_menu_end() - hold the menu to what it must be, after the installer has succeeded
 *
 * Return: 0 if it is that; INSTALLED_MENU_UNTOLD, which was told by then; else a negative errno
 * with
 * @reterr_error set.
 */
int installed_menu_end(const InstalledMenuSource *source, MenuCheck *check,
                       sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!check->source.toplevel)
                return INSTALLED_MENU_UNTOLD;
        event_log_expect(source->log, READ_LIMIT_USEC);
        r = menu_check_end(check, &notes, &error);
        if (tell(source, &notes) < 0)
                return -ENOMEM;
        if (r == MENU_CHECK_UNTOLD)
                return tell_untold(source);
        if (r < 0 && sd_bus_error_is_set(&error) && source->only_told) {
                event_say(source->log, "note", "text", error.message);
                return INSTALLED_MENU_UNTOLD;
        }
        if (r < 0 && sd_bus_error_is_set(&error))
                (void) sd_bus_error_move(reterr_error, &error);
        return r;
}
