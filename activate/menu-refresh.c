/*
 * The boot menu written anew, for the systems that there are and with the default that it has: by
 * enact where the default says that its menu is enact's, else by its own installer, whose work is
 * verified. Whoever asks for it names nothing: which system that is, the host knows.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "installed-menu.h"
#include "locks.h"
#include "menu-refresh.h"
#include "menu-writer.h"
#include "noted-default.h"
#include "scripts.h"
#include "settings.h"
#include "text.h"
#include "upkeep.h"

#define VERB               "refresh-boot-menu"
#define WRITING_LIMIT_USEC (10 * 60 * USEC_PER_SEC) /* of a slow boot partition */

/** menu_refresh_request() - what the root side is asked; owned by the caller. 0 or -ENOMEM. */
int menu_refresh_request(cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "verb", VERB))
                return -ENOMEM;
        *ret_object = TAKE_PTR(object);
        return 0;
}

/** menu_refresh_is_meant() - whether a request, good or bad, has this verb. */
bool menu_refresh_is_meant(const cJSON *object) {
        const char *verb = json_string(object, "verb");

        return verb && strcmp(verb, VERB) == 0;
}

/** menu_refresh_check_request() - 0, or -EBADMSG for one that says anything else. */
int menu_refresh_check_request(const cJSON *object) {
        uint64_t version;

        return menu_refresh_is_meant(object) && cJSON_GetArraySize(object) == 2 &&
                               json_number(object, "version", 1, &version) >= 0 && version == 1 ?
                       0 :
                       -EBADMSG;
}

static const char *find_default(const Marks *marks) {
        for (size_t i = 0; i < marks->n; i++)
                if (marks->systems[i].marks >> MARK_DEFAULT & 1)
                        return marks->systems[i].path;
        return NULL;
}

static int write_own(const TransactionPlaces *places, const Settings *settings,
                     const char *toplevel, EventLog *log, sd_bus_error *reterr_error) {
        const MenuRequest request = {
                .esp_path = settings->esp_path,
                .extended_path = settings->extended_path,
                .limit = (size_t) settings->menu_limit,
                .extras = &settings->extras,
                .default_toplevel = toplevel,
        };
        _cleanup_(boot_outcome_done) BootOutcome outcome = { 0 };
        int r;

        event_log_expect(log, WRITING_LIMIT_USEC);
        r = menu_writer_run(&request, places, &outcome, reterr_error);
        for (size_t i = 0; i < outcome.notes.n; i++)
                event_say(log, "note", "text", outcome.notes.items[i]);
        return r;
}

static int run_installer(const TransactionPlaces *places, const Toplevel *toplevel, EventLog *log,
                         sd_bus_error *reterr_error) {
        const InstalledMenuSource menu = {
                .places = places,
                .of = toplevel,
                .other = toplevel,
                .led_to = { toplevel->path },
                .log = log,
        };
        const Scripts scripts = { .of = toplevel, .action = "boot", .log = log };
        _cleanup_(menu_check_done) MenuCheck check = { 0 };
        int r;

        r = installed_menu_begin(&menu, &check);
        if (r >= 0)
                r = scripts_run_variable(&scripts, "boot loader installer", "INSTALL_BOOTLOADER",
                                         NULL, reterr_error);
        return r < 0 ? r : installed_menu_end(&menu, &check, reterr_error);
}

static int write_of(const TransactionPlaces *places, const char *path, EventLog *log,
                    sd_bus_error *reterr_error) {
        _cleanup_(toplevel_freep) Toplevel *toplevel = NULL;
        _cleanup_(settings_done) Settings settings = { 0 };
        int r;

        r = toplevel_open(path, &toplevel, reterr_error);
        if (r >= 0)
                r = settings_read(path, &settings, reterr_error);
        if (r < 0)
                return r;
        return settings.boot_menu ?
                       write_own(places, &settings, toplevel->path, log, reterr_error) :
                       run_installer(places, toplevel, log, reterr_error);
}

/**
 * menu_refresh_write() - write it, with the default that it has
 * @log: told what is to be known of it
 *
 * The caller holds the locks. What was deleted before is no longer in it, and may be collected.
 *
 * Return: 0; INSTALLED_MENU_UNTOLD; else a negative errno with @reterr_error set.
 */
int menu_refresh_write(const TransactionPlaces *places, const Marks *marks, EventLog *log,
                       sd_bus_error *reterr_error) {
        const char *path = find_default(marks);
        int r;

        if (!path)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "It is not known which system the next boot takes");
        r = write_of(places, path, log, reterr_error);
        if (r < 0)
                return r;
        if (noted_default_write(places, path) < 0)
                event_say(log, "note", "text",
                          "which system is the boot default could not be noted");
        if (upkeep_menu_is_written(places->roots) < 0)
                event_say(log, "note", "text",
                          "what the boot menu no longer lists could not be given up");
        return r;
}

static int refresh(const TransactionPlaces *places, EventLog *log, char **ret_text,
                   sd_bus_error *reterr_error) {
        _cleanup_(marks_done) Marks marks = { 0 };
        int r;

        r = marks_read(places, places->booted, SYSTEM_PROFILE, &marks, reterr_error);
        if (r < 0)
                return r;
        if (marks.open)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "A switch has not come to its end, and the boot menu is a part of it; "
                        "'enact status' tells of it. Nothing was changed.");
        r = menu_refresh_write(places, &marks, log, reterr_error);
        return r < 0 ? r :
                       text_printf(ret_text,
                                   r == 0 ? "The boot menu was written; '%s' is its default." :
                                            "The boot loader installer of '%s' was run.",
                                   find_default(&marks));
}

/**
 * menu_refresh_run() - write the boot menu anew, under both locks
 * @ret_text: how it ended well, in one sentence; owned by the caller
 *
 * Return: 0; else a negative errno with @reterr_error set.
 */
int menu_refresh_run(const TransactionPlaces *places, EventLog *log, char **ret_text,
                     sd_bus_error *reterr_error) {
        _cleanup_close_ int lock_fd = -EBADF, nixos_lock_fd = -EBADF;
        int r;

        r = locks_take(places, 0, &lock_fd, &nixos_lock_fd, reterr_error);
        return r < 0 ? r : refresh(places, log, ret_text, reterr_error);
}
