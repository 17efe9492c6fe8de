#pragma once

#include "event.h"
#include "users.h"

#define USER_ACTIVATION_UNIT "nixos-activation.service" /* runs the user's activation scripts */

/* What a user's process has to do. */
typedef struct UserSwitch {
        const char *from, *to;                       /* toplevels */
        uint64_t job_limit_usec, job_limit_max_usec; /* as in steps.h */
        bool (*interrupted)(void);                   /* whether to leave off; may be NULL */
} UserSwitch;

bool user_session_has_scripts(const char *to);
int user_session_tell_state(const User *user, const char *from, const char *to, EventLog *log);
int user_session_activate(const User *user, const UserSwitch *request, EventLog *log);
