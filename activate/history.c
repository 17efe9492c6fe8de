/*
 * The history: what was switched, when, by whom and with what end. It is how a rollback knows which
 * system ran before, by its store path and not by a number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "history.h"
#include "text.h"

#define HISTORY_ENTRIES_MAX 200 /* older ones are removed when a new one is written */
#define HISTORY_DIRECTORY   "history"
#define RECORD_SUFFIX       ".json"

/** history_entry_to_json() - as it lies in the history; @ret_object is owned by the caller. 0 or
 * -ENOMEM. */
int history_entry_to_json(const HistoryEntry *entry, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "id", entry->id) ||
            !cJSON_AddStringToObject(object, "verb", entry->verb) ||
            !cJSON_AddStringToObject(object, "from", entry->from) ||
            !cJSON_AddStringToObject(object, "to", entry->to) ||
            !cJSON_AddNumberToObject(object, "begun", (double) entry->begun) ||
            !cJSON_AddNumberToObject(object, "ended", (double) entry->ended) ||
            !cJSON_AddNumberToObject(object, "uid", (double) entry->uid) ||
            !cJSON_AddNumberToObject(object, "exit", (double) entry->exit_code) ||
            !cJSON_AddStringToObject(object, "text", entry->text) ||
            (entry->evidence &&
             !cJSON_AddItemReferenceToObject(object, "evidence", entry->evidence)))
                return -ENOMEM;
        *ret_object = TAKE_PTR(object);
        return 0;
}

static int is_record(const struct dirent *entry) {
        return entry->d_name[0] != '.' && text_has_suffix(entry->d_name, RECORD_SUFFIX);
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static void forget_oldest(int dir_fd) {
        struct dirent **names;
        int n;

        n = scandirat(dir_fd, ".", &names, is_record, compare_names);
        if (n < 0)
                return;
        for (int i = 0; i < n; i++) {
                if (i < n - HISTORY_ENTRIES_MAX)
                        (void) unlinkat(dir_fd, names[i]->d_name, 0);
                free(names[i]);
        }
        free(names);
}

static int open_history(const char *directory, int *ret_fd) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/" HISTORY_DIRECTORY, directory);
        if (r < 0)
                return r;
        return file_open_directory(AT_FDCWD, path, ret_fd);
}

/**
 * history_write() - keep one entry, durably; the oldest beyond 200 go
 * @directory: the state directory; its history/ must be there
 *
 * Ids begin with the time, so names are in order of time.
 *
 * Return: 0 or an error of file_write().
 */
int history_write(const char *directory, const HistoryEntry *entry) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *line = NULL, *name = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        int r;

        r = open_history(directory, &dir_fd);
        if (r < 0)
                return r;
        r = history_entry_to_json(entry, &object);
        if (r < 0)
                return r;
        r = json_print(object, &line);
        if (r < 0)
                return r;
        r = text_printf(&name, "%s" RECORD_SUFFIX, entry->id);
        if (r < 0)
                return r;
        r = file_write(dir_fd, name, line, 0644);
        if (r < 0)
                return r;

        forget_oldest(dir_fd);
        return 0;
}

static int copy_text(const cJSON *object, const char *key, char **ret) {
        const char *text = json_string(object, key);

        if (!text)
                return -EBADMSG;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

/* Entries from before there was a judge have none. It is only shown, so a wrong one hides no entry.
 */
static void take_evidence(cJSON *object, cJSON **ret) {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(object, "evidence");

        if (cJSON_IsObject(item))
                *ret = item;
        else
                cJSON_Delete(item);
}

static int entry_from_json(cJSON *object, HistoryEntry *entry) {
        uint64_t version, max = (uint64_t) 1 << 53;
        int r;

        if (json_number(object, "version", 1, &version) < 0 || version != 1 ||
            json_number(object, "begun", max, &entry->begun) < 0 ||
            json_number(object, "ended", max, &entry->ended) < 0 ||
            json_number(object, "uid", UINT32_MAX, &entry->uid) < 0 ||
            json_number(object, "exit", 255, &entry->exit_code) < 0)
                return -EBADMSG;

        r = copy_text(object, "id", &entry->id);
        if (r >= 0)
                r = copy_text(object, "verb", &entry->verb);
        if (r >= 0)
                r = copy_text(object, "from", &entry->from);
        if (r >= 0)
                r = copy_text(object, "to", &entry->to);
        if (r >= 0)
                r = copy_text(object, "text", &entry->text);
        if (r >= 0)
                take_evidence(object, &entry->evidence);
        return r;
}

static void entry_done(HistoryEntry *entry) {
        free(entry->id);
        free(entry->verb);
        free(entry->from);
        free(entry->to);
        free(entry->text);
        cJSON_Delete(entry->evidence);
}

/* A record that cannot be read is passed over: it must not hide the others. */
static int read_entry(int dir_fd, const char *name, History *history) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *text = NULL;
        HistoryEntry entry = { 0 }, *entries;
        size_t n;
        int r;

        r = file_read(dir_fd, name, FILE_SMALL_MAX, &text, &n);
        if (r >= 0)
                r = json_parse(text, n, &object);
        if (r >= 0)
                r = entry_from_json(object, &entry);
        if (r >= 0) {
                entries = reallocarray(history->entries, history->n + 1, sizeof(*entries));
                if (entries) {
                        history->entries = entries;
                        entries[history->n++] = entry;
                        return 0;
                }
                r = -ENOMEM;
        }
        entry_done(&entry);
        return r == -ENOMEM ? r : 0;
}

/**
 * history_read() - all entries, oldest first
 * @history: all zero before; history_done() even after an error
 *
 * Return: 0 (also where there is none), -ENOMEM, or an errno of openat(2).
 */
int history_read(const char *directory, History *history) {
        _cleanup_close_ int dir_fd = -EBADF;
        struct dirent **names;
        int n, r;

        r = open_history(directory, &dir_fd);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        n = scandirat(dir_fd, ".", &names, is_record, compare_names);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = read_entry(dir_fd, names[i]->d_name, history);
                free(names[i]);
        }
        free(names);
        return r;
}

/** history_newest() - the id of the newest entry; owned by the caller. NULL if there is none, or no
 * memory. */
char *history_newest(const char *directory) {
        _cleanup_close_ int dir_fd = -EBADF;
        struct dirent **names;
        char *id = NULL;
        int n;

        if (open_history(directory, &dir_fd) < 0)
                return NULL;
        n = scandirat(dir_fd, ".", &names, is_record, compare_names);
        if (n < 0)
                return NULL;
        if (n > 0)
                id = strndup(names[n - 1]->d_name,
                             strlen(names[n - 1]->d_name) - strlen(RECORD_SUFFIX));
        for (int i = 0; i < n; i++)
                free(names[i]);
        free(names);
        return id;
}

/** history_find() - the entry of that id, owned by @history; NULL if there is none. */
const HistoryEntry *history_find(const History *history, const char *id) {
        for (size_t i = 0; i < history->n; i++)
                if (strcmp(history->entries[i].id, id) == 0)
                        return &history->entries[i];
        return NULL;
}

void history_done(History *history) {
        for (size_t i = 0; i < history->n; i++)
                entry_done(&history->entries[i]);
        free(history->entries);
        *history = (History){ 0 };
}
