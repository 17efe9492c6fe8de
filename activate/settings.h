#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "menu-extra.h"
#include "probe.h"
#include "string-list.h"

#define SETTINGS_NAME          "enact.json"
#define SETTINGS_BYTES_MAX     ((size_t) 256 * 1024)

#define SETTINGS_TRIES         3U /* where a system says nothing else */
#define SETTINGS_TRIAL_SECONDS 600U

/* How a system wants to be switched to: enact.json in its toplevel. Without that file, and without
 * a word on it, all is zero but for the two of trial boots. */
typedef struct Settings {
        bool has_window;
        uint64_t window_usec;    /* judge.window: how long units are watched */
        uint64_t confirm_usec;   /* judge.confirm: somebody must confirm in time; 0: nobody need */
        StringList units;        /* judge.units: must be active */
        Probes probes;           /* judge.probes */
        bool no_rollback;        /* rollback.automatic is false */
        bool drop_in;            /* rollback.dropIn: the drop-in judges and rolls back, too */
        bool reboot;             /* rollback.reboot: where the way back fails, if that leads back */
        uint64_t job_limit_usec; /* jobs.timeout: of each job; 0: by the unit's own timeout */
        uint64_t generations;    /* retention.generations: how many are kept; 0: not said */
        bool boot_menu;          /* bootMenu: it is enact that writes the menu of this system */
        char *esp_path;          /* bootMenu.mountPoint; NULL: found by itself */
        char *extended_path;     /* bootMenu.extendedMountPoint; NULL: found by itself, or none */
        uint64_t menu_limit;     /* bootMenu.configurationLimit: of each profile; 0: all */
        MenuExtras extras;       /* bootMenu.extraEntries */
        bool no_trial;           /* trialBoot.enable is false */
        uint64_t tries;          /* trialBoot.tries, where they are counted */
        uint64_t trial_usec; /* trialBoot.deadline: so long after its start it has been judged */
        StringList notes;    /* what was left aside, in sentences */
} Settings;

int settings_parse(const char *text, size_t n, Settings *settings, char **ret_wrong);
int settings_read(const char *toplevel, Settings *settings, sd_bus_error *reterr_error);
void settings_forget(Settings *settings);
void settings_done(Settings *settings);
