#pragma once

#include "transaction.h"

enum { NOTED_DEFAULT_GUESSED = 1 }; /* answer: by the profile; no installer is known to agree */

int noted_default_write(const TransactionPlaces *places, const char *toplevel);
int noted_default_write_by(const TransactionPlaces *places, const char *toplevel,
                           const char *installer);
void noted_default_forget(const TransactionPlaces *places);
int noted_default_read(const TransactionPlaces *places, char **ret_path);
