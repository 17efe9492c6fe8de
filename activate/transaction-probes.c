/*
 * The probes of a transaction: asked once before activation, until they succeed or have failed too
 * often after it, and once more after a rollback, which they only tell about. One that the system
 * before asked, too, and that failed then already, condemns nothing.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "error.h"
#include "text.h"
#include "transaction-phases.h"

/* Those of the command line beside those of the system; the same one twice is asked once. */
static int add_from_request(Transaction *t) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < t->request->probes.n; i++) {
                _cleanup_(probe_done) Probe probe = { 0 };
                const char *wanted;

                r = probe_from_text(t->request->probes.items[i], &probe, &wanted);
                if (r >= 0)
                        r = probes_take(&t->settings.probes, &probe);
                if (r == -EEXIST)
                        r = 0;
        }
        return r;
}

static bool asks(const Settings *settings, const Probe *probe) {
        for (size_t i = 0; i < settings->probes.n; i++)
                if (probe_is_same(&settings->probes.items[i], probe))
                        return true;
        return false;
}

/** transaction_find_new_probes() - a probe that comes with its service cannot succeed before it. */
void transaction_find_new_probes(Transaction *t) {
        _cleanup_(settings_done) Settings old = { 0 };

        if (t->old)
                (void) settings_read(t->old->path, &old, NULL);
        for (size_t i = 0; i < t->settings.probes.n; i++)
                t->settings.probes.items[i].is_new = !asks(&old, &t->settings.probes.items[i]);
}

/* Back is where people go when something is wrong: what that system says of itself, and nobody can
 * read, is no reason to stay. */
static int read_settings(Transaction *t, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *note = NULL;
        int r;

        r = settings_read(t->new->path, &t->settings, &error);
        if (r < 0 && t->request->verb != REQUEST_ROLLBACK) {
                (void) sd_bus_error_move(reterr_error, &error);
                return r;
        }
        if (r >= 0)
                return 0;
        settings_forget(&t->settings);
        r = text_printf(&note,
                        "'%s/" SETTINGS_NAME "' cannot be read, and it is gone back to as a "
                        "system that has none",
                        t->new->path);
        if (r < 0)
                return r;
        transaction_note(t, note);
        return 0;
}

/**
 * transaction_read_settings() - what the new system says of itself, and what was asked for instead
 *
 * Return: 0, or a negative errno with @reterr_error set; what can be taken is taken all the same.
 */
int transaction_read_settings(Transaction *t, sd_bus_error *reterr_error) {
        int r, q;

        r = read_settings(t, reterr_error);
        if (t->request->has_judge_window) {
                t->settings.has_window = true;
                t->settings.window_usec = t->request->judge_window_sec * USEC_PER_SEC;
        }
        /* Who asks for a confirmation wants the way back that its absence leads to. */
        t->no_rollback = t->request->no_rollback ||
                         (t->settings.no_rollback && t->request->confirm_sec == 0);
        q = add_from_request(t);
        if (r >= 0 && q < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "Cannot take the probes that were asked for: %s. "
                                         "Nothing was changed.",
                                         strerror(-q));
        return r;
}

static void on_wait(void *userdata, const Probe *probe, const char *text, uint64_t since_usec,
                    uint64_t limit_usec) {
        const Transaction *t = userdata;
        cJSON *event = event_new("probe-wait");

        event_add_text(event, "name", probe->name);
        event_add_text(event, "text", text);
        event_add_number(event, "seconds", (double) (since_usec / USEC_PER_SEC));
        event_add_number(event, "limit", (double) (limit_usec / USEC_PER_SEC));
        event_emit(t->log, event);
}

static void tell(const Transaction *t, const char *when, const ProbeOutcomes *outcomes) {
        for (size_t i = 0; i < outcomes->n; i++) {
                const ProbeOutcome *outcome = &outcomes->items[i];
                cJSON *event = event_new("probe");

                event_add_text(event, "name", t->settings.probes.items[i].name);
                event_add_text(event, "when", when);
                event_add_text(event, "result", probe_result_to_string(outcome->result));
                event_add_text(event, "text", outcome->text);
                if (event && strcmp(when, "before") == 0)
                        (void) cJSON_AddBoolToObject(event, "excused",
                                                     probe_is_excused(&t->settings.probes.items[i],
                                                                      outcomes, i));
                event_add_number(event, "attempts", (double) outcome->n_attempts);
                event_add_number(event, "seconds", (double) outcome->duration_usec / USEC_PER_SEC);
                event_emit(t->log, event);
        }
}

/**
 * transaction_ask_probes() - ask all probes and tell what came of it
 * @when:     "before", "after" or "rollback"
 * @of:       the system that runs
 * @outcomes: all zero before; probe_outcomes_done() even after an error
 *
 * Return: 0 (also where some failed), or a negative errno with @reterr_error set.
 */
int transaction_ask_probes(Transaction *t, const char *when, const char *of,
                           ProbeOutcomes *outcomes, sd_bus_error *reterr_error) {
        const bool after = strcmp(when, "after") == 0;
        const ProbeRun run = {
                .probes = &t->settings.probes,
                .manager = t->manager,
                .network_program = ENACT_PROBE,
                .toplevel = of,
                .before = &t->probes_before,
                .once = !after,
                .since_usec = t->activated_usec,
                .interrupted = t->interrupted,
                .goes_on = strcmp(when, "rollback") == 0,
                .on_wait = on_wait,
                .userdata = t,
        };
        int r;

        if (run.probes->n > 0)
                event_say(t->log, "probes", "when", when);
        r = probe_run(&run, outcomes);
        if (r >= 0)
                tell(t, when, outcomes);
        if (r == -EINTR)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The switch was told to stop");
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "The probes cannot be asked: %s", strerror(-r));
        return 0;
}

static ProbeResult result_of(const ProbeOutcomes *outcomes, size_t i) {
        return i < outcomes->n ? outcomes->items[i].result : PROBE_NOT_ASKED;
}

/** transaction_failed_probes() - those that condemn, "'web' (status 503)"; 0 or -ENOMEM. */
int transaction_failed_probes(const Transaction *t, const ProbeOutcomes *after,
                              StringList *failed) {
        for (size_t i = 0; i < after->n; i++) {
                const char *answer = after->items[i].text ? after->items[i].text : "no answer";
                char *text;
                int r;

                if (after->items[i].result != PROBE_FAILED ||
                    probe_is_excused(&t->settings.probes.items[i], &t->probes_before, i))
                        continue;
                r = text_printf(&text, "'%s' (%.*s)", t->settings.probes.items[i].name,
                                (int) strcspn(answer, "\n"), answer);
                if (r >= 0)
                        r = string_list_take(failed, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/** transaction_add_probes() - "probes" of the evidence; 0 or -ENOMEM. */
int transaction_add_probes(const Transaction *t, const ProbeOutcomes *after, cJSON *evidence) {
        const Probes *probes = &t->settings.probes;
        cJSON *array = cJSON_AddArrayToObject(evidence, "probes");

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < probes->n; i++) {
                const ProbeOutcomes *last = i < after->n ? after : &t->probes_before;
                const char *text = i < last->n ? last->items[i].text : NULL;
                cJSON *item = cJSON_CreateObject();

                if (!item || !cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return -ENOMEM;
                }
                event_add_text(item, "name", probes->items[i].name);
                event_add_text(item, "before",
                               probe_result_to_string(result_of(&t->probes_before, i)));
                event_add_text(item, "after", probe_result_to_string(result_of(after, i)));
                event_add_text(item, "text", text ? text : "");
        }
        return 0;
}
