/* Requests: how the user's side asks the root side. They come over a pipe and are taken apart
 * strictly. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "job-limit.h"
#include "probe.h"
#include "request.h"
#include "text.h"

#define GENERATION_MAX ((uint64_t) 1 << 53)

/* clang-format off */
static const char *const verb_names[_REQUEST_VERB_MAX] = {
        [REQUEST_SWITCH]       = "switch",
        [REQUEST_TEST]         = "test",
        [REQUEST_BOOT]         = "boot",
        [REQUEST_ROLLBACK]     = "rollback",
        [REQUEST_DRY_ACTIVATE] = "dry-activate",
};
/* clang-format on */

const char *request_verb_to_string(RequestVerb verb) {
        return verb_names[verb];
}

/** request_verb_from_string() - 0, or -EINVAL for a word that is no verb of the engine. */
int request_verb_from_string(const char *text, RequestVerb *ret_verb) {
        for (RequestVerb verb = 0; verb < _REQUEST_VERB_MAX; verb++)
                if (strcmp(verb_names[verb], text) == 0) {
                        *ret_verb = verb;
                        return 0;
                }
        return -EINVAL;
}

/* "" where nobody has said how long. */
static int add_judge_window(cJSON *object, const Request *request) {
        _cleanup_free_ char *text = NULL;

        if (request->has_judge_window &&
            text_printf(&text, "%" PRIu64, request->judge_window_sec) < 0)
                return -ENOMEM;
        return cJSON_AddStringToObject(object, "judge-window", text ? text : "") ? 0 : -ENOMEM;
}

/** request_to_json() - @ret_object is owned by the caller; 0 or -ENOMEM. */
int request_to_json(const Request *request, cJSON **ret_object) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "verb", verb_names[request->verb]) ||
            !cJSON_AddStringToObject(object, "toplevel", request->toplevel) ||
            !cJSON_AddStringToObject(object, "system", request->system ? request->system : "") ||
            !cJSON_AddStringToObject(object, "profile", request->profile) ||
            !cJSON_AddNumberToObject(object, "generation", (double) request->generation) ||
            !cJSON_AddBoolToObject(object, "no-rollback", request->no_rollback) ||
            !cJSON_AddBoolToObject(object, "force", request->force) ||
            !cJSON_AddBoolToObject(object, "force-host", request->force_host) ||
            !cJSON_AddBoolToObject(object, "unattended", request->unattended) ||
            !cJSON_AddBoolToObject(object, "install-bootloader", request->install_bootloader) ||
            !cJSON_AddBoolToObject(object, "no-check", request->no_check) ||
            !cJSON_AddBoolToObject(object, "trial", request->trial) ||
            !cJSON_AddNumberToObject(object, "job-timeout", (double) request->job_limit_sec) ||
            !cJSON_AddNumberToObject(object, "confirm", (double) request->confirm_sec) ||
            !cJSON_AddStringToObject(object, "plan",
                                     request->plan_digest ? request->plan_digest : "") ||
            !cJSON_AddNumberToObject(object, "uid", request->uid) ||
            add_judge_window(object, request) < 0 ||
            json_add_strings(object, "probes", &request->probes) < 0)
                return -ENOMEM;

        *ret_object = TAKE_PTR(object);
        return 0;
}

/* Each key once and no other: where all are there and there are no more, none is doubled. */
static bool has_exactly_the_keys(const cJSON *object) {
        static const char *const known[] = {
                "confirm",     "force",       "generation",   "install-bootloader",
                "job-timeout", "no-rollback", "no-check",     "plan",
                "profile",     "toplevel",    "uid",          "unattended",
                "verb",        "version",     "judge-window", "probes",
                "force-host",  "trial",       "system",
        };

        if (cJSON_GetArraySize(object) != ELEMENTSOF(known))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (!cJSON_GetObjectItemCaseSensitive(object, known[i]))
                        return false;
        return true;
}

/** request_is_profile_name() - whether a profile may be called so. */
bool request_is_profile_name(const char *name) {
        if (!*name || *name == '.' || *name == '-' || strlen(name) > 200)
                return false;
        for (const char *p = name; *p; p++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
                            *p))
                        return false;
        return !text_has_suffix(name, "-link");
}

static int read_judge_window(const cJSON *object, Request *request) {
        const char *text = json_string(object, "judge-window");

        if (!text)
                return -EBADMSG;
        if (!*text)
                return 0;
        request->has_judge_window = true;
        return text_to_unsigned(text, JUDGE_WINDOW_MAX, &request->judge_window_sec) < 0 ? -EBADMSG :
                                                                                          0;
}

/* Each must be one that can be asked; what root runs comes from the store. */
static int read_probes(const cJSON *object, Request *request) {
        int r;

        r = json_read_strings(object, "probes", &request->probes);
        if (r < 0)
                return r;
        if (request->probes.n > PROBES_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < request->probes.n; i++) {
                _cleanup_(probe_done) Probe probe = { 0 };
                const char *wanted;

                r = probe_from_text(request->probes.items[i], &probe, &wanted);
                if (r < 0)
                        return r == -EINVAL ? -EBADMSG : r;
        }
        return 0;
}

/** request_can_be_confirmed() - whether there is a way back for a system that nobody confirms. */
bool request_can_be_confirmed(const Request *request) {
        return !request->no_rollback &&
               (request->verb == REQUEST_SWITCH || request->verb == REQUEST_TEST ||
                request->verb == REQUEST_ROLLBACK);
}

/* The first records had none of them. */
static int read_later_keys(const cJSON *object, Request *request) {
        const struct {
                const char *key;
                bool *answer;
        } answers[] = {
                { "force-host", &request->force_host },
                { "trial", &request->trial },
        };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                if (cJSON_GetObjectItemCaseSensitive(object, answers[i].key) &&
                    json_boolean(object, answers[i].key, answers[i].answer) < 0)
                        return -EBADMSG;
        return 0;
}

static int read_keys(const cJSON *object, Request *request) {
        const char *verb = json_string(object, "verb"), *toplevel = json_string(object, "toplevel");
        const char *profile = json_string(object, "profile"), *digest = json_string(object, "plan");
        const char *system = "";
        uint64_t version, uid, generation;
        int r;

        if (json_boolean(object, "no-rollback", &request->no_rollback) < 0 ||
            json_boolean(object, "force", &request->force) < 0 ||
            json_boolean(object, "unattended", &request->unattended) < 0 ||
            json_boolean(object, "no-check", &request->no_check) < 0 ||
            json_boolean(object, "install-bootloader", &request->install_bootloader) < 0)
                return -EBADMSG;
        if (read_later_keys(object, request) < 0)
                return -EBADMSG;
        if (json_number(object, "version", 1, &version) < 0 || version != 1 ||
            json_number(object, "uid", UINT32_MAX - 1, &uid) < 0 ||
            json_number(object, "job-timeout", JOB_LIMIT_SEC_MAX, &request->job_limit_sec) < 0 ||
            json_number(object, "confirm", REQUEST_CONFIRM_MAX, &request->confirm_sec) < 0 ||
            json_number(object, "generation", GENERATION_MAX, &generation) < 0)
                return -EBADMSG;
        if (!verb || request_verb_from_string(verb, &request->verb) < 0 || !toplevel ||
            *toplevel != '/' || !profile || !request_is_profile_name(profile) || !digest)
                return -EBADMSG;
        if ((request->confirm_sec > 0 && !request_can_be_confirmed(request)) ||
            (request->trial && request->verb != REQUEST_BOOT))
                return -EBADMSG;
        if (cJSON_GetObjectItemCaseSensitive(object, "system")) /* nor that */
                system = json_string(object, "system");
        if (!system || (*system && *system != '/'))
                return -EBADMSG;

        r = read_judge_window(object, request);
        if (r >= 0)
                r = read_probes(object, request);
        if (r < 0)
                return r;

        request->toplevel = strdup(toplevel);
        request->system = strdup(system);
        request->profile = strdup(profile);
        request->plan_digest = strdup(digest);
        if (!request->toplevel || !request->system || !request->profile || !request->plan_digest)
                return -ENOMEM;
        request->generation = generation;
        request->uid = (uid_t) uid;
        return 0;
}

/**
 * request_from_json() - take a request apart that comes over a pipe
 * @request: all zero before; request_done() even after an error
 *
 * Return: 0, -EBADMSG for a wrong type, a missing, unknown or doubled key, a value out of range;
 * -ENOMEM.
 */
int request_from_json(const cJSON *object, Request *request) {
        return has_exactly_the_keys(object) ? read_keys(object, request) : -EBADMSG;
}

/**
 * request_from_record() - the same for one that root has written down
 *
 * Another version of enact may have, and known of more keys: what an interrupted switch was asked
 * is not to be lost over those.
 */
int request_from_record(const cJSON *object, Request *request) {
        return read_keys(object, request);
}

/** request_copy() - @copy is all zero before; request_done() it even after an error. 0 or -ENOMEM.
 */
int request_copy(const Request *request, Request *copy) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        int r;

        r = request_to_json(request, &object);
        return r < 0 ? r : request_from_json(object, copy);
}

void request_done(Request *request) {
        free(request->toplevel);
        free(request->system);
        free(request->profile);
        free(request->plan_digest);
        string_list_done(&request->probes);
        *request = (Request){ 0 };
}
