/*
 * What an interrupted switch has left open, and nobody is at: on a host without our units, or where
 * the dead man's switch was killed, too. Whoever is asked to change something ends it first.
 */
#include "config.h"
#include "engine.h"
#include "history.h"
#include "process.h"
#include "record.h"
#include "serve.h"
#include "transaction.h"
#include "under-way.h"
#include "unit-lists.h"
#include "working.h"

/** serve_run_recover() - bring what is open to its end; 0, or an errno of starting that program.
 * It is restartable, so it need not outlive us. */
int serve_run_recover(void) {
        _cleanup_(string_list_done) StringList command = { 0 };
        const ProcessOptions options = PROCESS_OPTIONS_NULL;
        int status, r;
        pid_t pid;

        r = string_list_add(&command, ENACT_ENGINE);
        if (r >= 0)
                r = string_list_add(&command, "recover");
        if (r >= 0)
                r = process_start(&command, &options, &pid);
        return r < 0 ? r : process_wait(pid, &status);
}

static bool somebody_is_at_it(const Record *record) {
        _cleanup_free_ char *dead_man = NULL;
        UnderWay found = { 0 };

        if (under_way_find(state_directory(), NIXOS_DIRECTORY, &found) != UNDER_WAY_NOTHING) {
                under_way_done(&found);
                return true;
        }
        return record->id &&
               (engine_dead_man(record->id, &dead_man) < 0 || working_unit_is_active(dead_man));
}

/* Read last: whoever was at it may have ended it meanwhile. */
static bool is_left_open(Record *record) {
        (void) record_read(state_directory(), record);
        if (record->trial && record_was_tried(record)) /* the next boot ends it, or this one */
                return false;
        return transaction_is_open(NULL, &TRANSACTION_PLACES_HOST) && !somebody_is_at_it(record) &&
               transaction_is_open(NULL, &TRANSACTION_PLACES_HOST);
}

/** serve_tell_left_open() - for a dry run, which changes nothing of that either. */
void serve_tell_left_open(EventLog *log) {
        _cleanup_(record_done) Record record = { 0 };

        if (is_left_open(&record))
                event_say(log, "note", "text",
                          "a switch was interrupted and is not at its end; the next one ends it "
                          "first, and may find other units than this dry run");
}

static void tell_end(EventLog *log, const char *id) {
        _cleanup_(history_done) History history = { 0 };
        const HistoryEntry *entry = NULL;

        if (history_read(state_directory(), &history) >= 0 && id)
                entry = history_find(&history, id);
        if (entry)
                event_say(log, "note", "text", entry->text);
        if (transaction_is_open(NULL, &TRANSACTION_PLACES_HOST))
                event_say(log, "note", "text",
                          "the interrupted switch could not be brought to its end; "
                          "'enact status' says what holds");
}

/**
 * serve_recover_first() - before our own work: what was left open is brought to its end
 * @log: told of it
 *
 * As before a switch, it may remain open; our own work goes on as far as it may beside that.
 */
void serve_recover_first(EventLog *log) {
        _cleanup_(record_done) Record record = { 0 };

        if (!is_left_open(&record))
                return;
        event_say(log, "note", "text", "an interrupted switch is brought to its end first");
        (void) serve_run_recover();
        tell_end(log, record.id);
}
