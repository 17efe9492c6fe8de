#pragma once

#include "display.h"
#include "request.h"

void after_tell(const Display *display, RequestVerb verb, const char *toplevel, int exit_code);
