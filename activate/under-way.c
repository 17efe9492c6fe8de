/* What is under way: the holder of a lock, and the switch that it carries out. Known from the
 * very beginning, before there is a record, and true also where a record was left behind. */
#include <errno.h>
#include <string.h>

#include "file-lock.h"
#include "run-directory.h"
#include "text.h"
#include "under-way.h"

/**
 * under_way_id() - the switch that a command line of the engine carries out
 * @command: its words, joined by blanks
 * @ret_id:  owned by the caller; NULL if it is no engine
 *
 * Return: 0 or -ENOMEM.
 */
int under_way_id(const char *command, char **ret_id) {
        static const char *const verbs[] = { " run ", " boot-check " };
        const char *id = NULL;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                for (const char *p = command; (p = strstr(p, verbs[i])); p++)
                        id = p + strlen(verbs[i]);
        *ret_id = NULL;
        if (!id || !run_directory_is_id(id))
                return 0;
        *ret_id = strdup(id);
        return *ret_id ? 0 : -ENOMEM;
}

/**
 * under_way_find() - who works on this host
 * @state: the state directory
 * @nixos: the directory of the lock that NixOS' own program takes, and an engine as well
 * @ret:   under_way_done()
 *
 * Return: 0, UNDER_WAY_NOTHING, or a negative errno.
 */
int under_way_find(const char *state, const char *nixos, UnderWay *ret) {
        _cleanup_free_ char *ours = NULL, *theirs = NULL;
        UnderWay found = { 0 };
        int r;

        r = text_printf(&ours, "%s/lock", state);
        if (r >= 0)
                r = text_printf(&theirs, "%s/switch-to-configuration.lock", nixos);
        if (r < 0)
                return r;
        if (file_lock_holder(ours, &found.pid, &found.command) < 0 &&
            file_lock_holder(theirs, &found.pid, &found.command) < 0)
                return UNDER_WAY_NOTHING;
        r = under_way_id(found.command, &found.id);
        if (r < 0) {
                under_way_done(&found);
                return r;
        }
        *ret = found;
        return 0;
}

void under_way_done(UnderWay *under_way) {
        free(under_way->command);
        free(under_way->id);
        *under_way = (UnderWay){ 0 };
}
