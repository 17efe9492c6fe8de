/*
 * A sign of the boot menu: a digest of what boot loader installers write besides kernels. An
 * installer that is not ours tells nobody what it was run for; but one that ran for another system
 * has left another text. By what is in the files and not by their times, which a FAT file system
 * keeps in local time, and which the same menu written again would change.
 *
 * A loader that has none of those files is known by all that lies there, with sizes and times: what
 * it writes nobody knows, but an installer that has run shows. That errs on the safe side.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "menu-sign.h"
#include "text.h"

#define MENU_FILE_MAX ((size_t) 16 * 1024 * 1024)
#define ENTRIES       "loader/entries"
#define ENTRY_SUFFIX  ".conf"
#define TREE_DEPTH    8U
#define TREE_FILES    ((size_t) 20000)

typedef struct Sign {
        crypto_hash_sha256_state state;
        size_t n_files;
} Sign;

static void add_text(Sign *sign, const void *text, size_t n) {
        const uint64_t length = n;

        (void) crypto_hash_sha256_update(&sign->state, (const unsigned char *) &length,
                                         sizeof(length));
        (void) crypto_hash_sha256_update(&sign->state, text, n);
}

/* The name without its boot counter: that changes with every start, and leads nowhere else. */
static size_t length_of_name(const char *name) {
        size_t n = strcspn(name, "+");

        return name[n] || !text_has_suffix(name, ENTRY_SUFFIX) ? n : n - strlen(ENTRY_SUFFIX);
}

static int add_file(Sign *sign, int dir_fd, const char *name) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = file_read(dir_fd, name, MENU_FILE_MAX, &text, &n);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : r;
        add_text(sign, name, length_of_name(name));
        add_text(sign, text, n);
        sign->n_files++;
        return 0;
}

static int add_entries(Sign *sign, int dir_fd) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(dir_fd, ENTRIES, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &names);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : r;
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                if (text_has_suffix(names.items[i], ENTRY_SUFFIX))
                        r = add_file(sign, fd, names.items[i]);
        return r;
}

static int add_directory(Sign *sign, int root_fd, const char *directory) {
        static const char *const files[] = {
                "loader/loader.conf",     "grub/grub.cfg",
                "limine/limine.conf",     "limine.conf",
                "EFI/limine/limine.conf", "extlinux/extlinux.conf",
                "EFI/refind/refind.conf",
        };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(root_fd, directory, &fd);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : r;
        add_text(sign, directory, strlen(directory));
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(files); i++)
                r = add_file(sign, fd, files[i]);
        return r < 0 ? r : add_entries(sign, fd);
}

static int add_tree(Sign *sign, int dir_fd, const char *name, unsigned depth);

static int add_name(Sign *sign, int dir_fd, const char *name, unsigned depth) {
        _cleanup_free_ char *line = NULL;
        struct stat st;
        int r;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISDIR(st.st_mode)) /* its time says no more than what lies in it */
                return depth < TREE_DEPTH ? add_tree(sign, dir_fd, name, depth + 1) : -ELOOP;
        if (++sign->n_files > TREE_FILES)
                return -E2BIG;
        r = text_printf(&line, "%s %ju %jd", name, (uintmax_t) st.st_size,
                        (intmax_t) st.st_mtim.tv_sec);
        if (r >= 0)
                add_text(sign, line, strlen(line));
        return r;
}

static int add_tree(Sign *sign, int dir_fd, const char *name, unsigned depth) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(dir_fd, name, &fd);
        if (r >= 0)
                r = file_list(fd, ".", &names);
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR ? 0 : r;
        add_text(sign, name, strlen(name));
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                r = add_name(sign, fd, names.items[i], depth);
        return r;
}

/**
 * menu_sign_read() - what the boot menu looks like
 * @root:     below which the boot partition is mounted: "/"
 * @ret_sign: as hexadecimal digits, owned by the caller; "" where nothing is, or too much
 *
 * Return: 0, -ENOMEM, or an errno of reading a file, above all -EACCES where only root may.
 */
int menu_sign_read(const char *root, char **ret_sign) {
        static const char *const directories[] = { "boot", "efi", "boot/efi" };
        unsigned char hash[crypto_hash_sha256_BYTES];
        char hex[2 * sizeof(hash) + 1] = "";
        _cleanup_close_ int root_fd = -EBADF;
        Sign sign = { 0 };
        int r;

        r = file_open_directory(AT_FDCWD, root, &root_fd);
        if (r < 0)
                return r;
        (void) crypto_hash_sha256_init(&sign.state);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(directories); i++)
                r = add_directory(&sign, root_fd, directories[i]);
        if (r >= 0 && sign.n_files == 0)
                for (size_t i = 0; r >= 0 && i < ELEMENTSOF(directories); i++)
                        r = add_tree(&sign, root_fd, directories[i], 0);
        if (r == -E2BIG || r == -ELOOP)
                sign.n_files = 0;
        else if (r < 0)
                return r;
        (void) crypto_hash_sha256_final(&sign.state, hash);
        if (sign.n_files > 0)
                (void) sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        *ret_sign = strdup(hex);
        return *ret_sign ? 0 : -ENOMEM;
}
