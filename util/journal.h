#pragma once

#include "string-list.h"

int journal_send(const StringList *fields);
