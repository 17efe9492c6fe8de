#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"
#include "string-list.h"

/* Of builds, or of copies from caches. */
typedef struct NixCount {
        uint64_t done, expected, running, failed;
} NixCount;

/* Bytes, unpacked. */
typedef struct NixAmount {
        uint64_t done, expected;
} NixAmount;

typedef enum NixEventKind {
        NIX_EVENT_EVALUATING,     /* from nix_build(): it begins */
        NIX_EVENT_BUILD_STARTED,  /* @name, @path: the derivation */
        NIX_EVENT_BUILD_LINE,     /* @text: a line of its log */
        NIX_EVENT_BUILD_PHASE,    /* @text: the phase */
        NIX_EVENT_BUILD_FINISHED, /* or at least not known to have failed */
        NIX_EVENT_BUILD_FAILED,
        NIX_EVENT_BUILD_CANCELLED, /* because another one failed */
        NIX_EVENT_COPY_STARTED,    /* @name, @path: the store path */
        NIX_EVENT_COPY_FINISHED,
        NIX_EVENT_FETCH_STARTED, /* @name: a URL */
        NIX_EVENT_FETCH_FINISHED,
        NIX_EVENT_AMOUNT,        /* @amount: of this copy or fetch */
        NIX_EVENT_STEP_STARTED,  /* @text: what else Nix does, in its words */
        NIX_EVENT_STEP_FINISHED, /* the same */
        NIX_EVENT_PROGRESS,      /* only the counters moved */
        NIX_EVENT_MESSAGE,       /* @text: words of Nix, may be of several lines; @level */
        NIX_EVENT_PLAIN,         /* @text: a line of git, ssh or another program below Nix */
        NIX_EVENT_TICK,          /* from nix_run(): a tenth of a second has passed, or more */
        NIX_EVENT_ENDED,         /* from nix_run(), last of all */
        _NIX_EVENT_MAX,
} NixEventKind;

/* Levels of messages; those above are what -v and --debug ask for. */
enum { NIX_LEVEL_ERROR, NIX_LEVEL_WARNING, NIX_LEVEL_NOTICE, NIX_LEVEL_INFO };

/* Strings live until the callback returns; without escapes and control characters. */
typedef struct NixEvent {
        NixEventKind kind;
        uint64_t id;      /* of the activity: from its start to its end it means the same one */
        const char *name; /* for people: "linux-6.1" */
        const char *path; /* the whole store path */
        const char *text;
        unsigned level;
        NixAmount amount;
        NixCount builds, copies; /* as they stand now */
        NixAmount copied;        /* by all copies */
        bool realising;          /* it builds and copies; else it evaluates */
        const StringList *lines; /* of a failed build: the last ones of its log */
        size_t n_lines;          /* and how many there were */
} NixEvent;

typedef void (*NixEventHandler)(const NixEvent *event, void *userdata);

typedef enum NixFailure {
        NIX_FAILURE_EVALUATION,
        NIX_FAILURE_BUILD,
        NIX_FAILURE_COPY,
        _NIX_FAILURE_MAX,
} NixFailure;

typedef struct NixFailedBuild {
        const char *name, *derivation;
        const StringList *lines; /* the last ones of its log */
        size_t n_lines;          /* how many there were */
        bool told;               /* as NIX_EVENT_BUILD_FAILED */
} NixFailedBuild;

typedef struct NixLog NixLog;

int nix_log_new(NixEventHandler handler, void *userdata, NixLog **ret);
int nix_log_feed(NixLog *log, const char *bytes, size_t n);
int nix_log_finish(NixLog *log);
void nix_log_interrupt(NixLog *log);

NixFailure nix_log_failure(const NixLog *log, int exit_status);
bool nix_log_failed_build(const NixLog *log, size_t index, NixFailedBuild *ret);
int nix_log_error(const NixLog *log, char **ret_text);
bool nix_log_error_has_position(const NixLog *log);

NixLog *nix_log_free(NixLog *log);

const char *nix_event_kind_to_string(NixEventKind kind);
const char *nix_failure_to_string(NixFailure failure);

DEFINE_CLEANUP(NixLog *, nix_log_free);
