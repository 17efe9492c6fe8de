#pragma once

#include <stdbool.h>

#include "json.h"
#include "nix-log.h"

/* What a person sees of a command, line by line; or, as JSON, what a program reads. */
typedef struct Display {
        bool json;
        bool colour;
        bool build_logs; /* the builds' own lines, too */
} Display;

void display_open(Display *display, bool json);
void display_nix_event(const NixEvent *event, void *userdata);
void display_engine_event(void *userdata, const cJSON *event, const char *line);
void display_error(const Display *display, const char *text);
int display_finish(const Display *display);
