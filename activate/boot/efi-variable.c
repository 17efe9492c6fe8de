/*
 * The variables by which system and boot loader talk: text in the firmware's own memory, which is
 * small, wears out and may be read-only. What was written is read again, since some firmware says
 * yes and forgets. Source: efivarfs of Linux; systemd's boot loader interface.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "efi-variable.h"
#include "error.h"
#include "file.h"
#include "text.h"

#define VENDOR           "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define ATTRIBUTES_BYTES ((size_t) 4)
#define ATTRIBUTES       0x7U /* kept when the power is off, for the loader, for the system */

static int file_name(const char *name, char **ret_file) {
        return text_printf(ret_file, "%s-" VENDOR, name);
}

/** efi_variables_open() - where the kernel shows them; -ENOENT on a machine without EFI. */
int efi_variables_open(int *ret_fd) {
        return file_open_directory(AT_FDCWD, EFI_VARIABLES_DIRECTORY, ret_fd);
}

static size_t put_utf8(char *to, uint32_t c) {
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

        for (size_t i = n; i-- > 1; c >>= 6)
                to[i] = (char) (0x80 | (c & 0x3f));
        to[0] = (char) (first[n] | c);
        return n;
}

static uint32_t unit_at(const unsigned char *bytes, size_t i) {
        return (uint32_t) bytes[2 * i] | (uint32_t) bytes[2 * i + 1] << 8;
}

/* UTF-16 up to its NUL; half a pair becomes a question mark. */
static int to_utf8(const unsigned char *bytes, size_t n_units, char **ret_text) {
        char *text = malloc(3 * n_units + 1), *end = text;

        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < n_units; i++) {
                uint32_t c = unit_at(bytes, i), low;

                if (c == 0)
                        break;
                low = i + 1 < n_units ? unit_at(bytes, i + 1) : 0;
                if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                        i++;
                } else if (c >= 0xd800 && c < 0xe000)
                        c = '?';
                end += put_utf8(end, c);
        }
        *end = '\0';
        *ret_text = text;
        return 0;
}

/**
 * efi_variable_read() - the text of one of the loader's variables
 * @dir_fd:   as of efi_variables_open()
 * @ret_text: owned by the caller
 *
 * Return: 0, EFI_VARIABLE_ABSENT, -EBADMSG if it holds no text, or an error of file_read().
 */
int efi_variable_read(int dir_fd, const char *name, char **ret_text) {
        _cleanup_free_ char *file = NULL, *bytes = NULL;
        size_t n;
        int r;

        r = file_name(name, &file);
        if (r >= 0)
                r = file_read(dir_fd, file, EFI_VARIABLE_BYTES_MAX, &bytes, &n);
        if (r == -ENOENT)
                return EFI_VARIABLE_ABSENT;
        if (r < 0)
                return r;
        if (n < ATTRIBUTES_BYTES || (n - ATTRIBUTES_BYTES) % 2 != 0)
                return -EBADMSG;
        return to_utf8((const unsigned char *) bytes + ATTRIBUTES_BYTES, (n - ATTRIBUTES_BYTES) / 2,
                       ret_text);
}

/* The kernel protects variables from an rm -rf; file systems that know no such flag don't mind. */
static int make_mutable(int dir_fd, const char *file) {
        _cleanup_close_ int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        int flags;

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
                return errno == ENOTTY || errno == EOPNOTSUPP ? 0 : -errno;
        if (!(flags & FS_IMMUTABLE_FL))
                return 0;
        flags &= ~FS_IMMUTABLE_FL;
        return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

static int to_bytes(const char *text, char **ret_bytes, size_t *ret_n) {
        size_t n = ATTRIBUTES_BYTES + 2 * (strlen(text) + 1);
        char *bytes;

        if (n > EFI_VARIABLE_BYTES_MAX)
                return -E2BIG;
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p >= 0x80)
                        return -EINVAL;
        bytes = calloc(1, n);
        if (!bytes)
                return -ENOMEM;
        bytes[0] = ATTRIBUTES;
        for (size_t i = 0; text[i]; i++)
                bytes[ATTRIBUTES_BYTES + 2 * i] = text[i];
        *ret_bytes = bytes;
        *ret_n = n;
        return 0;
}

/* The kernel takes what one write has as the whole value; a plain file keeps what was longer. */
static int write_once(int dir_fd, const char *file, const char *bytes, size_t n) {
        _cleanup_close_ int fd = -EBADF;
        struct statfs fs;
        ssize_t k;

        fd = openat(dir_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        if (fstatfs(fd, &fs) < 0)
                return -errno;
        if ((unsigned long) fs.f_type != EFIVARFS_MAGIC && ftruncate(fd, 0) < 0)
                return -errno;
        do
                k = write(fd, bytes, n);
        while (k < 0 && errno == EINTR);
        if (k < 0)
                return -errno;
        return (size_t) k == n ? 0 : -EIO;
}

static int check_written(int dir_fd, const char *name, const char *text) {
        _cleanup_free_ char *now = NULL;
        int r = efi_variable_read(dir_fd, name, &now);

        if (r < 0)
                return r;
        return r == 0 && strcmp(now, text) == 0 ? 0 : -EIO;
}

static int could_not(int r, const char *verb, const char *name, sd_bus_error *reterr_error) {
        if (r >= 0 || r == -ENOMEM)
                return r;
        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                 "Cannot %s the EFI variable '%s': %s%s", verb, name, strerror(-r),
                                 r == -ENOSPC ? " (the firmware's memory is full)." :
                                 r == -EROFS || r == -EPERM || r == -EACCES ?
                                                " (the firmware or the mount is read-only)." :
                                                ".");
        return r;
}

/**
 * efi_variable_write() - set one of the loader's variables, and see that it is set
 * @text: ASCII
 *
 * Return: 0, -EIO if another value is read back, or an errno of open(2) or write(2), each with
 * @reterr_error set; -ENOMEM.
 */
int efi_variable_write(int dir_fd, const char *name, const char *text, sd_bus_error *reterr_error) {
        _cleanup_free_ char *file = NULL, *bytes = NULL;
        size_t n;
        int r;

        r = file_name(name, &file);
        if (r >= 0)
                r = to_bytes(text, &bytes, &n);
        if (r >= 0)
                r = make_mutable(dir_fd, file);
        if (r >= 0)
                r = write_once(dir_fd, file, bytes, n);
        if (r >= 0)
                r = check_written(dir_fd, name, text);
        return could_not(r, "write", name, reterr_error);
}

/** efi_variable_delete() - the same for taking it away; 0 also if it is not there. */
int efi_variable_delete(int dir_fd, const char *name, sd_bus_error *reterr_error) {
        _cleanup_free_ char *file = NULL;
        int r;

        r = file_name(name, &file);
        if (r >= 0)
                r = make_mutable(dir_fd, file);
        if (r >= 0 && unlinkat(dir_fd, file, 0) < 0 && errno != ENOENT)
                r = -errno;
        if (r >= 0 && faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                r = -EIO;
        return could_not(r, "delete", name, reterr_error);
}
