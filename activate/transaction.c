/*
 * The transaction: a new system is staged, activated, judged and only then made the profile and the
 * boot default; whatever fails leads back to the system that ran at the start. The table of phases
 * is the documentation. The phase is on disk before it is entered.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "file.h"
#include "history.h"
#include "text.h"
#include "transaction-phases.h"

#define RECORD_NAME "transaction.json"

typedef enum Phase {
        PHASE_STAGE,
        PHASE_ACTIVATE,
        PHASE_JUDGE,
        PHASE_COMMIT,
        PHASE_UNSTAGE,
        PHASE_ROLLBACK,
        PHASE_END,
        _PHASE_MAX,
} Phase;

/* clang-format off */
static const struct {
        const char *name;
        int (*enter)(Transaction *t, sd_bus_error *reterr_error);
        Phase on_success, on_failure;
} phases[_PHASE_MAX] = {
        [PHASE_STAGE]    = { "stage",    stage_enter,    PHASE_ACTIVATE, PHASE_UNSTAGE  },
        [PHASE_ACTIVATE] = { "activate", activate_enter, PHASE_JUDGE,    PHASE_ROLLBACK },
        [PHASE_JUDGE]    = { "judge",    judge_enter,    PHASE_COMMIT,   PHASE_ROLLBACK },
        [PHASE_COMMIT]   = { "commit",   commit_enter,   PHASE_END,      PHASE_ROLLBACK },
        [PHASE_UNSTAGE]  = { "unstage",  unstage_enter,  PHASE_END,      PHASE_END      },
        [PHASE_ROLLBACK] = { "rollback", rollback_enter, PHASE_END,      PHASE_END      },
        [PHASE_END]      = { "end",      NULL,           PHASE_END,      PHASE_END      },
};
/* clang-format on */

void transaction_note(Transaction *t, const char *text) {
        event_say(t->log, "note", "text", text);
}

int transaction_set_root(const Transaction *t, const char *name, const char *target) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", t->places->roots, name);
        if (r < 0)
                return r;
        return file_symlink(AT_FDCWD, target, path);
}

/* Removes what is no longer true, durably where that is possible. */
static void remove_durably(const char *directory, const char *name) {
        _cleanup_close_ int fd = -EBADF;

        if (file_open_directory(AT_FDCWD, directory, &fd) >= 0 && unlinkat(fd, name, 0) >= 0)
                (void) fsync(fd);
}

void transaction_drop_root(const Transaction *t, const char *name) {
        remove_durably(t->places->roots, name);
}

/* Tells of a switch that was killed before; what it left of itself is taken up by this one. */
bool transaction_find_record(Transaction *t) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *text = NULL, *note = NULL;
        const char *to, *phase;
        size_t n;

        if (text_printf(&path, "%s/" RECORD_NAME, t->places->state) < 0 ||
            file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n) < 0)
                return false;

        (void) json_parse(text, n, &object);
        to = json_string(object, "to");
        phase = json_string(object, "phase");
        if (text_printf(
                    &note,
                    "a switch to '%s' was interrupted in phase '%s'; all units are looked after",
                    to ? to : "an unknown system", phase ? phase : "unknown") >= 0)
                transaction_note(t, note);
        return true;
}

/* The open record: whoever finds it knows how far an interrupted transaction had come. */
static int write_record(const Transaction *t, Phase phase) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *line = NULL;
        int r;

        r = text_printf(&path, "%s/" RECORD_NAME, t->places->state);
        if (r < 0)
                return r;

        object = cJSON_CreateObject();
        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "id", t->id) ||
            !cJSON_AddStringToObject(object, "verb", request_verb_to_string(t->request->verb)) ||
            !cJSON_AddStringToObject(object, "from", t->old ? t->old->path : "") ||
            !cJSON_AddStringToObject(object, "to", t->request->toplevel) ||
            !cJSON_AddStringToObject(object, "phase", phases[phase].name))
                return -ENOMEM;
        r = json_print(object, &line);
        return r < 0 ? r : file_write(AT_FDCWD, path, line, 0644);
}

/* Of a switch that was killed before: only one that activates has seen to what that one left. */
static bool record_is_ours(const Transaction *t) {
        return t->staged && (t->activates || !t->found_record);
}

/* Nobody is told of a phase that does nothing: activating what only boots, undoing nothing. */
static bool has_work(const Transaction *t, Phase phase) {
        if (phase == PHASE_ROLLBACK)
                return t->touched && !t->request->no_rollback;
        return t->activates || (phase != PHASE_ACTIVATE && phase != PHASE_JUDGE);
}

/* Enters one phase and answers the next one. The first error stays; the later phases add what
 * holds. */
static Phase enter_phase(Transaction *t, Phase phase) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = record_is_ours(t) ? write_record(t, phase) : 0;
        if (r < 0)
                (void) sd_bus_error_setf(&error, ENACT_ERROR_FAILED,
                                         "Cannot write the record in '%s': %s", t->places->state,
                                         strerror(-r));
        if (r >= 0 || phase == PHASE_ROLLBACK) {
                if (has_work(t, phase))
                        event_say(t->log, "phase", "phase", phases[phase].name);
                r = phases[phase].enter(t, &error);
        }
        if (r >= 0)
                return t->nothing_to_do ? PHASE_END : phases[phase].on_success;

        if (!sd_bus_error_is_set(&error))
                (void) sd_bus_error_setf(&error, ENACT_ERROR_FAILED, "Phase '%s' failed: %s",
                                         phases[phase].name, strerror(-r));
        if (!sd_bus_error_is_set(&t->error))
                (void) sd_bus_error_move(&t->error, &error);
        return phases[phase].on_failure;
}

/* The system that runs in the end, said in one sentence. */
static int tell_success(const Transaction *t, char **ret_text) {
        const char *profile = t->request->profile;

        if (t->nothing_to_do)
                return text_printf(ret_text, "Nothing to do: '%s' %s.", t->new->path,
                                   t->request->verb == REQUEST_BOOT ?
                                           "is the boot default already" :
                                   t->request->verb == REQUEST_TEST ?
                                           "runs already" :
                                           "runs already and is the boot default");
        if (!t->commits)
                return text_printf(ret_text, "'%s' runs; the boot default stays.", t->new->path);
        if (!t->activates)
                return text_printf(ret_text,
                                   "'%s' is generation %" PRIu64 " of '%s' and the boot default%s.",
                                   t->new->path, t->generation, profile,
                                   transaction_runs_already(t) ? "; it ran already" :
                                                                 "; it runs after a reboot");
        return text_printf(ret_text,
                           "'%s' runs; it is generation %" PRIu64 " of '%s' and the boot default.",
                           t->new->path, t->generation, profile);
}

static void write_history(Transaction *t, const char *text) {
        const HistoryEntry entry = {
                .id = (char *) t->id,
                .verb = (char *) request_verb_to_string(t->request->verb),
                .from = t->old ? t->old->path : (char *) "",
                .to = t->new->path,
                .begun = t->begun,
                .ended = (uint64_t) time(NULL),
                .uid = t->request->uid,
                .exit_code = (uint64_t) error_to_exit_code(&t->error),
                .text = (char *) text,
                .evidence = t->evidence,
        };

        if (history_write(t->places->state, &entry) < 0)
                transaction_note(t, "the history entry could not be written");
}

static int finish(Transaction *t, char **ret_text) {
        int r;

        if (!sd_bus_error_is_set(&t->error)) {
                if (t->activates)
                        (void) transaction_set_root(t, "good", t->new->path);
                transaction_drop_root(t, "candidate");
                if (t->reboots)
                        (void) sd_bus_error_setf(
                                &t->error, ENACT_ERROR_NEEDS_REBOOT,
                                "'%s' has another init interface than the running system: "
                                "it is the boot default and takes effect after a reboot",
                                t->new->path);
        }
        r = tell_success(t, ret_text);
        if (r < 0)
                return r;
        if (t->staged && !t->nothing_to_do)
                write_history(t, t->error.message ? t->error.message : *ret_text);
        return 0;
}

/* After a rollback that failed the host is between two systems, and the next switch must know. */
static bool is_over(const Transaction *t) {
        return record_is_ours(t) && !sd_bus_error_has_name(&t->error, ENACT_ERROR_ROLLBACK_FAILED);
}

static void transaction_done(Transaction *t) {
        manager_free(t->manager);
        profile_free(t->profile);
        toplevel_free(t->old);
        toplevel_free(t->new);
        way_done(&t->way);
        cJSON_Delete(t->evidence);
        free(t->old_profile);
        sd_bus_error_free(&t->error);
        (void) fd_close(t->nixos_lock_fd);
        (void) fd_close(t->lock_fd);
}

/**
 * transaction_run() - make a system the running one, the boot default, or both
 * @id:          names it in the record and the history; begins with the time
 * @request:     what is wanted; checked in form only
 * @places:      where state, profiles and roots lie
 * @log:         told of each step
 * @interrupted: asked at safe points whether to stop
 * @ret_text:    how it ended well, in one sentence; owned by the caller
 *
 * Return: 0; else a negative errno, and @reterr_error says what failed and what holds now. Its name
 * has the exit code (error_to_exit_code()).
 */
int transaction_run(const char *id, const Request *request, const TransactionPlaces *places,
                    EventLog *log, bool (*interrupted)(void), char **ret_text,
                    sd_bus_error *reterr_error) {
        Transaction t = {
                .id = id,
                .request = request,
                .places = places,
                .log = log,
                .interrupted = interrupted,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
                .begun = (uint64_t) time(NULL),
        };
        int r = 0;

        for (Phase phase = PHASE_STAGE; phase != PHASE_END;)
                phase = enter_phase(&t, phase);

        if (t.staged)
                r = finish(&t, ret_text);
        if (is_over(&t))
                remove_durably(places->state, RECORD_NAME);
        if (sd_bus_error_is_set(&t.error)) {
                r = -sd_bus_error_get_errno(&t.error);
                (void) sd_bus_error_move(reterr_error, &t.error);
        }
        transaction_done(&t);
        return r;
}
