/*
 * The boot menu in a transaction. Where a system says that its menu is enact's, it is written here:
 * the new system has its entry before it counts, without being what boots, and becomes the default
 * at commit. Else it is the system's own installer that is run, at commit.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "menu-writer.h"
#include "text.h"
#include "transaction-phases.h"
#include "upkeep.h"

#define INSTALLER_GRACE_USEC (5 * 60 * USEC_PER_SEC)  /* of a host that goes down */
#define WRITING_LIMIT_USEC   (10 * 60 * USEC_PER_SEC) /* of a slow boot partition */

static MenuRequest request_of(const Settings *settings) {
        return (MenuRequest){
                .esp_path = settings->esp_path,
                .extended_path = settings->extended_path,
                .limit = (size_t) settings->menu_limit,
                .extras = &settings->extras,
        };
}

static void tell_written(Transaction *t) {
        if (upkeep_menu_is_written(t->places->roots) < 0)
                transaction_note(t, "what the boot menu no longer lists could not be given up");
}

static int run_writer(Transaction *t, const MenuRequest *request, BootOutcome *outcome,
                      sd_bus_error *reterr_error) {
        int r;

        event_log_expect(t->log, WRITING_LIMIT_USEC);
        r = menu_writer_run(request, t->places, outcome, reterr_error);
        for (size_t i = 0; i < outcome->notes.n; i++)
                transaction_note(t, outcome->notes.items[i]);
        if (r >= 0)
                tell_written(t);
        return r;
}

static int write_menu(Transaction *t, const MenuRequest *request, sd_bus_error *reterr_error) {
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };

        return run_writer(t, request, &outcome, reterr_error);
}

/* The installer that ran last is that of the other system, on the way there and on the way back. */
InstalledMenuSource transaction_menu(const Transaction *t, const Toplevel *of) {
        const Record *record = &t->record;

        return (InstalledMenuSource){
                .places = t->places,
                .of = of,
                .other = strcmp(of->path, transaction_kept(t)) == 0 ? t->old : t->new,
                .led_to = { record->old_default && *record->old_default ? record->old_default :
                                                                          record->old_profile,
                            transaction_kept(t) },
                .log = t->log,
                .only_told = t->request->no_check,
        };
}

/* Its exit status alone proves nothing. */
static int run_installer(Transaction *t, const Toplevel *toplevel, sd_bus_error *reterr_error) {
        const InstalledMenuSource menu = transaction_menu(t, toplevel);
        _cleanup_(menu_check_done) MenuCheck check = { 0 };
        Scripts scripts = transaction_scripts(t, toplevel);
        int r;

        /* In the middle of writing the boot partition is the worst place to be cut short at. */
        scripts.manager = t->manager;
        scripts.grace_usec = INSTALLER_GRACE_USEC;
        r = installed_menu_begin(&menu, &check);
        if (r >= 0)
                r = scripts_run_variable(&scripts, "boot loader installer", "INSTALL_BOOTLOADER",
                                         NULL, reterr_error);
        if (r >= 0)
                r = installed_menu_end(&menu, &check, reterr_error);
        if (r >= 0)
                tell_written(t);
        return r;
}

/* By itself, after the menu: what booted before still does if it goes wrong. Never on the way back.
 */
static int update_loader(Transaction *t, const MenuRequest *request, const Toplevel *toplevel,
                         sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList notes = { 0 };
        int r;

        event_log_expect(t->log, WRITING_LIMIT_USEC);
        r = menu_writer_update_loader(request, toplevel->path, &notes, reterr_error);
        for (size_t i = 0; i < notes.n; i++)
                transaction_note(t, notes.items[i]);
        return r;
}

/** transaction_install_menu() - make a system the boot default, by its own way to do so */
int transaction_install_menu(Transaction *t, const Toplevel *toplevel, sd_bus_error *reterr_error) {
        _cleanup_(settings_done) Settings settings = { 0 };
        MenuRequest request;
        int r;

        /* One whose file nobody can read is gone back to, and has an installer of its own. */
        if (settings_read(toplevel->path, &settings, NULL) < 0 || !settings.boot_menu)
                return run_installer(t, toplevel, reterr_error);
        request = request_of(&settings);
        request.default_toplevel = request.blessed_toplevel = toplevel->path;
        request.drops_one_shot = menu_trial_from_string(t->record.trial) == MENU_TRIAL_ONE_SHOT;
        r = write_menu(t, &request, reterr_error);
        if (r < 0 || strcmp(toplevel->path, transaction_kept(t)) != 0 ||
            !t->request->install_bootloader)
                return r;
        return update_loader(t, &request, toplevel, reterr_error);
}

/* Two writers would delete each other's files: what another one has written is left to commit. */
static bool was_ours_before(const Transaction *t) {
        _cleanup_(settings_done) Settings settings = { 0 };

        return *t->record.old_default &&
               settings_read(t->record.old_default, &settings, NULL) >= 0 && settings.boot_menu;
}

/** transaction_can_stage_menu() - whether the new system can be in the menu and not its default */
bool transaction_can_stage_menu(const Transaction *t) {
        return t->settings.boot_menu && was_ours_before(t);
}

/**
 * transaction_check_menu() - what can be said of the boot partition before anything is changed
 *
 * Return: 0; else a negative errno, and @reterr_error says what is wrong with it.
 */
int transaction_check_menu(Transaction *t, MenuTrial *ret_trial, sd_bus_error *reterr_error) {
        const MenuRequest request = request_of(&t->settings);

        *ret_trial = MENU_TRIAL_NONE;
        return t->settings.boot_menu ? menu_writer_find_trial(&request, ret_trial, reterr_error) :
                                       0;
}

/**
 * transaction_check_room_in_menu() - whether there will be room for the new system's entry
 *
 * Return: 0, or a negative errno with @reterr_error set: it has the numbers.
 */
int transaction_check_room_in_menu(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        MenuRequest request = request_of(&t->settings);

        request.only_checks = true;
        request.default_toplevel = transaction_kept(t);
        return menu_writer_run(&request, t->places, &outcome, reterr_error);
}

static void count_tries(const Transaction *t, MenuRequest *request) {
        request->counted_toplevel = transaction_kept(t);
        request->tries = (unsigned) t->settings.tries;
}

/**
 * transaction_stage_menu() - give the new system an entry that is not what boots
 *
 * The record says so by then. Where there was no room, say, nothing was written, and there is
 * nothing to take out again: it would need that room, too.
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int transaction_stage_menu(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        MenuRequest request = request_of(&t->settings);
        int r;

        request.default_toplevel = t->record.old_default;
        if (t->trial == MENU_TRIAL_COUNTED)
                count_tries(t, &request);
        r = run_writer(t, &request, &outcome, reterr_error);
        t->record.staged_entry = r >= 0 || outcome.begun;
        return r;
}

/**
 * transaction_try_menu() - have the next boot try the new system, and the one after it not
 * @ret_instead: the entry that the loader would boot nevertheless, or NULL; the caller's
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int transaction_try_menu(Transaction *t, char **ret_instead, sd_bus_error *reterr_error) {
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        MenuRequest request = request_of(&t->settings);
        int r;

        if (menu_trial_from_string(t->record.trial) == MENU_TRIAL_ONE_SHOT) {
                request.default_toplevel = t->record.old_default;
                request.one_shot_toplevel = transaction_kept(t);
        } else {
                request.default_toplevel = transaction_kept(t);
                count_tries(t, &request);
        }
        r = run_writer(t, &request, &outcome, reterr_error);
        *ret_instead = r < 0 ? NULL : TAKE_PTR(outcome.boots_instead);
        return r;
}

/**
 * transaction_unstage_menu() - take the entry of a new system that came to nothing out of the menu
 *
 * Its generation is gone by then. Return: 0, or a negative errno.
 */
int transaction_unstage_menu(Transaction *t) {
        _cleanup_(settings_done) Settings settings = { 0 };
        MenuRequest request;
        int r;

        r = settings_read(t->record.old_default, &settings, NULL);
        if (r < 0)
                return r;
        request = request_of(&settings);
        request.default_toplevel = t->record.old_default;
        request.drops_booted = t->on_trial;
        return write_menu(t, &request, NULL);
}
