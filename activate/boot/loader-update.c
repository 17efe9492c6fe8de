/*
 * systemd-boot itself on the ESP: the one file without a way back. What is not there is written,
 * since nothing boots by it yet. What is there is replaced by a newer one only, one copy in a run:
 * first the one that the firmware starts, and the other only once a boot has shown that the first
 * one does; until then it is what the firmware falls back to. Copies of other vendors, and signed
 * ones where the new one is not, are left alone. Firmware is told nothing: a boot entry of its own
 * is bootctl's to make, and without one it starts the fallback.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "digest.h"
#include "efi-variable.h"
#include "error.h"
#include "fat-file.h"
#include "file.h"
#include "loader-update.h"
#include "loader-version.h"
#include "text.h"
#include "version-compare.h"

#define LOADER_BYTES_MAX ((size_t) 16 * 1024 * 1024)
#define PROGRAM          "systemd-boot "
#define EFI_LOADER_IMAGE "LoaderImageIdentifier" /* "\EFI\systemd\systemd-bootx64.efi" */

/* Of the PE format. */
#define PE_OFFSET_AT       0x3cU
#define PE_MAGIC_AT        24U /* of the optional header, which follows the file's */
#define PE_MAGIC_64        0x20bU
#define PE_DIRECTORIES_64  112U /* in the optional header */
#define PE_DIRECTORIES_32  96U
#define PE_SECURITY        4U /* which directory has the signatures */
#define PE_DIRECTORY_BYTES 8U

/* A loader's program, as it lies somewhere. */
typedef struct Image {
        char *bytes;
        size_t n;
        LoaderVersion version;
        bool is_there, is_ours; /* it says that it is systemd-boot */
        bool is_signed;
} Image;

/* One of the two places. */
typedef struct Place {
        char *folder, *name;
        Image now;
        enum { PLACE_KEEP, PLACE_ADD, PLACE_REPAIR, PLACE_REPLACE } wish;
} Place;

typedef struct Run {
        const LoaderUpdate *update;
        StringList *notes;
        sd_bus_error *error;
        char *source; /* path of the new one */
        Image new;
        Place places[_LOADER_COPY_MAX];
        char *running;    /* what LoaderInfo says; NULL: not known */
        LoaderCopy first; /* the one that the firmware starts */
} Run;

static void image_done(Image *image) {
        free(image->bytes);
        loader_version_done(&image->version);
}

static void run_done(Run *run) {
        for (size_t i = 0; i < _LOADER_COPY_MAX; i++) {
                free(run->places[i].folder);
                free(run->places[i].name);
                image_done(&run->places[i].now);
        }
        image_done(&run->new);
        free(run->source);
        free(run->running);
}

static _printf_(2, 3) int note(Run *run, const char *format, ...) {
        va_list ap;
        char *text;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : string_list_take(run->notes, text);
}

/** loader_update_architecture() - how EFI calls this machine's; NULL: none that it knows. */
const char *loader_update_architecture(void) {
        static const struct {
                const char *machine, *name;
        } names[] = {
                { "x86_64", "x64" },      { "aarch64", "aa64" }, { "i686", "ia32" },
                { "riscv64", "riscv64" }, { "armv7l", "arm" },   { "loongarch64", "loongarch64" },
        };
        struct utsname name;

        if (uname(&name) < 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcmp(names[i].machine, name.machine) == 0)
                        return names[i].name;
        return NULL;
}

static uint32_t number_at(const Image *image, size_t at, size_t n_bytes) {
        uint32_t number = 0;

        if (at > image->n || image->n - at < n_bytes)
                return 0;
        for (size_t i = n_bytes; i > 0; i--)
                number = number << 8 | (unsigned char) image->bytes[at + i - 1];
        return number;
}

/* Whether a list of signatures hangs on it. */
static bool has_signature(const Image *image) {
        size_t optional = (size_t) number_at(image, PE_OFFSET_AT, 4) + PE_MAGIC_AT;
        size_t directories = number_at(image, optional, 2) == PE_MAGIC_64 ? PE_DIRECTORIES_64 :
                                                                            PE_DIRECTORIES_32;

        return image->n > 2 && memcmp(image->bytes, "MZ", 2) == 0 &&
               number_at(image, optional + directories + PE_SECURITY * PE_DIRECTORY_BYTES + 4, 4) >
                       0;
}

static int read_image(int dir_fd, const char *path, Image *image) {
        int r;

        r = file_read(dir_fd, path, LOADER_BYTES_MAX, &image->bytes, &image->n);
        if (r < 0)
                return r;
        image->is_there = true;
        image->is_signed = has_signature(image);
        r = loader_version_from_binary(image->bytes, image->n, &image->version);
        image->is_ours = r >= 0 && text_after_prefix(image->version.text, PROGRAM);
        return r == -ENOMEM ? r : 0;
}

/* A distribution that signs its loader has that beside it. */
static int read_new(Run *run) {
        static const char *const suffixes[] = { ".signed", "" };
        const LoaderUpdate *update = run->update;
        int r = -ENOENT;

        for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(suffixes); i++) {
                free(run->source);
                run->source = NULL;
                r = text_printf(&run->source, "%s/systemd-boot%s.efi%s", update->programs,
                                update->architecture, suffixes[i]);
                if (r >= 0)
                        r = read_image(AT_FDCWD, run->source, &run->new);
        }
        if (r >= 0 && !run->new.is_ours)
                r = -EBADMSG;
        if (r < 0 && r != -ENOMEM)
                (void) sd_bus_error_setf(run->error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot take the boot loader from '%s': %s. The one that "
                                         "is installed stays.",
                                         run->source,
                                         r == -EBADMSG ? "it does not say that it is systemd-boot" :
                                                         strerror(-r));
        return r;
}

static int read_place(Run *run, Place *place) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", place->folder, place->name);
        if (r >= 0)
                r = read_image(run->update->esp->fd, path, &place->now);
        if (r < 0 && r != -ENOENT && r != -ENOMEM)
                (void) sd_bus_error_setf(run->error, ENACT_ERROR_BOOT_MENU,
                                         "Cannot read the boot loader '%s/%s': %s. It stays.",
                                         run->update->esp->path, path, strerror(-r));
        return r == -ENOENT ? 0 : r;
}

static int read_places(Run *run) {
        const char *architecture = run->update->architecture;
        Place *own = &run->places[LOADER_COPY_OWN], *fallback = &run->places[LOADER_COPY_FALLBACK];
        int r;

        own->folder = strdup("EFI/systemd");
        fallback->folder = strdup("EFI/BOOT");
        if (!own->folder || !fallback->folder)
                return -ENOMEM;
        r = text_printf(&own->name, "systemd-boot%s.efi", architecture);
        if (r >= 0)
                r = text_printf(&fallback->name, "BOOT%s.EFI", architecture);
        if (r < 0)
                return r;
        for (char *p = fallback->name; *p; p++)
                *p = (char) toupper((unsigned char) *p);
        r = read_place(run, own);
        return r < 0 ? r : read_place(run, fallback);
}

/* Which one was started, and which version that is, it has said itself. */
static int read_running(Run *run) {
        _cleanup_free_ char *image = NULL, *path = NULL;
        int fd = run->update->variables_fd, r;

        if (fd < 0)
                return 0;
        r = efi_variable_read(fd, EFI_LOADER_INFO, &run->running);
        if (r != -ENOMEM)
                r = efi_variable_read(fd, EFI_LOADER_IMAGE, &image);
        if (r == -ENOMEM)
                return r;
        r = text_printf(&path, "\\EFI\\BOOT\\%s", run->places[LOADER_COPY_FALLBACK].name);
        if (r >= 0 && image && strcasecmp(image, path) == 0)
                run->first = LOADER_COPY_FALLBACK;
        return r;
}

static int compare_versions(const Image *a, const Image *b) {
        return version_compare(a->version.text + strlen(PROGRAM),
                               b->version.text + strlen(PROGRAM));
}

/* Whether it is cut short: what a signature has made longer is not. */
static bool is_damaged(const Image *now, const Image *new) {
        return now->n == 0 || (now->is_ours && compare_versions(now, new) == 0 && now->n < new->n);
}

static int choose(Run *run, Place *place) {
        const Image *now = &place->now, *new = &run->new;

        if (!now->is_there) {
                place->wish = PLACE_ADD;
                return 0;
        }
        if (is_damaged(now, new)) {
                place->wish = PLACE_REPAIR;
                return 0;
        }
        if (!now->is_ours)
                return note(run, "'%s/%s' is no systemd-boot and stays as it is", place->folder,
                            place->name);
        if (compare_versions(now, new) >= 0)
                return 0;
        if (now->is_signed && !new->is_signed)
                return note(run,
                            "the boot loader '%s/%s' (%s) is signed and '%s' is not: it stays as "
                            "it is",
                            place->folder, place->name, now->version.text, run->source);
        place->wish = PLACE_REPLACE;
        return 0;
}

/* The second copy waits until this very version has booted the machine. */
static bool has_booted(const Run *run) {
        return run->running && strcmp(run->running, run->new.version.text) == 0;
}

static int write_place(Run *run, Place *place) {
        const BootPartition *esp = run->update->esp;
        const FatDirectory root = { esp->fd, esp->path };
        _cleanup_free_ char *path = NULL;
        FatSource source = { .fd = -EBADF, .bytes = run->new.bytes };
        FatDirectory directory;
        int r;

        digest_of_bytes(run->new.bytes, run->new.n, &source.digest);
        r = fat_directory_make(&root, "EFI", run->error);
        if (r >= 0)
                r = fat_directory_make(&root, place->folder, run->error);
        if (r >= 0)
                r = text_printf(&path, "%s/%s", esp->path, place->folder);
        if (r < 0)
                return r;
        directory.path = path;
        r = file_open_directory(esp->fd, place->folder, &directory.fd);
        if (r < 0)
                return r;
        r = place->wish == PLACE_ADD ?
                    fat_file_add(&directory, place->name, &source, run->error) :
                    fat_file_replace(&directory, place->name, &source, run->error);
        if (r >= 0)
                r = fat_barrier(&directory, run->error);
        if (r >= 0 && fat_file_check(&directory, place->name, &source.digest) != 0) {
                (void) sd_bus_error_setf(run->error, ENACT_ERROR_BOOT_MENU,
                                         "The boot loader '%s/%s' was written and is not what it "
                                         "must be.",
                                         path, place->name);
                r = -EIO;
        }
        (void) fd_close(directory.fd);
        return r;
}

static int tell_written(Run *run, const Place *place) {
        if (place->wish == PLACE_ADD)
                return note(run, "the boot loader '%s/%s' was installed: %s", place->folder,
                            place->name, run->new.version.text);
        return note(run, "the boot loader '%s/%s' was updated: %s, it was %s", place->folder,
                    place->name, run->new.version.text,
                    place->wish == PLACE_REPAIR ? "cut short" : place->now.version.text);
}

static int write_and_tell(Run *run, Place *place) {
        int r = write_place(run, place);

        return r < 0 ? r : tell_written(run, place);
}

/* What no machine could boot by, and then at most one that it could. */
static int write_places(Run *run) {
        Place *first = &run->places[run->first], *second = &run->places[!run->first];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < _LOADER_COPY_MAX; i++)
                if (run->places[i].wish == PLACE_ADD || run->places[i].wish == PLACE_REPAIR)
                        r = write_and_tell(run, &run->places[i]);
        if (r < 0)
                return r;
        if (first->wish == PLACE_REPLACE)
                r = write_and_tell(run, first);
        if (r < 0 || second->wish != PLACE_REPLACE)
                return r;
        if (first->wish != PLACE_REPLACE && has_booted(run))
                return write_and_tell(run, second);
        return note(run,
                    "the boot loader '%s/%s' is updated by the next run after this machine has "
                    "booted with %s",
                    second->folder, second->name, run->new.version.text);
}

/**
 * loader_update_run() - install systemd-boot, or update one copy of it
 * @notes: what was done, and what was left alone and why
 *
 * Return: 0 (also if there is nothing to do); -EBADMSG if the new one is none, -EROFS, -ENOSPC, or
 * an errno of the step that failed, each with @reterr_error set; -ENOMEM.
 */
int loader_update_run(const LoaderUpdate *update, StringList *notes, sd_bus_error *reterr_error) {
        _cleanup_(run_done) Run run = { .update = update, .notes = notes, .error = reterr_error };
        int r;

        r = boot_partition_check_writable(update->esp, reterr_error);
        if (r >= 0)
                r = read_new(&run);
        if (r >= 0)
                r = read_places(&run);
        if (r >= 0)
                r = read_running(&run);
        for (size_t i = 0; r >= 0 && i < _LOADER_COPY_MAX; i++)
                r = choose(&run, &run.places[i]);
        return r < 0 ? r : write_places(&run);
}
