/*
 * The last resort: after a way back that failed, too, the host is between two systems, and a reboot
 * leads to a whole one. A system may ask for that (rollback.reboot); it is done only where what
 * boots is the old system for certain.
 */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "noted-default.h"
#include "text.h"
#include "transaction-phases.h"

/* Known, not guessed from a profile that somebody else has moved. */
static bool boots_next(const Transaction *t, const char *toplevel) {
        _cleanup_free_ char *path = NULL;

        return *toplevel && noted_default_read(t->places, &path) == 0 &&
               strcmp(path, toplevel) == 0;
}

/** reboot_back_is_certain() - whether a reboot leads to what was the default before. */
bool reboot_back_is_certain(const Transaction *t) {
        return boots_next(t, t->record.old_default);
}

/**
 * reboot_back_is_due() - whether the host is to be rebooted into the old system
 *
 * Once for a record: whoever finds it again after a reboot that brought nothing does not try
 * another.
 */
bool reboot_back_is_due(const Transaction *t) {
        return t->recorded && t->settings.reboot && !t->record.rebooting &&
               boots_next(t, t->record.from);
}

static void tell_reboot(Transaction *t) {
        cJSON *event = event_new("reboot");
        _cleanup_free_ char *text = NULL;

        event_add_text(event, "id", t->record.id);
        if (text_printf(&text, "%s; this host reboots into '%s' now",
                        t->on_trial ? "a trial boot has failed" :
                                      "a switch and the way back failed",
                        t->on_trial ? t->record.old_default : t->record.from) >= 0)
                event_add_text(event, "text", text);
        event_add_message_id(event, MESSAGE_REBOOT);
        event_emit(t->log, event);
}

/** reboot_back() - have systemd do it; what was recorded stands by then, and the next boot ends it.
 */
void reboot_back(Transaction *t) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        tell_reboot(t);
        r = manager_check(t->manager, &error);
        if (r >= 0)
                r = manager_reboot(t->manager, &error);
        if (r < 0 && text_printf(&text, "the host could not be rebooted: %s",
                                 error.message ? error.message : strerror(-r)) >= 0)
                transaction_note(t, text);
}
