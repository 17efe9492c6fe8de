/*
 * The boot menus of a machine, whoever has written them: what there is, which systems have an entry
 * that would boot, and which one the next start takes. Reads only. What cannot be told is told so.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "seen-menu.h"
#include "text.h"

/* Where NixOS mounts boot partitions. */
static const char *const folders[] = { "efi", "boot", "boot/efi" };

/* clang-format off */
static const struct {
        MenuKind kind;
        const char *file;
} known_files[] = {
        { MENU_GRUB,     "grub/grub.cfg"          },
        { MENU_EXTLINUX, "extlinux/extlinux.conf" },
        { MENU_LIMINE,   "limine/limine.conf"     },
        { MENU_LIMINE,   "limine.conf"            },
        { MENU_LIMINE,   "EFI/limine/limine.conf" },
};

static const char *const kind_words[_MENU_KIND_MAX] = {
        [MENU_SYSTEMD_BOOT] = "systemd-boot",
        [MENU_GRUB]         = "GRUB",
        [MENU_EXTLINUX]     = "extlinux",
        [MENU_LIMINE]       = "limine",
};
/* clang-format on */

const char *menu_kind_to_words(MenuKind kind) {
        return kind_words[kind];
}

/** seen_menu_begin() - an empty one; @fd is its own from here on. 0 or -ENOMEM. */
int seen_menu_begin(SeenMenu *menu, MenuKind kind, int fd, const char *path, size_t n_systems) {
        *menu = (SeenMenu){ .kind = kind, .fd = fd, .conf_fd = -EBADF, .path = strdup(path) };
        menu->systems = calloc(n_systems + 1, sizeof(*menu->systems));
        menu->n_systems = n_systems;
        return menu->path && menu->systems ? 0 : -ENOMEM;
}

/** seen_menu_take_state() - one more entry of that system; @why is owned from here on. The best
 * one counts. */
int seen_menu_take_state(SeenSystem *system, EntryState state, char *why) {
        if (system->listed && system->state <= state) {
                free(why);
                return 0;
        }
        free(system->why);
        *system = (SeenSystem){ .listed = true, .state = state, .why = why };
        return 0;
}

/** seen_menu_find_leftovers() - files of that folder that a killed installer has begun; 0 or
 * -ENOMEM. */
int seen_menu_find_leftovers(SeenMenu *menu, const char *folder) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(menu->fd, folder, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &names);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                char *path;

                if (!strstr(names.items[i], ".tmp"))
                        continue;
                r = text_printf(&path, "%s/%s", folder, names.items[i]);
                if (r >= 0)
                        r = string_list_take(&menu->leftovers, path);
        }
        return r == -ENOMEM ? r : 0;
}

static void menu_done(SeenMenu *menu) {
        for (size_t i = 0; menu->systems && i < menu->n_systems; i++)
                free(menu->systems[i].why);
        free(menu->systems);
        (void) fd_close(menu->fd);
        (void) fd_close(menu->conf_fd);
        free(menu->path);
        free(menu->lead_entry);
        free(menu->leads_to);
        free(menu->lead_why);
        string_list_done(&menu->leftovers);
        string_list_done(&menu->files);
}

static int grow(SeenMenus *menus, SeenMenu **ret) {
        SeenMenu *items = reallocarray(menus->items, menus->n + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        menus->items = items;
        *ret = &items[menus->n];
        **ret = (SeenMenu){ .fd = -EBADF, .conf_fd = -EBADF };
        return 0;
}

/* One that is there and cannot be read is no menu that anything could be said of. */
static int keep(SeenMenus *menus, SeenMenu *menu, int r) {
        char *text;

        if (r >= 0) {
                menus->n++;
                return 0;
        }
        if (r != -ENOMEM && r != -ENOENT) {
                int q = text_printf(&text, "the menu '%s' cannot be read (%s)", menu->path,
                                    strerror(-r));

                r = q < 0 ? q : string_list_take(&menus->unread, text);
        }
        menu_done(menu);
        return r == -ENOENT ? 0 : r;
}

static bool is_there(int fd, const char *path) {
        struct stat st;

        return fstatat(fd, path, &st, 0) >= 0;
}

static int copy_fd(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}

static int read_listed(SeenMenus *menus, const char *folder_path, int fd, size_t i,
                       const MenuSubject *subjects, size_t n_subjects) {
        _cleanup_free_ char *path = NULL;
        SeenMenu *menu;
        int r, copy;

        if (!is_there(fd, known_files[i].file))
                return 0;
        r = text_printf(&path, "%s/%s", folder_path, known_files[i].file);
        if (r >= 0)
                r = grow(menus, &menu);
        if (r < 0)
                return r;
        copy = copy_fd(fd);
        if (copy < 0)
                return copy;
        r = seen_menu_begin(menu, known_files[i].kind, copy, path, n_subjects);
        if (r >= 0)
                r = seen_menu_read_listed(menu, known_files[i].file, subjects);
        return keep(menus, menu, r);
}

static int read_systemd_boot(SeenMenus *menus, const char *folder_path, int fd, int esp_fd,
                             int variables_fd, const MenuSubject *subjects, size_t n_subjects) {
        _cleanup_free_ char *path = NULL;
        SeenMenu *menu;
        int r, copy;

        r = text_printf(&path, "%s/loader", folder_path);
        if (r >= 0)
                r = grow(menus, &menu);
        if (r < 0)
                return r;
        copy = copy_fd(fd);
        if (copy < 0)
                return copy;
        r = seen_menu_begin(menu, MENU_SYSTEMD_BOOT, copy, path, n_subjects);
        if (r >= 0)
                r = menu->conf_fd = copy_fd(esp_fd);
        if (r >= 0)
                r = seen_menu_read_systemd_boot(menu, variables_fd, subjects);
        return keep(menus, menu, r);
}

static bool has_entries(int fd) {
        return is_there(fd, BOOT_ENTRIES_FOLDER) || is_there(fd, BOOT_UNIFIED_FOLDER);
}

static bool is_esp(int fd) {
        return is_there(fd, BOOT_LOADER_CONF) || is_there(fd, "EFI/systemd");
}

/* Entries may lie on the extended partition, at /boot, of an ESP that is mounted elsewhere. */
static int find_systemd_boot(SeenMenus *menus, const MenuPlaces *places, const int fds[],
                             char *const paths[], const MenuSubject *subjects, size_t n_subjects) {
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                size_t menu = i;

                if (fds[i] < 0 || !is_esp(fds[i]))
                        continue;
                if (strcmp(folders[i], "boot") != 0 && !has_entries(fds[i]) && fds[1] >= 0 &&
                    has_entries(fds[1]))
                        menu = 1;
                if (!has_entries(fds[menu]))
                        continue;
                return read_systemd_boot(menus, paths[menu], fds[menu], fds[i],
                                         places->variables_fd, subjects, n_subjects);
        }
        return 0;
}

static int open_folder(const char *root, int root_fd, const char *folder, int *ret_fd,
                       char **ret_path) {
        int r;

        r = text_printf(ret_path, "%s%s%s", root, text_has_suffix(root, "/") ? "" : "/", folder);
        if (r >= 0 && file_open_directory(root_fd, folder, ret_fd) < 0)
                *ret_fd = -EBADF;
        return r;
}

/**
 * seen_menus_read() - look for boot menus
 * @subjects: the systems that are looked for; the files of the first one's entries are kept
 * @menus:    all zero before; seen_menus_done() even after an error
 *
 * Return: 0 (also if there are none), -ENOMEM, or an errno of opening @places->root.
 */
int seen_menus_read(const MenuPlaces *places, const MenuSubject *subjects, size_t n_subjects,
                    SeenMenus *menus) {
        int fds[ELEMENTSOF(folders)] = { -EBADF, -EBADF, -EBADF };
        char *paths[ELEMENTSOF(folders)] = { NULL };
        _cleanup_close_ int root_fd = -EBADF;
        int r;

        r = file_open_directory(AT_FDCWD, places->root, &root_fd);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(folders); i++)
                r = open_folder(places->root, root_fd, folders[i], &fds[i], &paths[i]);
        if (r >= 0)
                r = find_systemd_boot(menus, places, fds, paths, subjects, n_subjects);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(folders); i++)
                for (size_t k = 0; r >= 0 && fds[i] >= 0 && k < ELEMENTSOF(known_files); k++)
                        r = read_listed(menus, paths[i], fds[i], k, subjects, n_subjects);
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                (void) fd_close(fds[i]);
                free(paths[i]);
        }
        return r;
}

void seen_menus_done(SeenMenus *menus) {
        for (size_t i = 0; i < menus->n; i++)
                menu_done(&menus->items[i]);
        free(menus->items);
        string_list_done(&menus->unread);
        *menus = (SeenMenus){ 0 };
}
