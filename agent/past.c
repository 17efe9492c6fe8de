/* What is over: an entry of the history in words, and as the object that programs get. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "past.h"
#include "text.h"

/** past_user() - the user's name, or their number where they have gone. Owned by the caller; NULL
 * without memory. */
char *past_user(uint64_t uid) {
        const struct passwd *user = getpwuid((uid_t) uid);
        char *text;

        if (user)
                return strdup(user->pw_name);
        return text_printf(&text, "%" PRIu64, uid) < 0 ? NULL : text;
}

/** past_date() - seconds since 1970 as people here write it; "" if the year is beyond all years. */
void past_date(uint64_t seconds, char *ret_date, size_t size) {
        time_t t = (time_t) seconds;
        struct tm tm;

        *ret_date = '\0';
        if (localtime_r(&t, &tm) && strftime(ret_date, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                *ret_date = '\0';
}

/* By the wall clock, which may have been set back meanwhile. */
static uint64_t seconds_of(const HistoryEntry *entry) {
        return entry->ended > entry->begun ? entry->ended - entry->begun : 0;
}

/** past_print() - an entry for people, on standard output. */
void past_print(const HistoryEntry *entry) {
        _cleanup_free_ char *user = past_user(entry->uid), *text = strdup(entry->text);
        const char *outcome = error_exit_code_to_outcome((int) entry->exit_code);
        char date[64];

        past_date(entry->begun, date, sizeof(date));
        if (text)
                text_strip_controls(text);
        printf("%s  %s  %s by %s, %" PRIu64 " s: %s (exit code %" PRIu64 ")\n", entry->id, date,
               entry->verb, user ? user : "", seconds_of(entry), outcome, entry->exit_code);
        printf("  from %s\n", *entry->from ? entry->from : "no system");
        printf("  to   %s\n", entry->to);
        if (text && *text)
                printf("  %s\n", text);
}

/* Texts in the evidence are of units and probes. */
static void print_clean(const char *before, const char *text, const char *after) {
        _cleanup_free_ char *clean = text ? strdup(text) : NULL;

        if (!clean)
                return;
        text_strip_controls(clean);
        printf("%s%s%s", before, clean, after);
}

static void print_units(const cJSON *seen, const char *key, const char *words) {
        const cJSON *why = cJSON_GetObjectItemCaseSensitive(seen, "why"), *unit;

        cJSON_ArrayForEach(unit, cJSON_GetObjectItemCaseSensitive(seen, key)) {
                if (!cJSON_IsString(unit))
                        continue;
                print_clean("    ", unit->valuestring, words);
                print_clean(": ", json_string(why, unit->valuestring), "");
                putchar('\n');
        }
}

static void print_probes(const cJSON *seen) {
        const cJSON *probe;

        cJSON_ArrayForEach(probe, cJSON_GetObjectItemCaseSensitive(seen, "probes")) {
                print_clean("    probe ", json_string(probe, "name"), "");
                print_clean(": before ", json_string(probe, "before"), "");
                print_clean(", after ", json_string(probe, "after"), "");
                print_clean(": ", json_string(probe, "text"), "");
                putchar('\n');
        }
}

static void print_seen(const char *what, const cJSON *seen) {
        const char *verdict = json_string(seen, "verdict");

        if (!verdict)
                return;
        printf("  %s: ", what);
        print_clean("", verdict, "\n");
        print_units(seen, "bad", " is not well");
        print_units(seen, "unknown", " could not be judged");
        print_units(seen, "unrelated", " failed without regard to the switch");
        print_probes(seen);
}

/** past_print_evidence() - what the judge saw, for people, on standard output. */
void past_print_evidence(const HistoryEntry *entry) {
        print_seen("judged", entry->evidence);
        print_seen("after the rollback",
                   cJSON_GetObjectItemCaseSensitive(entry->evidence, "rollback"));
}

static int replace_empty_from(cJSON *object, const HistoryEntry *entry) {
        if (*entry->from)
                return 0;
        cJSON_DeleteItemFromObjectCaseSensitive(object, "from");
        return cJSON_AddNullToObject(object, "from") ? 0 : -ENOMEM;
}

/**
 * past_to_json() - an entry for programs: what the history holds, with the user's name, how long it
 * took and the outcome in a word
 * @ret_object: owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int past_to_json(const HistoryEntry *entry, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *user = past_user(entry->uid);
        int r;

        r = user ? history_entry_to_json(entry, &object) : -ENOMEM;
        if (r < 0)
                return r;
        cJSON_DeleteItemFromObjectCaseSensitive(object, "version");
        if (replace_empty_from(object, entry) < 0 ||
            !cJSON_AddStringToObject(object, "user", user) ||
            !cJSON_AddNumberToObject(object, "seconds", (double) seconds_of(entry)) ||
            !cJSON_AddStringToObject(object, "outcome",
                                     error_exit_code_to_outcome((int) entry->exit_code)))
                return -ENOMEM;
        *ret_object = TAKE_PTR(object);
        return 0;
}
