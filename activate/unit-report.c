/* What is told of a unit that failed: its state, its result and its last words. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "text.h"
#include "unit-report.h"

#define LOG_LINES    10U
#define SETTLE_USEC  ((unsigned) 20 * 1000)
#define SETTLE_READS 10U /* a fifth of a second at most */

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

/* What the unit said and what systemd said of it; in one @run of it, if that is not NULL. */
static int add_matches(sd_journal *journal, const char *unit, const char *run) {
        _cleanup_free_ char *said = NULL, *about = NULL;
        int r;

        if (run) {
                r = text_printf(&said, "_SYSTEMD_INVOCATION_ID=%s", run);
                if (r >= 0)
                        r = text_printf(&about, "INVOCATION_ID=%s", run);
        } else {
                r = text_printf(&said, "_SYSTEMD_UNIT=%s", unit);
                if (r >= 0)
                        r = text_printf(&about, "UNIT=%s", unit);
        }
        if (r >= 0)
                r = sd_journal_add_match(journal, said, 0);
        if (r >= 0)
                r = sd_journal_add_disjunction(journal);
        if (r >= 0)
                r = sd_journal_add_match(journal, about, 0);
        /* Anybody may log with such a field; only systemd's word is about the unit. */
        return r < 0 ? r : sd_journal_add_match(journal, "_PID=1", 0);
}

static int read_tail(sd_journal *journal, size_t n_lines, StringList *lines) {
        int r;

        r = sd_journal_seek_tail(journal);
        if (r >= 0)
                r = sd_journal_previous_skip(journal, n_lines);
        while (r > 0) {
                r = add_message(journal, lines);
                if (r >= 0)
                        r = sd_journal_next(journal);
        }
        return r;
}

/* The last journal lines about a unit, oldest first; 0, or an errno of reading the journal. */
static int read_log(const char *unit, const char *run, StringList *lines) {
        sd_journal *journal;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;
        r = add_matches(journal, unit, run);
        if (r >= 0)
                r = read_tail(journal, LOG_LINES, lines);
        sd_journal_close(journal);
        return r;
}

/* The journal takes a moment to write down what a process said when it died: it is read until
 * nothing more comes. */
static void read_settled_log(const char *unit, const char *run, StringList *lines) {
        (void) read_log(unit, run, lines);
        for (unsigned i = 0; i < SETTLE_READS; i++) {
                StringList before = TAKE_GENERIC(*lines, (StringList){ 0 });
                bool settled;

                (void) usleep(SETTLE_USEC);
                (void) read_log(unit, run, lines);
                settled = string_list_equal(&before, lines);
                string_list_done(&before);
                if (settled)
                        break;
        }
}

/**
 * unit_report_failure() - tell that a unit failed, with what helps to see why
 *
 * What cannot be found out is left out.
 */
void unit_report_failure(EventLog *log, Manager *manager, const char *unit) {
        _cleanup_free_ char *active = NULL, *sub = NULL, *result = NULL, *run = NULL;
        _cleanup_(string_list_done) StringList lines = { 0 };
        cJSON *event = event_new("unit-failed");

        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "ActiveState", &active);
        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "SubState", &sub);
        (void) manager_unit_result(manager, unit, &result);
        /* One that starts again and again has said why in a run before this one. */
        if (active && strcmp(active, "failed") == 0)
                (void) manager_invocation_of(manager, unit, &run);
        read_settled_log(unit, run, &lines);

        event_add_text(event, "unit", unit);
        event_add_text(event, "active", active);
        event_add_text(event, "sub", sub);
        event_add_text(event, "result", result);
        if (event)
                (void) json_add_strings(event, "log", &lines);
        event_emit(log, event);
}
