#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "json.h"
#include "macros.h"

#define UPKEEP_ITEMS_MAX 256U

/* What is done to generations without switching to one. */
typedef enum UpkeepVerb {
        UPKEEP_PIN,
        UPKEEP_UNPIN,
        UPKEEP_DELETE,
        _UPKEEP_VERB_MAX,
} UpkeepVerb;

/* A generation, and the system that whoever asks has seen it to be: numbers are given again. */
typedef struct UpkeepItem {
        uint64_t generation; /* 0: a system without one */
        char *toplevel;
} UpkeepItem;

typedef struct UpkeepRequest {
        UpkeepVerb verb;
        char *profile; /* "system" */
        UpkeepItem *items;
        size_t n;
        uid_t uid; /* who asked, as the root side knows it; no part of what comes over the pipe */
} UpkeepRequest;

const char *upkeep_verb_to_string(UpkeepVerb verb);
int upkeep_request_add(UpkeepRequest *request, uint64_t generation, const char *toplevel);
int upkeep_request_to_json(const UpkeepRequest *request, cJSON **ret_object);
bool upkeep_request_is_meant(const cJSON *object);
int upkeep_request_from_json(const cJSON *object, UpkeepRequest *request);
void upkeep_request_done(UpkeepRequest *request);
