/* Where enact keeps what must outlive the power. */
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/vfs.h>

#include "state-directory.h"

static bool is_durable(const char *path) {
        struct statfs st;

        return statfs(path, &st) >= 0 && st.f_type != TMPFS_MAGIC && st.f_type != RAMFS_MAGIC;
}

/**
 * state_directory() - the directory of the open record, the history and the lock
 *
 * A root file system in memory is the habit of some; theirs is beside the store, unless they keep
 * the usual one.
 */
const char *state_directory(void) {
        return is_durable(STATE_DIRECTORY) || is_durable("/var/lib") ? STATE_DIRECTORY :
                                                                       STATE_DIRECTORY_VOLATILE;
}
