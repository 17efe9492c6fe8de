/*
 * Settings: enact.json, which the NixOS module writes into a system. A newer module may say what
 * this engine does not know, and that is passed over with a note; what it does know must be what it
 * is meant to be, or the system is refused before anything changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "job-limit.h"
#include "json.h"
#include "settings.h"
#include "store-path.h"
#include "text.h"
#include "unit-name.h"

#define UNITS_MAX       1000U
#define COMMAND_MAX     100U
#define ARGUMENT_MAX    4096U
#define GENERATIONS_MAX ((uint64_t) 1000000)
#define EXTRA_WORD_MAX  64U
#define MOUNT_POINT_MAX 4095U
#define TRIES_MAX       99U
#define NOTES_MAX       20U

typedef struct Reader {
        Settings *settings;
        char *wrong; /* why it is refused */
} Reader;

/* One key of an object. @take answers -EBADMSG where the value is not what is @wanted. */
typedef struct Field {
        const char *key;
        int (*take)(Reader *reader, const char *path, const cJSON *item, void *into);
        const char *wanted;
} Field;

static _printf_(2, 3) int refuse(Reader *reader, const char *format, ...) {
        va_list ap;
        int r;

        if (reader->wrong)
                return -EBADMSG;
        va_start(ap, format);
        r = vasprintf(&reader->wrong, format, ap);
        va_end(ap);
        if (r < 0)
                reader->wrong = NULL;
        return r < 0 ? -ENOMEM : -EBADMSG;
}

/* Another file may say that very often. */
static int note_unknown(Reader *reader, const char *path) {
        char *note;
        int r;

        if (reader->settings->notes.n >= NOTES_MAX)
                return 0;
        r = text_printf(&note, "'%s' in " SETTINGS_NAME " is not known to this enact, ignoring",
                        path);
        if (r < 0)
                return r;
        text_strip_controls(note);
        return string_list_take(&reader->settings->notes, note);
}

static const Field *find_field(const Field *fields, size_t n, const char *key) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(fields[i].key, key) == 0)
                        return &fields[i];
        return NULL;
}

static bool is_doubled(const cJSON *item) {
        for (const cJSON *next = item->next; next; next = next->next)
                if (strcmp(next->string, item->string) == 0)
                        return true;
        return false;
}

/* Null is what a Nix option that was left alone looks like: not there. */
static int read_item(Reader *reader, const char *path, const cJSON *item, const Field *field,
                     void *into) {
        int r;

        if (is_doubled(item))
                return refuse(reader, "'%s' is there twice", path);
        if (!field)
                return note_unknown(reader, path);
        if (cJSON_IsNull(item))
                return 0;
        r = field->take(reader, path, item, into);
        return r == -EBADMSG ? refuse(reader, "'%s' is not %s", path, field->wanted) : r;
}

static int read_object(Reader *reader, const char *path, const cJSON *object, const Field *fields,
                       size_t n, void *into) {
        const cJSON *item;

        if (!cJSON_IsObject(object))
                return -EBADMSG;
        cJSON_ArrayForEach(item, object) {
                _cleanup_free_ char *below = NULL;
                int r;

                r = text_printf(&below, "%s%s%s", path, *path ? "." : "", item->string);
                if (r >= 0)
                        r = read_item(reader, below, item, find_field(fields, n, item->string),
                                      into);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_seconds(const cJSON *item, uint64_t max, uint64_t *ret_usec) {
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > (double) max)
                return -EBADMSG;
        *ret_usec = (uint64_t) llround(item->valuedouble * (double) USEC_PER_SEC);
        return 0;
}

static int read_usec(const cJSON *item, uint64_t *ret_usec) {
        return read_seconds(item, PROBE_SECONDS_MAX, ret_usec);
}

static int read_whole(const cJSON *item, uint64_t max, uint64_t *ret_number) {
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
            item->valuedouble > (double) max || trunc(item->valuedouble) < item->valuedouble)
                return -EBADMSG;
        *ret_number = (uint64_t) item->valuedouble;
        return 0;
}

static int read_text(const cJSON *item, char **ret_text) {
        if (!cJSON_IsString(item))
                return -EBADMSG;
        *ret_text = strdup(item->valuestring);
        return *ret_text ? 0 : -ENOMEM;
}

static int read_texts(const cJSON *array, size_t max, bool (*is_valid)(const char *text),
                      StringList *list) {
        const cJSON *item;
        int r = 0;

        if (!cJSON_IsArray(array) || (size_t) cJSON_GetArraySize(array) > max)
                return -EBADMSG;
        cJSON_ArrayForEach(item, array) {
                if (!cJSON_IsString(item) || !is_valid(item->valuestring))
                        return -EBADMSG;
                r = string_list_add(list, item->valuestring);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_name(Reader *reader, const char *path, const cJSON *item, void *into) {
        Probe *probe = into;

        if (!cJSON_IsString(item) || !probe_name_is_valid(item->valuestring))
                return -EBADMSG;
        return read_text(item, &probe->name);
}

/* Which of the three keys it may stand under is for its type to say. */
static int take_target(Reader *reader, const char *path, const cJSON *item, void *into) {
        Probe *probe = into;

        if (!cJSON_IsString(item) || probe->target)
                return -EBADMSG;
        return read_text(item, &probe->target);
}

static bool is_argument(const char *text) {
        return strlen(text) <= ARGUMENT_MAX;
}

static int take_command(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_texts(item, COMMAND_MAX, is_argument, &((Probe *) into)->command);
}

static int take_state(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const char *const states[] = { "active", "inactive", "failed", "activating",
                                              "deactivating" };
        Probe *probe = into;

        for (size_t i = 0; cJSON_IsString(item) && i < ELEMENTSOF(states); i++)
                if (strcmp(states[i], item->valuestring) == 0) {
                        free(probe->state);
                        probe->state = NULL;
                        return read_text(item, &probe->state);
                }
        return -EBADMSG;
}

static int take_status(Reader *reader, const char *path, const cJSON *item, void *into) {
        Probe *probe = into;

        return read_whole(item, 599, &probe->status) < 0 || probe->status < 100 ? -EBADMSG : 0;
}

static int take_timeout(Reader *reader, const char *path, const cJSON *item, void *into) {
        Probe *probe = into;

        return read_usec(item, &probe->timeout_usec) < 0 || probe->timeout_usec == 0 ? -EBADMSG : 0;
}

static int take_period(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_usec(item, &((Probe *) into)->period_usec);
}

static int take_grace(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_usec(item, &((Probe *) into)->grace_usec);
}

static int take_retries(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_whole(item, PROBE_RETRIES_MAX, &((Probe *) into)->retries);
}

/* The type was read before all others. */
static int take_nothing(Reader *reader, const char *path, const cJSON *item, void *into) {
        return 0;
}

#define SECONDS "a number of seconds up to 3600"

/* clang-format off */
static const Field common_fields[] = {
        { "name",    take_name,    "a name of at most 100 bytes" },
        { "type",    take_nothing, "" },
        { "timeout", take_timeout, SECONDS " and more than 0" },
        { "period",  take_period,  SECONDS },
        { "grace",   take_grace,   SECONDS },
        { "retries", take_retries, "a number up to 1000" },
};

/* What each type has besides. The first is needed. */
static const Field own_fields[_PROBE_TYPE_MAX][2] = {
        [PROBE_EXEC]    = { { "command", take_command, "a list of texts" } },
        [PROBE_HTTP]    = { { "url",     take_target,  "a text" },
                            { "status",  take_status,  "a status of HTTP" } },
        [PROBE_SYSTEMD] = { { "unit",    take_target,  "a text" },
                            { "state",   take_state,   "a state of a unit, like 'active'" } },
        [PROBE_TCP]     = { { "address", take_target,  "a text" } },
};
/* clang-format on */

static int read_probe_type(Reader *reader, const char *path, const cJSON *object,
                           ProbeType *ret_type) {
        const char *type = json_string(object, "type");

        if (!cJSON_IsObject(object))
                return refuse(reader, "'%s' is not an object", path);
        if (!type)
                return refuse(reader, "'%s.type' is not a text", path);
        if (probe_type_from_string(type, ret_type) < 0)
                return refuse(reader, "'%s.type' is not exec, http, systemd or tcp", path);
        return 0;
}

static int read_probe(Reader *reader, const char *path, const cJSON *object, Probe *probe) {
        Field fields[ELEMENTSOF(common_fields) + 2];
        const Field *own;
        size_t n = ELEMENTSOF(common_fields);
        const char *target;
        ProbeType type;
        int r;

        r = read_probe_type(reader, path, object, &type);
        if (r >= 0)
                r = probe_init(probe, type);
        if (r < 0)
                return r;

        own = own_fields[type];
        memcpy(fields, common_fields, sizeof(common_fields));
        for (size_t i = 0; i < ELEMENTSOF(own_fields[0]) && own[i].key; i++)
                fields[n++] = own[i];
        r = read_object(reader, path, object, fields, n, probe);
        if (r < 0)
                return r;

        target = type == PROBE_EXEC && probe->command.n > 0 ? probe->command.items[0] :
                                                              probe->target;
        if (!probe->name)
                return refuse(reader, "'%s' has no name", path);
        if (!target || !probe_target_is_valid(type, target))
                return refuse(reader, "'%s.%s' is not %s", path, own->key,
                              probe_target_wanted(type));
        return 0;
}

static int take_probe(Reader *reader, const cJSON *item, size_t index) {
        _cleanup_(probe_done) Probe probe = { 0 };
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "judge.probes[%zu]", index);
        if (r >= 0)
                r = read_probe(reader, path, item, &probe);
        if (r < 0)
                return r;
        r = probes_take(&reader->settings->probes, &probe);
        if (r == -EEXIST)
                return refuse(reader, "'%s' has the name of another probe", path);
        return r == -E2BIG ? refuse(reader, "there are more than %u probes", PROBES_MAX) : r;
}

static int take_probes(Reader *reader, const char *path, const cJSON *array, void *into) {
        const cJSON *item;
        size_t index = 0;

        if (!cJSON_IsArray(array))
                return -EBADMSG;
        cJSON_ArrayForEach(item, array) {
                int r = take_probe(reader, item, index++);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_window(Reader *reader, const char *path, const cJSON *item, void *into) {
        reader->settings->has_window = true;
        return read_usec(item, &reader->settings->window_usec);
}

static int take_confirm(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_usec(item, &reader->settings->confirm_usec);
}

static int take_units(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_texts(item, UNITS_MAX, unit_name_is_valid, &reader->settings->units);
}

static int take_judge(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const Field fields[] = {
                { "window", take_window, SECONDS },
                { "confirm", take_confirm, SECONDS },
                { "units", take_units, "a list of names of units" },
                { "probes", take_probes, "a list of probes" },
        };

        return read_object(reader, path, item, fields, ELEMENTSOF(fields), NULL);
}

static int take_automatic(Reader *reader, const char *path, const cJSON *item, void *into) {
        reader->settings->no_rollback = cJSON_IsFalse(item);
        return cJSON_IsBool(item) ? 0 : -EBADMSG;
}

static int take_drop_in(Reader *reader, const char *path, const cJSON *item, void *into) {
        reader->settings->drop_in = cJSON_IsTrue(item);
        return cJSON_IsBool(item) ? 0 : -EBADMSG;
}

static int take_reboot(Reader *reader, const char *path, const cJSON *item, void *into) {
        reader->settings->reboot = cJSON_IsTrue(item);
        return cJSON_IsBool(item) ? 0 : -EBADMSG;
}

static int take_rollback(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const Field fields[] = {
                { "automatic", take_automatic, "true or false" },
                { "dropIn", take_drop_in, "true or false" },
                { "reboot", take_reboot, "true or false" },
        };

        return read_object(reader, path, item, fields, ELEMENTSOF(fields), NULL);
}

static int take_job_timeout(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_seconds(item, JOB_LIMIT_SEC_MAX, &reader->settings->job_limit_usec) < 0 ||
                               reader->settings->job_limit_usec == 0 ?
                       -EBADMSG :
                       0;
}

static int take_jobs(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const Field fields[] = {
                { "timeout", take_job_timeout, "a number of seconds up to a week and more than 0" },
        };

        return read_object(reader, path, item, fields, ELEMENTSOF(fields), NULL);
}

static int take_generations(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_whole(item, GENERATIONS_MAX, &reader->settings->generations);
}

static int take_retention(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const Field fields[] = {
                { "generations", take_generations, "a number of generations" },
        };

        return read_object(reader, path, item, fields, ELEMENTSOF(fields), NULL);
}

/* A folder that something can be mounted at, as people write it. */
static int read_mount_point(const cJSON *item, char **ret_path) {
        if (!cJSON_IsString(item) || item->valuestring[0] != '/' || *ret_path ||
            strlen(item->valuestring) > MOUNT_POINT_MAX)
                return -EBADMSG;
        return read_text(item, ret_path);
}

static int take_mount_point(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_mount_point(item, &reader->settings->esp_path);
}

static int take_extended(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_mount_point(item, &reader->settings->extended_path);
}

static int take_menu_limit(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_whole(item, GENERATIONS_MAX, &reader->settings->menu_limit);
}

/* A word, since it is part of a sort key; a line, since it is one of an entry. */
static bool is_word(const char *text) {
        return *text && strlen(text) <= EXTRA_WORD_MAX &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
                       strlen(text);
}

static bool is_line(const char *text) {
        return *text && strlen(text) <= ARGUMENT_MAX && !strpbrk(text, "\n\r");
}

static int read_checked(const cJSON *item, bool (*is_valid)(const char *text), char **ret_text) {
        if (!cJSON_IsString(item) || *ret_text || !is_valid(item->valuestring))
                return -EBADMSG;
        return read_text(item, ret_text);
}

static int take_extra_name(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_checked(item, is_word, &((MenuExtra *) into)->name);
}

static int take_extra_title(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_checked(item, is_line, &((MenuExtra *) into)->title);
}

static int take_extra_program(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_checked(item, store_path_is_valid, &((MenuExtra *) into)->program);
}

static int take_extra_options(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_checked(item, is_line, &((MenuExtra *) into)->options);
}

static int take_extra_sort_key(Reader *reader, const char *path, const cJSON *item, void *into) {
        return read_checked(item, is_word, &((MenuExtra *) into)->sort_key);
}

static int take_extra(Reader *reader, const cJSON *item, size_t index) {
        static const Field fields[] = {
                { "name", take_extra_name, "a word" },
                { "title", take_extra_title, "a line" },
                { "program", take_extra_program, "a path in the store" },
                { "options", take_extra_options, "a line" },
                { "sortKey", take_extra_sort_key, "a word" },
        };
        MenuExtra extra = { 0 };
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "bootMenu.extraEntries[%zu]", index);
        if (r >= 0)
                r = cJSON_IsObject(item) ?
                            read_object(reader, path, item, fields, ELEMENTSOF(fields), &extra) :
                            refuse(reader, "'%s' is not an object", path);
        if (r >= 0 && (!extra.name || !extra.title || !extra.program))
                r = refuse(reader, "'%s' needs name, title and program", path);
        if (r >= 0)
                r = menu_extras_take(&reader->settings->extras, &extra);
        if (r == -EEXIST)
                r = refuse(reader, "'%s' has the name of another entry", path);
        if (r == -E2BIG)
                r = refuse(reader, "there are more than %u extra entries", MENU_EXTRAS_MAX);
        menu_extra_done(&extra);
        return r;
}

static int take_extras(Reader *reader, const char *path, const cJSON *array, void *into) {
        const cJSON *item;
        size_t index = 0;

        if (!cJSON_IsArray(array))
                return -EBADMSG;
        cJSON_ArrayForEach(item, array) {
                int r = take_extra(reader, item, index++);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_boot_menu(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const Field fields[] = {
                { "mountPoint", take_mount_point, "an absolute path" },
                { "extendedMountPoint", take_extended, "an absolute path" },
                { "configurationLimit", take_menu_limit, "a number of generations" },
                { "extraEntries", take_extras, "a list of entries" },
        };

        reader->settings->boot_menu = true;
        return read_object(reader, path, item, fields, ELEMENTSOF(fields), NULL);
}

static int take_trial(Reader *reader, const char *path, const cJSON *item, void *into) {
        reader->settings->no_trial = cJSON_IsFalse(item);
        return cJSON_IsBool(item) ? 0 : -EBADMSG;
}

static int take_tries(Reader *reader, const char *path, const cJSON *item, void *into) {
        uint64_t *tries = &reader->settings->tries;

        return read_whole(item, TRIES_MAX, tries) < 0 || *tries == 0 ? -EBADMSG : 0;
}

static int take_deadline(Reader *reader, const char *path, const cJSON *item, void *into) {
        uint64_t *usec = &reader->settings->trial_usec;

        return read_usec(item, usec) < 0 || *usec == 0 ? -EBADMSG : 0;
}

static int take_trial_boot(Reader *reader, const char *path, const cJSON *item, void *into) {
        static const Field fields[] = {
                { "enable", take_trial, "true or false" },
                { "tries", take_tries, "a number from 1 to 99" },
                { "deadline", take_deadline, SECONDS " and more than 0" },
        };

        return read_object(reader, path, item, fields, ELEMENTSOF(fields), NULL);
}

static int take_version(Reader *reader, const char *path, const cJSON *item, void *into) {
        bool *has_version = into;
        uint64_t version;

        if (read_whole(item, UINT32_MAX, &version) < 0)
                return -EBADMSG;
        if (version != 1)
                return refuse(reader, "its version is %llu, and this enact knows version 1",
                              (unsigned long long) version);
        *has_version = true;
        return 0;
}

static int read_all(Reader *reader, const cJSON *object) {
        static const Field fields[] = {
                { "version", take_version, "a number" },
                { "judge", take_judge, "an object" },
                { "rollback", take_rollback, "an object" },
                { "jobs", take_jobs, "an object" },
                { "retention", take_retention, "an object" },
                { "bootMenu", take_boot_menu, "an object" },
                { "trialBoot", take_trial_boot, "an object" },
        };
        bool has_version = false;
        int r;

        r = read_object(reader, "", object, fields, ELEMENTSOF(fields), &has_version);
        if (r < 0)
                return r;
        return has_version ? 0 : refuse(reader, "it has no version");
}

static void settings_init(Settings *settings) {
        settings->tries = SETTINGS_TRIES;
        settings->trial_usec = SETTINGS_TRIAL_SECONDS * USEC_PER_SEC;
}

/**
 * settings_parse() - take an enact.json apart
 * @settings:  all zero before; settings_done() even after an error
 * @ret_wrong: after -EBADMSG: what is wrong, without a full stop; owned by the caller
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int settings_parse(const char *text, size_t n, Settings *settings, char **ret_wrong) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        Reader reader = { .settings = settings };
        int r;

        settings_init(settings);
        r = json_parse(text, n, &object);
        r = r == -EBADMSG ? refuse(&reader, "it is not one object of JSON") :
            r < 0         ? r :
                            read_all(&reader, object);
        if (r == -EBADMSG && reader.wrong)
                text_strip_controls(reader.wrong);
        if (r == -EBADMSG)
                *ret_wrong = reader.wrong;
        else
                free(reader.wrong);
        return r;
}

/**
 * settings_read() - the settings of a system; one without the file has none
 * @toplevel: its path
 *
 * Return: 0, or a negative errno with @reterr_error set to Refused.
 */
int settings_read(const char *toplevel, Settings *settings, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL, *text = NULL, *wrong = NULL;
        size_t n;
        int r;

        settings_init(settings);
        r = text_printf(&path, "%s/" SETTINGS_NAME, toplevel);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, SETTINGS_BYTES_MAX, &text, &n);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = settings_parse(text, n, settings, &wrong);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "Cannot read '%s': %s. Nothing was changed.", path,
                                         wrong ? wrong : strerror(-r));
        return 0;
}

/** settings_forget() - as if the system said nothing. */
void settings_forget(Settings *settings) {
        settings_done(settings);
        settings_init(settings);
}

void settings_done(Settings *settings) {
        free(settings->esp_path);
        free(settings->extended_path);
        menu_extras_done(&settings->extras);
        string_list_done(&settings->units);
        probes_done(&settings->probes);
        string_list_done(&settings->notes);
        *settings = (Settings){ 0 };
}
