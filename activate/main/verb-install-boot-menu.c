/*
 * enact-activate install-boot-menu TOPLEVEL: NixOS' own way to have a boot menu written, as the
 * program that boot.loader.external.installHook names. It is told which system is to be the
 * default, and writes the menu of all; where and how is for that system to say (enact.json).
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "menu-writer.h"
#include "settings.h"
#include "text.h"
#include "verbs.h"

#define LIMIT_MAX ((uint64_t) 1000000)

static int resolve(const char *word, char **ret_toplevel, sd_bus_error *reterr_error) {
        int r = file_realpath(word, ret_toplevel);

        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "No system at '%s': %s. The boot menu is what it was.",
                                         word, strerror(-r));
        return r;
}

static void tell(const BootOutcome *outcome) {
        for (size_t i = 0; i < outcome->notes.n; i++)
                fprintf(stderr, "%s\n", outcome->notes.items[i]);
        printf("boot menu: %zu files written, %zu removed\n", outcome->n_written,
               outcome->n_removed);
}

/* What was said on the command line is what counts. */
static void fill_request(MenuRequest *request, const Settings *settings) {
        if (!request->esp_path)
                request->esp_path = settings->esp_path;
        if (!request->extended_path)
                request->extended_path = settings->extended_path;
        if (request->limit == 0)
                request->limit = (size_t) settings->menu_limit;
        request->extras = &settings->extras;
}

static int parse(int argc, char **argv, MenuRequest *request, const char **ret_toplevel) {
        static const struct option known[] = {
                { "esp-path", required_argument, NULL, 'e' },
                { "boot-path", required_argument, NULL, 'b' },
                { "limit", required_argument, NULL, 'l' },
                { NULL, 0, NULL, 0 },
        };
        uint64_t limit = 0;
        int c;

        optind = 0;
        while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                if (c == 'e')
                        request->esp_path = optarg;
                else if (c == 'b')
                        request->extended_path = optarg;
                else if (c != 'l' || text_to_unsigned(optarg, LIMIT_MAX, &limit) < 0)
                        return -EINVAL;
        }
        if (optind + 1 != argc)
                return -EINVAL;
        request->limit = (size_t) limit;
        *ret_toplevel = argv[optind];
        return 0;
}

static bool is_to_update_loader(void) {
        const char *value = getenv("NIXOS_INSTALL_BOOTLOADER");

        return value && strcmp(value, "1") == 0;
}

/* With the menu written, whatever becomes of it leads to the same systems. */
static int update_loader(const MenuRequest *request, const char *toplevel,
                         sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        int r;

        r = menu_writer_update_loader(request, toplevel, &notes, reterr_error);
        for (size_t i = 0; i < notes.n; i++)
                printf("%s\n", notes.items[i]);
        return r;
}

static int run(int argc, char **argv) {
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *toplevel = NULL;
        MenuRequest request = { 0 };
        const char *word;
        int r;

        if (parse(argc, argv, &request, &word) < 0) {
                fprintf(stderr, "Usage: enact-activate %s %s\n", verb_install_boot_menu.name,
                        verb_install_boot_menu.synopsis);
                return 2;
        }
        r = resolve(word, &toplevel, &error);
        request.default_toplevel = toplevel;
        if (r >= 0)
                r = settings_read(toplevel, &settings, &error);
        fill_request(&request, &settings);
        if (r >= 0)
                r = menu_writer_run(&request, &TRANSACTION_PLACES_HOST, &outcome, &error);
        if (r >= 0)
                tell(&outcome);
        if (r >= 0 && is_to_update_loader())
                r = update_loader(&request, toplevel, &error);
        if (r < 0) {
                fprintf(stderr, "enact-activate: %s\n",
                        sd_bus_error_is_set(&error) ? error.message : strerror(-r));
                return sd_bus_error_is_set(&error) ? error_to_exit_code(&error) : 1;
        }
        return 0;
}

const Verb verb_install_boot_menu = {
        .name = "install-boot-menu",
        .synopsis = "[--esp-path=PATH] [--boot-path=PATH] [--limit=N] TOPLEVEL",
        .help = "Write the boot menu, with that system as its default; NixOS calls this",
        .run = run,
};
