/*
 * The last words of a switch: whether a reboot is due, and what to type next. They are for people
 * alone; programs have the events.
 */
#include <stdio.h>
#include <string.h>

#include "after.h"
#include "file.h"
#include "reboot.h"
#include "text.h"

#define BOOTED_SYSTEM "/run/booted-system"

/* What runs is not all of the new system, as long as the kernel is another. */
static bool tell_reboot(const Display *display, const char *toplevel) {
        _cleanup_(reboot_reasons_done) RebootReasons reasons = { 0 };
        _cleanup_free_ char *booted = NULL;
        char text[256] = "";

        if (file_realpath(BOOTED_SYSTEM, &booted) < 0 ||
            reboot_reasons(booted, toplevel, NULL, &reasons) < 0 || reasons.n == 0)
                return false;
        for (size_t i = 0; i < reasons.n; i++) {
                const size_t at = strlen(text);

                (void) snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? ", " : "",
                                reasons.items[i].what);
        }
        display_say(display, "in effect after a reboot:", text);
        return true;
}

static void tell_next(const Display *display, const char *text) {
        display_say(display, "next:", text);
}

static void tell_well(const Display *display, RequestVerb verb, const char *toplevel) {
        const bool reboots = verb != REQUEST_BOOT && tell_reboot(display, toplevel);

        if (verb == REQUEST_TEST)
                tell_next(display, "'enact switch' keeps it; a reboot undoes it");
        else if (verb == REQUEST_BOOT)
                tell_next(display, "reboot; 'enact status' tells what the next boot takes");
        else if (reboots)
                tell_next(display, "reboot, when it suits; 'enact status' tells more");
}

static void tell_rolled_back(const Display *display) {
        _cleanup_free_ char *text = NULL;

        if (text_printf(&text,
                        "'enact log %s' has what was seen; the failed system is kept for you "
                        "to look at ('enact generations')",
                        display->id) >= 0)
                tell_next(display, text);
}

/**
 * after_tell() - the last words of a command that asked for a switch
 * @toplevel:  what it was to
 * @exit_code: how it ended
 */
void after_tell(const Display *display, RequestVerb verb, const char *toplevel, int exit_code) {
        if (display->json || verb == REQUEST_DRY_ACTIVATE)
                return;
        switch (exit_code) {
        case 0:
                if (*display->id)
                        tell_well(display, verb, toplevel);
                break;
        case 3:
                tell_rolled_back(display);
                break;
        case 4:
                tell_next(display, "mend what has failed, or 'enact rollback'");
                break;
        case 5:
                tell_next(display, "'enact status' says what holds");
                break;
        case 6:
                tell_next(display, "'enact status' shows it; 'enact cancel' ends a switch");
                break;
        case 100:
                tell_next(display, "reboot");
                break;
        default:
                break;
        }
}
