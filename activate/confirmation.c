/*
 * The confirmation of a switch: one file in the state directory, which bears the switch's id and is
 * linked into place once. Whoever links first has decided, be it somebody who confirms or the
 * engine when the time is over; so an answer is never both in time and late, and never meant for
 * another switch. The state directory is where it lies since /run may be remounted meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "confirmation.h"
#include "file.h"
#include "json.h"
#include "text.h"

#define PREFIX "confirmation-"

/* clang-format off */
static const char *const words[_CONFIRMATION_WORD_MAX] = {
        [CONFIRMATION_CONFIRMED] = "confirmed",
        [CONFIRMATION_REFUSED]   = "refused",
        [CONFIRMATION_LATE]      = "late",
};
/* clang-format on */

static int path_of(const char *directory, const char *id, char **ret_path) {
        return text_printf(ret_path, "%s/" PREFIX "%s", directory, id);
}

static int to_line(const Confirmation *confirmation, char **ret_line) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "word", words[confirmation->word]) ||
            !cJSON_AddNumberToObject(object, "uid", confirmation->uid))
                return -ENOMEM;
        return json_print(object, ret_line);
}

static int from_text(const char *text, size_t n, Confirmation *ret) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        Confirmation confirmation = { 0 };
        uint64_t uid;
        const char *word;
        int r;

        r = json_parse(text, n, &object);
        if (r < 0)
                return r;
        word = json_string(object, "word");
        if (!word || json_number(object, "uid", UINT32_MAX, &uid) < 0)
                return -EBADMSG;
        while (confirmation.word < _CONFIRMATION_WORD_MAX &&
               strcmp(words[confirmation.word], word) != 0)
                confirmation.word++;
        if (confirmation.word == _CONFIRMATION_WORD_MAX)
                return -EBADMSG;
        confirmation.uid = (uid_t) uid;
        *ret = confirmation;
        return 0;
}

/**
 * confirmation_read() - what was decided
 * @directory: the state directory
 * @id:        of the switch
 *
 * Return: 0, -ENOENT as long as nothing is, or another errno.
 */
int confirmation_read(const char *directory, const char *id, Confirmation *ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        r = path_of(directory, id, &path);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n);
        return r < 0 ? r : from_text(text, n, ret);
}

/* A draft has a name of its own for each process, so that two never write into one. */
static int link_draft(const char *path, const char *line) {
        _cleanup_free_ char *draft = NULL;
        int r;

        r = text_printf(&draft, "%s-%d", path, getpid());
        if (r >= 0)
                r = file_write(AT_FDCWD, draft, line, 0644);
        if (r < 0)
                return r;
        r = link(draft, path) < 0 ? -errno : 0;
        (void) unlink(draft);
        return r;
}

/**
 * confirmation_decide() - say the word, if nobody has said one yet
 * @directory: the state directory
 * @id:        of the switch
 * @ret:       what holds now: @wanted, or what was said before
 *
 * Return: 0, CONFIRMATION_DECIDED, or a negative errno: nothing was said then.
 */
int confirmation_decide(const char *directory, const char *id, const Confirmation *wanted,
                        Confirmation *ret) {
        _cleanup_free_ char *path = NULL, *line = NULL;
        int r;

        r = path_of(directory, id, &path);
        if (r >= 0)
                r = to_line(wanted, &line);
        if (r >= 0)
                r = link_draft(path, line);
        if (r == -EEXIST) {
                r = confirmation_read(directory, id, ret);
                return r < 0 ? r : CONFIRMATION_DECIDED;
        }
        if (r < 0)
                return r;
        *ret = *wanted;
        return 0;
}

static int is_ours(const struct dirent *entry) {
        return text_after_prefix(entry->d_name, PREFIX) != NULL;
}

/** confirmation_forget() - removes what was said to switches that are over. */
void confirmation_forget(const char *directory) {
        struct dirent **names;
        int n;

        n = scandir(directory, &names, is_ours, NULL);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                if (text_printf(&path, "%s/%s", directory, names[i]->d_name) >= 0)
                        (void) unlink(path);
                free(names[i]);
        }
        if (n >= 0)
                free(names);
}
