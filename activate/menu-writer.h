#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "boot-install.h"
#include "transaction.h"

/* What the machine's boot menu is to be. Paths of systems are store paths. */
typedef struct MenuRequest {
        const char *esp_path, *extended_path; /* where they are mounted; NULL: found by itself */
        size_t limit;                         /* generations of each profile; 0: all */
        const MenuExtras *extras;             /* NULL: none */
        const char *default_toplevel;         /* NULL: what it is */
        const char *counted_toplevel;         /* as in MenuWish */
        unsigned tries;
        const char *blessed_toplevel;
        const char *one_shot_toplevel;
        bool drops_one_shot;
        bool only_checks;  /* whether all of it has room, and nothing is written */
        bool drops_booted; /* the entry that was booted goes, too, if nothing else wants it */
} MenuRequest;

/* How a system can be tried in one boot, with the old default for the next. */
typedef enum MenuTrial {
        MENU_TRIAL_NONE,
        MENU_TRIAL_ONE_SHOT, /* by the variable that the loader takes away as it reads it */
        MENU_TRIAL_COUNTED,  /* by tries in the name of the entry, which the loader counts */
        _MENU_TRIAL_MAX,
} MenuTrial;

const char *menu_trial_to_string(MenuTrial trial);
MenuTrial menu_trial_from_string(const char *text);
int menu_writer_find_trial(const MenuRequest *request, MenuTrial *ret, sd_bus_error *reterr_error);
int menu_writer_run(const MenuRequest *request, const TransactionPlaces *places,
                    BootOutcome *outcome, sd_bus_error *reterr_error);
int menu_writer_update_loader(const MenuRequest *request, const char *toplevel, StringList *notes,
                              sd_bus_error *reterr_error);
