/* Where enact keeps what must outlive the power. */
#include <errno.h>
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "record.h"
#include "state-directory.h"
#include "text.h"

/** state_directory_is_durable() - whether what is written there outlives the power; of a directory
 * that is not there yet, what it would be made in. */
bool state_directory_is_durable(const char *directory) {
        _cleanup_free_ char *path = strdup(directory);
        struct statfs st;
        char *slash;

        while (path && statfs(path, &st) < 0) {
                slash = strrchr(path, '/');
                if (errno != ENOENT || !slash || slash == path)
                        return false;
                *slash = '\0';
        }
        return path && st.f_type != TMPFS_MAGIC && st.f_type != RAMFS_MAGIC;
}

/* When the open record there was written; false if there is none. */
static bool find_record(const char *directory, struct timespec *ret_written) {
        static const char *const names[] = { RECORD_NAME, RECORD_PREVIOUS };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = NULL;
                struct stat st;

                if (text_printf(&path, "%s/%s", directory, names[i]) < 0 || stat(path, &st) < 0)
                        continue;
                *ret_written = st.st_mtim;
                return true;
        }
        return false;
}

static bool is_older(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/**
 * state_directory_with_record() - which of two directories holds an open record
 * @usual:     preferred where both were written at the same time
 * @otherwise: the other one
 * @ret_both:  whether both do; the answer is where it was written later; may be NULL
 *
 * Return: one of them, or NULL if neither does.
 */
const char *state_directory_with_record(const char *usual, const char *otherwise, bool *ret_both) {
        struct timespec a, b;
        const bool here = find_record(usual, &a), there = find_record(otherwise, &b);

        if (ret_both)
                *ret_both = here && there;
        if (here && there)
                return is_older(&a, &b) ? otherwise : usual;
        return here ? usual : there ? otherwise : NULL;
}

/** state_directory_is_twofold() - whether a record is open in both places: a switch was interrupted
 * in each. They are ended one after the other, the later one first. */
bool state_directory_is_twofold(void) {
        bool both;

        (void) state_directory_with_record(STATE_DIRECTORY, STATE_DIRECTORY_VOLATILE, &both);
        return both;
}

/**
 * state_directory() - the directory of the open record, the history and the lock
 *
 * A root file system in memory is the habit of some; theirs is beside the store, unless they keep
 * the usual one. A switch may mount what makes the usual one durable: as long as its record is
 * open, the place of that is the state directory for everybody, and for one process it never
 * changes.
 */
const char *state_directory(void) {
        static const char *chosen;

        if (!chosen)
                chosen = state_directory_with_record(STATE_DIRECTORY, STATE_DIRECTORY_VOLATILE,
                                                     NULL);
        if (!chosen)
                chosen = state_directory_is_durable(STATE_DIRECTORY) ||
                                         state_directory_is_durable("/var/lib") ?
                                 STATE_DIRECTORY :
                                 STATE_DIRECTORY_VOLATILE;
        return chosen;
}
