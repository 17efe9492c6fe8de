#pragma once

#include <stdio.h>
#include <systemd/sd-bus.h>

#include "answer.h"
#include "event.h"

/* What the parts of the root side share. */

void serve_tell_end(const char *name, const char *text);
void serve_tell_end_from_history(const char *id);
FILE *serve_open_story(const char *id);
void serve_relay(const char *id, int engine_fd, FILE *story);
int serve_answer(const Answer *answer, uid_t uid, sd_bus_error *reterr_error);
int serve_run_recover(void);
void serve_tell_left_open(EventLog *log);
void serve_recover_first(EventLog *log);
