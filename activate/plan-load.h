#pragma once

#include "inventory.h"
#include "plan.h"
#include "recorded-state.h"

/* What a plan is loaded from. */
typedef struct PlanSource {
        const char *from, *to; /* toplevels */
        const Inventory *inventory;
        const PlanLeftovers *leftovers;  /* may be NULL */
        const StringList *cannot_reload; /* as in a recorded state; may be NULL */
        const char *pid1_exe;            /* the systemd that runs, recorded earlier; may be NULL */
        const char *root; /* below which fstab's mount points lie; NULL: the machine's own if live,
                           * else nothing is known of links there */
        bool live;        /* compare with what runs here, not with what @from has */
} PlanSource;

/* Whose manager it is; the inventory of the source is that manager's. */
typedef struct PlanUser {
        uid_t uid;
        const char *name;
        const char *config; /* directory of the user's own unit files; may be NULL */
} PlanUser;

int plan_load(const PlanSource *source, Plan **ret);
int plan_load_user(const PlanSource *source, const PlanUser *user, Plan **ret);
int plan_load_state(const char *from, const char *to, const RecordedState *state, bool live,
                    Plan **ret);
int plan_load_fstab(const char *toplevel, int root_fd, Fstab *fstab);
int plan_load_lists(const PlanSource *source, Plan *plan, const StringList *restart,
                    const StringList *reload);
int plan_load_inactive_reloads(const PlanSource *source, Plan *plan);
int plan_load_dependents(const PlanSource *source, Plan *plan, const StringList *takes_down);
int plan_load_migration(const PlanSource *source, const Plan *before, Plan **ret);
