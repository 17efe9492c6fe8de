#pragma once

#include <systemd/sd-bus.h>

#include "event.h"
#include "menu-check.h"
#include "toplevel.h"
#include "transaction.h"

enum { INSTALLED_MENU_UNTOLD = 1 }; /* answer: nothing speaks against it, nor for it */

/* A boot loader installer that is about to run. */
typedef struct InstalledMenuSource {
        const TransactionPlaces *places;
        const Toplevel *of; /* whose installer it is, and what is to be the default */
        const Toplevel
                *other; /* the system whose installer has written the menu; NULL: not known */
        const char *led_to[2]; /* as in MenuCheckSource; "" is NULL */
        EventLog *log;         /* told what is not as it should be and is no failure */
        bool only_told;        /* a menu that is not what it must be is none, too */
} InstalledMenuSource;

int installed_menu_begin(const InstalledMenuSource *source, MenuCheck *check);
int installed_menu_end(const InstalledMenuSource *source, MenuCheck *check,
                       sd_bus_error *reterr_error);
