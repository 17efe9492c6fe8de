/*
 * Moving the inputs of a flake forward: Nix does it, and what it has moved is read from flake.lock
 * before and after.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "lock-update.h"
#include "nix-features.h"
#include "nix-run.h"
#include "text.h"

#define REVISION_SHOWN  11
#define NAMES_SHOWN_MAX 30U

static int update_arguments(const Flake *flake, const StringList *inputs, const StringList *options,
                            StringList *arguments, sd_bus_error *reterr_error) {
        bool takes_inputs;
        int r;

        r = nix_update_takes_inputs(&takes_inputs, reterr_error);
        if (r >= 0)
                r = nix_arguments(takes_inputs || inputs->n == 0 ? "flake update" : "flake lock",
                                  /* for_build= */ true, options, arguments);
        for (size_t i = 0; r >= 0 && i < inputs->n; i++) {
                if (!takes_inputs)
                        r = string_list_add(arguments, "--update-input");
                if (r >= 0)
                        r = string_list_add(arguments, inputs->items[i]);
        }
        if (r >= 0 && takes_inputs)
                r = string_list_add(arguments, "--flake");
        return r < 0 ? r : string_list_add(arguments, flake->reference);
}

/* The name of an input is known before Nix is asked, if there is a lock file. */
static int check_inputs(const Flake *flake, const StringList *inputs, const LockFile *lock,
                        sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_free_ char *list = NULL;
        const char *near;
        int r = 0;

        if (lock->n == 0)
                return 0;
        for (size_t i = 0; r >= 0 && i < lock->n; i++)
                if (!strchr(lock->inputs[i].path, '/'))
                        r = string_list_add(&names, lock->inputs[i].path);
        for (size_t i = 0; r >= 0 && i < inputs->n; i++) {
                _cleanup_free_ char *first =
                        strndup(inputs->items[i], strcspn(inputs->items[i], "/"));

                if (!first)
                        return -ENOMEM;
                if (string_list_contains(&names, first))
                        continue;
                near = string_list_nearest(&names, first);
                if (names.n > NAMES_SHOWN_MAX)
                        r = text_printf(&list, "%zu others", names.n);
                else
                        r = string_list_join(&names, ", ", &list);
                if (r >= 0)
                        r = sd_bus_error_setf(
                                reterr_error, ENACT_ERROR_USAGE,
                                "Flake '%s' has no input '%s'. It has: %s. %s%s%sNothing was "
                                "changed.",
                                flake->reference, first, list, near ? "Did you mean '" : "",
                                near ? near : "", near ? "'? " : "");
        }
        return r;
}

static int read_lock(const LockUpdate *update, LockFile *lock, sd_bus_error *reterr_error) {
        int r = lock_file_read(update->directory, lock);

        if (r >= 0 || r == -ENOMEM)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_EVALUATION,
                                 "Cannot read '%s/flake.lock': %s.", update->directory,
                                 r == -EBADMSG ? "it is no lock file" : strerror(-r));
}

/* What Nix says of its own accord is the moves, and those are printed by whoever asked. */
static void on_event(const NixEvent *event, void *userdata) {
        if (event->kind != NIX_EVENT_MESSAGE && event->kind != NIX_EVENT_PLAIN)
                display_nix_event(event, userdata);
}

/**
 * lock_update() - have Nix move inputs of a flake forward
 * @inputs:  these; none: all
 * @options: of Nix
 * @update:  all zero before; lock_update_done() even after an error
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int lock_update(const Flake *flake, const StringList *inputs, const StringList *options,
                Display *display, LockUpdate *update, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        _cleanup_(nix_run_done) NixRun run = NIX_RUN_NULL;
        _cleanup_free_ char *words = NULL;
        int r;

        r = flake_directory(flake, &update->directory, reterr_error);
        if (r == FLAKE_NONE)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "Flake '%s' is not a directory on this machine, and its "
                                         "flake.lock can only be changed where it is. Nothing was "
                                         "changed.",
                                         flake->reference);
        if (r >= 0)
                r = read_lock(update, &update->before, reterr_error);
        if (r >= 0)
                r = check_inputs(flake, inputs, &update->before, reterr_error);
        if (r >= 0)
                r = update_arguments(flake, inputs, options, &arguments, reterr_error);
        if (r < 0)
                return r;
        display_say(display, "updating", flake->reference);
        r = nix_run(&run, &arguments, STDERR_FILENO, display->rows ? on_event : NULL, display,
                    reterr_error);
        if (r < 0)
                return r;
        if (run.end.si_code == CLD_EXITED && run.end.si_status == 0)
                return read_lock(update, &update->after, reterr_error);
        r = nix_log_error(run.log, &words);
        return r < 0 ? r :
                       sd_bus_error_setf(reterr_error, ENACT_ERROR_EVALUATION,
                                         "Cannot update the inputs of flake '%s': %s\nNothing was "
                                         "changed.",
                                         flake->reference, words);
}

static bool has_moved(const LockedInput *before, const LockedInput *after) {
        return !before || !after || strcmp(before->revision, after->revision) != 0 ||
               strcmp(before->reference, after->reference) != 0;
}

static void print_state(const LockedInput *input, FILE *f) {
        const time_t modified = (time_t) input->modified;
        char date[32] = "";
        struct tm tm;

        if (input->modified > 0 && gmtime_r(&modified, &tm))
                (void) strftime(date, sizeof(date), "%Y-%m-%d ", &tm);
        fprintf(f, "%s%.*s", date, strchr(input->revision, '-') ? 20 : REVISION_SHOWN,
                *input->revision ? input->revision : "?");
}

static void print_move(const LockedInput *before, const LockedInput *after, FILE *f) {
        fprintf(f, "  %s: ", after ? after->path : before->path);
        if (before)
                print_state(before, f);
        else
                fputs("new", f);
        fputs(" -> ", f);
        if (after)
                print_state(after, f);
        else
                fputs("gone", f);
        if (before && after && strcmp(before->reference, after->reference) != 0)
                fprintf(f, " (%s -> %s)", before->reference, after->reference);
        fputc('\n', f);
}

/* Calls @told for each input that moved, in the order of their paths; answers how many did. */
static size_t each_move(const LockUpdate *update,
                        void (*told)(const LockedInput *before, const LockedInput *after,
                                     void *userdata),
                        void *userdata) {
        size_t n = 0;

        for (size_t i = 0, k = 0; i < update->before.n || k < update->after.n;) {
                const LockedInput *before = i < update->before.n ? &update->before.inputs[i] : NULL;
                const LockedInput *after = k < update->after.n ? &update->after.inputs[k] : NULL;
                int order = !before ? 1 : !after ? -1 : strcmp(before->path, after->path);

                i += order <= 0;
                k += order >= 0;
                if (!has_moved(order <= 0 ? before : NULL, order >= 0 ? after : NULL))
                        continue;
                told(order <= 0 ? before : NULL, order >= 0 ? after : NULL, userdata);
                n++;
        }
        return n;
}

static void on_print(const LockedInput *before, const LockedInput *after, void *userdata) {
        print_move(before, after, userdata);
}

/** lock_update_print() - what has moved, for people. */
void lock_update_print(const LockUpdate *update, FILE *f) {
        if (each_move(update, on_print, f) == 0)
                fputs("  nothing has moved\n", f);
}

static void add_state(cJSON *object, const char *key, const LockedInput *input) {
        cJSON *state =
                input ? cJSON_AddObjectToObject(object, key) : cJSON_AddNullToObject(object, key);

        if (!state || !input)
                return;
        (void) cJSON_AddStringToObject(state, "reference", input->reference);
        (void) cJSON_AddStringToObject(state, "revision", input->revision);
        (void) cJSON_AddNumberToObject(state, "modified", (double) input->modified);
}

static void on_add(const LockedInput *before, const LockedInput *after, void *userdata) {
        cJSON *object = cJSON_CreateObject();

        if (!object)
                return;
        (void) cJSON_AddStringToObject(object, "input", after ? after->path : before->path);
        add_state(object, "from", before);
        add_state(object, "to", after);
        (void) cJSON_AddItemToArray(userdata, object);
}

/** lock_update_to_json() - the same for programs; owned by the caller. 0 or -ENOMEM. */
int lock_update_to_json(const LockUpdate *update, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        cJSON *moved;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "directory", update->directory))
                return -ENOMEM;
        moved = cJSON_AddArrayToObject(object, "moved");
        if (!moved || each_move(update, on_add, moved) != (size_t) cJSON_GetArraySize(moved))
                return -ENOMEM;
        *ret_object = TAKE_PTR(object);
        return 0;
}

void lock_update_done(LockUpdate *update) {
        free(update->directory);
        lock_file_done(&update->before);
        lock_file_done(&update->after);
        *update = (LockUpdate){ 0 };
}
