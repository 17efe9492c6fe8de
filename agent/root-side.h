#pragma once

#include <systemd/sd-bus.h>

#include "answer.h"
#include "json.h"
#include "macros.h"
#include "request.h"

/* The root helper of a command: started before a long build, given one request after it. */
typedef struct RootSide RootSide;

/* Told each event of the story; @line is what came, without its newline. */
typedef void (*RootSideHandler)(void *userdata, const cJSON *event, const char *line);

int root_side_start(const char *elevate, RootSide **ret, sd_bus_error *reterr_error);
bool root_side_knows_program(const char *name);
int root_side_ask(RootSide *side, const Request *request, RootSideHandler handler, void *userdata,
                  sd_bus_error *reterr_error);
int root_side_ask_upkeep(RootSide *side, const cJSON *request, RootSideHandler handler,
                         void *userdata, sd_bus_error *reterr_error);
int root_side_answer(RootSide *side, const Answer *answer, RootSideHandler handler, void *userdata,
                     sd_bus_error *reterr_error);
RootSide *root_side_free(RootSide *side);
DEFINE_CLEANUP(RootSide *, root_side_free);

int root_side_command(uid_t uid, const char *elevate, StringList *command,
                      sd_bus_error *reterr_error);
