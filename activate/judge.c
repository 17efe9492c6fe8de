/*
 * The judge: whether a switch is good. A unit counts against it if it is not well now and was well
 * before; what had failed already, or has nothing to do with the switch, condemns nothing.
 */
#include <errno.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "judge.h"
#include "text.h"

static bool is_well(const InventoryUnit *unit) {
        return !unit ||
               (strcmp(unit->active, "failed") != 0 && strcmp(unit->sub, "auto-restart") != 0);
}

/**
 * judge_units() - which units make a switch bad
 * @before:      taken when nothing was touched; all zero if no system ran
 * @after:       taken when all jobs had ended
 * @failed_jobs: units whose job did not succeed
 * @bad:         filled in order, each once
 *
 * Return: 0 or -ENOMEM.
 */
int judge_units(const Inventory *before, const Inventory *after, const StringList *failed_jobs,
                StringList *bad) {
        int r;

        for (size_t i = 0; i < failed_jobs->n; i++) {
                const char *id = failed_jobs->items[i];

                if (!is_well(inventory_find(before, id)) && !is_well(inventory_find(after, id)))
                        continue;
                r = string_list_add(bad, id);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < after->n; i++) {
                const InventoryUnit *unit = &after->units[i];

                if (is_well(unit) || !is_well(inventory_find(before, unit->id)))
                        continue;
                r = string_list_add(bad, unit->id);
                if (r < 0)
                        return r;
        }
        string_list_sort_unique(bad);
        return 0;
}

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
 * judge_log_tail() - the last journal lines of a unit and of systemd about it, oldest first
 *
 * Return: 0, or an errno of reading the journal; there may be none.
 */
int judge_log_tail(const char *unit, size_t n_lines, StringList *lines) {
        sd_journal *journal;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;

        r = read_tail(journal, unit, n_lines, lines);
        sd_journal_close(journal);
        return r;
}
