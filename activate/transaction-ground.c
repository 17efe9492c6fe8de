/*
 * The ground of a transaction's record: noted when its dead man's switch watches and before there
 * is a record, looked after at each step, and forgotten before the record is.
 */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "transaction-phases.h"

/** transaction_note_ground() - from here on nothing that is mounted over the record stays there. */
int transaction_note_ground(Transaction *t, sd_bus_error *reterr_error) {
        int r;

        if (!t->places->ground)
                return 0;
        r = state_ground_look(t->places->state, &t->ground);
        if (r == -EOPNOTSUPP)
                return 0;
        if (r >= 0)
                r = state_ground_write(&t->ground, t->places->ground);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot note in '%s' what is mounted above '%s': %s. Nothing was changed.",
                        t->places->ground, t->places->state, strerror(-r));
        return 0;
}

/** transaction_find_ground() - what the engine that died has noted. */
void transaction_find_ground(Transaction *t) {
        if (t->places->ground)
                (void) state_ground_read(t->places->ground, &t->ground);
}

/** transaction_forget_ground() - where the record is ended, what is mounted there is nobody's
 * business. */
void transaction_forget_ground(Transaction *t) {
        if (t->places->ground)
                (void) unlink(t->places->ground);
        state_ground_done(&t->ground);
}

/**
 * transaction_keep_ground() - the record is in sight again, before more is written to it
 * @forwards: what was mounted over it is a reason to go back
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int transaction_keep_ground(Transaction *t, bool forwards, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = state_ground_keep(&t->ground, &error);
        if (r >= 0)
                return 0;
        if (forwards) {
                (void) sd_bus_error_move(reterr_error, &error);
                return r;
        }
        if (error.message)
                transaction_note(t, error.message);
        return 0;
}
