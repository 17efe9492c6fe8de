/*
 * A trial boot: the next boot runs the new system and the one after it the old one again, unless
 * the first was judged well. The record stays open across it. What boots reads it there: the new
 * system is checked by enact-boot-check.service, which commits it or has the host go back; any
 * other one has the trial behind it, and the profile is put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "clock.h"
#include "engine.h"
#include "error.h"
#include "file.h"
#include "text.h"
#include "transaction-phases.h"

#define PAUSE_MSEC      250
#define STILL_LOOKS     4U /* in so many of them in a row nothing was being started */
#define TELL_PAUSE_USEC (10 * USEC_PER_SEC)

/* Why the new system cannot be tried in one boot; "" if it can. */
static int cannot_be_tried(const Transaction *t, char **ret_why) {
        _cleanup_free_ char *unit = NULL;
        const char *why = "";

        if (text_printf(&unit, "%s/etc/systemd/system/multi-user.target.wants/" BOOT_CHECK_UNIT,
                        t->new->path) < 0)
                return -ENOMEM;
        if (!t->settings.boot_menu)
                why = "its boot menu is not written by enact (programs.enact.bootMenu)";
        else if (t->settings.no_trial)
                why = "its trialBoot.enable is false";
        else if (t->no_rollback)
                why = "a way back was declined";
        else if (strcmp(transaction_kept(t), t->new->path) != 0)
                why = "what is to run is a specialisation, and what boots is its system";
        else if (faccessat(AT_FDCWD, unit, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                why = "nothing in it starts " BOOT_CHECK_UNIT ", so nobody would judge the boot";
        else if (!state_directory_is_durable(t->places->state))
                why = "the record of it would be lost with the power";
        else if (!transaction_can_stage_menu(t))
                why = "the boot default is no system whose menu enact writes, so there is nothing "
                      "to fall back to";
        *ret_why = strdup(why);
        return *ret_why ? 0 : -ENOMEM;
}

static int say_not_tried(Transaction *t, const char *why, sd_bus_error *reterr_error) {
        _cleanup_free_ char *text = NULL;

        if (t->request->trial)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "'%s' cannot be tried in one boot: %s. "
                                         "Nothing was changed.",
                                         t->new->path, why);
        if (t->settings.boot_menu && !t->settings.no_trial &&
            text_printf(&text, "it is not tried in one boot first: %s", why) >= 0)
                transaction_note(t, text);
        return 0;
}

static bool has_booted(const Transaction *t) {
        _cleanup_free_ char *booted = NULL;

        return file_realpath(t->places->booted, &booted) >= 0 && strcmp(booted, t->new->path) == 0;
}

/**
 * trial_choose() - whether the next boot tries the new system, and how
 *
 * Return: 0; else a negative errno with @reterr_error set: a trial was asked for and there is none,
 * or there is no boot partition to write to.
 */
int trial_choose(Transaction *t, sd_bus_error *reterr_error) {
        const bool boots = t->commits && (t->request->verb == REQUEST_BOOT || t->reboots);
        _cleanup_free_ char *why = NULL;
        MenuTrial way;
        int r;

        r = t->commits ? transaction_check_menu(t, &way, reterr_error) : 0;
        if (r < 0 || !boots || has_booted(t))
                return r;
        r = cannot_be_tried(t, &why);
        if (r < 0)
                return r;
        if (!*why && way == MENU_TRIAL_NONE)
                return say_not_tried(t, "its boot loader can neither boot an entry once nor count",
                                     reterr_error);
        if (*why)
                return say_not_tried(t, why, reterr_error);
        t->trial = way;
        return 0;
}

/** trial_begin() - how it is tried; the record that is written next holds it. 0 or -ENOMEM. */
int trial_begin(Transaction *t) {
        free(t->record.trial);
        t->record.trial = strdup(menu_trial_to_string(t->trial));
        return t->record.trial ? 0 : -ENOMEM;
}

/* The loader's order puts another entry before it: then the next boot tries nothing. */
static int do_without(Transaction *t, const char *instead, sd_bus_error *reterr_error) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = text_printf(&why,
                        "the boot loader counts, but its order puts '%s' first, which would boot",
                        instead);
        if (r >= 0)
                r = say_not_tried(t, why, reterr_error);
        t->trial = MENU_TRIAL_NONE;
        return r < 0 ? r : trial_begin(t);
}

static void tell_trial(Transaction *t) {
        cJSON *event = event_new("trial");

        event_add_text(event, "id", t->id);
        event_add_text(event, "way", t->record.trial);
        event_add_text(event, "text", t->text);
        event_add_message_id(event, MESSAGE_TRIAL_WAITS);
        event_emit(t->log, event);
}

/* The profile goes first: nothing new boots before the menu says so. */
int trial_enter(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_free_ char *instead = NULL;
        int r = 0;

        if (!t->request->trial)
                r = transaction_set_profile(t, reterr_error);
        if (r >= 0)
                r = transaction_try_menu(t, &instead, reterr_error);
        if (r >= 0 && instead)
                return do_without(t, instead, reterr_error);
        if (r >= 0)
                r = transaction_note_default(t, t->record.old_default, reterr_error);
        if (r >= 0)
                r = text_printf(&t->text,
                                "The next boot tries '%s'. If that goes well it is the boot "
                                "default; else '%s' runs again.",
                                t->new->path, t->record.old_default);
        if (r < 0)
                return r;
        r = transaction_wait_for_boot(t);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot write the record in '%s': %s", t->places->state,
                                         strerror(-r));
        tell_trial(t);
        return 0;
}

static bool is_ours(const char *unit) {
        return strcmp(unit, BOOT_CHECK_UNIT) == 0;
}

/* What waits for us is not waited for: those jobs run that nothing stands before. */
static int count_running_jobs(Manager *manager, size_t *ret_n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *unit, *state;
        int r;

        *ret_n = 0;
        r = sd_bus_call_method(manager_bus(manager), SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                               "ListJobs", NULL, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(usssoo)", NULL, &unit, NULL, &state,
                                                  NULL, NULL)) > 0)
                *ret_n += strcmp(state, "running") == 0 && !is_ours(unit);
        return r;
}

/* Bounded, and so is the whole: what is asked of this boot is asked of its clock. */
static int check_deadline(const Transaction *t, size_t n_running, sd_bus_error *reterr_error) {
        const uint64_t now = clock_monotonic_usec(); /* which begins with the boot */

        if (t->interrupted())
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The trial was told to stop");
        if (now < t->settings.trial_usec)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_COULD_NOT_TELL,
                                 "%" PRIu64 " s after the start of the host %zu unit%s still being "
                                 "started",
                                 now / USEC_PER_SEC, n_running, n_running == 1 ? " is" : "s are");
}

/* A boot has no other end than that nothing is being started any more. */
static int wait_for_startup(Transaction *t, sd_bus_error *reterr_error) {
        uint64_t told = 0;
        unsigned still = 0;
        size_t n = 0;
        int r;

        while (still < STILL_LOOKS) {
                r = check_deadline(t, n, reterr_error);
                if (r < 0)
                        return r;
                r = manager_check(t->manager, NULL);
                if (r >= 0)
                        r = count_running_jobs(t->manager, &n);
                still = r >= 0 && n == 0 ? still + 1 : 0;
                if (n > 0 && clock_monotonic_usec() - told >= TELL_PAUSE_USEC) {
                        transaction_note(t, "waiting until the boot is through");
                        told = clock_monotonic_usec();
                }
                (void) poll(NULL, 0, PAUSE_MSEC);
        }
        return 0;
}

/* What had failed before condemns nothing; all else was started by this boot. */
static int take_before(Transaction *t) {
        int r = 0;

        t->way.plan = calloc(1, sizeof(*t->way.plan));
        if (!t->way.plan)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < t->record.failing.n; i++)
                r = inventory_add(&t->way.state.inventory, t->record.failing.items[i], "failed",
                                  "failed", "", "");
        inventory_sort(&t->way.state.inventory);
        return r;
}

/* Of this boot is what is at work from here on. */
static int take_over_record(Transaction *t) {
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int r;

        r = sd_id128_get_boot(&id);
        if (r < 0)
                return r;
        free(t->record.boot_id);
        t->record.boot_id = strdup(sd_id128_to_string(id, text));
        t->record.waits = false;
        return t->record.boot_id ? 0 : -ENOMEM;
}

int check_enter(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        r = take_over_record(t);
        if (r >= 0)
                r = record_write(t->places->state, &t->record);
        if (r >= 0)
                r = take_before(t);
        if (r < 0)
                return r;
        r = wait_for_startup(t, reterr_error);
        return r < 0 ? r : transaction_judge(t, &t->way, reterr_error);
}
