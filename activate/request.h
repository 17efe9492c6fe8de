#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "json.h"
#include "macros.h"
#include "string-list.h"

#define JUDGE_WINDOW_MAX ((uint64_t) 3600)

typedef enum RequestVerb {
        REQUEST_SWITCH,
        REQUEST_TEST,
        REQUEST_BOOT,
        REQUEST_ROLLBACK,
        REQUEST_DRY_ACTIVATE,
        _REQUEST_VERB_MAX,
} RequestVerb;

#define REQUEST_CONFIRM_MAX ((uint64_t) 24 * 3600) /* seconds */

/* What is asked of the root side: one fixed verb, one store path, and nothing that could be a
 * program. */
typedef struct Request {
        RequestVerb verb;
        char *toplevel;
        char *system;  /* that @toplevel is a specialisation of, and that the profile and the boot
                          menu get; NULL or "": @toplevel itself */
        char *profile; /* "system" */
        uint64_t
                generation; /* of the profile, holding @toplevel; 0: whichever does, or a new one */
        bool no_rollback;
        bool force;
        bool unattended; /* nobody looks on: a system that failed before is refused */
        bool force_host; /* it is meant for this host, whatever name it bears */
        bool install_bootloader;
        bool no_check;          /* skip the system's own pre-switch checks */
        bool trial;             /* of boot: the profile, too, waits until the boot was judged */
        uint64_t job_limit_sec; /* for each job; 0: by the unit's own timeout */
        bool has_judge_window;  /* else the system says how long units are watched */
        uint64_t judge_window_sec;
        StringList probes;    /* "http:URL" and the like, beside those of the system */
        uint64_t confirm_sec; /* somebody must confirm within; 0: as the system itself says */
        char *plan_digest;    /* refuse if another plan comes out; "": any will do */
        uid_t uid;            /* who asked */
} Request;

const char *request_verb_to_string(RequestVerb verb);
int request_verb_from_string(const char *text, RequestVerb *ret_verb);
bool request_is_profile_name(const char *name);
bool request_can_be_confirmed(const Request *request);
int request_to_json(const Request *request, cJSON **ret_object);
int request_from_json(const cJSON *object, Request *request);
int request_from_record(const cJSON *object, Request *request);
int request_copy(const Request *request, Request *copy);
void request_done(Request *request);
