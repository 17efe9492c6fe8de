/*
 * What is on a boot partition: all entries, whoever wrote them, the kernels and initrds of ours and
 * of NixOS' own builder, and what a killed run has left. Nothing is believed because it is there:
 * our files bear the hash of their bytes in their names, and are held to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "boot-listing.h"
#include "error.h"
#include "fat-file.h"
#include "file.h"
#include "text.h"

static bool is_hex(const char *text, size_t n) {
        return strspn(text, "0123456789abcdef") >= n;
}

/** payload_name_is_ours() - whether a file is named by the hash of its bytes. */
bool payload_name_is_ours(const char *name) {
        return strlen(name) == DIGEST_DIGITS + strlen(BOOT_PAYLOAD_SUFFIX) &&
               is_hex(name, DIGEST_DIGITS) && text_has_suffix(name, BOOT_PAYLOAD_SUFFIX);
}

/** payload_name_print() - what a file with these bytes is called; 0 or -ENOMEM. */
int payload_name_print(const Digest *digest, char **ret_name) {
        char hex[DIGEST_DIGITS + 1];

        digest_to_hex(digest, hex);
        return text_printf(ret_name, "%s" BOOT_PAYLOAD_SUFFIX, hex);
}

/**
 * entry_path_normalise() - a path of an entry as one below the partition's root
 *
 * Return: 0, -EINVAL if it leads out of it, -ENOMEM.
 */
int entry_path_normalise(const char *path, char **ret_path) {
        _cleanup_free_ char *copy = NULL;

        while (*path == '/' || *path == '\\')
                path++;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        for (char *p = copy; *p; p++)
                if (*p == '\\')
                        *p = '/';
        if (!*copy || strcmp(copy, "..") == 0 || text_after_prefix(copy, "../") ||
            strstr(copy, "/../") || text_has_suffix(copy, "/.."))
                return -EINVAL;
        *ret_path = TAKE_PTR(copy);
        return 0;
}

static bool leads_to(const char *value, const char *path) {
        _cleanup_free_ char *normal = NULL;

        return value && entry_path_normalise(value, &normal) >= 0 && strcasecmp(normal, path) == 0;
}

/** menu_entry_refers_to() - whether an entry needs the file of that path; FAT knows no case. */
bool menu_entry_refers_to(const MenuEntry *entry, const char *path) {
        const LoaderEntry *e = &entry->entry;

        for (size_t i = 0; i < e->initrds.n; i++)
                if (leads_to(e->initrds.items[i], path))
                        return true;
        return leads_to(e->kernel, path) || leads_to(e->efi, path) || leads_to(e->devicetree, path);
}

/** boot_listing_payload() - the file of that path, or NULL. */
const PayloadFile *boot_listing_payload(const BootListing *listing, const char *path) {
        for (size_t i = 0; i < listing->n_payloads; i++)
                if (strcasecmp(listing->payloads[i].path, path) == 0)
                        return &listing->payloads[i];
        return NULL;
}

static bool is_file(int fd, const char *path) {
        struct stat st;

        return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISREG(st.st_mode);
}

/* The loader hides an entry whose program is not there. */
static bool is_startable(int fd, const LoaderEntry *entry) {
        const char *program = entry->kernel ? entry->kernel : entry->efi;
        _cleanup_free_ char *path = NULL;

        return program && entry_path_normalise(program, &path) >= 0 && is_file(fd, path);
}

/* One that is no entry's text is listed with nothing in it, as the loader sees it. */
static int read_entry(int folder_fd, MenuEntry *entry) {
        _cleanup_free_ char *text = NULL, *stem = NULL;
        size_t n;
        int r;

        r = file_read(folder_fd, entry->file, LOADER_ENTRY_BYTES_MAX, &text, &n);
        if (r >= 0)
                r = loader_entry_parse(text, n, &entry->entry);
        if (r == -EFBIG || r == -EBADMSG || r == -EISDIR || r == -ENXIO)
                return 0;
        if (r >= 0)
                r = loader_entry_stem(text, entry->name.style == ENTRY_ENACT_EXTRA, &stem);
        if (r < 0)
                return r;
        entry->intact = !entry_name_is_ours(&entry->name) || strcmp(stem, entry->name.stem) == 0;
        return 0;
}

/* Room for one more, all zero; it counts only once the caller says so. */
static int grow_entries(BootListing *listing, MenuEntry **ret) {
        MenuEntry *entries;

        if (listing->n_entries >= BOOT_LISTING_MAX)
                return -E2BIG;
        entries = reallocarray(listing->entries, listing->n_entries + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        listing->entries = entries;
        *ret = &entries[listing->n_entries];
        **ret = (MenuEntry){ 0 };
        return 0;
}

static int grow_payloads(BootListing *listing, PayloadFile **ret) {
        PayloadFile *payloads;

        if (listing->n_payloads >= BOOT_LISTING_MAX)
                return -E2BIG;
        payloads = reallocarray(listing->payloads, listing->n_payloads + 1, sizeof(*payloads));
        if (!payloads)
                return -ENOMEM;
        listing->payloads = payloads;
        *ret = &payloads[listing->n_payloads];
        **ret = (PayloadFile){ 0 };
        return 0;
}

static int add_leftover(BootListing *listing, const char *folder, const char *name) {
        char *path;
        int r = text_printf(&path, "%s%s%s", folder, *folder ? "/" : "", name);

        return r < 0 ? r : string_list_take(&listing->leftovers, path);
}

/* As fat-file makes them for our names. */
static bool is_leftover_entry(const char *name) {
        _cleanup_(entry_name_done) EntryName parsed = { 0 };
        _cleanup_free_ char *file = NULL;

        if (!text_has_suffix(name, FAT_TEMPORARY_SUFFIX))
                return false;
        file = strndup(name, strlen(name) - strlen(FAT_TEMPORARY_SUFFIX));
        return file && entry_name_parse(file, &parsed) == 0 && entry_name_is_ours(&parsed);
}

static int add_entry(BootListing *listing, int menu_fd, int folder_fd, const char *name) {
        MenuEntry *entry;
        int r;

        if (is_leftover_entry(name))
                return add_leftover(listing, BOOT_ENTRIES_FOLDER, name);
        r = grow_entries(listing, &entry);
        if (r < 0)
                return r;
        r = entry_name_parse(name, &entry->name);
        if (r != 0) {
                entry_name_done(&entry->name);
                return r < 0 ? r : 0;
        }
        listing->n_entries++;
        entry->file = strdup(name);
        if (!entry->file)
                return -ENOMEM;
        r = read_entry(folder_fd, entry);
        entry->startable = is_startable(menu_fd, &entry->entry);
        return r;
}

/* Its counters are read as those of an entry; what else it says is inside it. */
static int add_unified(BootListing *listing, const char *name) {
        _cleanup_free_ char *as_entry = NULL;
        MenuEntry *entry;
        size_t n = strlen(name);
        int r;

        if (n <= 4 || strcasecmp(name + n - 4, ".efi") != 0)
                return 0;
        r = text_printf(&as_entry, "%.*s" LOADER_ENTRY_SUFFIX, (int) (n - 4), name);
        if (r >= 0)
                r = grow_entries(listing, &entry);
        if (r < 0)
                return r;
        r = entry_name_parse(as_entry, &entry->name);
        if (r != 0) {
                entry_name_done(&entry->name);
                return r < 0 ? r : 0;
        }
        listing->n_entries++;
        entry->name.style = ENTRY_FOREIGN;
        entry->unified = entry->startable = entry->intact = true;
        entry->file = strdup(name);
        return entry->file ? 0 : -ENOMEM;
}

static int add_payload(BootListing *listing, int folder_fd, const char *folder, const char *name) {
        PayloadFile *payload;
        struct stat st;
        int r;

        if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return 0;
        if (strcmp(folder, BOOT_PAYLOADS_FOLDER) == 0 &&
            text_has_suffix(name, FAT_TEMPORARY_SUFFIX))
                return add_leftover(listing, folder, name);
        r = grow_payloads(listing, &payload);
        if (r < 0)
                return r;
        listing->n_payloads++;
        payload->size = (uint64_t) st.st_size;
        if (strcmp(folder, BOOT_PAYLOADS_FOLDER) == 0 && payload_name_is_ours(name)) {
                _cleanup_free_ char *wanted = NULL;
                Digest digest;

                r = digest_of_file(folder_fd, name, &digest);
                if (r >= 0)
                        r = payload_name_print(&digest, &wanted);
                if (r == -ENOMEM)
                        return r;
                /* What cannot be read is damaged, and is told so. */
                payload->verified = r >= 0 && strcmp(wanted, name) == 0;
        }
        return text_printf(&payload->path, "%s/%s", folder, name);
}

static int read_folder(BootListing *listing, int menu_fd, const char *folder) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(menu_fd, folder, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &names);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                if (strcmp(folder, BOOT_ENTRIES_FOLDER) == 0)
                        r = add_entry(listing, menu_fd, fd, names.items[i]);
                else if (strcmp(folder, BOOT_UNIFIED_FOLDER) == 0)
                        r = add_unified(listing, names.items[i]);
                else
                        r = add_payload(listing, fd, folder, names.items[i]);
        }
        return r;
}

static int read_conf(BootListing *listing, int esp_fd) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = file_read(esp_fd, BOOT_LOADER_CONF, LOADER_CONF_BYTES_MAX, &text, &n);
        if (r == -ENOENT)
                return 0;
        r = r < 0 ? r : loader_conf_parse(text, n, &listing->conf);
        if (r >= 0 && is_file(esp_fd, BOOT_LOADER_CONF FAT_TEMPORARY_SUFFIX))
                r = add_leftover(listing, "", BOOT_LOADER_CONF FAT_TEMPORARY_SUFFIX);
        return r;
}

/**
 * boot_listing_read() - all that matters on a boot partition
 * @menu_fd: root of the one that has the entries; @esp_fd: of the one that has loader.conf
 * @path:    of the first, for people
 * @listing: all zero before; boot_listing_done() even after an error
 *
 * Each file that is named by its bytes is read whole.
 *
 * Return: 0, -E2BIG past BOOT_LISTING_MAX, or an errno of open(2) or read(2), each with
 * @reterr_error set; -ENOMEM.
 */
int boot_listing_read(int menu_fd, int esp_fd, const char *path, BootListing *listing,
                      sd_bus_error *reterr_error) {
        static const char *const folders[] = { BOOT_ENTRIES_FOLDER, BOOT_UNIFIED_FOLDER,
                                               BOOT_PAYLOADS_FOLDER, BOOT_NIXOS_PAYLOADS_FOLDER };
        const char *what = BOOT_LOADER_CONF;
        int r;

        r = read_conf(listing, esp_fd);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(folders); i++) {
                what = folders[i];
                r = read_folder(listing, menu_fd, what);
        }
        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read '%s/%s': %s.", path, what, strerror(-r));
        return r;
}

void boot_listing_done(BootListing *listing) {
        for (size_t i = 0; i < listing->n_entries; i++)
                menu_entry_done(&listing->entries[i]);
        free(listing->entries);
        for (size_t i = 0; i < listing->n_payloads; i++)
                free(listing->payloads[i].path);
        free(listing->payloads);
        string_list_done(&listing->leftovers);
        loader_conf_done(&listing->conf);
        *listing = (BootListing){ 0 };
}
