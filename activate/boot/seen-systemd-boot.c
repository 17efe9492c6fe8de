/*
 * systemd-boot's menu, seen: its entries and unified kernel images, what loader.conf and the EFI
 * variables make of them. How a unified image sorts is written inside it and not read; which system
 * it boots is looked for in the command line that it carries.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "boot-install.h"
#include "efi-variable.h"
#include "file.h"
#include "seen-menu.h"
#include "text.h"

#define UNIFIED_BYTES_MAX ((size_t) 4 * 1024 * 1024) /* it stands before the kernel */

typedef struct Reader {
        SeenMenu *menu;
        const MenuSubject *subjects;
        BootListing listing;
        LoaderVersion version;
        char *conf_default, *conf_preferred;
        char *variable_default, *variable_preferred, *last_booted;
        BootDefault next;
} Reader;

static void reader_done(Reader *reader) {
        boot_listing_done(&reader->listing);
        loader_version_done(&reader->version);
        free(reader->conf_default);
        free(reader->conf_preferred);
        free(reader->variable_default);
        free(reader->variable_preferred);
        free(reader->last_booted);
}

static int read_variables(Reader *reader, int fd) {
        const struct {
                const char *name;
                char **value;
        } variables[] = {
                { EFI_LOADER_DEFAULT, &reader->variable_default },
                { EFI_LOADER_PREFERRED, &reader->variable_preferred },
                { EFI_LOADER_LAST_BOOTED, &reader->last_booted },
        };

        for (size_t i = 0; fd >= 0 && i < ELEMENTSOF(variables); i++)
                if (efi_variable_read(fd, variables[i].name, variables[i].value) == -ENOMEM)
                        return -ENOMEM;
        return 0;
}

/* What was chosen for one start only leads nowhere for good. */
static int find_next(Reader *reader) {
        const LoaderConf *conf = &reader->listing.conf;
        BootWishes wishes;

        if (loader_conf_get(conf, "default", &reader->conf_default) == -ENOMEM ||
            loader_conf_get(conf, "preferred", &reader->conf_preferred) == -ENOMEM)
                return -ENOMEM;
        wishes = (BootWishes){
                .variable_default = reader->variable_default,
                .variable_preferred = reader->variable_preferred,
                .last_booted = reader->last_booted,
                .conf_default = reader->conf_default,
                .conf_preferred = reader->conf_preferred,
                .version = reader->version,
        };
        return boot_default_find(reader->listing.entries, reader->listing.n_entries, &wishes,
                                 &reader->next);
}

static int add_to_sign(crypto_hash_sha256_state *state, int fd, const char *path) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0;
        int r;

        r = file_read(fd, path, LOADER_CONF_BYTES_MAX, &text, &n);
        if (r == -ENOMEM)
                return r;
        (void) crypto_hash_sha256_update(state, (const unsigned char *) path, strlen(path) + 1);
        (void) crypto_hash_sha256_update(state, (const unsigned char *) &n, sizeof(n));
        (void) crypto_hash_sha256_update(state, (const unsigned char *) text, r < 0 ? 0 : n);
        return 0;
}

static int entry_path(const MenuEntry *entry, char **ret_path) {
        return text_printf(ret_path, "%s/%s",
                           entry->unified ? BOOT_UNIFIED_FOLDER : BOOT_ENTRIES_FOLDER, entry->file);
}

static int sign(Reader *reader) {
        crypto_hash_sha256_state state;
        int r;

        (void) crypto_hash_sha256_init(&state);
        r = add_to_sign(&state, reader->menu->conf_fd, BOOT_LOADER_CONF);
        for (size_t i = 0; r >= 0 && i < reader->listing.n_entries; i++) {
                _cleanup_free_ char *path = NULL;

                r = entry_path(&reader->listing.entries[i], &path);
                if (r >= 0)
                        r = add_to_sign(&state, reader->menu->fd, path);
        }
        (void) crypto_hash_sha256_final(&state, reader->menu->sign);
        return r;
}

/* Its beginning; -EFBIG is no error here. */
static int read_beginning(int fd, const char *path, char **ret_bytes, size_t *ret_n,
                          bool *ret_all) {
        _cleanup_free_ char *bytes = malloc(UNIFIED_BYTES_MAX);
        _cleanup_close_ int file = -EBADF;
        size_t n = 0;
        ssize_t k;

        if (!bytes)
                return -ENOMEM;
        file = openat(fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        do {
                k = file < 0 ? -1 : pread(file, bytes + n, UNIFIED_BYTES_MAX - n, (off_t) n);
                if (k > 0)
                        n += (size_t) k;
        } while (k > 0 && n < UNIFIED_BYTES_MAX);
        *ret_all = k == 0;
        *ret_n = n;
        *ret_bytes = TAKE_PTR(bytes);
        return 0;
}

static int find_in_unified(Reader *reader, const MenuEntry *entry, int *ret_subject) {
        _cleanup_free_ char *path = NULL, *bytes = NULL;
        size_t n = 0;
        bool all = false;
        int r;

        *ret_subject = -1;
        r = entry_path(entry, &path);
        if (r >= 0)
                r = read_beginning(reader->menu->fd, path, &bytes, &n, &all);
        for (size_t i = 0; r >= 0 && *ret_subject < 0 && i < reader->menu->n_systems; i++) {
                _cleanup_free_ char *init = NULL;

                r = text_printf(&init, "init=%s/init", reader->subjects[i].toplevel);
                if (r >= 0 && memmem(bytes, n, init, strlen(init)))
                        *ret_subject = (int) i;
        }
        if (*ret_subject < 0 && !all)
                reader->menu->vague = true;
        return r;
}

static int find_subject(Reader *reader, const MenuEntry *entry, char **ret_toplevel, int *ret) {
        int r;

        *ret = -1;
        if (entry->unified)
                return find_in_unified(reader, entry, ret);
        r = loader_entry_toplevel(&entry->entry, ret_toplevel);
        for (size_t i = 0; r >= 0 && i < reader->menu->n_systems; i++)
                if (strcmp(reader->subjects[i].toplevel, *ret_toplevel) == 0)
                        *ret = (int) i;
        return r == -ENOMEM ? r : 0;
}

static int take_lead(Reader *reader, const MenuEntry *entry, const char *toplevel, EntryState state,
                     const char *why) {
        SeenMenu *menu = reader->menu;

        menu->reason = reader->next.reason;
        menu->lead_state = state;
        menu->lead_entry = strdup(entry->file);
        if (!menu->lead_entry)
                return -ENOMEM;
        if (reader->next.uncertain || (entry->unified && !toplevel))
                return 0;
        menu->lead = toplevel ? MENU_LEAD_SYSTEM : MENU_LEAD_OTHER;
        if (why && text_printf(&menu->lead_why, "%s", why) < 0)
                return -ENOMEM;
        return toplevel ? text_printf(&menu->leads_to, "%s", toplevel) : 0;
}

/* What the first subject needs is to be on the disk. */
static int take_files(Reader *reader, const MenuEntry *entry) {
        const LoaderEntry *e = &entry->entry;
        const char *const values[] = { e->kernel, e->efi, e->devicetree };
        StringList *files = &reader->menu->files;
        char *path;
        int r;

        r = entry_path(entry, &path);
        if (r >= 0)
                r = string_list_take(files, path);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(values) + e->initrds.n; i++) {
                const char *value = i < ELEMENTSOF(values) ?
                                            values[i] :
                                            e->initrds.items[i - ELEMENTSOF(values)];

                if (!value)
                        continue;
                r = entry_path_normalise(value, &path);
                if (r >= 0)
                        r = string_list_take(files, path);
        }
        return r == -EINVAL ? 0 : r;
}

static int see_entry(Reader *reader, const MenuEntry *entry) {
        _cleanup_free_ char *toplevel = NULL, *why = NULL;
        bool leads = entry == reader->next.entry;
        SeenMenu *menu = reader->menu;
        EntryState state;
        int r, i;

        r = find_subject(reader, entry, &toplevel, &i);
        if (r >= 0 && (i >= 0 || leads))
                r = boot_verify_entry(menu->fd, &reader->listing, entry,
                                      i >= 0 ? reader->subjects[i].spec : NULL, &state, &why);
        if (r < 0 || (i < 0 && !leads))
                return r;
        if (leads)
                r = take_lead(reader, entry, i >= 0 ? reader->subjects[i].toplevel : toplevel,
                              state, why);
        if (r >= 0 && i == 0)
                r = take_files(reader, entry);
        if (r >= 0 && i >= 0)
                r = seen_menu_take_state(&menu->systems[i], state, TAKE_PTR(why));
        return r;
}

/* The plain one of two is started, and the other is never counted. */
static int find_twins(Reader *reader) {
        const BootListing *listing = &reader->listing;
        int r = 0;

        for (size_t i = 0; i < listing->n_entries; i++)
                for (size_t j = 0; r >= 0 && j < listing->n_entries; j++) {
                        const EntryName *a = &listing->entries[i].name,
                                        *b = &listing->entries[j].name;
                        char *path;

                        if (a->counted || !b->counted || strcmp(a->stem, b->stem) != 0)
                                continue;
                        r = entry_path(&listing->entries[j], &path);
                        if (r >= 0)
                                r = string_list_take(&reader->menu->leftovers, path);
                }
        return r;
}

static int find_leftovers(Reader *reader) {
        static const char *const looked_at[] = { "loader", BOOT_ENTRIES_FOLDER,
                                                 BOOT_NIXOS_PAYLOADS_FOLDER };
        int r = find_twins(reader);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(looked_at); i++)
                r = seen_menu_find_leftovers(reader->menu, looked_at[i]);
        return r;
}

/**
 * seen_menu_read_systemd_boot() - read its entries, and what decides between them
 * @variables_fd: EFI variables; -EBADF: none here
 *
 * Return: 0, -ENOMEM, or an error of boot_listing_read().
 */
int seen_menu_read_systemd_boot(SeenMenu *menu, int variables_fd, const MenuSubject *subjects) {
        _cleanup_(reader_done) Reader reader = { .menu = menu, .subjects = subjects };
        const BootPartition esp = { .path = menu->path, .fd = menu->conf_fd };
        int r;

        r = boot_listing_read(menu->fd, menu->conf_fd, menu->path, &reader.listing, NULL);
        if (r >= 0 && boot_install_read_loader(&esp, &reader.version, NULL) == -ENOMEM)
                r = -ENOMEM;
        if (r >= 0)
                r = read_variables(&reader, variables_fd);
        if (r >= 0)
                r = find_next(&reader);
        if (r >= 0)
                r = sign(&reader);
        if (r < 0)
                return r;
        menu->n_entries = reader.listing.n_entries;
        menu->reason = reader.next.reason;
        menu->lead = reader.next.entry ? MENU_LEAD_UNTOLD : MENU_LEAD_NOTHING;
        for (size_t i = 0; r >= 0 && i < reader.listing.n_entries; i++)
                r = see_entry(&reader, &reader.listing.entries[i]);
        return r < 0 ? r : find_leftovers(&reader);
}
