/* What `enact status` tells: the systems, what is open, what a reboot would bring, what failed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>

#include "clock.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "manager.h"
#include "record.h"
#include "state-directory.h"
#include "status.h"
#include "text.h"

#define FAILED_SYSTEMS "/nix/var/nix/gcroots/enact/failed"

static bool is_of_another_boot(const cJSON *record) {
        const char *text = json_string(record, "boot-id");
        sd_id128_t then, now;

        return text && sd_id128_from_string(text, &then) >= 0 && sd_id128_get_boot(&now) >= 0 &&
               !sd_id128_equal(then, now);
}

/* While it waits; what another boot waited for is over. */
static uint64_t seconds_to_confirm(const cJSON *record) {
        const char *phase = json_string(record, "phase");
        uint64_t deadline, now = clock_boottime_usec();

        if (!phase || strcmp(phase, "confirm") != 0 || is_of_another_boot(record) ||
            json_number(record, "confirm-deadline", (uint64_t) 1 << 53, &deadline) < 0 ||
            deadline <= now)
                return 0;
        return (deadline - now + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

/* All is ready for the next boot, and nobody need do anything before. */
static const char *next_trial(const cJSON *record) {
        bool waits = false;

        return record && json_boolean(record, "waits", &waits) >= 0 && waits &&
                               !is_of_another_boot(record) ?
                       json_string(record, "to") :
                       NULL;
}

/* The record stands while an engine works, and after one was killed. */
static int read_open(Status *status) {
        _cleanup_free_ char *text = NULL, *command = NULL, *lock = NULL;
        pid_t pid;
        size_t n;
        int r;

        if (text_printf(&lock, "%s/lock", state_directory()) < 0)
                return -ENOMEM;
        r = record_read_text(state_directory(), &text, &n);
        if (r >= 0)
                r = json_parse(text, n, &status->open);
        if (r < 0 && r != -ENOENT && r != -EBADMSG)
                return r;
        status->damaged = r == -EBADMSG || record_was_damaged(state_directory());
        status->other_boot = status->open && is_of_another_boot(status->open);
        status->trial = next_trial(status->open);
        status->confirm_sec = status->open ? seconds_to_confirm(status->open) : 0;
        status->under_way = file_lock_holder(lock, &pid, &command) >= 0;
        return 0;
}

static int is_name(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

/* Each is a link to its system. */
static int read_failed_systems(StringList *systems) {
        struct dirent **names;
        int n, r = 0;

        n = scandir(FAILED_SYSTEMS, &names, is_name, alphasort);
        if (n < 0)
                return errno == ENOMEM ? -ENOMEM : 0; /* nothing has failed here yet */
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL, *target = NULL;

                if (r >= 0)
                        r = text_printf(&path, FAILED_SYSTEMS "/%s", names[i]->d_name);
                if (r >= 0 && file_realpath(path, &target) >= 0)
                        r = string_list_add(systems, target);
                free(names[i]);
        }
        free(names);
        return r;
}

static int read_failed_units(Status *status, sd_bus_error *reterr_error) {
        _cleanup_(inventory_done) Inventory inventory = { 0 };
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r;

        if (sd_booted() <= 0) /* a chroot has no units to tell of */
                return 0;
        r = manager_open(&manager, reterr_error);
        if (r >= 0)
                r = manager_units(manager, &inventory, reterr_error);
        for (size_t i = 0; r >= 0 && i < inventory.n; i++)
                if (strcmp(inventory.units[i].active, "failed") == 0)
                        r = string_list_add(&status->failed_units, inventory.units[i].id);
        return r;
}

/* A system that lies half deleted in the store has no reasons; the others are still told. */
static int read_reboot(Status *status) {
        _cleanup_free_ char *command_line = NULL;
        const Systems *s = &status->systems;
        const char *wanted = status->trial   ? status->trial :
                             s->boot_default ? s->boot_default :
                                               s->running;
        int r = 0;

        if (!s->booted || !wanted)
                return 0;
        (void) file_read(AT_FDCWD, "/proc/cmdline", FILE_SMALL_MAX, &command_line, NULL);
        r = reboot_reasons(s->booted, wanted, command_line, &status->reboot);
        if (r != -ENOMEM && s->running && strcmp(s->running, wanted) != 0)
                r = reboot_reasons(s->booted, s->running, command_line, &status->missing);
        return r == -ENOMEM ? r : 0;
}

/**
 * status_read() - look at the host
 * @status: all zero before; status_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set where there are words for it.
 */
int status_read(const Options *options, Status *status, sd_bus_error *reterr_error) {
        int r;

        r = systems_read(options->profile, &status->systems, reterr_error);
        if (r >= 0)
                r = read_open(status);
        if (r >= 0)
                r = read_reboot(status);
        if (r >= 0)
                r = read_failed_systems(&status->failed_systems);
        if (r >= 0)
                r = read_failed_units(status, reterr_error);
        return r;
}

/** status_last() - the last switch; owned by @status, NULL if there was none. */
const HistoryEntry *status_last(const Status *status) {
        const History *history = &status->systems.history;

        return history->n > 0 ? &history->entries[history->n - 1] : NULL;
}

/** status_last_failed() - the last switch that did not bring what was asked for, nor was stopped by
 * whoever asked; owned by @status, NULL if there was none. */
const HistoryEntry *status_last_failed(const Status *status) {
        const History *history = &status->systems.history;

        for (size_t i = history->n; i > 0; i--) {
                const char *outcome =
                        error_exit_code_to_outcome((int) history->entries[i - 1].exit_code);

                if (strcmp(outcome, "done") != 0 && strcmp(outcome, "needs-reboot") != 0 &&
                    strcmp(outcome, "interrupted") != 0)
                        return &history->entries[i - 1];
        }
        return NULL;
}

void status_done(Status *status) {
        systems_done(&status->systems);
        cJSON_Delete(status->open);
        reboot_reasons_done(&status->reboot);
        reboot_reasons_done(&status->missing);
        string_list_done(&status->failed_systems);
        string_list_done(&status->failed_units);
}
