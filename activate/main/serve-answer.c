/*
 * The root side of `enact confirm` and `enact cancel`: says the word to the switch that is meant,
 * and to no other, and follows that switch to its end, since only the end tells what became of the
 * word.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#include "clock.h"
#include "config.h"
#include "confirmation.h"
#include "error.h"
#include "history.h"
#include "record.h"
#include "run-directory.h"
#include "serve.h"
#include "state-directory.h"
#include "text.h"
#include "under-way.h"
#include "unit-lists.h"

/* The switch that is spoken to. */
typedef struct Hearer {
        const Answer *answer;
        uid_t uid;     /* whose word it is */
        int engine_fd; /* pidfd */
} Hearer;

static int say_over(const char *id, sd_bus_error *reterr_error) {
        _cleanup_(history_done) History history = { 0 };
        const HistoryEntry *entry;

        (void) history_read(state_directory(), &history);
        entry = history_find(&history, id);
        if (entry)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                         "It is too late: the switch has ended. %s", entry->text);
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                 "No switch '%s' is under way. 'enact status' shows what is.", id);
}

static int say_decided(const Confirmation *decided, sd_bus_error *reterr_error) {
        const struct passwd *user = getpwuid(decided->uid);

        switch (decided->word) {
        case CONFIRMATION_CONFIRMED:
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                         "The switch was confirmed already, by %s. "
                                         "'enact status' shows how it ends.",
                                         user ? user->pw_name : "somebody");
        case CONFIRMATION_REFUSED:
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                         "It is too late: the switch was told to stop, and is "
                                         "rolled back. 'enact status' shows how it ends.");
        case CONFIRMATION_LATE:
        case _CONFIRMATION_WORD_MAX:
        default:
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NOTHING_OPEN,
                        "It is too late: the time to confirm the switch is over, "
                        "and it is rolled back. 'enact status' shows how it ends.");
        }
}

/* Whether the record says that this switch waits for a word, and waits for it still. */
static int check_waiting(const Hearer *hearer, sd_bus_error *reterr_error) {
        const char *id = hearer->answer->id;
        _cleanup_(record_done) Record record = { 0 };
        int r;

        r = record_read(state_directory(), &record);
        if (r != 0 || strcmp(record.id, id) != 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                         "The switch '%s' does not wait for a confirmation.", id);
        if (strcmp(record.phase, "confirm") != 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOTHING_OPEN,
                                         "The switch '%s' does not wait for a confirmation: it is "
                                         "in phase '%s'.",
                                         id, record.phase);
        if (clock_boottime_usec() >= record.confirm_deadline) {
                const Confirmation late = { .word = CONFIRMATION_LATE };

                return say_decided(&late, reterr_error);
        }
        return 0;
}

static int speak_confirm(const Hearer *hearer, sd_bus_error *reterr_error) {
        const Confirmation mine = { .word = CONFIRMATION_CONFIRMED, .uid = hearer->uid };
        const char *id = hearer->answer->id;
        Confirmation decided;
        int r;

        if (confirmation_read(state_directory(), id, &decided) >= 0)
                return say_decided(&decided, reterr_error);
        r = check_waiting(hearer, reterr_error);
        if (r < 0)
                return r;
        r = confirmation_decide(state_directory(), id, &mine, &decided);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The word cannot be written into '%s': %s. "
                                         "Nobody has confirmed the switch.",
                                         state_directory(), strerror(-r));
        return r == CONFIRMATION_DECIDED ? say_decided(&decided, reterr_error) : 0;
}

static int speak_cancel(const Hearer *hearer, sd_bus_error *reterr_error) {
        if (pidfd_send_signal(hearer->engine_fd, SIGTERM, NULL, 0) >= 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                 "The engine cannot be told to stop: %s", strerror(errno));
}

/* clang-format off */
static int (*const speaks[_ANSWER_VERB_MAX])(const Hearer *hearer, sd_bus_error *reterr_error) = {
        [ANSWER_CONFIRM] = speak_confirm,
        [ANSWER_CANCEL]  = speak_cancel,
};
/* clang-format on */

/* Whether the engine of that switch works; it holds the lock before and after the descriptor that
 * names it was opened, so that no other process of its number is meant. */
static int find_engine(const char *id, int *ret_fd) {
        int fd = -EBADF, r;

        for (int i = 0; i < 2; i++) {
                UnderWay found = { 0 };
                bool same;

                r = under_way_find(state_directory(), NIXOS_DIRECTORY, &found);
                same = r == 0 && found.id && strcmp(found.id, id) == 0;
                if (same && i == 0)
                        fd = pidfd_open(found.pid, 0);
                under_way_done(&found);
                if (r < 0 || !same || fd < 0) {
                        (void) fd_close(fd);
                        return r < 0 ? r : -ESRCH;
                }
        }
        *ret_fd = fd;
        return 0;
}

static FILE *open_story_at_end(const char *id) {
        FILE *story = serve_open_story(id);

        if (story)
                (void) fseek(story, 0, SEEK_END);
        return story;
}

static int speak_to_engine(Hearer *hearer, sd_bus_error *reterr_error) {
        const char *id = hearer->answer->id;
        FILE *story;
        int r;

        story = open_story_at_end(id); /* before the word: what comes of it is told after that */
        r = speaks[hearer->answer->verb](hearer, reterr_error);
        if (r < 0) {
                if (story)
                        (void) fclose(story);
                return r;
        }
        serve_relay(id, TAKE_FD(hearer->engine_fd), story);
        return 0;
}

static bool is_open(const char *id) {
        _cleanup_(record_done) Record record = { 0 };

        return record_read(state_directory(), &record) == 0 && strcmp(record.id, id) == 0;
}

/* An engine that was killed hears nothing; what it left open is brought to its end. */
static int recover(const char *id, sd_bus_error *reterr_error) {
        int r = serve_run_recover();

        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot run '" ENACT_ENGINE " recover': %s", strerror(-r));
        if (is_open(id))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "What the switch left open could not be brought to an end "
                                         "now. 'enact status' says what holds, and 'journalctl "
                                         "ENACT_ID=%s' why.",
                                         id);
        serve_tell_end_from_history(id);
        return 0;
}

/* Somebody else, a dead man's switch, brings it to its end already: that is followed, and nobody is
 * told anything. Without anybody it is done here. */
static int end_open(const char *id, sd_bus_error *reterr_error) {
        UnderWay found = { 0 };
        int fd, r;

        r = under_way_find(state_directory(), NIXOS_DIRECTORY, &found);
        if (r == UNDER_WAY_NOTHING)
                return recover(id, reterr_error);
        if (r < 0)
                return r;
        fd = pidfd_open(found.pid, 0);
        under_way_done(&found);
        serve_relay(id, fd, open_story_at_end(id));
        return 0;
}

/**
 * serve_answer() - say a word to a switch, and relay how it goes on
 * @uid: whose word it is
 *
 * Return: 0, or a negative errno with @reterr_error set: the word was not taken.
 */
int serve_answer(const Answer *answer, uid_t uid, sd_bus_error *reterr_error) {
        Hearer hearer = { .answer = answer, .uid = uid, .engine_fd = -EBADF };
        int r;

        r = find_engine(answer->id, &hearer.engine_fd);
        if (r == -ESRCH && answer->verb == ANSWER_CANCEL && is_open(answer->id))
                return end_open(answer->id, reterr_error);
        if (r == -ESRCH)
                return say_over(answer->id, reterr_error);
        if (r >= 0)
                r = speak_to_engine(&hearer, reterr_error);
        (void) fd_close(hearer.engine_fd);
        return r;
}
