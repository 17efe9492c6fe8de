/*
 * Confirmation: after the judge, somebody has to say that the new system may stay, from where they
 * need it: a new network configuration is judged best by whether they still get in. Nobody's word
 * is a no. The time is that of CLOCK_BOOTTIME, since people do not stop with a machine that sleeps.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "confirmation.h"
#include "error.h"
#include "text.h"
#include "transaction-phases.h"

#define TICK_USEC         USEC_PER_SEC
#define FINE_SECONDS      UINT64_C(10) /* the last ones are told one by one */
#define COARSE_SECONDS    UINT64_C(10)
#define SIGN_OF_LIFE_USEC (10 * USEC_PER_SEC)

/* What was asked for, or else what the system itself says. Where a rollback is declined there is
 * nothing that a missing word could lead to. */
static uint64_t limit_usec(const Transaction *t) {
        if (t->request->confirm_sec > 0)
                return t->request->confirm_sec * USEC_PER_SEC;
        return t->no_rollback ? 0 : t->settings.confirm_usec;
}

static uint64_t to_seconds(uint64_t usec) {
        return (usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

/** confirm_is_wanted() - whether somebody must confirm the new system. */
bool confirm_is_wanted(const Transaction *t) {
        return (t->activates || t->on_trial) && limit_usec(t) > 0;
}

/** confirm_begin() - sets the deadline; the record that is written next holds it. */
void confirm_begin(Transaction *t) {
        confirmation_forget(t->places->state);
        t->record.confirm_deadline = clock_boottime_usec() + limit_usec(t);
}

static void tell_waiting(Transaction *t) {
        uint64_t seconds = to_seconds(limit_usec(t));
        cJSON *event = event_new("confirm");
        _cleanup_free_ char *text = NULL;

        event_add_text(event, "id", t->id);
        event_add_number(event, "seconds", (double) seconds);
        if (text_printf(&text,
                        "'%s' runs and is well; it stays if somebody says 'enact confirm' within "
                        "%" PRIu64 " s",
                        t->new->path, seconds) >= 0)
                event_add_text(event, "text", text);
        event_add_message_id(event, MESSAGE_CONFIRMATION_WANTED);
        event_emit(t->log, event);
}

static void tell_left(Transaction *t, uint64_t seconds) {
        cJSON *event;

        event_log_expect(t->log, SIGN_OF_LIFE_USEC);
        if (seconds > FINE_SECONDS && seconds % COARSE_SECONDS != 0)
                return;
        event = event_new("countdown");
        event_add_number(event, "seconds", (double) seconds);
        event_emit(t->log, event);
}

/* Whoever is first has decided. Where the word cannot be written, none was said that counts. */
static Confirmation decide(const Transaction *t, ConfirmationWord word) {
        const Confirmation mine = { .word = word, .uid = t->request->uid };
        Confirmation decided = mine;

        (void) confirmation_decide(t->places->state, t->id, &mine, &decided);
        return decided;
}

static Confirmation wait_for_word(Transaction *t) {
        Confirmation decided;

        for (;;) {
                uint64_t now = clock_boottime_usec(), left;

                if (confirmation_read(t->places->state, t->id, &decided) >= 0)
                        return decided;
                if (t->interrupted())
                        return decide(t, CONFIRMATION_REFUSED);
                if (now >= t->record.confirm_deadline)
                        return decide(t, CONFIRMATION_LATE);

                left = t->record.confirm_deadline - now;
                tell_left(t, to_seconds(left));
                (void) poll(NULL, 0, (int) ((left < TICK_USEC ? left : TICK_USEC) / 1000) + 1);
        }
}

static void tell_confirmed(Transaction *t, uid_t uid) {
        cJSON *event = event_new("confirmed");

        event_add_number(event, "uid", uid);
        event_emit(t->log, event);
}

int confirm_enter(Transaction *t, sd_bus_error *reterr_error) {
        Confirmation decided;

        tell_waiting(t);
        decided = wait_for_word(t);
        switch (decided.word) {
        case CONFIRMATION_CONFIRMED:
                tell_confirmed(t, decided.uid);
                return 0;
        case CONFIRMATION_REFUSED:
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The switch was told to stop");
        case CONFIRMATION_LATE:
        case _CONFIRMATION_WORD_MAX:
        default:
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Nobody confirmed '%s' within %" PRIu64 " s", t->new->path,
                                         to_seconds(limit_usec(t)));
        }
}
