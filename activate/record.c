/*
 * The open record: written before each phase is entered, removed when the transaction has ended.
 * Whoever finds it, in this boot or the next one, knows what was under way and how to end it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "record.h"
#include "text.h"

#define RECORD_DAMAGED "transaction.damaged"
#define RECORD_KIND    "system" /* what was switched */
#define NUMBER_MAX     ((uint64_t) 1 << 53)

/* clang-format off */
static const struct {
        const char *key;
        size_t offset;
        bool later; /* the first records had none: "" there */
} texts[] = {
        { "id",               offsetof(Record, id),          false },
        { "boot-id",          offsetof(Record, boot_id),     false },
        { "phase",            offsetof(Record, phase),       false },
        { "engine",           offsetof(Record, engine),      false },
        { "from",             offsetof(Record, from),        false },
        { "to",               offsetof(Record, to),          false },
        { "old-profile-link", offsetof(Record, old_link),    false },
        { "old-profile",      offsetof(Record, old_profile), false },
        { "old-default",      offsetof(Record, old_default), true  },
        { "trial",            offsetof(Record, trial),       true  },
        { "digest",           offsetof(Record, digest),      false },
        { "error",            offsetof(Record, error_name),  false },
        { "text",             offsetof(Record, error_text),  false },
};
/* clang-format on */

static char **text_of(const Record *record, size_t i) {
        return (char **) (void *) ((char *) record + texts[i].offset);
}

static int to_json(const Record *record, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        cJSON *request;
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "kind", RECORD_KIND) ||
            !cJSON_AddNumberToObject(object, "begun", (double) record->begun) ||
            !cJSON_AddNumberToObject(object, "highest-generation", (double) record->highest) ||
            !cJSON_AddNumberToObject(object, "lease", (double) record->lease_sec) ||
            !cJSON_AddNumberToObject(object, "judge-deadline", (double) record->judge_deadline) ||
            !cJSON_AddNumberToObject(object, "confirm-deadline",
                                     (double) record->confirm_deadline) ||
            !cJSON_AddBoolToObject(object, "activates", record->activates) ||
            !cJSON_AddBoolToObject(object, "committing", record->committing) ||
            !cJSON_AddBoolToObject(object, "given-up", record->given_up) ||
            !cJSON_AddBoolToObject(object, "rebooting", record->rebooting) ||
            !cJSON_AddBoolToObject(object, "waits", record->waits) ||
            !cJSON_AddBoolToObject(object, "staged-entry", record->staged_entry) ||
            json_add_strings(object, "stopped", &record->stopped) < 0 ||
            json_add_strings(object, "failing", &record->failing) < 0 ||
            (record->evidence &&
             !cJSON_AddItemReferenceToObject(object, "evidence", record->evidence)))
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                const char *text = *text_of(record, i);

                if (!cJSON_AddStringToObject(object, texts[i].key, text ? text : ""))
                        return -ENOMEM;
        }

        r = request_to_json(&record->request, &request);
        if (r < 0)
                return r;
        if (!cJSON_AddItemToObject(object, "request", request)) {
                cJSON_Delete(request);
                return -ENOMEM;
        }
        *ret_object = TAKE_PTR(object);
        return 0;
}

/**
 * record_write() - keep the record, durably
 * @directory: the state directory
 *
 * Return: 0, -ENOMEM or an error of file_write(); what was there before stands then.
 */
int record_write(const char *directory, const Record *record) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *line = NULL;
        int r;

        r = text_printf(&path, "%s/" RECORD_NAME, directory);
        if (r >= 0)
                r = to_json(record, &object);
        if (r >= 0)
                r = json_print(object, &line);
        return r < 0 ? r : file_write(AT_FDCWD, path, line, 0644);
}

static int read_texts(const cJSON *object, Record *record) {
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                const char *text = json_string(object, texts[i].key);

                if (!text &&
                    (!texts[i].later || cJSON_GetObjectItemCaseSensitive(object, texts[i].key)))
                        return -EBADMSG;
                *text_of(record, i) = strdup(text ? text : "");
                if (!*text_of(record, i))
                        return -ENOMEM;
        }
        return 0;
}

/* Units that nobody knows of any more would stay stopped. */
static int read_list(const cJSON *object, const char *key, StringList *list) {
        if (!cJSON_HasObjectItem(object, key))
                return -EBADMSG;
        return json_read_strings(object, key, list);
}

/* A record without a kind is from before there were others. */
static bool is_of_our_kind(const cJSON *object) {
        const cJSON *kind = cJSON_GetObjectItemCaseSensitive(object, "kind");

        return !kind || (cJSON_IsString(kind) && strcmp(kind->valuestring, RECORD_KIND) == 0);
}

/* Of a later version or another kind only that is read which every record has. */
static int read_newer(const cJSON *object, Record *record) {
        const char *engine = json_string(object, "engine");

        record->engine = strdup(engine ? engine : "");
        return record->engine ? RECORD_NEWER : -ENOMEM;
}

/* The first records had none of them. */
static int read_later_numbers(const cJSON *object, Record *record) {
        const struct {
                const char *key;
                uint64_t *number;
        } numbers[] = {
                { "lease", &record->lease_sec },
                { "judge-deadline", &record->judge_deadline },
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (cJSON_GetObjectItemCaseSensitive(object, numbers[i].key) &&
                    json_number(object, numbers[i].key, NUMBER_MAX, numbers[i].number) < 0)
                        return -EBADMSG;
        return 0;
}

static int read_later_answers(const cJSON *object, Record *record) {
        const struct {
                const char *key;
                bool *answer;
        } answers[] = {
                { "rebooting", &record->rebooting },
                { "waits", &record->waits },
                { "staged-entry", &record->staged_entry },
        };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                if (cJSON_HasObjectItem(object, answers[i].key) &&
                    json_boolean(object, answers[i].key, answers[i].answer) < 0)
                        return -EBADMSG;
        return 0;
}

/* Keys that are not known are passed over: a later enact of the same version may have written them,
 * and what it did can be ended without. One that is missing is damage. */
static int from_json(cJSON *object, Record *record) {
        uint64_t version;
        int r;

        if (json_number(object, "version", NUMBER_MAX, &version) < 0 || version == 0)
                return -EBADMSG;
        if (version > 1 || !is_of_our_kind(object))
                return read_newer(object, record);

        r = request_from_record(cJSON_GetObjectItemCaseSensitive(object, "request"),
                                &record->request);
        if (r >= 0)
                r = read_texts(object, record);
        if (r >= 0)
                r = read_list(object, "stopped", &record->stopped);
        if (r >= 0)
                r = read_list(object, "failing", &record->failing);
        if (r >= 0)
                r = read_later_numbers(object, record);
        if (r >= 0)
                r = read_later_answers(object, record);
        if (r < 0)
                return r;
        if (json_number(object, "begun", NUMBER_MAX, &record->begun) < 0 ||
            json_number(object, "highest-generation", NUMBER_MAX, &record->highest) < 0 ||
            json_number(object, "confirm-deadline", NUMBER_MAX, &record->confirm_deadline) < 0 ||
            json_boolean(object, "activates", &record->activates) < 0 ||
            json_boolean(object, "committing", &record->committing) < 0 ||
            json_boolean(object, "given-up", &record->given_up) < 0 || !*record->id ||
            !*record->to || !*record->phase)
                return -EBADMSG;
        if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(object, "evidence")))
                record->evidence = cJSON_DetachItemFromObjectCaseSensitive(object, "evidence");
        return 0;
}

/**
 * record_parse() - take the text of a record apart
 * @record: all zero before; record_done() even after an error
 *
 * Return: 0, RECORD_NEWER, -EBADMSG for what is none, or -ENOMEM.
 */
int record_parse(const char *text, size_t n, Record *record) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        int r;

        r = json_parse(text, n, &object);
        return r < 0 ? r : from_json(object, record);
}

/**
 * record_read_text() - the open record as it stands there, whoever wrote it
 * @directory: the state directory
 * @ret_text:  with a closing NUL; owned by the caller
 * @ret_n:     number of bytes
 *
 * Return: 0, -ENOENT if none is open, or another error of file_read().
 */
int record_read_text(const char *directory, char **ret_text, size_t *ret_n) {
        _cleanup_free_ char *path = NULL, *previous = NULL;
        int r;

        r = text_printf(&path, "%s/" RECORD_NAME, directory);
        if (r >= 0)
                r = text_printf(&previous, "%s/" RECORD_PREVIOUS, directory);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, ret_text, ret_n);
        return r == -ENOENT ? file_read(AT_FDCWD, previous, FILE_SMALL_MAX, ret_text, ret_n) : r;
}

/**
 * record_read() - the record of the transaction that has not ended
 * @directory: the state directory
 * @record:    as for record_parse()
 *
 * Return: as record_parse(); -ENOENT if none is open, or another error of file_read().
 */
int record_read(const char *directory, Record *record) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = record_read_text(directory, &text, &n);
        return r < 0 ? r : record_parse(text, n, record);
}

static int rename_record(const char *directory, const char *from, const char *to) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_open_directory(AT_FDCWD, directory, &fd);
        if (r < 0)
                return r;
        if (renameat(fd, from, fd, to) < 0)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

/** record_was_tried() - whether a boot was to try the new system, or did. */
bool record_was_tried(const Record *record) {
        return *record->trial && (record->waits || strcmp(record->phase, "trial") != 0);
}

/**
 * record_keep_previous() - make room for the record of another transaction
 *
 * What is open and could not be ended stays known until another one has put right what it left.
 *
 * Return: 0, also if there is none, or an errno of renameat(2), fsync(2).
 */
int record_keep_previous(const char *directory) {
        int r = rename_record(directory, RECORD_NAME, RECORD_PREVIOUS);

        return r == -ENOENT ? 0 : r;
}

/**
 * record_take_up() - work on the open record begins
 * @directory: the state directory; its lock is held
 *
 * A previous one that stands alone, since whoever was to replace it was killed in between, is the
 * open one from here on: another that is written beside it would not end it.
 *
 * Return: 0, also if there is none, or an errno of renameat(2), fsync(2).
 */
int record_take_up(const char *directory) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/" RECORD_NAME, directory);
        if (r < 0)
                return r;
        if (access(path, F_OK) >= 0)
                return 0;
        r = rename_record(directory, RECORD_PREVIOUS, RECORD_NAME);
        return r == -ENOENT ? 0 : r;
}

/**
 * record_end() - the transaction has ended, durably
 * @settled: whether it has put right what a previous one had left open
 *
 * Return: 0, or an errno of renameat(2), unlinkat(2) or fsync(2).
 */
int record_end(const char *directory, bool settled) {
        int r;

        if (!settled) {
                r = rename_record(directory, RECORD_PREVIOUS, RECORD_NAME);
                if (r != -ENOENT)
                        return r;
        }
        r = file_remove(directory, RECORD_PREVIOUS);
        if (r < 0 && r != -ENOENT)
                return r;
        return file_remove(directory, RECORD_NAME);
}

/** record_set_aside() - keep a damaged record for who wants to look at it; 0 or an errno. */
int record_set_aside(const char *directory) {
        return rename_record(directory, RECORD_NAME, RECORD_DAMAGED);
}

/** record_was_damaged() - whether nobody knows what an interrupted transaction has left. */
bool record_was_damaged(const char *directory) {
        _cleanup_free_ char *path = NULL;

        return text_printf(&path, "%s/" RECORD_DAMAGED, directory) >= 0 && access(path, F_OK) >= 0;
}

/** record_forget_damage() - a later transaction has looked after all units. */
void record_forget_damage(const char *directory) {
        (void) file_remove(directory, RECORD_DAMAGED);
}

/** record_fill() - what nothing is known of is "", as it is after record_read(); 0 or -ENOMEM. */
int record_fill(Record *record) {
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char **text = text_of(record, i);

                if (!*text && !(*text = strdup("")))
                        return -ENOMEM;
        }
        return 0;
}

void record_done(Record *record) {
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                free(*text_of(record, i));
        request_done(&record->request);
        string_list_done(&record->stopped);
        string_list_done(&record->failing);
        cJSON_Delete(record->evidence);
        *record = (Record){ 0 };
}
