#pragma once

#include "event.h"
#include "request.h"

#define RUN_DIRECTORY "/run/enact"
#define RUN_LEASE     "lease"                      /* in a request's directory */
#define RUN_GROUND    RUN_DIRECTORY "/ground.json" /* what the open record stands on */

bool run_directory_is_id(const char *id);
int run_directory_make(const Request *request, char **ret_id);
int run_directory_open(const char *id, Request *request, EventLog **ret_log);
int run_directory_events(const char *id, char **ret_path);
int run_directory_open_story(const char *id, EventLog **ret_log);
int run_directory_path(const char *id, const char *name, char **ret_path);
