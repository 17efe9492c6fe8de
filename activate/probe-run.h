#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "manager.h"
#include "probe.h"

typedef enum ProbeResult {
        PROBE_NOT_ASKED,
        PROBE_OK,
        PROBE_FAILED,
        _PROBE_RESULT_MAX,
} ProbeResult;

/* What came of one probe. */
typedef struct ProbeOutcome {
        ProbeResult result;
        char *text; /* its last answer, for people; NULL if it was not asked */
        uint64_t n_attempts;
        uint64_t duration_usec;
} ProbeOutcome;

/* Of a list of probes, in its order. */
typedef struct ProbeOutcomes {
        ProbeOutcome *items;
        size_t n;
} ProbeOutcomes;

/* All probes asked side by side. */
typedef struct ProbeRun {
        const Probes *probes;
        Manager *manager;
        const char *network_program; /* enact-probe, which asks those over the network */
        const char *toplevel;        /* whose programs are on the PATH of an exec probe */
        const ProbeOutcomes *before; /* NULL: there is no before. What failed is asked only once */
        bool once;                   /* ask each only once: no grace, no retries */
        uint64_t since_usec;         /* from when grace counts, monotonic */
        bool (*interrupted)(void);   /* asked at least once a second */
        bool goes_on;                /* whatever that answers */
        void (*on_wait)(void *userdata, const Probe *probe, const char *text, uint64_t since_usec,
                        uint64_t limit_usec); /* every five seconds; may be NULL */
        void *userdata;
} ProbeRun;

bool probe_may_fail_again(const Probe *probe, uint64_t age_usec, uint64_t *n_failures);
bool probe_is_excused(const Probe *probe, const ProbeOutcomes *before, size_t i);
const char *probe_result_to_string(ProbeResult result);
int probe_run(const ProbeRun *run, ProbeOutcomes *outcomes);
void probe_outcomes_done(ProbeOutcomes *outcomes);
