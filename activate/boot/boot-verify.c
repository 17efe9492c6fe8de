/*
 * Whether an entry would boot what it says. Our files bear their hashes; NixOS' own are compared
 * with the files of the store that they were copied from, an initrd with secrets as far as the
 * store's own goes. For all others only that they are there can be told.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "boot-verify.h"
#include "text.h"

#define CHUNK_BYTES ((size_t) 256 * 1024)

/* clang-format off */
static const char *const state_names[_ENTRY_STATE_MAX] = {
        [ENTRY_COMPLETE]   = "complete",
        [ENTRY_UNVERIFIED] = "unverified",
        [ENTRY_DAMAGED]    = "damaged",
};
/* clang-format on */

typedef struct Verifier {
        int menu_fd;
        const BootListing *listing;
        EntryState state;
        char *why;
} Verifier;

const char *entry_state_to_string(EntryState state) {
        return state_names[state];
}

/* The first damage is the one that is told. @path: NULL: the entry itself */
static int damaged(Verifier *verifier, const char *path, const char *how) {
        if (verifier->state == ENTRY_DAMAGED)
                return 0;
        verifier->state = ENTRY_DAMAGED;
        return path ? text_printf(&verifier->why, "'%s' %s", path, how) :
                      text_printf(&verifier->why, "it %s", how);
}

static void unverified(Verifier *verifier) {
        if (verifier->state == ENTRY_COMPLETE)
                verifier->state = ENTRY_UNVERIFIED;
}

/* Whether the first file begins with all of the second; and is no longer, if it must not be. */
static int begins_with(int fd, int wanted_fd, bool may_be_longer) {
        _cleanup_free_ char *a = malloc(CHUNK_BYTES), *b = malloc(CHUNK_BYTES);
        off_t at = 0;

        if (!a || !b)
                return -ENOMEM;
        for (;;) {
                ssize_t n = pread(wanted_fd, b, CHUNK_BYTES, at), k;

                if (n < 0)
                        return -errno;
                k = pread(fd, a, n > 0 ? (size_t) n : 1, at);
                if (k < 0)
                        return -errno;
                if (n == 0)
                        return k == 0 || may_be_longer;
                if (k != n || memcmp(a, b, (size_t) n) != 0)
                        return 0;
                at += n;
        }
}

/* What is there to be compared with cannot be told; what was to be compared is damaged. */
static int compare(int dir_fd, const char *path, const char *wanted, bool may_be_longer,
                   EntryState *ret_state, const char **ret_how) {
        _cleanup_close_ int fd = -EBADF, wanted_fd = -EBADF;
        int r;

        *ret_state = ENTRY_UNVERIFIED;
        wanted_fd = open(wanted, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (wanted_fd < 0)
                return 0;
        *ret_state = ENTRY_DAMAGED;
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0) {
                *ret_how = "cannot be opened";
                return 0;
        }
        (void) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        r = begins_with(fd, wanted_fd, may_be_longer);
        if (r == -ENOMEM)
                return r;
        if (r <= 0)
                *ret_how = r < 0 ? "cannot be read" : "is not what the store has";
        else
                *ret_state = ENTRY_COMPLETE;
        return 0;
}

/**
 * boot_verify_file() - how one file of an entry stands
 * @wanted:        the file of the store that it was copied from; NULL: not known
 * @may_be_longer: something may have been appended
 * @ret_how:       what is damaged: "is missing"; else untouched
 *
 * Return: 0 or -ENOMEM.
 */
int boot_verify_file(int dir_fd, const char *path, const char *wanted, bool may_be_longer,
                     EntryState *ret_state, const char **ret_how) {
        struct stat st;

        *ret_state = ENTRY_DAMAGED;
        if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                *ret_how = "is missing";
        else if (!S_ISREG(st.st_mode) || st.st_size == 0)
                *ret_how = "is empty or no file";
        else if (wanted)
                return compare(dir_fd, path, wanted, may_be_longer, ret_state, ret_how);
        else
                *ret_state = ENTRY_UNVERIFIED;
        return 0;
}

static int check_file(Verifier *verifier, const char *value, const char *wanted,
                      bool may_be_longer) {
        _cleanup_free_ char *path = NULL;
        const PayloadFile *payload;
        const char *how = NULL;
        EntryState state;
        bool is_ours;
        int r;

        r = entry_path_normalise(value, &path);
        if (r == -EINVAL)
                return damaged(verifier, value, "leads out of the partition");
        if (r < 0)
                return r;
        payload = boot_listing_payload(verifier->listing, path);
        is_ours = payload && text_after_prefix(path, BOOT_PAYLOADS_FOLDER "/");
        r = boot_verify_file(verifier->menu_fd, path, is_ours ? NULL : wanted, may_be_longer,
                             &state, &how);
        if (r < 0)
                return r;
        if (state == ENTRY_DAMAGED)
                return damaged(verifier, path, how);
        if (is_ours && !payload->verified)
                return damaged(verifier, path, "has other bytes than it was made with");
        if (!is_ours && state == ENTRY_UNVERIFIED)
                unverified(verifier);
        return 0;
}

static int check_files(Verifier *verifier, const LoaderEntry *entry, const Bootspec *spec) {
        int r = 0;

        if (entry->kernel)
                r = check_file(verifier, entry->kernel, spec ? spec->kernel : NULL, false);
        if (r >= 0 && entry->efi)
                r = check_file(verifier, entry->efi, NULL, false);
        for (size_t i = 0; r >= 0 && i < entry->initrds.n; i++)
                r = check_file(verifier, entry->initrds.items[i],
                               spec && i == 0 ? spec->initrd : NULL, spec && spec->initrd_secrets);
        if (r >= 0 && entry->devicetree)
                r = check_file(verifier, entry->devicetree, spec ? spec->devicetree : NULL, false);
        return r;
}

/**
 * boot_verify_entry() - how an entry stands
 * @menu_fd: root of the partition that has it
 * @spec:    what the system that it boots says; NULL: not known
 * @ret_why: what is damaged, for people; else NULL. Owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int boot_verify_entry(int menu_fd, const BootListing *listing, const MenuEntry *entry,
                      const Bootspec *spec, EntryState *ret_state, char **ret_why) {
        Verifier verifier = { .menu_fd = menu_fd, .listing = listing };
        int r = 0;

        if (entry->unified)
                unverified(&verifier);
        else if (!entry->entry.kernel && !entry->entry.efi)
                r = damaged(&verifier, NULL, "names no kernel");
        else if (!entry->intact)
                r = damaged(&verifier, NULL, "has other bytes than it was made with");
        if (r >= 0 && !entry->unified)
                r = check_files(&verifier, &entry->entry, spec);
        if (r < 0) {
                free(verifier.why);
                return r;
        }
        *ret_state = verifier.state;
        *ret_why = verifier.why;
        return 0;
}
