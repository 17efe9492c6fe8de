#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "macros.h"
#include "string-list.h"

#define PROBES_MAX          64U
#define PROBE_SECONDS_MAX   ((uint64_t) 3600)
#define PROBE_RETRIES_MAX   ((uint64_t) 1000)
#define PROBE_NAME_SIZE_MAX 100U

typedef enum ProbeType {
        PROBE_EXEC,
        PROBE_HTTP,
        PROBE_SYSTEMD,
        PROBE_TCP,
        _PROBE_TYPE_MAX,
} ProbeType;

/* One question to a service of the host: whether it does its work. */
typedef struct Probe {
        char *name; /* for people; unlike that of any other */
        ProbeType type;
        char *target;          /* the URL, "HOST:PORT" or the unit */
        StringList command;    /* of exec: a program of the store and its arguments */
        char *state;           /* of systemd: the ActiveState that is wanted */
        uint64_t status;       /* of http: the one that is wanted; 0: any from 200 to 399 */
        uint64_t timeout_usec; /* of one attempt */
        uint64_t period_usec;  /* between the end of one and the next */
        uint64_t retries;      /* after the first one that counts */
        bool is_new;         /* the system before did not ask it: a failure then excuses nothing */
        uint64_t grace_usec; /* what fails so soon after the activation does not count */
} Probe;

typedef struct Probes {
        Probe *items;
        size_t n;
} Probes;

const char *probe_type_to_string(ProbeType type);
int probe_type_from_string(const char *text, ProbeType *ret_type);
const char *probe_target_wanted(ProbeType type);
bool probe_is_same(const Probe *a, const Probe *b);
bool probe_target_is_valid(ProbeType type, const char *target);
bool probe_name_is_valid(const char *name);
int probe_init(Probe *probe, ProbeType type);
int probe_from_text(const char *text, Probe *probe, const char **ret_wanted);
void probe_done(Probe *probe);
int probes_take(Probes *probes, Probe *probe);
const Probe *probes_find(const Probes *probes, const char *name);
void probes_done(Probes *probes);
