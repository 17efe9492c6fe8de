/*
 * enact-activate install-boot-menu TOPLEVEL: NixOS' own way to have a boot menu written, as the
 * program that boot.loader.external.installHook names. It is told which system is to be the
 * default, and writes the menu of all.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot-install.h"
#include "boot-secrets.h"
#include "boot-systems.h"
#include "efi-variable.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "marks.h"
#include "text.h"
#include "toplevel.h"
#include "verbs.h"

#define LOCK_PATH       "/run/enact-boot-menu.lock"
#define MACHINE_ID      "/etc/machine-id"
#define DISTRIBUTION    "NixOS"
#define SECRETS_PATTERN "/run/enact-secrets-XXXXXX"
#define LIMIT_MAX       ((uint64_t) 1000000)

/* One run of the installer; where it works, and what it has found. */
typedef struct Installer {
        const char *esp_path, *extended_path;
        char *toplevel; /* the default that is wanted */
        uint64_t limit;
        int variables_fd, lock_fd;
        char *machine_id;
        char secrets[sizeof(SECRETS_PATTERN)]; /* "": none were made */
        BootPartitions partitions;
        BootListing listing;
        BootSystems systems;
        MenuWish wish;
        BootOutcome outcome;
} Installer;

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int flag,
                      _unused_ struct FTW *ftw) {
        return remove(path);
}

static void installer_done(Installer *installer) {
        if (*installer->secrets)
                (void) nftw(installer->secrets, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(installer->toplevel);
        free(installer->machine_id);
        boot_sources_done(&installer->wish.sources);
        loader_version_done(&installer->wish.version);
        boot_outcome_done(&installer->outcome);
        boot_systems_done(&installer->systems);
        boot_listing_done(&installer->listing);
        boot_partitions_done(&installer->partitions);
        (void) fd_close(installer->variables_fd);
        (void) fd_close(installer->lock_fd);
}

/* Not the engine's: it runs us while it holds that one. */
static int take_lock(Installer *installer, sd_bus_error *reterr_error) {
        int r = file_lock(LOCK_PATH, &installer->lock_fd);

        if (r == LOCK_HELD) {
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                         "Another program writes the boot menu right now. "
                                         "Nothing was changed.");
                return -EBUSY;
        }
        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot lock '" LOCK_PATH "': %s. Nothing was changed.",
                                         strerror(-r));
        return r;
}

/* Entries name what is in the store: that comes first, and all the way to the disk. */
static int sync_store(sd_bus_error *reterr_error) {
        _cleanup_close_ int fd = open(STORE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = 0;

        if (fd < 0 || syncfs(fd) < 0 || (fsync(fd) < 0 && errno != EINVAL))
                r = -errno;
        if (r < 0)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot sync '" STORE_DIRECTORY
                                         "': %s. The boot menu is what it was.",
                                         strerror(-r));
        return r;
}

static int protect(Installer *installer, sd_bus_error *reterr_error) {
        _cleanup_(marks_done) Marks marks = { 0 };
        int r;

        boot_systems_protect(&installer->systems, installer->toplevel);
        r = marks_read(&TRANSACTION_PLACES_HOST, BOOTED_SYSTEM, SYSTEM_PROFILE, &marks,
                       reterr_error);
        for (size_t i = 0; r >= 0 && i < marks.n; i++)
                if (marks.systems[i].marks & ~(1U << MARK_FAILED))
                        boot_systems_protect(&installer->systems, marks.systems[i].path);
        return r;
}

/* A program that fails costs the system that it belongs to its new entry; the old one stays. */
static int make_secrets(Installer *installer, const StringList *keys, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < keys->n; i++) {
                _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
                BootSource source = { 0 };
                int r;

                if (!strchr(keys->items[i], '\n'))
                        continue;
                if (!*installer->secrets) {
                        (void) strcpy(installer->secrets, SECRETS_PATTERN);
                        if (!mkdtemp(installer->secrets)) {
                                r = -errno;
                                *installer->secrets = '\0';
                                return sd_bus_error_set_errno(reterr_error, -r);
                        }
                }
                r = boot_secrets_make(installer->secrets, keys->items[i], &source, &error);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        fprintf(stderr, "%s\n", error.message);
                        continue;
                }
                r = boot_sources_take(&installer->wish.sources, &source);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Those of initrds with secrets are made by now, or cannot be. */
static int read_sources(Installer *installer, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList keys = { 0 }, plain = { 0 };
        int r;

        r = boot_menu_sources(installer->systems.items, installer->systems.n, installer->limit,
                              &keys);
        if (r >= 0)
                r = make_secrets(installer, &keys, reterr_error);
        for (size_t i = 0; r >= 0 && i < keys.n; i++)
                if (!strchr(keys.items[i], '\n'))
                        r = string_list_add(&plain, keys.items[i]);
        return r < 0 ? r :
                       boot_sources_read(&installer->listing, &plain, &installer->wish.sources,
                                         reterr_error);
}

static int read_wish(Installer *installer, sd_bus_error *reterr_error) {
        MenuWish *wish = &installer->wish;
        int r;

        r = boot_systems_read(PROFILES_DIRECTORY, &installer->systems, reterr_error);
        if (r >= 0)
                r = protect(installer, reterr_error);
        if (r >= 0)
                r = boot_install_read_loader(&installer->partitions.esp, &wish->version,
                                             reterr_error);
        if (r < 0)
                return r;
        if (file_read_line(AT_FDCWD, MACHINE_ID, &installer->machine_id) >= 0 &&
            *installer->machine_id)
                wish->machine_id = installer->machine_id;
        wish->systems = installer->systems.items;
        wish->n_systems = installer->systems.n;
        wish->limit = (size_t) installer->limit;
        wish->distribution = DISTRIBUTION;
        wish->default_toplevel = installer->toplevel;
        return read_sources(installer, reterr_error);
}

static int open_partitions(Installer *installer, sd_bus_error *reterr_error) {
        const BootPartition *menu;
        BootPlaces places;
        int r;

        if (efi_variables_open(&installer->variables_fd) < 0)
                installer->variables_fd = -EBADF;
        places = boot_places(installer->variables_fd);
        r = boot_partitions_open(&places, installer->esp_path, installer->extended_path,
                                 &installer->partitions, reterr_error);
        if (r < 0)
                return r;
        menu = boot_partitions_menu(&installer->partitions);
        return boot_listing_read(menu->fd, installer->partitions.esp.fd, menu->path,
                                 &installer->listing, reterr_error);
}

static int install(Installer *installer, sd_bus_error *reterr_error) {
        BootTarget target;
        int r;

        r = take_lock(installer, reterr_error);
        if (r >= 0)
                r = open_partitions(installer, reterr_error);
        if (r >= 0)
                r = sync_store(reterr_error);
        if (r >= 0)
                r = read_wish(installer, reterr_error);
        if (r < 0)
                return r;
        target = (BootTarget){ boot_partitions_menu(&installer->partitions),
                               &installer->partitions.esp, installer->variables_fd };
        return boot_install_run(&target, &installer->wish, &installer->outcome, reterr_error);
}

static int resolve(const char *word, Installer *installer, sd_bus_error *reterr_error) {
        int r = file_realpath(word, &installer->toplevel);

        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "No system at '%s': %s. The boot menu is what it was.",
                                         word, strerror(-r));
        return r;
}

static void tell(const Installer *installer) {
        for (size_t i = 0; i < installer->systems.problems.n; i++)
                fprintf(stderr, "%s\n", installer->systems.problems.items[i]);
        for (size_t i = 0; i < installer->outcome.notes.n; i++)
                fprintf(stderr, "%s\n", installer->outcome.notes.items[i]);
        printf("boot menu: %zu files written, %zu removed\n", installer->outcome.n_written,
               installer->outcome.n_removed);
}

static int parse(int argc, char **argv, Installer *installer, const char **ret_toplevel) {
        static const struct option known[] = {
                { "esp-path", required_argument, NULL, 'e' },
                { "boot-path", required_argument, NULL, 'b' },
                { "limit", required_argument, NULL, 'l' },
                { NULL, 0, NULL, 0 },
        };
        int c;

        optind = 0;
        while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                if (c == 'e')
                        installer->esp_path = optarg;
                else if (c == 'b')
                        installer->extended_path = optarg;
                else if (c != 'l' || text_to_unsigned(optarg, LIMIT_MAX, &installer->limit) < 0)
                        return -EINVAL;
        }
        if (optind + 1 != argc)
                return -EINVAL;
        *ret_toplevel = argv[optind];
        return 0;
}

static int run(int argc, char **argv) {
        _cleanup_(installer_done)
                Installer installer = { .variables_fd = -EBADF, .lock_fd = -EBADF };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *toplevel;
        int r;

        if (parse(argc, argv, &installer, &toplevel) < 0) {
                fprintf(stderr, "Usage: enact-activate %s %s\n", verb_install_boot_menu.name,
                        verb_install_boot_menu.synopsis);
                return 2;
        }
        r = resolve(toplevel, &installer, &error);
        if (r >= 0)
                r = install(&installer, &error);
        if (r < 0) {
                fprintf(stderr, "enact-activate: %s\n",
                        sd_bus_error_is_set(&error) ? error.message : strerror(-r));
                return sd_bus_error_is_set(&error) ? error_to_exit_code(&error) : 1;
        }
        tell(&installer);
        return 0;
}

const Verb verb_install_boot_menu = {
        .name = "install-boot-menu",
        .synopsis = "[--esp-path=PATH] [--boot-path=PATH] [--limit=N] TOPLEVEL",
        .help = "Write the boot menu, with that system as its default; NixOS calls this",
        .run = run,
};
