/* What is told of a unit that failed: its state, its result and its last words. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-messages.h>
#include <unistd.h>

#include "text.h"
#include "unit-report.h"

#define LOG_LINES    10U
#define SETTLE_USEC  ((unsigned) 20 * 1000)
#define SLACK_USEC   ((uint64_t) 50 * 1000) /* systemd may have spoken of the start just before */
#define SETTLE_READS 10U                    /* a fifth of a second at most */
#define LATE_READS   50U                    /* a whole one, where there is more to come for sure */
#define FAILED       "MESSAGE_ID=" SD_MESSAGE_UNIT_FAILURE_RESULT_STR

/* What the journal has of a unit. */
typedef struct Words {
        StringList lines;
        bool has_end; /* systemd's word that it failed, which comes after all of the unit's own */
} Words;

static int add_message(sd_journal *journal, StringList *lines) {
        const void *data;
        size_t n;
        int r;

        r = sd_journal_get_data(journal, "MESSAGE", &data, &n);
        if (r < 0)
                return 0;
        n -= strlen("MESSAGE=");
        return string_list_take(lines, strndup((const char *) data + strlen("MESSAGE="), n));
}

/* What the unit said and what systemd said of it. By the unit, not by the run's id: of a process
 * that dies at once the journal may not learn that any more. */
static int add_matches(sd_journal *journal, const char *unit) {
        _cleanup_free_ char *said = NULL, *about = NULL;
        int r;

        r = text_printf(&said, "_SYSTEMD_UNIT=%s", unit);
        if (r >= 0)
                r = text_printf(&about, "UNIT=%s", unit);
        if (r >= 0)
                r = sd_journal_add_match(journal, said, 0);
        if (r >= 0)
                r = sd_journal_add_disjunction(journal);
        if (r >= 0)
                r = sd_journal_add_match(journal, about, 0);
        /* Anybody may log with such a field; only systemd's word is about the unit. */
        return r < 0 ? r : sd_journal_add_match(journal, "_PID=1", 0);
}

static bool is_since(sd_journal *journal, uint64_t since_usec) {
        uint64_t usec;

        /* Of another boot: -ESTALE. */
        return since_usec == 0 || (sd_journal_get_monotonic_usec(journal, &usec, NULL) >= 0 &&
                                   usec + SLACK_USEC >= since_usec);
}

static bool is_end(sd_journal *journal) {
        const void *data;
        size_t n;

        return sd_journal_get_data(journal, "MESSAGE_ID", &data, &n) >= 0 && n == strlen(FAILED) &&
               memcmp(data, FAILED, n) == 0;
}

static int add_entry(sd_journal *journal, Words *words) {
        words->has_end = words->has_end || is_end(journal);
        return add_message(journal, &words->lines);
}

static int read_tail(sd_journal *journal, uint64_t since_usec, Words *words) {
        int r;

        r = sd_journal_seek_tail(journal);
        if (r >= 0)
                r = sd_journal_previous_skip(journal, LOG_LINES);
        while (r > 0) {
                r = is_since(journal, since_usec) ? add_entry(journal, words) : 0;
                if (r >= 0)
                        r = sd_journal_next(journal);
        }
        return r;
}

/* The last journal lines about a unit, oldest first; 0, or an errno of reading the journal. */
static int read_log(const char *unit, uint64_t since_usec, Words *words) {
        sd_journal *journal;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;
        r = add_matches(journal, unit);
        if (r >= 0)
                r = read_tail(journal, since_usec, words);
        sd_journal_close(journal);
        return r;
}

/* The journal takes a moment to write down what a process said when it died: it is read until
 * nothing more comes, and of a unit that failed until it says so, too. */
static void read_settled_log(const char *unit, uint64_t since_usec, bool failed,
                             StringList *lines) {
        Words words = { 0 };

        (void) read_log(unit, since_usec, &words);
        for (unsigned i = 0; i < (failed && !words.has_end ? LATE_READS : SETTLE_READS); i++) {
                Words before = TAKE_GENERIC(words, (Words){ 0 });
                bool settled;

                (void) usleep(SETTLE_USEC);
                (void) read_log(unit, since_usec, &words);
                settled = string_list_equal(&before.lines, &words.lines);
                string_list_done(&before.lines);
                if (settled && (!failed || words.has_end))
                        break;
        }
        *lines = words.lines;
}

/**
 * unit_report_failure() - tell that a unit failed, with what helps to see why
 *
 * What cannot be found out is left out.
 */
void unit_report_failure(EventLog *log, Manager *manager, const char *unit) {
        _cleanup_free_ char *active = NULL, *sub = NULL, *result = NULL;
        _cleanup_(string_list_done) StringList lines = { 0 };
        cJSON *event = event_new("unit-failed");
        uint64_t since_usec = 0;
        bool failed;

        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "ActiveState", &active);
        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "SubState", &sub);
        (void) manager_unit_result(manager, unit, &result);
        /* One that starts again and again has said why in a run before this one. */
        failed = active && strcmp(active, "failed") == 0;
        if (failed)
                (void) manager_unit_begun(manager, unit, &since_usec);
        read_settled_log(unit, since_usec, failed, &lines);

        event_add_text(event, "unit", unit);
        event_add_text(event, "active", active);
        event_add_text(event, "sub", sub);
        event_add_text(event, "result", result);
        if (event)
                (void) json_add_strings(event, "log", &lines);
        event_emit(log, event);
}
