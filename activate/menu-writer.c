/*
 * Writes the machine's own boot menu: all generations of all system profiles, with systemd-boot's
 * files. Here is gathered what that takes: partitions, loader, systems, what must stay, and the
 * secrets of initrds. NixOS' way to it is install-boot-menu, a switch's are its phases.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "boot-secrets.h"
#include "boot-systems.h"
#include "efi-variable.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "loader-update.h"
#include "marks.h"
#include "menu-writer.h"
#include "text.h"
#include "toplevel.h"

#define LOADER_PROGRAMS "systemd/lib/systemd/boot/efi" /* of a system */
#define LOCK_PATH       "/run/enact-boot-menu.lock"
#define MACHINE_ID      "/etc/machine-id"
#define DISTRIBUTION    "NixOS"
#define SECRETS_PATTERN "/run/enact-secrets-XXXXXX"

/* One run: where it works, and what it has found. */
typedef struct MenuWriter {
        const MenuRequest *request;
        const TransactionPlaces *places;
        BootOutcome *outcome;
        int variables_fd, lock_fd;
        char *machine_id, *selected;
        char secrets[sizeof(SECRETS_PATTERN)]; /* "": none were made */
        BootPartitions partitions;
        BootListing listing;
        BootSystems systems;
        MenuWish wish;
} MenuWriter;

/* clang-format off */
static const char *const trial_names[_MENU_TRIAL_MAX] = {
        [MENU_TRIAL_NONE]     = "",
        [MENU_TRIAL_ONE_SHOT] = "one-shot",
        [MENU_TRIAL_COUNTED]  = "counted",
};
/* clang-format on */

const char *menu_trial_to_string(MenuTrial trial) {
        return trial_names[trial];
}

/** menu_trial_from_string() - of a record; what it does not know is none. */
MenuTrial menu_trial_from_string(const char *text) {
        for (MenuTrial trial = 0; trial < _MENU_TRIAL_MAX; trial++)
                if (strcmp(trial_names[trial], text) == 0)
                        return trial;
        return MENU_TRIAL_NONE;
}

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int flag,
                      _unused_ struct FTW *ftw) {
        return remove(path);
}

static void writer_done(MenuWriter *writer) {
        if (*writer->secrets)
                (void) nftw(writer->secrets, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(writer->machine_id);
        free(writer->selected);
        boot_sources_done(&writer->wish.sources);
        loader_version_done(&writer->wish.version);
        boot_systems_done(&writer->systems);
        boot_listing_done(&writer->listing);
        boot_partitions_done(&writer->partitions);
        (void) fd_close(writer->variables_fd);
        (void) fd_close(writer->lock_fd);
}

/* Not the engine's: an installer that it runs while it holds that one takes this one, too. */
static int take_lock(MenuWriter *writer, sd_bus_error *reterr_error) {
        int r = file_lock(LOCK_PATH, &writer->lock_fd);

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

static int protect(MenuWriter *writer, sd_bus_error *reterr_error) {
        _cleanup_(marks_done) Marks marks = { 0 };
        int r;

        if (writer->request->default_toplevel)
                boot_systems_protect(&writer->systems, writer->request->default_toplevel);
        r = marks_read(writer->places, writer->places->booted, SYSTEM_PROFILE, &marks,
                       reterr_error);
        for (size_t i = 0; r >= 0 && i < marks.n; i++)
                if (marks.systems[i].marks & ~(1U << MARK_FAILED))
                        boot_systems_protect(&writer->systems, marks.systems[i].path);
        return r;
}

/* A program that fails costs the system that it belongs to its new entry; the old one stays. */
static int make_secret(MenuWriter *writer, const char *key) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        BootSource source = { 0 };
        int r;

        r = boot_secrets_make(writer->secrets, key, &source, &error);
        if (r == -ENOMEM)
                return r;
        return r < 0 ? string_list_add(&writer->outcome->notes, error.message) :
                       boot_sources_take(&writer->wish.sources, &source);
}

static int make_secrets(MenuWriter *writer, const StringList *keys, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < keys->n; i++) {
                int r;

                if (!strchr(keys->items[i], '\n'))
                        continue;
                if (!*writer->secrets) {
                        (void) strcpy(writer->secrets, SECRETS_PATTERN);
                        if (!mkdtemp(writer->secrets)) {
                                r = -errno;
                                *writer->secrets = '\0';
                                return sd_bus_error_set_errno(reterr_error, -r);
                        }
                }
                r = make_secret(writer, keys->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Those of initrds with secrets are made by now, or cannot be. */
static int read_sources(MenuWriter *writer, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList keys = { 0 }, plain = { 0 };
        int r;

        r = boot_menu_sources(&writer->wish, &keys);
        if (r >= 0)
                r = make_secrets(writer, &keys, reterr_error);
        for (size_t i = 0; r >= 0 && i < keys.n; i++)
                if (!strchr(keys.items[i], '\n'))
                        r = string_list_add(&plain, keys.items[i]);
        return r < 0 ? r :
                       boot_sources_read(&writer->listing, &plain, &writer->wish.sources,
                                         reterr_error);
}

/* What was booted stays in the menu even if its generation is gone: it is known to boot. */
static int read_selected(MenuWriter *writer) {
        int r;

        if (writer->request->drops_booted || writer->variables_fd < 0)
                return 0;
        r = efi_variable_read(writer->variables_fd, EFI_LOADER_SELECTED, &writer->selected);
        writer->wish.selected = writer->selected;
        return r == -ENOMEM ? r : 0;
}

static int read_wish(MenuWriter *writer, sd_bus_error *reterr_error) {
        const MenuRequest *request = writer->request;
        MenuWish *wish = &writer->wish;
        int r;

        r = boot_systems_read(writer->places->profiles, &writer->systems, reterr_error);
        for (size_t i = 0; r >= 0 && i < writer->systems.problems.n; i++)
                r = string_list_add(&writer->outcome->notes, writer->systems.problems.items[i]);
        if (r >= 0)
                r = protect(writer, reterr_error);
        if (r >= 0)
                r = boot_install_read_loader(&writer->partitions.esp, &wish->version, reterr_error);
        if (r >= 0)
                r = read_selected(writer);
        if (r < 0)
                return r;
        if (file_read_line(AT_FDCWD, MACHINE_ID, &writer->machine_id) >= 0 && *writer->machine_id)
                wish->machine_id = writer->machine_id;
        wish->systems = writer->systems.items;
        wish->n_systems = writer->systems.n;
        wish->limit = request->limit;
        wish->extras = request->extras;
        wish->distribution = DISTRIBUTION;
        wish->default_toplevel = request->default_toplevel;
        wish->counted_toplevel = request->counted_toplevel;
        wish->tries = request->tries;
        wish->blessed_toplevel = request->blessed_toplevel;
        wish->one_shot_toplevel = request->one_shot_toplevel;
        wish->drops_one_shot = request->drops_one_shot;
        wish->only_checks = request->only_checks;
        return read_sources(writer, reterr_error);
}

static int open_partitions(MenuWriter *writer, sd_bus_error *reterr_error) {
        BootPlaces places;

        if (efi_variables_open(&writer->variables_fd) < 0)
                writer->variables_fd = -EBADF;
        places = boot_places(writer->variables_fd);
        return boot_partitions_open(&places, writer->request->esp_path,
                                    writer->request->extended_path, &writer->partitions,
                                    reterr_error);
}

/* The firmware has started systemd-boot, which says so, and takes what is written for it. */
static bool takes_one_shot(const MenuWriter *writer) {
        _cleanup_free_ char *info = NULL;
        struct statvfs st;

        return writer->variables_fd >= 0 &&
               efi_variable_read(writer->variables_fd, EFI_LOADER_INFO, &info) == 0 &&
               fstatvfs(writer->variables_fd, &st) >= 0 && !(st.f_flag & ST_RDONLY);
}

/**
 * menu_writer_find_trial() - how this machine can try a system in one boot
 *
 * Return: 0; else a negative errno, with @reterr_error set: there is no boot partition that a menu
 * could be written to.
 */
int menu_writer_find_trial(const MenuRequest *request, MenuTrial *ret, sd_bus_error *reterr_error) {
        _cleanup_(writer_done) MenuWriter writer = { .request = request,
                                                     .variables_fd = -EBADF,
                                                     .lock_fd = -EBADF };
        int r;

        r = open_partitions(&writer, reterr_error);
        if (r >= 0)
                r = boot_partition_check_writable(&writer.partitions.esp, reterr_error);
        if (r >= 0)
                r = boot_partition_check_writable(boot_partitions_menu(&writer.partitions),
                                                  reterr_error);
        if (r >= 0)
                r = boot_install_read_loader(&writer.partitions.esp, &writer.wish.version,
                                             reterr_error);
        if (r < 0)
                return r;
        *ret = takes_one_shot(&writer)                     ? MENU_TRIAL_ONE_SHOT :
               loader_version_counts(&writer.wish.version) ? MENU_TRIAL_COUNTED :
                                                             MENU_TRIAL_NONE;
        return 0;
}

/**
 * menu_writer_run() - write the menu, durably, and see that it is there
 * @places:  its profiles are what the menu is made of
 * @outcome: all zero before; boot_outcome_done() even after an error
 *
 * Return: as boot_install_run(); -EBUSY while another program writes it; errors of opening the
 * partitions, with @reterr_error set.
 */
int menu_writer_run(const MenuRequest *request, const TransactionPlaces *places,
                    BootOutcome *outcome, sd_bus_error *reterr_error) {
        _cleanup_(writer_done) MenuWriter writer = { .request = request,
                                                     .places = places,
                                                     .outcome = outcome,
                                                     .variables_fd = -EBADF,
                                                     .lock_fd = -EBADF };
        const BootPartition *menu;
        BootTarget target;
        int r;

        r = take_lock(&writer, reterr_error);
        if (r >= 0)
                r = open_partitions(&writer, reterr_error);
        if (r < 0)
                return r;
        menu = boot_partitions_menu(&writer.partitions);
        r = boot_listing_read(menu->fd, writer.partitions.esp.fd, menu->path, &writer.listing,
                              reterr_error);
        if (r >= 0)
                r = sync_store(reterr_error);
        if (r >= 0)
                r = read_wish(&writer, reterr_error);
        if (r < 0)
                return r;
        target = (BootTarget){ menu, &writer.partitions.esp, writer.variables_fd };
        return boot_install_run(&target, &writer.wish, outcome, reterr_error);
}

static int run_update(const MenuWriter *writer, const char *toplevel, StringList *notes,
                      sd_bus_error *reterr_error) {
        _cleanup_free_ char *programs = NULL;
        LoaderUpdate update = {
                .esp = &writer->partitions.esp,
                .architecture = loader_update_architecture(),
                .variables_fd = writer->variables_fd,
        };
        int r;

        r = text_printf(&programs, "%s/" LOADER_PROGRAMS, toplevel);
        if (r < 0)
                return r;
        update.programs = programs;
        if (update.architecture)
                return loader_update_run(&update, notes, reterr_error);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                 "There is no boot loader for this kind of machine that is known "
                                 "here.");
}

/**
 * menu_writer_update_loader() - install the loader itself, or update one copy of it
 * @toplevel: whose systemd has the new one
 * @notes:    what was done, and what was left alone and why
 *
 * Return: as loader_update_run(); -EBUSY while another program writes the menu; errors of opening
 * the partitions, with @reterr_error set.
 */
int menu_writer_update_loader(const MenuRequest *request, const char *toplevel, StringList *notes,
                              sd_bus_error *reterr_error) {
        _cleanup_(writer_done) MenuWriter writer = { .request = request,
                                                     .variables_fd = -EBADF,
                                                     .lock_fd = -EBADF };
        int r;

        r = take_lock(&writer, reterr_error);
        if (r >= 0)
                r = open_partitions(&writer, reterr_error);
        return r < 0 ? r : run_update(&writer, toplevel, notes, reterr_error);
}
