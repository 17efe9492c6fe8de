/*
 * Does what a plan says, step by step, and then reads all of it again: the menu counts as written
 * only if a second look finds nothing left to do and the default is the intended one. After an
 * error nothing is deleted; what was there still boots, and the same run can be begun anew.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "boot-default.h"
#include "boot-install.h"
#include "efi-variable.h"
#include "error.h"
#include "fat-file.h"
#include "file.h"
#include "text.h"

#define LOADER_FOLDER    "EFI/systemd"
#define LOADER_PREFIX    "systemd-boot"
#define LOADER_BYTES_MAX ((size_t) 16 * 1024 * 1024)

/* One run: the two places, and what is being done. */
typedef struct Run {
        const BootTarget *target;
        const MenuWish *wish;
        BootOutcome *outcome;
        sd_bus_error *error;
        LoaderConf *conf;
} Run;

static int digest_source(const char *key, Digest *ret, sd_bus_error *reterr_error) {
        int r;

        if (strchr(key, '\n')) {
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "The secrets of the initrd '%.*s' were not made.",
                                         (int) strcspn(key, "\n"), key);
                return -ENOENT;
        }
        r = digest_of_file(AT_FDCWD, key, ret);
        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read '%s', which a boot entry needs: %s.", key,
                                         strerror(-r));
        return r;
}

/**
 * boot_sources_read() - what the files of the store hold that the menu needs
 * @keys:    as of boot_menu_sources()
 * @sources: those that are there already are kept; the others are added
 *
 * What an intact entry says of one is believed; all others are read.
 *
 * Return: 0, -ENOMEM, or an errno of open(2) or read(2) with @reterr_error set.
 */
int boot_sources_read(const BootListing *listing, const StringList *keys, BootSources *sources,
                      sd_bus_error *reterr_error) {
        for (size_t i = 0; i < keys->n; i++) {
                BootSource source = { 0 };
                int r = 0;

                if (boot_sources_find(sources, keys->items[i]))
                        continue;
                if (boot_source_known(listing, keys->items[i], &source.digest) < 0)
                        r = digest_source(keys->items[i], &source.digest, reterr_error);
                if (r < 0)
                        return r;
                source.key = strdup(keys->items[i]);
                r = source.key ? boot_sources_take(sources, &source) : -ENOMEM;
                if (r < 0) {
                        free(source.key);
                        return r;
                }
        }
        return 0;
}

/**
 * boot_install_read_loader() - which loader is on the partition
 *
 * Return: 0 (with no number if there is none that says), -ENOMEM, or an errno of open(2) with
 * @reterr_error set.
 */
int boot_install_read_loader(const BootPartition *esp, LoaderVersion *version,
                             sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(esp->fd, LOADER_FOLDER, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &names);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                _cleanup_free_ char *bytes = NULL;
                size_t n;

                if (strncasecmp(names.items[i], LOADER_PREFIX, strlen(LOADER_PREFIX)) != 0)
                        continue;
                r = file_read(fd, names.items[i], LOADER_BYTES_MAX, &bytes, &n);
                if (r >= 0)
                        r = loader_version_from_binary(bytes, n, version);
                if (r == 0)
                        return 0;
                r = r == -ENOENT ? 0 : r;
        }
        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read the boot loader in '%s/" LOADER_FOLDER
                                         "': %s.",
                                         esp->path, strerror(-r));
        return r;
}

static const char *folder_of(const BootStep *step, char **ret_folder) {
        char *slash = strrchr(step->path, '/');

        *ret_folder = slash ? strndup(step->path, (size_t) (slash - step->path)) : strdup(".");
        return slash ? slash + 1 : step->path;
}

/* The folder of a step's file; it is there, or was made. */
static int open_folder(const BootPartition *partition, const char *folder, FatDirectory *ret,
                       char **ret_path) {
        int r = text_printf(ret_path, "%s/%s", partition->path, folder);

        if (r >= 0)
                r = file_open_directory(partition->fd, folder, &ret->fd);
        if (r < 0)
                return r;
        ret->path = *ret_path;
        return 0;
}

static void directory_close(FatDirectory *directory) {
        (void) fd_close(directory->fd);
}

static int make_folders(Run *run) {
        static const char *const of_menu[] = { "EFI", BOOT_PAYLOADS_FOLDER, "loader",
                                               BOOT_ENTRIES_FOLDER };
        const BootPartition *menu = run->target->menu, *esp = run->target->esp;
        const FatDirectory root = { menu->fd, menu->path }, esp_root = { esp->fd, esp->path };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(of_menu); i++)
                r = fat_directory_make(&root, of_menu[i], run->error);
        return r < 0 ? r : fat_directory_make(&esp_root, "loader", run->error);
}

static int write_payload(Run *run, const FatDirectory *directory, const char *name,
                         const BootStep *step) {
        const BootSource *from = step->source;
        const char *file = from->file ? from->file : from->key;
        FatSource source = { .fd = -EBADF, .digest = from->digest };
        _cleanup_close_ int fd = -EBADF;

        fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) {
                int r = -errno;

                (void) sd_bus_error_setf(run->error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read '%s', which a boot entry needs: %s.", file,
                                         strerror(-r));
                return r;
        }
        source.fd = fd;
        return step->replaces ? fat_file_replace(directory, name, &source, run->error) :
                                fat_file_add(directory, name, &source, run->error);
}

static int write_entry(Run *run, const FatDirectory *directory, const char *name,
                       const BootStep *step) {
        const FatSource source = fat_source_of_text(step->text);

        return step->replaces ? fat_file_replace(directory, name, &source, run->error) :
                                fat_file_add(directory, name, &source, run->error);
}

static int write_conf(Run *run) {
        const BootPartition *esp = run->target->esp;
        _cleanup_(directory_close) FatDirectory directory = { .fd = -EBADF };
        _cleanup_free_ char *text = NULL, *path = NULL;
        FatSource source;
        int r;

        r = loader_conf_print(run->conf, &text);
        if (r >= 0)
                r = open_folder(esp, "loader", &directory, &path);
        if (r < 0)
                return r;
        source = fat_source_of_text(text);
        return fat_file_replace(&directory, file_base_name(BOOT_LOADER_CONF), &source, run->error);
}

/* A loader that knows "preferred" passes over it where it is bad, and then takes the best other. */
static int set_default(Run *run, const char *value) {
        bool prefers = loader_version_prefers(&run->wish->version);
        int r;

        r = loader_conf_set(run->conf, "preferred", prefers ? value : NULL);
        if (r >= 0)
                r = loader_conf_set(run->conf, "default", prefers ? BOOT_ALL_ENTRIES : value);
        return r < 0 ? r : write_conf(run);
}

static int do_file_step(Run *run, const BootStep *step) {
        const BootPartition *partition = run->target->menu;
        _cleanup_(directory_close) FatDirectory directory = { .fd = -EBADF };
        _cleanup_free_ char *folder = NULL, *path = NULL;
        const char *name = folder_of(step, &folder);
        int r;

        if (!folder)
                return -ENOMEM;
        if (strcmp(folder, "loader") == 0)
                partition = run->target->esp;
        r = open_folder(partition, folder, &directory, &path);
        if (r < 0)
                return r;
        if (step->kind == BOOT_STEP_WRITE_PAYLOAD || step->kind == BOOT_STEP_WRITE_ENTRY)
                run->outcome->n_written++;
        else if (step->kind != BOOT_STEP_RENAME_ENTRY)
                run->outcome->n_removed++;
        if (step->kind == BOOT_STEP_WRITE_PAYLOAD)
                return write_payload(run, &directory, name, step);
        if (step->kind == BOOT_STEP_WRITE_ENTRY)
                return write_entry(run, &directory, name, step);
        if (step->kind == BOOT_STEP_RENAME_ENTRY)
                return fat_file_rename(&directory, name, step->text, run->error);
        return fat_file_remove(&directory, name, run->error);
}

static int barrier(Run *run) {
        const BootPartition *menu = run->target->menu, *esp = run->target->esp;
        const FatDirectory root = { menu->fd, menu->path }, esp_root = { esp->fd, esp->path };
        int r = fat_barrier(&root, run->error);

        return r < 0 || menu == esp ? r : fat_barrier(&esp_root, run->error);
}

static int do_step(Run *run, const BootStep *step) {
        switch (step->kind) {
        case BOOT_STEP_BARRIER:
                return barrier(run);
        case BOOT_STEP_SET_DEFAULT:
                return set_default(run, step->path);
        case BOOT_STEP_REMOVE_ENTRY:
        case BOOT_STEP_REMOVE_PAYLOAD:
        case BOOT_STEP_REMOVE_LEFTOVER:
        case BOOT_STEP_WRITE_PAYLOAD:
        case BOOT_STEP_WRITE_ENTRY:
        case BOOT_STEP_RENAME_ENTRY:
                return do_file_step(run, step);
        case _BOOT_STEP_KIND_MAX:
                break;
        }
        return -EINVAL;
}

static int say_no_entry(Run *run) {
        (void) sd_bus_error_setf(run->error, ENACT_ERROR_BOOT_MENU,
                                 "'%s' has no entry in the boot menu and cannot be the default. "
                                 "The boot menu is what it was.",
                                 run->wish->default_toplevel);
        return -ENOENT;
}

static int make_plan(Run *run, const BootListing *listing, const BootRoom *room, BootMenu *menu,
                     BootPlan *plan) {
        int r;

        r = boot_menu_build(run->wish, listing, menu);
        if (r >= 0)
                r = boot_plan_new(run->wish, listing, menu, room, plan);
        return r == -ENOENT ? say_no_entry(run) : r;
}

static int read_listing(Run *run, BootListing *listing) {
        const BootTarget *target = run->target;

        return boot_listing_read(target->menu->fd, target->esp->fd, target->menu->path, listing,
                                 run->error);
}

/* What was chosen with a key in the menu beats loader.conf for ever, and is mostly forgotten. */
static int clear_variable(Run *run, const char *name, const char *file) {
        _cleanup_free_ char *value = NULL;
        char *note;
        int r;

        r = efi_variable_read(run->target->variables_fd, name, &value);
        if (r != 0 || strcasecmp(value, file) == 0)
                return r == -ENOMEM ? r : 0;
        r = efi_variable_delete(run->target->variables_fd, name, run->error);
        if (r >= 0)
                r = text_printf(&note, "the EFI variable %s named '%s' and was deleted", name,
                                value);
        return r < 0 ? r : string_list_take(&run->outcome->notes, note);
}

/* What the loader calls the entry of a system, counters aside; -ENOENT if it has none. */
static int find_id(const BootMenu *menu, const char *toplevel, char **ret_id) {
        const WantedEntry *entry = boot_menu_default(menu, toplevel);

        return entry ? text_printf(ret_id, "%s" LOADER_ENTRY_SUFFIX, entry->stem) : -ENOENT;
}

/* The last thing that is written: until then nothing that is new is booted by itself. */
static int settle_one_shot(Run *run, const BootMenu *menu) {
        const char *toplevel = run->wish->one_shot_toplevel;
        _cleanup_free_ char *id = NULL;
        int r;

        if (!toplevel)
                return run->wish->drops_one_shot ?
                               efi_variable_delete(run->target->variables_fd, EFI_LOADER_ONE_SHOT,
                                                   run->error) :
                               0;
        r = find_id(menu, toplevel, &id);
        return r < 0 ? r :
                       efi_variable_write(run->target->variables_fd, EFI_LOADER_ONE_SHOT, id,
                                          run->error);
}

static int settle_variables(Run *run, const BootMenu *menu) {
        _cleanup_free_ char *id = NULL;
        int r = -ENOENT;

        if (run->target->variables_fd < 0)
                return run->wish->one_shot_toplevel ? -EROFS : 0;
        if (run->wish->default_toplevel)
                r = find_id(menu, run->wish->default_toplevel, &id);
        if (r >= 0)
                r = clear_variable(run, EFI_LOADER_DEFAULT, id);
        if (r >= 0)
                r = clear_variable(run, EFI_LOADER_PREFERRED, id);
        return r < 0 && r != -ENOENT ? r : settle_one_shot(run, menu);
}

/* A pattern names the default where the loader counts its tries; then the loader's order decides.
 */
static int find_what_boots(Run *run, const BootListing *listing, const BootMenu *menu) {
        const char *toplevel = run->wish->default_toplevel;
        const WantedEntry *wanted = toplevel ? boot_menu_default(menu, toplevel) : NULL;
        _cleanup_free_ char *by_default = NULL, *preferred = NULL;
        BootWishes wishes = { .version = run->wish->version };
        BootDefault next;
        int r;

        if (!wanted)
                return 0;
        if (loader_conf_get(&listing->conf, "default", &by_default) == -ENOMEM ||
            loader_conf_get(&listing->conf, "preferred", &preferred) == -ENOMEM)
                return -ENOMEM;
        wishes.conf_default = by_default;
        wishes.conf_preferred = preferred;
        r = boot_default_find(listing->entries, listing->n_entries, &wishes, &next);
        if (r < 0 || (next.entry && strcmp(next.entry->file, wanted->file) == 0))
                return r;
        return text_printf(&run->outcome->boots_instead, "%s",
                           next.entry ? next.entry->file : "nothing");
}

/* A second look, from the disk. */
static int verify(Run *run, const BootRoom *room) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_(boot_menu_done) BootMenu menu = { 0 };
        _cleanup_(boot_plan_done) BootPlan plan = { 0 };
        int r;

        r = read_listing(run, &listing);
        if (r >= 0)
                r = make_plan(run, &listing, room, &menu, &plan);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan.n; i++) {
                const BootStep *step = &plan.steps[i];

                if (step->kind == BOOT_STEP_BARRIER)
                        continue;
                (void) sd_bus_error_setf(
                        run->error, ENACT_ERROR_BOOT_MENU,
                        "The boot menu at '%s' was written and is not what it must "
                        "be: '%s' (%s).",
                        run->target->menu->path, step->path, boot_step_kind_to_string(step->kind));
                return -EIO;
        }
        r = settle_variables(run, &menu);
        return r < 0 ? r : find_what_boots(run, &listing, &menu);
}

/* Given up for want of room, they are not to be had the next moment, when the room is there. */
static size_t kept_of(const MenuWish *wish, const BootMenu *menu, MenuSystem *kept) {
        size_t n = 0;

        for (size_t i = 0; i < wish->n_systems; i++) {
                bool dropped = false;

                for (size_t j = 0; j < menu->n; j++)
                        dropped = dropped || (menu->entries[j].dropped &&
                                              menu->entries[j].system == &wish->systems[i]);
                if (!dropped)
                        kept[n++] = wish->systems[i];
        }
        return n;
}

static int verify_kept(Run *run, const BootMenu *menu) {
        _cleanup_free_ MenuSystem *kept = calloc(run->wish->n_systems + 1, sizeof(*kept));
        MenuWish wish = *run->wish;
        BootRoom room;
        Run second = *run;
        int r;

        if (!kept)
                return -ENOMEM;
        wish.n_systems = kept_of(run->wish, menu, kept);
        wish.systems = kept;
        second.wish = &wish;
        r = boot_partition_room(run->target->menu, &room);
        return r < 0 ? r : verify(&second, &room);
}

static int check_target(const BootTarget *target, sd_bus_error *reterr_error) {
        int r = boot_partition_check_writable(target->menu, reterr_error);

        return r < 0 ? r : boot_partition_check_writable(target->esp, reterr_error);
}

static int run_plan(Run *run, const BootPlan *plan) {
        int r = plan->n > 0 ? make_folders(run) : 0;

        for (size_t i = 0; r >= 0 && i < plan->n; i++)
                r = do_step(run, &plan->steps[i]);
        if (r < 0 && r != -ENOMEM && !sd_bus_error_is_set(run->error))
                (void) sd_bus_error_setf(run->error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot write the boot menu at '%s': %s.",
                                         run->target->menu->path, strerror(-r));
        return r;
}

/**
 * boot_install_run() - write the wanted menu, durably, and see that it is there
 * @wish:    its sources are complete; the store that they are in is durable
 * @outcome: all zero before; boot_outcome_done() even after an error
 *
 * Return: 0; -ENOSPC with the numbers, -EROFS, -EIO, -ENOENT if the default would have no entry, or
 * an errno of the step that failed, each with @reterr_error set; -ENOMEM.
 */
int boot_install_run(const BootTarget *target, const MenuWish *wish, BootOutcome *outcome,
                     sd_bus_error *reterr_error) {
        _cleanup_(boot_listing_done) BootListing listing = { 0 };
        _cleanup_(boot_menu_done) BootMenu menu = { 0 };
        _cleanup_(boot_plan_done) BootPlan plan = { 0 };
        Run run = { target, wish, outcome, reterr_error, &listing.conf };
        BootRoom room;
        int r;

        r = check_target(target, reterr_error);
        if (r >= 0)
                r = boot_partition_room(target->menu, &room);
        if (r >= 0)
                r = read_listing(&run, &listing);
        if (r >= 0)
                r = make_plan(&run, &listing, &room, &menu, &plan);
        if (r >= 0 && !plan.fits)
                r = boot_room_check(target->menu, &room, plan.needed_bytes, reterr_error);
        if (r < 0 || wish->only_checks)
                return r;
        r = string_list_copy(&outcome->notes, &plan.notes);
        if (r < 0)
                return r;
        outcome->begun = true;
        r = run_plan(&run, &plan);
        return r < 0 ? r : verify_kept(&run, &menu);
}

void boot_outcome_done(BootOutcome *outcome) {
        string_list_done(&outcome->notes);
        free(outcome->boots_instead);
        *outcome = (BootOutcome){ 0 };
}
