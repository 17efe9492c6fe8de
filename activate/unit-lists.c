/*
 * Lists of units in /run/nixos, one name a line, as NixOS' own program keeps them: what a switch
 * has still to start, restart and reload, so that the next one can make up for it, and what an
 * activation script wants restarted or reloaded. A reboot clears them.
 */
#include <errno.h>
#include <fcntl.h>
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

/**
 * unit_lists_read() - the names on one list
 * @units: appended to, line by line; blank lines are left out
 *
 * Return: 0 (also where there is no list), -ENOMEM, or an errno of open(2).
 */
int unit_lists_read(const char *directory, const char *name, StringList *units) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char *rest;
        int r;

        r = path_of(directory, name, &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, LIST_BYTES_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

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

void unit_lists_remove(const char *directory, const char *name) {
        _cleanup_free_ char *path = NULL;

        if (path_of(directory, name, &path) >= 0)
                (void) unlink(path);
}

static int write_text(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = path_of(directory, name, &path);
        return r < 0 ? r : file_write(AT_FDCWD, path, text, 0644);
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

/**
 * unit_lists_read_leftovers() - what an interrupted switch did not come to
 * @to:        the system that is switched to now; what was left of the way to another one is not
 * for it
 * @leftovers: appended to
 *
 * Return: 0, or an error of unit_lists_read().
 */
int unit_lists_read_leftovers(const char *directory, const char *to, PlanLeftovers *leftovers,
                              StringList *notes) {
        _cleanup_free_ char *path = NULL, *system = NULL;
        char *note;
        int r;

        r = path_of(directory, LIST_SYSTEM, &path);
        if (r < 0)
                return r;
        if (file_read_line(AT_FDCWD, path, &system) >= 0 && strcmp(system, to) != 0) {
                r = text_printf(&note,
                                "a switch to '%s' was interrupted; what it left to do is not "
                                "for this system",
                                system);
                return r < 0 ? r : string_list_take(notes, note);
        }

        r = unit_lists_read(directory, name_of(PLAN_START), &leftovers->start);
        if (r >= 0)
                r = unit_lists_read(directory, name_of(PLAN_RESTART), &leftovers->restart);
        if (r >= 0)
                r = unit_lists_read(directory, name_of(PLAN_RELOAD), &leftovers->reload);
        return r;
}
