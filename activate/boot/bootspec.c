/*
 * Bootspec: what a system says about itself to boot loaders. Its boot.json (RFC 125) is foreign
 * text of which each piece ends up in a boot entry, so that one wrong type or line end makes the
 * whole document invalid. A system without one is from before NixOS 22.11; the same is then
 * gathered from its files.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bootspec.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "store-path.h"
#include "text.h"

#define DOCUMENT          "org.nixos.bootspec.v1"
#define SPECIALISATIONS   "org.nixos.specialisation.v1"
#define SYSTEMD_BOOT      "org.nixos.systemd-boot"
#define EXTRA_INITRD      "org.nixos.extra-initrd.v1"
#define SORT_KEY          "nixos"
#define KERNEL_PARAMS_MAX 4096U
#define NAME_BYTES_MAX    255U

typedef struct Reader {
        const char *where; /* for people: which document */
        sd_bus_error *error;
} Reader;

static _printf_(2, 3) int refuse(const Reader *reader, const char *format, ...) {
        _cleanup_free_ char *why = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&why, format, ap);
        va_end(ap);
        if (r < 0) {
                why = NULL;
                return -ENOMEM;
        }
        text_strip_controls(why);
        (void) sd_bus_error_setf(reader->error, ENACT_ERROR_BOOT_MENU,
                                 "The boot document of '%s' cannot be used: %s. "
                                 "No entry is made for it.",
                                 reader->where, why);
        return -EBADMSG;
}

/* One line of an entry file can hold it. */
static bool is_one_line(const char *text) {
        for (const char *p = text; *p; p++)
                if (iscntrl((unsigned char) *p))
                        return false;
        return text_is_utf8(text);
}

/* cJSON would take it for the end of the text that it stands in. */
static bool has_nul(const char *text, size_t n) {
        if (memchr(text, '\0', n))
                return true;
        for (size_t i = 0; i + 5 < n; i++) {
                if (text[i] != '\\')
                        continue;
                if (strncmp(text + i, "\\u0000", 6) == 0)
                        return true;
                i++;
        }
        return false;
}

static int check_doubled(const Reader *reader, const cJSON *object) {
        const cJSON *item, *other;
        size_t n = 0;

        cJSON_ArrayForEach(item, object) {
                if (++n > BOOTSPEC_SPECIALISATION_MAX)
                        return refuse(reader, "it has more than %u keys in one place",
                                      BOOTSPEC_SPECIALISATION_MAX);
                for (other = item->next; other; other = other->next)
                        if (strcmp(other->string, item->string) == 0)
                                return refuse(reader, "'%s' is there twice", item->string);
        }
        return 0;
}

static int read_text(const Reader *reader, const cJSON *object, const char *key, bool required,
                     char **ret_text) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

        if (!item && !required)
                return 0;
        if (!item)
                return refuse(reader, "'%s' is missing", key);
        if (!cJSON_IsString(item))
                return refuse(reader, "'%s' is no text", key);
        if (!*item->valuestring || !is_one_line(item->valuestring))
                return refuse(reader, "'%s' is empty or not one line of text", key);
        *ret_text = strdup(item->valuestring);
        return *ret_text ? 0 : -ENOMEM;
}

static int read_path(const Reader *reader, const cJSON *object, const char *key, bool required,
                     char **ret_path) {
        int r = read_text(reader, object, key, required, ret_path);

        if (r >= 0 && *ret_path && !store_path_is_valid(*ret_path))
                return refuse(reader, "'%s' is no path of the store: '%s'", key, *ret_path);
        return r;
}

/* The one that matters is ours to add: stage 1 refuses a second. */
static bool has_init(const char *parameter) {
        const char *at = parameter;

        while ((at = strstr(at, "init="))) {
                if (at == parameter || isspace((unsigned char) at[-1]))
                        return true;
                at++;
        }
        return false;
}

static int add_parameter(const Reader *reader, Bootspec *spec, const char *parameter) {
        if (!is_one_line(parameter))
                return refuse(reader, "a kernel parameter is not one line of text");
        if (has_init(parameter))
                return refuse(reader, "its kernel parameters have an init= of their own");
        if (spec->kernel_params.n >= KERNEL_PARAMS_MAX)
                return refuse(reader, "it has more than %u kernel parameters", KERNEL_PARAMS_MAX);
        return *parameter ? string_list_add(&spec->kernel_params, parameter) : 0;
}

static int read_parameters(const Reader *reader, const cJSON *object, Bootspec *spec) {
        const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, "kernelParams"), *item;

        if (!cJSON_IsArray(array))
                return refuse(reader, "'kernelParams' is no list");
        cJSON_ArrayForEach(item, array) {
                int r;

                if (!cJSON_IsString(item))
                        return refuse(reader, "'kernelParams' holds something that is no text");
                r = add_parameter(reader, spec, item->valuestring);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The kernel is told init=, and what runs is told by it: both must be the same system. */
static int check_init(const Reader *reader, const Bootspec *spec) {
        const char *below = text_after_prefix(spec->init, spec->toplevel);

        if (!store_path_is_toplevel(spec->toplevel))
                return refuse(reader, "'toplevel' is not directly below the store: '%s'",
                              spec->toplevel);
        if (!below || *below != '/')
                return refuse(reader, "its init '%s' does not lie in its toplevel '%s'", spec->init,
                              spec->toplevel);
        if (strpbrk(spec->init, " \""))
                return refuse(reader, "the path of its init has a blank in it");
        return 0;
}

static int read_document(const Reader *reader, const cJSON *root, Bootspec *spec) {
        const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, DOCUMENT);
        int r;

        if (!cJSON_IsObject(object))
                return refuse(reader, "it has no '%s'", DOCUMENT);
        r = check_doubled(reader, object);
        if (r >= 0)
                r = read_text(reader, object, "system", true, &spec->system);
        if (r >= 0)
                r = read_text(reader, object, "label", true, &spec->label);
        if (r >= 0)
                r = read_path(reader, object, "toplevel", true, &spec->toplevel);
        if (r >= 0)
                r = read_path(reader, object, "init", true, &spec->init);
        if (r >= 0)
                r = read_path(reader, object, "kernel", true, &spec->kernel);
        if (r >= 0)
                r = read_path(reader, object, "initrd", false, &spec->initrd);
        if (r >= 0)
                r = read_path(reader, object, "initrdSecrets", false, &spec->initrd_secrets);
        if (r >= 0)
                r = read_parameters(reader, object, spec);
        return r < 0 ? r : check_init(reader, spec);
}

static int set_default_sort_key(Bootspec *spec) {
        if (!spec->sort_key)
                spec->sort_key = strdup(SORT_KEY);
        return spec->sort_key ? 0 : -ENOMEM;
}

static int read_systemd_boot(const Reader *reader, const cJSON *root, Bootspec *spec) {
        const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, SYSTEMD_BOOT);
        int r = 0;

        if (object && !cJSON_IsObject(object))
                return refuse(reader, "'%s' is no object", SYSTEMD_BOOT);
        if (object)
                r = check_doubled(reader, object);
        if (r >= 0 && object)
                r = read_text(reader, object, "sortKey", false, &spec->sort_key);
        if (r >= 0 && object)
                r = read_path(reader, object, "devicetree", false, &spec->devicetree);
        return r < 0 ? r : set_default_sort_key(spec);
}

/* On the boot partition, below its root, and nothing that an entry's line would end at. */
static bool is_relative(const char *path) {
        const char *at = path;

        if (!*path || !is_one_line(path) || strpbrk(path, " \\"))
                return false;
        for (;;) {
                size_t n = strcspn(at, "/");

                if (n == 0 || (n == 1 && *at == '.') || (n == 2 && strncmp(at, "..", 2) == 0))
                        return false;
                if (at[n] == '\0')
                        return true;
                at += n + 1;
        }
}

static int read_extra_initrds(const Reader *reader, const cJSON *root, Bootspec *spec) {
        const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, EXTRA_INITRD);
        int r;

        if (!object)
                return 0;
        if (!cJSON_IsObject(object))
                return refuse(reader, "'%s' is no object", EXTRA_INITRD);
        r = json_read_strings(object, "paths", &spec->extra_initrds);
        if (r == -EBADMSG)
                return refuse(reader, "the paths of '%s' are no list of texts", EXTRA_INITRD);
        for (size_t i = 0; r >= 0 && i < spec->extra_initrds.n; i++)
                if (!is_relative(spec->extra_initrds.items[i]))
                        return refuse(reader, "'%s' is no path relative to the boot partition",
                                      spec->extra_initrds.items[i]);
        return r;
}

static int note_unknown(const cJSON *root, Bootspec *spec) {
        static const char *const known[] = { DOCUMENT, SPECIALISATIONS, SYSTEMD_BOOT,
                                             EXTRA_INITRD };
        const cJSON *item;

        cJSON_ArrayForEach(item, root) {
                bool is_known = false;
                int r;

                for (size_t i = 0; i < ELEMENTSOF(known); i++)
                        is_known = is_known || strcmp(known[i], item->string) == 0;
                r = is_known ? 0 : string_list_add(&spec->unknown, item->string);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_system(const Reader *reader, const cJSON *root, Bootspec *spec) {
        int r;

        if (!cJSON_IsObject(root))
                return refuse(reader, "a specialisation is no object");
        r = check_doubled(reader, root);
        if (r >= 0)
                r = read_document(reader, root, spec);
        if (r >= 0)
                r = read_systemd_boot(reader, root, spec);
        if (r >= 0)
                r = read_extra_initrds(reader, root, spec);
        return r < 0 ? r : note_unknown(root, spec);
}

static int compare_specialisations(const void *a, const void *b) {
        return strcmp(((const Bootspec *) a)->specialisation,
                      ((const Bootspec *) b)->specialisation);
}

/* Room for one more; it belongs to @spec even while it is filled. */
static int add_specialisation(const Reader *reader, Bootspec *spec, const char *name,
                              Bootspec **ret) {
        Bootspec *all;

        if (!*name || strlen(name) > NAME_BYTES_MAX || !is_one_line(name) || strchr(name, '/'))
                return refuse(reader, "'%s' is no name of a specialisation", name);
        if (spec->n_specialisations >= BOOTSPEC_SPECIALISATION_MAX)
                return refuse(reader, "it has more than %u specialisations",
                              BOOTSPEC_SPECIALISATION_MAX);
        all = reallocarray(spec->specialisations, spec->n_specialisations + 1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        spec->specialisations = all;
        *ret = &all[spec->n_specialisations++];
        **ret = (Bootspec){ .specialisation = strdup(name) };
        return (*ret)->specialisation ? 0 : -ENOMEM;
}

static void sort_specialisations(Bootspec *spec) {
        if (spec->n_specialisations > 1)
                qsort(spec->specialisations, spec->n_specialisations,
                      sizeof(*spec->specialisations), compare_specialisations);
}

static int read_specialisations(const Reader *reader, const cJSON *root, Bootspec *spec) {
        const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, SPECIALISATIONS), *item;
        int r;

        if (!object)
                return 0;
        if (!cJSON_IsObject(object))
                return refuse(reader, "'%s' is no object", SPECIALISATIONS);
        r = check_doubled(reader, object);
        cJSON_ArrayForEach(item, object) {
                Bootspec *child;

                if (r >= 0)
                        r = add_specialisation(reader, spec, item->string, &child);
                if (r >= 0)
                        r = read_system(reader, item, child);
                if (r < 0)
                        break;
        }
        sort_specialisations(spec);
        return r;
}

/**
 * bootspec_parse() - read a boot document
 * @text:     @n bytes of it
 * @toplevel: the system that it must be about; also names it in the words
 * @spec:     all zero before; bootspec_done() even after an error
 *
 * Source: RFC 125; the extensions of NixOS' own builders.
 *
 * Return: 0, -EBADMSG with @reterr_error set, or -ENOMEM.
 */
int bootspec_parse(const char *text, size_t n, const char *toplevel, Bootspec *spec,
                   sd_bus_error *reterr_error) {
        const Reader reader = { toplevel, reterr_error };
        _cleanup_(cJSON_Deletep) cJSON *root = NULL;
        int r;

        if (n > BOOTSPEC_BYTES_MAX)
                return refuse(&reader, "it is longer than %zu bytes", BOOTSPEC_BYTES_MAX);
        if (has_nul(text, n))
                return refuse(&reader, "there is a NUL in it");
        if (json_parse(text, n, &root) < 0)
                return refuse(&reader, "it is no JSON object");

        r = read_system(&reader, root, spec);
        if (r >= 0)
                r = read_specialisations(&reader, root, spec);
        if (r >= 0 && strcmp(spec->toplevel, toplevel) != 0)
                return refuse(&reader, "it is about '%s'", spec->toplevel);
        return r;
}

/**
 * bootspec_read() - the boot document in a system
 * @toplevel_fd: the system's directory; @toplevel: its store path
 *
 * Return: 0, BOOTSPEC_ABSENT, or an error of bootspec_parse(); one that cannot be read is -EBADMSG
 * with words, too.
 */
int bootspec_read(int toplevel_fd, const char *toplevel, Bootspec *spec,
                  sd_bus_error *reterr_error) {
        const Reader reader = { toplevel, reterr_error };
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = file_read(toplevel_fd, BOOTSPEC_NAME, BOOTSPEC_BYTES_MAX, &text, &n);
        if (r == -ENOENT)
                return BOOTSPEC_ABSENT;
        if (r < 0)
                return r == -ENOMEM ? r : refuse(&reader, "it cannot be read (%s)", strerror(-r));
        return bootspec_parse(text, n, toplevel, spec, reterr_error);
}

static int read_line(const Reader *reader, int fd, const char *name, char **ret_line) {
        int r = file_read_line(fd, name, ret_line);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(reader, "its '%s' cannot be read (%s)", name, strerror(-r));
        if (!**ret_line || !is_one_line(*ret_line))
                return refuse(reader, "its '%s' is not one line of text", name);
        return 0;
}

/* Stays as it is where there is no such link and none is needed. */
static int read_link(const Reader *reader, int fd, const char *name, bool required,
                     char **ret_path) {
        int r = file_readlink(fd, name, ret_path);

        if (r == -ENOENT && !required)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(reader, "its '%s' cannot be read (%s)", name, strerror(-r));
        if (!store_path_is_valid(*ret_path))
                return refuse(reader, "its '%s' leads to '%s', which is no path of the store", name,
                              *ret_path);
        return 0;
}

static int synthesise_parameters(const Reader *reader, int fd, Bootspec *spec) {
        _cleanup_free_ char *line = NULL;
        char *rest;
        int r;

        r = file_read_line(fd, "kernel-params", &line);
        if (r < 0)
                return r == -ENOMEM ? r :
                                      refuse(reader, "its 'kernel-params' cannot be read (%s)",
                                             strerror(-r));
        for (char *p = strtok_r(line, " ", &rest); r >= 0 && p; p = strtok_r(NULL, " ", &rest))
                r = add_parameter(reader, spec, p);
        return r;
}

static int synthesise_label(const Reader *reader, int fd, Bootspec *spec) {
        _cleanup_(string_list_done) StringList versions = { 0 };
        _cleanup_free_ char *version = NULL;
        int r;

        r = read_line(reader, fd, "nixos-version", &version);
        if (r < 0)
                return r;
        r = file_list(fd, "kernel-modules/lib/modules", &versions);
        if (r < 0 || versions.n != 1 || !is_one_line(versions.items[0]))
                return text_printf(&spec->label, "NixOS %s", version);
        return text_printf(&spec->label, "NixOS %s (Linux %s)", version, versions.items[0]);
}

static int synthesise_system(const Reader *reader, int fd, const char *toplevel, Bootspec *spec) {
        int r;

        spec->synthesised = true;
        spec->toplevel = strdup(toplevel);
        if (!spec->toplevel)
                return -ENOMEM;
        if (faccessat(fd, "init", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return refuse(reader, "it has no 'init'");
        r = text_printf(&spec->init, "%s/init", toplevel);
        if (r >= 0)
                r = read_line(reader, fd, "system", &spec->system);
        if (r >= 0)
                r = synthesise_label(reader, fd, spec);
        if (r >= 0)
                r = read_link(reader, fd, "kernel", true, &spec->kernel);
        if (r >= 0)
                r = read_link(reader, fd, "initrd", false, &spec->initrd);
        if (r >= 0)
                r = read_link(reader, fd, "append-initrd-secrets", false, &spec->initrd_secrets);
        if (r >= 0)
                r = synthesise_parameters(reader, fd, spec);
        if (r >= 0)
                r = check_init(reader, spec);
        return r < 0 ? r : set_default_sort_key(spec);
}

static int synthesise_specialisation(const Reader *reader, int fd, const char *name,
                                     Bootspec *spec) {
        _cleanup_free_ char *path = NULL, *target = NULL;
        _cleanup_close_ int child_fd = -EBADF;
        Bootspec *child;
        int r;

        r = text_printf(&path, "specialisation/%s", name);
        if (r >= 0)
                r = read_link(reader, fd, path, true, &target);
        if (r >= 0)
                r = add_specialisation(reader, spec, name, &child);
        if (r < 0)
                return r;
        r = file_open_directory(fd, path, &child_fd);
        if (r < 0)
                return refuse(reader, "its '%s' cannot be opened (%s)", path, strerror(-r));
        return synthesise_system(reader, child_fd, target, child);
}

/**
 * bootspec_synthesise() - the same from the files of a system that has no boot document
 *
 * Return: 0, or an error as of bootspec_parse().
 */
int bootspec_synthesise(int toplevel_fd, const char *toplevel, Bootspec *spec,
                        sd_bus_error *reterr_error) {
        const Reader reader = { toplevel, reterr_error };
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = synthesise_system(&reader, toplevel_fd, toplevel, spec);
        if (r < 0)
                return r;
        r = file_list(toplevel_fd, "specialisation", &names);
        if (r < 0 && r != -ENOENT)
                return refuse(&reader, "its specialisations cannot be listed (%s)", strerror(-r));
        r = 0;
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                r = synthesise_specialisation(&reader, toplevel_fd, names.items[i], spec);
        sort_specialisations(spec);
        return r;
}

/** bootspec_obtain() - the system's document or, where it has none, what its files say. */
int bootspec_obtain(int toplevel_fd, const char *toplevel, Bootspec *spec,
                    sd_bus_error *reterr_error) {
        int r = bootspec_read(toplevel_fd, toplevel, spec, reterr_error);

        if (r == BOOTSPEC_ABSENT)
                return bootspec_synthesise(toplevel_fd, toplevel, spec, reterr_error);
        return r;
}

void bootspec_done(Bootspec *spec) {
        for (size_t i = 0; i < spec->n_specialisations; i++)
                bootspec_done(&spec->specialisations[i]);
        free(spec->specialisations);
        free(spec->specialisation);
        free(spec->system);
        free(spec->label);
        free(spec->toplevel);
        free(spec->init);
        free(spec->kernel);
        free(spec->initrd);
        free(spec->initrd_secrets);
        string_list_done(&spec->kernel_params);
        free(spec->sort_key);
        free(spec->devicetree);
        string_list_done(&spec->extra_initrds);
        string_list_done(&spec->unknown);
        *spec = (Bootspec){ 0 };
}
