#pragma once

#include "inventory.h"
#include "json.h"
#include "string-list.h"

/* What the judge saw of the units. @bad condemns, @unknown leaves the question open; the rest is
 * reported. */
typedef struct Verdict {
        Inventory after;
        StringList bad, unknown;
        StringList unrelated, failed_before;
        StringList failed_probes; /* condemn as well: "'web' (status 503)" */
        StringList started;
        cJSON *why;  /* a text for each unit that is not well */
        bool failed; /* of @bad, at least one did; else they only do not run */
} Verdict;

const char *verdict_to_string(const Verdict *verdict);
int verdict_add_why(Verdict *verdict, const char *unit, const char *why);
int verdict_describe(const Verdict *verdict, const StringList *units, char **ret_text);
int verdict_to_json(const Verdict *verdict, cJSON **ret_object);
void verdict_done(Verdict *verdict);
