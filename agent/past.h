#pragma once

#include "history.h"

/* Switches that are over, as people and programs are told of them. */

char *past_user(uint64_t uid);
void past_date(uint64_t seconds, char *ret_date, size_t size);
void past_print(const HistoryEntry *entry);
void past_print_evidence(const HistoryEntry *entry);
int past_to_json(const HistoryEntry *entry, cJSON **ret_object);
