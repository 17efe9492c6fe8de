/* What would change, told before it is changed: packages, units, what only a reboot brings, room.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "before.h"
#include "error.h"
#include "file.h"
#include "generations-diff.h"
#include "live-state.h"
#include "manager.h"
#include "plan-print.h"
#include "profile.h"
#include "room.h"
#include "state-directory.h"
#include "state-mount.h"
#include "text.h"
#include "toplevel.h"
#include "unit-lists.h"

#define RUNNING_SYSTEM "/run/current-system"

/**
 * before_find_running() - the system that runs, resolved; owned by the caller
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int before_find_running(char **ret_running, sd_bus_error *reterr_error) {
        int r = file_realpath(RUNNING_SYSTEM, ret_running);

        return r < 0 ? sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "No NixOS system runs here ('" RUNNING_SYSTEM "': %s).",
                                         strerror(-r)) :
                       0;
}

static int add_refusal(const char *refusal, Plan *plan) {
        char *note;
        int r;

        r = text_printf(&note, "a switch would be refused: %s", refusal);
        return r < 0 ? r : string_list_take(&plan->notes, note);
}

/* What a switch would be refused for when all of this is known. */
static int note_refusals(const char *running, const char *toplevel, const RecordedState *state,
                         const Manager *manager, Plan *plan) {
        const StateMountSource source = {
                .from = running,
                .to = toplevel,
                .inventory = &state->inventory,
                .plan = plan,
        };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *refusal = NULL;
        int r;

        r = state_mount_refusal(&source, state_directory(), &refusal);
        if (r == 0)
                r = add_refusal(refusal, plan);
        if (r < 0)
                return r;
        /* Nobody but root may use the private socket. */
        return geteuid() != 0 || live_check_bus(manager, plan, &error) >= 0 ?
                       0 :
                       add_refusal(error.message, plan);
}

/**
 * before_make_plan() - what the running system would have to do
 * @running: of before_find_running()
 * @lists:   what the dry activation script said that the live one would want; may be NULL
 * @ret:     owned by the caller
 *
 * Anybody may know, of the managers that they may ask.
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int before_make_plan(const char *running, const char *toplevel, const DryLists *lists, Plan **ret,
                     sd_bus_error *reterr_error) {
        _cleanup_(recorded_state_done) RecordedState state = { 0 };
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        LiveSource source = {
                .from = running,
                .to = toplevel,
                .lists_directory = NIXOS_DIRECTORY,
                .all_users = geteuid() == 0,
        };
        int r;

        r = manager_open(&manager, reterr_error);
        if (r >= 0)
                r = live_plan(manager, &source, &state, &plan, reterr_error);
        if (r >= 0 && lists && lists->restart.n + lists->reload.n > 0)
                r = live_add_lists(manager, running, toplevel, &state, &lists->restart,
                                   &lists->reload, plan);
        if (r >= 0)
                r = note_refusals(running, toplevel, &state, manager, plan);
        if (r >= 0)
                *ret = TAKE_PTR(plan);
        return r;
}

/* Only Nix knows of packages; a plan of units is one without them. */
static void note_unknown(const sd_bus_error *error) {
        fprintf(stderr, "note: which packages differ is not known: %s\n",
                error->message ? error->message : "out of memory");
}

/**
 * before_print_packages() - packages that differ, what only a reboot brings, a lack of room
 * @f: where to
 *
 * What cannot be known is a note, and no error.
 */
void before_print_packages(const char *running, const char *toplevel, FILE *f) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL, room_error = SD_BUS_ERROR_NULL;
        _cleanup_(toplevel_freep) Toplevel *new = NULL;

        if (strcmp(running, toplevel) != 0 &&
            generations_diff_packages(running, toplevel, f, &error) < 0)
                note_unknown(&error);
        if (toplevel_open(toplevel, &new, NULL) >= 0 &&
            room_check_boot(new, PROFILES_DIRECTORY, &room_error) < 0 && room_error.message)
                fprintf(f, "boot partition\n  %s\n", room_error.message);
        (void) fflush(f);
}

/** before_print_units() - the plan, for people. */
void before_print_units(const char *running, const char *toplevel, const Plan *plan, FILE *f) {
        fprintf(f, "A switch from %s\n         to %s would do this:\n", running, toplevel);
        plan_print(plan, f);
        fprintf(f, "digest %s\n", plan->digest);
        (void) fflush(f);
}

/** before_add_packages() - the same as before_print_packages(), to a plan for programs. */
void before_add_packages(const char *running, const char *toplevel, cJSON *object) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        if (generations_diff_to_json(running, toplevel, object, &error) < 0)
                note_unknown(&error);
}

void dry_lists_done(DryLists *lists) {
        string_list_done(&lists->restart);
        string_list_done(&lists->reload);
}
