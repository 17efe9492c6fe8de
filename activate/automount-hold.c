/*
 * Automount points that must not be armed. systemd refuses to start one whose place is mounted, as
 * a failure, and whatever requires it fails as well. A condition says the same without failing: it
 * stands until the next boot, and once nothing is mounted there, whoever starts the unit arms it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "automount-hold.h"
#include "file.h"
#include "text.h"
#include "unit-name.h"

#define DROP_IN "50-enact-mounted.conf"

/* Whether a line of a unit file can hold it; percent signs are doubled there. */
static int quote_path(const char *path, char **ret_quoted) {
        char *quoted = malloc(2 * strlen(path) + 1), *end = quoted;
        const char *p;

        if (!quoted)
                return -ENOMEM;
        for (p = path; (unsigned char) *p >= ' '; p++) {
                if (*p == '%')
                        *end++ = '%';
                *end++ = *p;
        }
        *end = '\0';
        if (*p || p == path || p[-1] == '\\' || p[-1] == ' ') {
                free(quoted);
                return -EINVAL;
        }
        *ret_quoted = quoted;
        return 0;
}

/**
 * automount_hold() - have systemd pass an automount unit over for as long as its place is mounted
 * @directory: of unit files that systemd reads and that a reboot clears away
 * @automount: the unit
 *
 * It counts from the manager's next reload on.
 *
 * Return: 0, -EINVAL if no unit file can name the place, or an errno of mkdir(2) or openat(2).
 */
int automount_hold(const char *directory, const char *automount) {
        _cleanup_free_ char *where = NULL, *quoted = NULL, *path = NULL, *text = NULL;
        int r;

        r = unit_name_to_path(automount, &where);
        if (r >= 0)
                r = quote_path(where, &quoted);
        if (r >= 0)
                r = text_printf(&path, "%s/%s.d", directory, automount);
        if (r >= 0)
                r = file_make_directories(path, 0755);
        if (r < 0)
                return r;

        free(TAKE_PTR(path));
        r = text_printf(&path, "%s/%s.d/" DROP_IN, directory, automount);
        if (r >= 0)
                r = text_printf(
                        &text,
                        "# By enact: its place was mounted when it should have been armed.\n"
                        "[Unit]\n"
                        "ConditionPathIsMountPoint=!%s\n",
                        quoted);
        return r < 0 ? r : file_write(AT_FDCWD, path, text, 0644);
}
