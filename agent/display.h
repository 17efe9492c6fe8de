#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "json.h"
#include "nix-log.h"
#include "progress-view.h"

/* What a person sees of a command, line by line and on a terminal as a view of what Nix does; or,
 * as JSON, what a program reads. */
typedef struct Display {
        bool json;
        bool events; /* as JSON: what happens, an object a line, and last of all how it ended */
        bool ended;  /* that last one is out */
        bool colour;
        bool build_logs;    /* the builds' own lines, too */
        bool verbose;       /* and all that Nix says */
        bool rows;          /* a terminal that can show a view */
        ProgressView *view; /* from the beginning of Nix to its end; lines pass above it */
        struct {
                NixCount builds, copies;
                NixAmount copied;
                uint64_t told_usec; /* when a line of it was printed last */
                bool moved;         /* since */
        } counters;                 /* as JSON */
        char id[64];                /* of the switch that was begun; "": none */
} Display;

void display_open(Display *display, bool json);
void display_say(const Display *display, const char *what, const char *text);
void display_nix_event(const NixEvent *event, void *userdata);
void display_engine_event(void *userdata, const cJSON *event, const char *line);
int display_finish(sd_bus_error *reterr_error);
void display_end(Display *display, const sd_bus_error *error, const char *text);
int display_result(Display *display, int r, const sd_bus_error *error);
