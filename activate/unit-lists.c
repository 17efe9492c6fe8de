/*
 * Lists of units in /run/nixos, one name a line, as NixOS' own program keeps them: what a switch
 * has still to start, restart and reload, so that the next one can make up for it, and what an
 * activation script wants restarted or reloaded. A reboot clears them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "text.h"
#include "unit-lists.h"

#define LIST_BYTES_MAX ((size_t) 4 * 1024 * 1024)
#define LIST_SYSTEM                                                                                \
        "lists-system" /* the system that the lists are for; not there if NixOS wrote them */

static const char *name_of(PlanAction action) {
        switch (action) {
        case PLAN_START:
                return "start-list";
        case PLAN_RESTART:
                return "restart-list";
        case PLAN_RELOAD:
                return "reload-list";
        case PLAN_STOP:
        case PLAN_SKIP:
        case _PLAN_ACTION_MAX:
                break;
        }
        return NULL;
}

static int path_of(const char *directory, const char *name, char **ret_path) {
        return text_printf(ret_path, "%s/%s", directory, name);
}

static int note_unreadable(const char *path, int error, StringList *notes) {
        char *note;
        int r;

        r = text_printf(&note, "the list '%s' cannot be read: %s; what it names is left out", path,
                        strerror(-error));
        return r < 0 ? r : string_list_take(notes, note);
}

/**
 * unit_lists_read() - the names on one list
 * @units: appended to, line by line; blank lines are left out
 * @notes: that there is something which cannot be read as a list; nobody fails for that
 *
 * Return: 0 (also where there is no list) or -ENOMEM.
 */
int unit_lists_read(const char *directory, const char *name, StringList *units, StringList *notes) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char *rest;
        size_t n;
        int r;

        r = path_of(directory, name, &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, LIST_BYTES_MAX, &text, &n);
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        if (r < 0)
                return note_unreadable(path, r, notes);

        /* Such a line is no name, and is said to be none; those behind it count. */
        for (size_t i = 0; i < n; i++)
                if (!text[i])
                        text[i] = '?';
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                line = text_strip(line);
                if (!*line)
                        continue;
                r = string_list_add(units, line);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A directory in the place of a list is nobody's we know, and must not be in the way. */
static void set_aside(const char *path) {
        _cleanup_free_ char *aside = NULL;

        if (text_printf(&aside, "%s.set-aside", path) >= 0)
                (void) rename(path, aside);
}

/** unit_lists_remove() - that list is of no use any more; there may be none. */
void unit_lists_remove(const char *directory, const char *name) {
        _cleanup_free_ char *path = NULL;

        if (path_of(directory, name, &path) >= 0 && unlink(path) < 0 && errno == EISDIR)
                set_aside(path);
}

static int write_text(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = path_of(directory, name, &path);
        if (r < 0)
                return r;
        r = file_write(AT_FDCWD, path, text, 0644);
        if (r != -EISDIR)
                return r;
        set_aside(path);
        return file_write(AT_FDCWD, path, text, 0644);
}

static int write_action(const char *directory, const Plan *plan, PlanAction action) {
        _cleanup_(string_list_done) StringList units = { 0 };
        const PlanList *list = &plan->lists[action];
        _cleanup_free_ char *text = NULL;
        int r;

        if (list->n == 0) {
                unit_lists_remove(directory, name_of(action));
                return 0;
        }
        for (size_t i = 0; i < list->n; i++) {
                r = string_list_add(&units, list->entries[i].unit);
                if (r < 0)
                        return r;
        }
        r = string_list_add(&units, ""); /* the last line ends, too */
        if (r >= 0)
                r = string_list_join(&units, "\n", &text);
        return r < 0 ? r : write_text(directory, name_of(action), text);
}

/**
 * unit_lists_write_plan() - remember what is still to be done, before anything is stopped
 *
 * Return: 0, or an error of file_write().
 */
int unit_lists_write_plan(const char *directory, const Plan *plan) {
        static const PlanAction actions[] = { PLAN_START, PLAN_RESTART, PLAN_RELOAD };
        int r;

        r = write_text(directory, LIST_SYSTEM, plan->to);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(actions); i++)
                r = write_action(directory, plan, actions[i]);
        return r;
}

/** unit_lists_remove_action() - that has been done. */
void unit_lists_remove_action(const char *directory, PlanAction action) {
        unit_lists_remove(directory, name_of(action));
        if (action == PLAN_START) /* the last of them */
                unit_lists_remove(directory, LIST_SYSTEM);
}

/** unit_lists_turn_back() - what is still to be done is for the way back to another system, if
 * there is anything. */
void unit_lists_turn_back(const char *directory, const char *to) {
        _cleanup_free_ char *path = NULL;

        if (directory && path_of(directory, LIST_SYSTEM, &path) >= 0 && access(path, F_OK) >= 0)
                (void) write_text(directory, LIST_SYSTEM, to);
}

static int note_other_system(const char *system, StringList *notes) {
        char *note;
        int r;

        r = text_printf(&note,
                        "a switch to '%s' was interrupted; what it left to do is not for this "
                        "system",
                        system);
        return r < 0 ? r : string_list_take(notes, note);
}

/**
 * unit_lists_read_leftovers() - what an interrupted switch did not come to
 * @to:        the system that is switched to now; what was left of the way to another one is not
 * for it
 * @leftovers: appended to
 * @notes:     what is left out, and what is done without anybody knowing for which system
 *
 * Lists of NixOS' own program do not say which system they are for. It does them on the way to
 * any, and so must we: what it has stopped would stay down else.
 *
 * Return: 0 or -ENOMEM.
 */
int unit_lists_read_leftovers(const char *directory, const char *to, PlanLeftovers *leftovers,
                              StringList *notes) {
        _cleanup_free_ char *path = NULL, *system = NULL;
        int r;

        r = path_of(directory, LIST_SYSTEM, &path);
        if (r < 0)
                return r;
        if (file_read_line(AT_FDCWD, path, &system) >= 0 && strcmp(system, to) != 0)
                return note_other_system(system, notes);

        r = unit_lists_read(directory, name_of(PLAN_START), &leftovers->start, notes);
        if (r >= 0)
                r = unit_lists_read(directory, name_of(PLAN_RESTART), &leftovers->restart, notes);
        if (r >= 0)
                r = unit_lists_read(directory, name_of(PLAN_RELOAD), &leftovers->reload, notes);
        if (r < 0 || system || leftovers->start.n + leftovers->restart.n + leftovers->reload.n == 0)
                return r;
        return string_list_add(notes,
                               "an interrupted switch left units to be started, restarted or "
                               "reloaded, and does not say for which system; it is done on the "
                               "way to this one");
}
