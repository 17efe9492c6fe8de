/* What is told of a unit that failed: its state, its result and its last words. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "text.h"
#include "unit-report.h"

#define LOG_LINES 10U

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

static int read_tail(sd_journal *journal, const char *unit, size_t n_lines, StringList *lines) {
        _cleanup_free_ char *by_unit = NULL, *about_unit = NULL;
        int r;

        r = text_printf(&by_unit, "_SYSTEMD_UNIT=%s", unit);
        if (r >= 0)
                r = text_printf(&about_unit, "UNIT=%s", unit);
        if (r >= 0)
                r = sd_journal_add_match(journal, by_unit, 0);
        if (r >= 0)
                r = sd_journal_add_disjunction(journal);
        if (r >= 0)
                r = sd_journal_add_match(journal, about_unit, 0);
        if (r >= 0) /* anybody may log with UNIT=; only systemd's word is about it */
                r = sd_journal_add_match(journal, "_PID=1", 0);
        if (r >= 0)
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

/**
 * unit_report_log() - the last journal lines of a unit and of systemd about it, oldest first
 *
 * Return: 0, or an errno of reading the journal; there may be none.
 */
int unit_report_log(const char *unit, size_t n_lines, StringList *lines) {
        sd_journal *journal;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;

        r = read_tail(journal, unit, n_lines, lines);
        sd_journal_close(journal);
        return r;
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

        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "ActiveState", &active);
        (void) manager_unit_text(manager, unit, SYSTEMD_UNIT, "SubState", &sub);
        (void) manager_unit_result(manager, unit, &result);
        (void) unit_report_log(unit, LOG_LINES, &lines);

        event_add_text(event, "unit", unit);
        event_add_text(event, "active", active);
        event_add_text(event, "sub", sub);
        event_add_text(event, "result", result);
        if (event)
                (void) json_add_strings(event, "log", &lines);
        event_emit(log, event);
}
