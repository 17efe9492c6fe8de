#pragma once

#include <stdint.h>
#include <systemd/sd-id128.h>

#include "json.h"
#include "macros.h"
#include "string-list.h"

/* Message ids of what the journal keeps; units/enact.catalog explains each. */
#define MESSAGE_SWITCH_BEGINS                                                                      \
        SD_ID128_MAKE(3d, 6c, 58, 1e, 9a, 2b, 4f, 0f, 8d, 11, 5c, 4a, 72, f0, 3b, 61)
#define MESSAGE_SWITCH_ENDED                                                                       \
        SD_ID128_MAKE(8f, 01, 97, c4, 4e, 5d, 43, 7a, 9c, 5e, 21, d3, 66, 0b, ae, 92)
#define MESSAGE_SWITCH_FAILED                                                                      \
        SD_ID128_MAKE(b2, 74, e0, 5f, 13, c8, 4d, 96, a3, 0d, 7e, 18, 55, 9f, c2, 0e)
#define MESSAGE_RECOVERY_BEGINS                                                                    \
        SD_ID128_MAKE(1d, 5e, 63, f2, 90, 4b, 4a, 1c, b7, 28, e4, 9d, 3a, 06, 71, c5)
#define MESSAGE_DEAD_MAN                                                                           \
        SD_ID128_MAKE(c7, 3a, 10, 8b, 65, d9, 4e, 02, 91, fe, 2d, 47, b0, 5c, 18, a3)
#define MESSAGE_SWITCH_ROLLED_BACK                                                                 \
        SD_ID128_MAKE(10, 5f, cd, f3, e8, 33, 4e, d1, a1, 97, fa, 55, 94, 69, 52, 9c)
#define MESSAGE_ROLLBACK_FAILED                                                                    \
        SD_ID128_MAKE(ef, a4, 7d, 4c, 0c, 53, 47, b7, 80, db, 51, 1f, a5, 99, 39, 4e)
#define MESSAGE_SYSTEM_PINNED                                                                      \
        SD_ID128_MAKE(f0, ca, 22, 31, af, 62, 43, a7, ae, 40, 2b, 3e, 30, aa, fa, c1)
#define MESSAGE_SYSTEM_UNPINNED                                                                    \
        SD_ID128_MAKE(ee, 02, 0b, e0, 81, 9b, 45, 3b, 94, 94, 7e, 3b, a8, 52, 7f, 35)
#define MESSAGE_GENERATION_DELETED                                                                 \
        SD_ID128_MAKE(db, 83, 74, 84, 76, ba, 46, 83, b5, d9, 36, b7, 3c, b1, 94, c0)
#define MESSAGE_REBOOT SD_ID128_MAKE(a9, 60, 2c, d7, 15, e4, 4b, 3f, 8e, 71, 0a, 94, c3, d8, 5f, 26)
#define MESSAGE_TRIAL_WAITS                                                                        \
        SD_ID128_MAKE(61, 8c, b4, fe, 4d, c3, 4d, 00, 86, c4, 23, 74, 48, b0, 18, 0e)
#define MESSAGE_TRIAL_BEGINS                                                                       \
        SD_ID128_MAKE(58, 3d, 2b, 53, fb, f3, 41, a3, af, 5b, 9f, 55, 3d, 74, 03, 3a)
#define MESSAGE_TRIAL_FAILED                                                                       \
        SD_ID128_MAKE(c8, 49, 9c, 1f, 11, 7a, 42, a6, 8d, 32, 85, c1, 63, 68, a1, 1d)
#define MESSAGE_CONFIRMATION_WANTED                                                                \
        SD_ID128_MAKE(f4, 31, 7f, ed, 6b, f4, 46, d5, 9f, 96, e8, ca, b9, 69, 87, ca)

/* Where the story of a transaction is told: JSON objects, one a line, and the journal beside it. */
typedef struct EventLog EventLog;

int event_log_new(int fd, bool journal, EventLog **ret);
int event_log_new_handler(void (*handler)(void *userdata, const cJSON *event), void *userdata,
                          EventLog **ret);
void event_log_add_times(EventLog *log);
void event_log_watch(EventLog *log, void (*on_sign)(void *userdata, uint64_t within_usec),
                     void *userdata);
void event_log_expect(EventLog *log, uint64_t within_usec);
int event_log_set_id(EventLog *log, const char *id);
EventLog *event_log_free(EventLog *log);
DEFINE_CLEANUP(EventLog *, event_log_free);

cJSON *event_new(const char *name);
void event_add_text(cJSON *event, const char *key, const char *text);
void event_add_number(cJSON *event, const char *key, double number);
void event_add_message_id(cJSON *event, sd_id128_t id);
void event_add_end_id(cJSON *event, int exit_code);
void event_say_units(EventLog *log, const char *name, const char *job, const StringList *units);
void event_emit(EventLog *log, cJSON *event);
void event_say(EventLog *log, const char *name, const char *key, const char *text);
