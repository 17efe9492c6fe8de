/*
 * Nix's own account of what it does: `--log-format internal-json` writes a line "@nix {…}" for each
 * activity that starts or stops, each counter that moves and each message. From this we say what is
 * going on and, when Nix failed, where: the words of an error are for people, the verdict comes
 * from activities and counters alone.
 *
 * A "worker" is one realisation of something (activity 102 and its counters 103 and 104): the
 * system itself, or before it what the evaluation must import. Nix's counters are sampled in its
 * newest versions, so that the last count of a failed worker may be missing; builds that started
 * and were never counted as done tell then. Source: Nix, logging.{hh,cc}, worker.cc,
 * derivation-goal.cc.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "id-map.h"
#include "json.h"
#include "nix-log.h"
#include "text.h"

#define LINE_BYTES_MAX  ((size_t) 1024 * 1024) /* the rest of a longer line is dropped */
#define ERROR_BYTES_MAX ((size_t) 64 * 1024)   /* of error text; the oldest goes first */
#define TAIL_LINES_MAX  25U                    /* of each build's log, and of plain lines */
#define TAIL_BYTES_MAX  4096U                  /* of each of these lines */
#define NAME_BYTES_MAX  1024U                  /* of a path, a URL or a step's words */
#define ACTIVITIES_MAX  4096U                  /* under way at once; others are not followed */
#define FAILED_MAX      16U                    /* builds whose end is kept */
#define WORKERS_MAX     8U                     /* open at once */
#define COUNT_MAX       ((uint64_t) 1 << 53)
#define JSON_PREFIX     "@nix "

/* The numbers are Nix's. */
enum {
        ACTIVITY_UNKNOWN = 0,
        ACTIVITY_COPY_PATH = 100,
        ACTIVITY_FILE_TRANSFER = 101,
        ACTIVITY_REALISE = 102,
        ACTIVITY_COPY_PATHS = 103,
        ACTIVITY_BUILDS = 104,
        ACTIVITY_BUILD = 105,
        ACTIVITY_QUERY_PATH_INFO = 109,
        ACTIVITY_POST_BUILD_HOOK = 110,
        ACTIVITY_BUILD_WAITING = 111,
        ACTIVITY_FETCH_TREE = 112,
};

enum {
        RESULT_BUILD_LOG_LINE = 101,
        RESULT_SET_PHASE = 104,
        RESULT_PROGRESS = 105,
        RESULT_SET_EXPECTED = 106,
        RESULT_POST_BUILD_LOG_LINE = 107,
};

typedef struct Tail {
        StringList lines;
        size_t n_seen;
} Tail;

/* A build, a copy, a fetch, or what has only words. */
typedef struct Activity {
        uint64_t id;
        uint64_t type;
        char *path; /* of the derivation, the store path; the URL */
        char *name;
        NixAmount amount;
        Tail tail;
        bool blamed; /* an error named it while it ran */
} Activity;

typedef struct Worker {
        uint64_t id, builds_id, copies_id;
        NixCount builds, copies;
        uint64_t n_started; /* builds */
        uint64_t n_failed;  /* builds that were running when they failed */
} Worker;

struct NixLog {
        NixEventHandler handler;
        void *userdata;

        char *line;
        size_t n_line, allocated;

        IdMap activities;
        size_t n_builds;

        Worker workers[WORKERS_MAX]; /* the open ones, newest last */
        size_t n_workers;
        NixCount builds, copies; /* of the newest, open or not */
        NixAmount copied;
        uint64_t n_failed_unseen; /* failures counted whose build has not stopped yet */
        uint64_t n_done_unseen;

        bool interrupted;  /* the user's doing: builds that stop now did not finish */
        bool build_failed; /* in any closed worker: Nix never goes on after that */
        NixFailure last;   /* verdict on the worker closed last */
        Activity *failed[FAILED_MAX];
        size_t n_failed;
        Activity *stopped; /* the build that stopped last, unless in @failed */

        StringList errors;
        size_t error_bytes;
        bool error_has_position;
        Tail plain;
};

/* clang-format off */
static const char *const event_kinds[_NIX_EVENT_MAX] = {
        [NIX_EVENT_EVALUATING]      = "evaluating",
        [NIX_EVENT_BUILD_STARTED]   = "build-started",
        [NIX_EVENT_BUILD_LINE]      = "build-line",
        [NIX_EVENT_BUILD_PHASE]     = "build-phase",
        [NIX_EVENT_BUILD_FINISHED]  = "build-finished",
        [NIX_EVENT_BUILD_FAILED]    = "build-failed",
        [NIX_EVENT_BUILD_CANCELLED] = "build-cancelled",
        [NIX_EVENT_COPY_STARTED]    = "copy-started",
        [NIX_EVENT_COPY_FINISHED]   = "copy-finished",
        [NIX_EVENT_FETCH_STARTED]   = "fetch-started",
        [NIX_EVENT_FETCH_FINISHED]  = "fetch-finished",
        [NIX_EVENT_AMOUNT]          = "amount",
        [NIX_EVENT_STEP_STARTED]    = "step-started",
        [NIX_EVENT_STEP_FINISHED]   = "step-finished",
        [NIX_EVENT_PROGRESS]        = "progress",
        [NIX_EVENT_MESSAGE]         = "message",
        [NIX_EVENT_PLAIN]           = "plain",
        [NIX_EVENT_TICK]            = "tick",
        [NIX_EVENT_ENDED]           = "ended",
};

static const char *const failures[_NIX_FAILURE_MAX] = {
        [NIX_FAILURE_EVALUATION] = "evaluation",
        [NIX_FAILURE_BUILD]      = "build",
        [NIX_FAILURE_COPY]       = "copy",
};
/* clang-format on */

const char *nix_event_kind_to_string(NixEventKind kind) {
        return event_kinds[kind];
}

const char *nix_failure_to_string(NixFailure failure) {
        return failures[failure];
}

static void tell(const NixLog *log, NixEventKind kind, const Activity *a, const char *text,
                 unsigned level) {
        const bool failed = kind == NIX_EVENT_BUILD_FAILED;

        if (!log->handler)
                return;
        log->handler(&(const NixEvent){ .kind = kind,
                                        .id = a ? a->id : 0,
                                        .name = a ? a->name : NULL,
                                        .path = a ? a->path : NULL,
                                        .text = text,
                                        .level = level,
                                        .amount = a ? a->amount : (NixAmount){ 0 },
                                        .builds = log->builds,
                                        .copies = log->copies,
                                        .copied = log->copied,
                                        .realising = log->n_workers > 0,
                                        .lines = failed ? &a->tail.lines : NULL,
                                        .n_lines = failed ? a->tail.n_seen : 0 },
                     log->userdata);
}

static int tail_add(Tail *tail, const char *line) {
        if (tail->lines.n == TAIL_LINES_MAX) {
                free(tail->lines.items[0]);
                memmove(tail->lines.items, tail->lines.items + 1,
                        --tail->lines.n * sizeof(*tail->lines.items));
        }
        tail->n_seen++;
        return string_list_take(&tail->lines, strndup(line, TAIL_BYTES_MAX));
}

static Activity *activity_free(Activity *a) {
        if (!a)
                return NULL;

        string_list_done(&a->tail.lines);
        free(a->path);
        free(a->name);
        free(a);
        return NULL;
}

DEFINE_CLEANUP(Activity *, activity_free);

/* "linux-6.1" of "/nix/store/HASH-linux-6.1.drv"; other text as it is. */
static char *short_name(const char *path) {
        const char *base = strrchr(path, '/'), *dash = base ? strchr(base, '-') : NULL;
        const char *name = dash && !strstr(path, "://") ? dash + 1 : path;
        size_t n = strlen(name);

        return strndup(name, name != path && text_has_suffix(name, ".drv") ? n - 4 : n);
}

static Worker *newest_worker(NixLog *log) {
        return log->n_workers ? &log->workers[log->n_workers - 1] : NULL;
}

/* What went wrong in a worker that has ended; EVALUATION: nothing did. */
static NixFailure judge(const Worker *w) {
        bool builds_short = w->builds.failed > 0 || w->builds.done < w->builds.expected ||
                            w->builds.done < w->n_started;
        bool copies_short = w->copies.failed > 0 || w->copies.done < w->copies.expected;

        if (w->n_failed > 0)
                return NIX_FAILURE_BUILD;
        /* Counted as failed, but none that ran: its inputs or outputs could not be fetched. */
        if (w->copies.failed > 0 && (builds_short || w->builds.done == 0))
                return NIX_FAILURE_COPY;
        if (builds_short)
                return copies_short && w->builds.failed == 0 && w->n_started <= w->builds.done ?
                               NIX_FAILURE_COPY :
                               NIX_FAILURE_BUILD;
        /* A failed copy that a build made up for is none. */
        return copies_short && w->copies.failed == 0 ? NIX_FAILURE_COPY : NIX_FAILURE_EVALUATION;
}

static void open_worker(NixLog *log, uint64_t id) {
        if (log->n_workers == WORKERS_MAX)
                return;

        log->workers[log->n_workers++] = (Worker){ .id = id };
        log->builds = log->copies = (NixCount){ 0 };
        log->copied = (NixAmount){ 0 };
        log->n_failed_unseen = log->n_done_unseen = 0;
        tell(log, NIX_EVENT_PROGRESS, NULL, NULL, 0);
}

static void close_worker(NixLog *log, size_t index) {
        log->last = judge(&log->workers[index]);
        if (log->last == NIX_FAILURE_BUILD)
                log->build_failed = true;

        memmove(&log->workers[index], &log->workers[index + 1],
                (--log->n_workers - index) * sizeof(*log->workers));
        tell(log, NIX_EVENT_PROGRESS, NULL, NULL, 0);
}

static const struct {
        uint64_t type;
        NixEventKind started, finished; /* a build's end is judged */
} tellings[] = {
        { ACTIVITY_BUILD, NIX_EVENT_BUILD_STARTED, NIX_EVENT_BUILD_FINISHED },
        { ACTIVITY_COPY_PATH, NIX_EVENT_COPY_STARTED, NIX_EVENT_COPY_FINISHED },
        { ACTIVITY_FILE_TRANSFER, NIX_EVENT_FETCH_STARTED, NIX_EVENT_FETCH_FINISHED },
        { ACTIVITY_FETCH_TREE, NIX_EVENT_FETCH_STARTED, NIX_EVENT_FETCH_FINISHED },
};

/* What has only words. */
static bool is_step(uint64_t type) {
        return type == ACTIVITY_UNKNOWN || type == ACTIVITY_QUERY_PATH_INFO ||
               type == ACTIVITY_POST_BUILD_HOOK || type == ACTIVITY_BUILD_WAITING;
}

static void tell_turn(const NixLog *log, const Activity *a, bool started) {
        if (is_step(a->type))
                tell(log, started ? NIX_EVENT_STEP_STARTED : NIX_EVENT_STEP_FINISHED, a, a->name,
                     0);
        for (size_t i = 0; i < ELEMENTSOF(tellings); i++)
                if (tellings[i].type == a->type)
                        tell(log, started ? tellings[i].started : tellings[i].finished, a, NULL, 0);
}

static int start_activity(NixLog *log, uint64_t id, uint64_t type, const char *path) {
        _cleanup_(activity_freep) Activity *a = NULL;
        int r;

        if (!path || !*path || log->activities.n == ACTIVITIES_MAX)
                return 0;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->id = id;
        a->type = type;
        a->path = strndup(path, NAME_BYTES_MAX);
        if (!a->path)
                return -ENOMEM;
        text_strip_controls(a->path);
        a->name = is_step(type) ? strdup(a->path) : short_name(a->path);
        if (!a->name)
                return -ENOMEM;

        r = id_map_put(&log->activities, id, a);
        if (r == -EEXIST)
                return 0;
        if (r < 0)
                return r;
        if (type == ACTIVITY_BUILD)
                log->n_builds++;
        tell_turn(log, a, /* started= */ true);
        TAKE_PTR(a);
        return 0;
}

static NixEventKind build_outcome(NixLog *log, const Activity *a) {
        if (a->blamed || (log->n_failed_unseen > 0 && log->n_builds == 1)) {
                if (log->n_failed_unseen > 0)
                        log->n_failed_unseen--;
                return NIX_EVENT_BUILD_FAILED;
        }
        if (log->n_done_unseen > 0) {
                log->n_done_unseen--;
                return NIX_EVENT_BUILD_FINISHED;
        }
        return log->interrupted || log->builds.failed > 0 ? NIX_EVENT_BUILD_CANCELLED :
                                                            NIX_EVENT_BUILD_FINISHED;
}

static void stop_build(NixLog *log, Activity *a) {
        NixEventKind outcome = build_outcome(log, a);

        log->n_builds--;
        tell(log, outcome, a, NULL, 0);
        if (outcome == NIX_EVENT_BUILD_FAILED && log->n_failed < FAILED_MAX) {
                log->failed[log->n_failed++] = a;
                return;
        }
        activity_free(log->stopped);
        log->stopped = a;
}

static void stop(NixLog *log, uint64_t id) {
        Activity *a = id_map_remove(&log->activities, id);

        if (a && a->type == ACTIVITY_BUILD) {
                stop_build(log, a);
                return;
        }
        if (a) {
                tell_turn(log, a, /* started= */ false);
                activity_free(a);
                return;
        }

        for (size_t i = 0; i < log->n_workers; i++)
                if (log->workers[i].id == id) {
                        close_worker(log, i);
                        return;
                }
}

/* Ids are above 2^53 where process ids are large, so a double cannot hold them: the digits
 * themselves are read, of the key "id" of the object (not of one inside it). @json is known to be
 * well-formed. */
static int read_id(const char *json, size_t n, uint64_t *ret_id) {
        int depth = 0;

        for (size_t i = 0; i < n; i++) {
                char digits[24];
                size_t k;

                if (json[i] == '{' || json[i] == '[')
                        depth++;
                else if (json[i] == '}' || json[i] == ']')
                        depth--;
                if (json[i] != '"')
                        continue;

                if (depth == 1 && n - i > 5 && memcmp(json + i, "\"id\":", 5) == 0) {
                        k = strspn(json + i + 5, "0123456789");
                        if (k == 0 || k >= sizeof(digits))
                                return -EBADMSG;
                        memcpy(digits, json + i + 5, k);
                        digits[k] = '\0';
                        return text_to_unsigned(digits, UINT64_MAX, ret_id);
                }
                for (i++; i < n && json[i] != '"'; i++)
                        if (json[i] == '\\')
                                i++;
        }
        return -ENOENT;
}

static const cJSON *field(const cJSON *object, int index) {
        return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(object, "fields"), index);
}

static uint64_t field_number(const cJSON *object, int index) {
        const cJSON *item = field(object, index);

        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
            item->valuedouble > (double) COUNT_MAX)
                return 0;
        return (uint64_t) item->valuedouble;
}

static int on_start(NixLog *log, const cJSON *object, uint64_t id) {
        Worker *w = newest_worker(log);
        uint64_t type = 0, round = field_number(object, 2);

        (void) json_number(object, "type", COUNT_MAX, &type);
        switch (type) {
        case ACTIVITY_REALISE:
                open_worker(log, id);
                return 0;

        case ACTIVITY_BUILDS:
                if (w)
                        w->builds_id = id;
                return 0;

        case ACTIVITY_COPY_PATHS:
                if (w)
                        w->copies_id = id;
                return 0;

        case ACTIVITY_BUILD:
                if (w && round <= 1)
                        w->n_started++;
                return start_activity(log, id, type, cJSON_GetStringValue(field(object, 0)));

        case ACTIVITY_COPY_PATH:
                return start_activity(log, id, type, cJSON_GetStringValue(field(object, 0)));

        case ACTIVITY_UNKNOWN:
        case ACTIVITY_QUERY_PATH_INFO:
        case ACTIVITY_POST_BUILD_HOOK:
        case ACTIVITY_BUILD_WAITING:
                return start_activity(log, id, type, json_string(object, "text"));

        case ACTIVITY_FILE_TRANSFER:
        case ACTIVITY_FETCH_TREE:
                /* Inside a worker this is how a copy is done. */
                return w ? 0 :
                           start_activity(log, id, type,
                                          type == ACTIVITY_FILE_TRANSFER ?
                                                  cJSON_GetStringValue(field(object, 0)) :
                                                  json_string(object, "text"));

        default:
                return 0;
        }
}

/* How far a copy or a fetch is. */
static void on_amount(NixLog *log, Activity *a, NixAmount now) {
        if (is_step(a->type) || a->type == ACTIVITY_BUILD)
                return;
        if (a->type == ACTIVITY_COPY_PATH && now.done > a->amount.done) {
                log->copied.done += now.done - a->amount.done;
                if (log->copied.done > COUNT_MAX)
                        log->copied.done = COUNT_MAX;
        }
        a->amount = now;
        tell(log, NIX_EVENT_AMOUNT, a, NULL, 0);
}

/* How much the copies of a worker will come to. */
static void on_set_expected(NixLog *log, const cJSON *object, uint64_t id) {
        const Worker *w = newest_worker(log);

        if (!w || w->copies_id != id || field_number(object, 0) != ACTIVITY_COPY_PATH)
                return;
        log->copied.expected = field_number(object, 1);
        tell(log, NIX_EVENT_PROGRESS, NULL, NULL, 0);
}

static void on_progress(NixLog *log, const cJSON *object, uint64_t id) {
        NixCount now = { .done = field_number(object, 0),
                         .expected = field_number(object, 1),
                         .running = field_number(object, 2),
                         .failed = field_number(object, 3) };
        Activity *a;

        for (size_t i = 0; i < log->n_workers; i++) {
                Worker *w = &log->workers[i];

                if (w->builds_id == id) {
                        if (now.failed > w->builds.failed && now.running < w->builds.running) {
                                w->n_failed++;
                                log->n_failed_unseen += now.failed - w->builds.failed;
                        }
                        if (now.done > w->builds.done)
                                log->n_done_unseen += now.done - w->builds.done;
                        w->builds = now;
                } else if (w->copies_id == id)
                        w->copies = now;
                else
                        continue;

                log->builds = w->builds;
                log->copies = w->copies;
                tell(log, NIX_EVENT_PROGRESS, NULL, NULL, 0);
                return;
        }

        a = id_map_get(&log->activities, id);
        if (a)
                on_amount(log, a, (NixAmount){ .done = now.done, .expected = now.expected });
}

static int on_result(NixLog *log, const cJSON *object, uint64_t id) {
        _cleanup_free_ char *text = NULL;
        const char *value = cJSON_GetStringValue(field(object, 0));
        uint64_t type = 0;
        Activity *a;

        (void) json_number(object, "type", COUNT_MAX, &type);
        if (type == RESULT_PROGRESS) {
                on_progress(log, object, id);
                return 0;
        }
        if (type == RESULT_SET_EXPECTED) {
                on_set_expected(log, object, id);
                return 0;
        }
        if (type != RESULT_BUILD_LOG_LINE && type != RESULT_POST_BUILD_LOG_LINE &&
            type != RESULT_SET_PHASE)
                return 0;

        a = id_map_get(&log->activities, id);
        if (!a || a->type != ACTIVITY_BUILD || !value)
                return 0;

        text = strdup(value);
        if (!text)
                return -ENOMEM;
        text_strip_controls(text);
        if (*value && !*text) /* only control characters, as of a builder that could not start */
                return 0;
        tell(log, type == RESULT_SET_PHASE ? NIX_EVENT_BUILD_PHASE : NIX_EVENT_BUILD_LINE, a, text,
             0);
        return type == RESULT_SET_PHASE ? 0 : tail_add(&a->tail, text);
}

/* Keeps the end of what there is too much of: there Nix says what it was. */
static int add_error(NixLog *log, const char *text) {
        const char *rest = text_after_prefix(text, "error:");
        size_t n;
        int r;

        if (rest)
                text = rest + strspn(rest, " \n");
        n = strlen(text);
        if (n > ERROR_BYTES_MAX) {
                text += n - ERROR_BYTES_MAX;
                n = ERROR_BYTES_MAX;
        }

        while (log->error_bytes + n > ERROR_BYTES_MAX) {
                log->error_bytes -= strlen(log->errors.items[0]);
                free(log->errors.items[0]);
                memmove(log->errors.items, log->errors.items + 1,
                        --log->errors.n * sizeof(*log->errors.items));
        }
        r = string_list_add(&log->errors, text);
        if (r >= 0)
                log->error_bytes += n;
        return r;
}

/* Marks the running builds that an error names; answers whether there are any. */
static bool blame(NixLog *log, const char *text) {
        bool any = false;
        size_t position = 0;

        for (Activity *a; (a = id_map_next(&log->activities, &position));)
                if (a->type == ACTIVITY_BUILD && strstr(text, a->path))
                        any = a->blamed = true;
        return any;
}

static int on_message(NixLog *log, const cJSON *object) {
        _cleanup_free_ char *text = NULL;
        uint64_t level = NIX_LEVEL_INFO;
        int r;

        if (!json_string(object, "msg"))
                return 0;
        text = strdup(json_string(object, "msg"));
        if (!text)
                return -ENOMEM;
        text_strip_controls(text);
        (void) json_number(object, "level", UINT8_MAX, &level);

        if (level == NIX_LEVEL_ERROR) {
                bool blames = blame(log, text), own = json_string(object, "raw_msg");

                /* Without raw_msg it is a hint, a trace, or the error of one goal: of a build,
                 * which has its log to tell, or of a copy, which has nothing else. */
                if (own || (!blames && text_after_prefix(text, "error:"))) {
                        r = add_error(log, text);
                        if (r < 0)
                                return r;
                }
                if (own)
                        log->error_has_position = json_string(object, "file");
        }
        tell(log, NIX_EVENT_MESSAGE, NULL, text, (unsigned) level);
        return 0;
}

static int on_plain(NixLog *log, char *line) {
        text_strip_controls(line);
        tell(log, NIX_EVENT_PLAIN, NULL, line, 0);
        return tail_add(&log->plain, line);
}

static int on_line(NixLog *log) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const char *json = text_after_prefix(log->line, JSON_PREFIX), *action;
        size_t n = log->n_line - strlen(JSON_PREFIX);
        uint64_t id = 0;
        int r;

        if (!json || json_parse(json, n, &object) < 0)
                return on_plain(log, log->line);

        action = json_string(object, "action");
        if (!action)
                return 0;
        if (strcmp(action, "msg") == 0)
                return on_message(log, object);

        r = read_id(json, n, &id);
        if (r < 0)
                return 0;
        if (strcmp(action, "start") == 0)
                return on_start(log, object, id);
        if (strcmp(action, "result") == 0)
                return on_result(log, object, id);
        if (strcmp(action, "stop") == 0)
                stop(log, id);
        return 0;
}

/* Room for @n more bytes and a NUL, as far as a line may grow; answers how many fit. */
static int reserve(NixLog *log, size_t n, size_t *ret_fit) {
        size_t allocated = log->allocated;
        char *more;

        if (n > LINE_BYTES_MAX - log->n_line)
                n = LINE_BYTES_MAX - log->n_line;
        while (allocated < log->n_line + n + 1)
                allocated = allocated ? 2 * allocated : 4096;
        if (allocated > log->allocated) {
                more = realloc(log->line, allocated);
                if (!more)
                        return -ENOMEM;
                log->line = more;
                log->allocated = allocated;
        }
        *ret_fit = n;
        return 0;
}

static int end_line(NixLog *log) {
        int r;

        log->line[log->n_line] = '\0';
        r = on_line(log);
        log->n_line = 0;
        return r;
}

/**
 * nix_log_feed() - take the next bytes of Nix's standard error
 * @bytes: any part of it; lines may be cut anywhere
 *
 * Events are told at once. Nothing in @bytes is an error: what is not understood is a plain line.
 *
 * Return: 0 or -ENOMEM.
 */
int nix_log_feed(NixLog *log, const char *bytes, size_t n) {
        int r;

        while (n > 0) {
                const char *newline = memchr(bytes, '\n', n);
                size_t length = newline ? (size_t) (newline - bytes) : n, fit;

                r = reserve(log, length, &fit);
                if (r < 0)
                        return r;
                memcpy(log->line + log->n_line, bytes, fit);
                log->n_line += fit;

                if (!newline)
                        return 0;
                r = end_line(log);
                if (r < 0)
                        return r;
                bytes += length + 1;
                n -= length + 1;
        }
        return 0;
}

/** nix_log_finish() - Nix has ended: take what lacks its newline; 0 or -ENOMEM. */
int nix_log_finish(NixLog *log) {
        return log->n_line > 0 ? end_line(log) : 0;
}

/** nix_log_interrupt() - Nix was told to end, so that its builds are cancelled rather than
 * finished. */
void nix_log_interrupt(NixLog *log) {
        log->interrupted = true;
}

/**
 * nix_log_failure() - where Nix failed
 * @exit_status: of Nix, which has failed; 100 to 111 say "build" by themselves
 *
 * A worker that is still open was cut off. Failed copies count only in the last worker, since Nix
 * goes on after them where it can; failed builds always do.
 *
 * Return: NIX_FAILURE_BUILD, also at import-from-derivation; NIX_FAILURE_COPY if something could
 * not be fetched from a cache; otherwise NIX_FAILURE_EVALUATION, which includes all before it.
 */
NixFailure nix_log_failure(const NixLog *log, int exit_status) {
        NixFailure last = log->last;

        if (log->build_failed)
                return NIX_FAILURE_BUILD;
        if (log->n_workers > 0) {
                last = judge(&log->workers[log->n_workers - 1]);
                if (log->n_builds > 0)
                        last = NIX_FAILURE_BUILD;
        }
        if (last == NIX_FAILURE_EVALUATION && exit_status >= 100 && exit_status <= 111)
                return NIX_FAILURE_BUILD;
        return last;
}

/**
 * nix_log_failed_build() - the builds that failed, in order
 * @ret: its texts stay the log's
 *
 * For people: which build it was is partly guessed, unlike nix_log_failure().
 *
 * Return: false past the last one.
 */
bool nix_log_failed_build(const NixLog *log, size_t index, NixFailedBuild *ret) {
        const Activity *a = NULL;

        if (index < log->n_failed)
                a = log->failed[index];
        else if (index == 0 && log->stopped && log->errors.n > 0 &&
                 strstr(log->errors.items[log->errors.n - 1], log->stopped->path))
                a = log->stopped;
        if (!a)
                return false;

        *ret = (NixFailedBuild){ .name = a->name,
                                 .derivation = a->path,
                                 .lines = &a->tail.lines,
                                 .n_lines = a->tail.n_seen,
                                 .told = index < log->n_failed };
        return true;
}

/**
 * nix_log_error() - Nix's own words on why it failed
 * @ret_text: without the leading "error:", and with the last plain lines where no position in Nix
 * code explains it: git and ssh say there what Nix only calls an exit code. Owned by the caller.
 *
 * Return: 0 or -ENOMEM.
 */
int nix_log_error(const NixLog *log, char **ret_text) {
        _cleanup_free_ char *errors = NULL, *plain = NULL;
        bool with_plain = log->plain.lines.n > 0 && !log->error_has_position;
        int r;

        r = string_list_join(&log->errors, "\n", &errors);
        if (r < 0)
                return r;
        if (with_plain) {
                r = string_list_join(&log->plain.lines, "\n", &plain);
                if (r < 0)
                        return r;
        }

        return text_printf(ret_text, "%s%s%s", errors, with_plain && *errors ? "\n" : "",
                           with_plain ? plain : "");
}

/** nix_log_error_has_position() - whether the last error points into a file of Nix code. */
bool nix_log_error_has_position(const NixLog *log) {
        return log->error_has_position;
}

/**
 * nix_log_new() - a log to feed
 * @handler: told of each event; may be NULL
 * @ret:     owned by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int nix_log_new(NixEventHandler handler, void *userdata, NixLog **ret) {
        NixLog *log;

        assert(ret);

        log = calloc(1, sizeof(*log));
        if (!log)
                return -ENOMEM;
        log->handler = handler;
        log->userdata = userdata;

        *ret = log;
        return 0;
}

NixLog *nix_log_free(NixLog *log) {
        size_t position = 0;

        if (!log)
                return NULL;

        for (Activity *a; (a = id_map_next(&log->activities, &position));)
                activity_free(a);
        id_map_done(&log->activities);
        for (size_t i = 0; i < log->n_failed; i++)
                activity_free(log->failed[i]);
        activity_free(log->stopped);
        string_list_done(&log->errors);
        string_list_done(&log->plain.lines);
        free(log->line);
        free(log);
        return NULL;
}
