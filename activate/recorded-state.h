#pragma once

#include "inventory.h"
#include "json.h"
#include "plan.h"

#define RECORDED_STATE_BYTES_MAX ((size_t) 64 * 1024 * 1024)
#define RECORDED_USERS_MAX       1000U

/* A user's manager, as it was recorded. */
typedef struct RecordedUser {
        uid_t uid;
        char *name;
        char *config; /* where the user's own unit files lie; NULL if that was not recorded */
        Inventory inventory;
        PlanLeftovers leftovers;
        StringList takes_down; /* as below, in that manager */
} RecordedUser;

/* What a plan needs to know of a running machine, written down so that it can be made elsewhere. */
typedef struct RecordedState {
        char *text; /* the record, in which the texts of @inventory lie */
        Inventory inventory;
        PlanLeftovers leftovers;
        StringList takes_down;    /* "unit other", in order: the other goes down with the unit */
        StringList cannot_reload; /* of those on lists: units that systemd has no reload for */
        RecordedUser *users;      /* in the order of the record */
        size_t n_users;
        char *pid1_exe; /* the systemd that ran; NULL if that was not recorded */
} RecordedState;

int recorded_state_read_leftovers(const cJSON *object, PlanLeftovers *leftovers);
int recorded_state_read_takes_down(const cJSON *object, StringList *takes_down);
int recorded_state_read(RecordedState *state, char *text, size_t n);
void recorded_state_done(RecordedState *state);
