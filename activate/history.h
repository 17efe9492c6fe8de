#pragma once

#include <stdint.h>

#include "json.h"
#include "request.h"

/* One finished transaction, as history/ID.json in the state directory keeps it. */
typedef struct HistoryEntry {
        char *id;
        char *verb;
        char *from, *to;       /* toplevels; @from is "" if no system ran */
        uint64_t begun, ended; /* seconds since 1970 */
        uint64_t uid;
        uint64_t exit_code;
        char *text;
        /* What the judge saw; NULL if nothing was judged: {"verdict":"good"|"bad"|"could not tell",
         * "bad":[unit],"unknown":[unit],"unrelated":[unit],"why":{unit:text},
         * "probes":[{"name","before","after","text"}]}, and after a rollback "rollback" with the
         * same of the old system. */
        cJSON *evidence;
} HistoryEntry;

typedef struct History {
        HistoryEntry *entries; /* oldest first */
        size_t n;
} History;

int history_entry_to_json(const HistoryEntry *entry, cJSON **ret_object);
int history_write(const char *directory, const HistoryEntry *entry);
char *history_newest(const char *directory);
int history_read(const char *directory, History *history);
const HistoryEntry *history_find(const History *history, const char *id);
void history_done(History *history);
