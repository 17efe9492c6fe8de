#pragma once

/*
 * What the phases of a transaction share: one object that goes through them. Only transaction*.c,
 * the phase-*.c files and drop-in-guard.c know it.
 */

#include "activation.h"
#include "event.h"
#include "installed-menu.h"
#include "manager.h"
#include "menu-writer.h"
#include "plan.h"
#include "probe-run.h"
#include "profile.h"
#include "record.h"
#include "recorded-state.h"
#include "request.h"
#include "settings.h"
#include "state-ground.h"
#include "string-list.h"
#include "toplevel.h"
#include "transaction.h"
#include "unit-facts.h"

/* A way from one system to another: what was planned, and which jobs failed on it. */
typedef struct Way {
        const char *from;    /* the toplevel it leads away from */
        RecordedState state; /* what ran at its beginning */
        Plan *plan;
        StringList failed_jobs;
        StringList told; /* units of which was told how they failed */
        bool gone;       /* to its end, be it with failed jobs or a failed script */
} Way;

typedef struct Transaction {
        const char *id;
        const Request *request;
        const TransactionPlaces *places;
        EventLog *log;
        bool (*interrupted)(void);

        int lock_fd, nixos_lock_fd;
        Toplevel *old, *new; /* @old is NULL if no system runs */
        Profile *profile;
        Manager *manager;
        Way way; /* forwards */
        Record record;
        StateGround ground; /* of the record */
        uint64_t generation;
        bool activates;          /* whether there is anything to do to the running system */
        bool commits;            /* whether the profile and the boot default change */
        bool reboots;            /* only a reboot can take the new system */
        bool all_units;          /* an earlier switch has left them anywhere between */
        bool recovers;           /* what another process began; its record was found */
        bool no_rollback;        /* whoever asked declines it, or the new system does */
        bool default_is_guessed; /* nobody knows what the boot menu led to before */
        bool nothing_to_do;
        bool recorded;        /* the record is on disk */
        bool staged;          /* the first phase was left well */
        uint64_t looked_usec; /* when @way was begun with, monotonic */
        bool activated;       /* the new system runs, whatever became of its units */
        bool touched;         /* something live was changed, or may have been */
        bool reboots_back; /* the way back failed, and the boot default is the system it led to */
        bool keeps_record; /* what is left to do is left to the next boot or the next switch */
        MenuTrial trial;   /* how the next boot is to try the new system */
        bool on_trial;     /* this boot tries it */
        bool was_tried;    /* a boot was to try it, or did */
        Settings settings; /* of the new system */
        UnitFactsList restarted_before; /* services that systemd had restarted by itself */
        uint64_t before_usec;           /* when that was seen, monotonic */
        ProbeOutcomes probes_before;
        uint64_t activated_usec; /* when the new system was up, monotonic */
        char *text;              /* how it ended well, in one sentence */
        sd_bus_error error;
} Transaction;

int stage_enter(Transaction *t, sd_bus_error *reterr_error);
int trial_enter(Transaction *t, sd_bus_error *reterr_error);
int check_enter(Transaction *t, sd_bus_error *reterr_error);
int activate_enter(Transaction *t, sd_bus_error *reterr_error);
int judge_enter(Transaction *t, sd_bus_error *reterr_error);
int confirm_enter(Transaction *t, sd_bus_error *reterr_error);
int commit_enter(Transaction *t, sd_bus_error *reterr_error);
int unstage_enter(Transaction *t, sd_bus_error *reterr_error);
int rollback_enter(Transaction *t, sd_bus_error *reterr_error);

int settle_enter(Transaction *t, sd_bus_error *reterr_error);
int end_enter(Transaction *t, sd_bus_error *reterr_error);

int transaction_begin_record(Transaction *t, sd_bus_error *reterr_error);
int transaction_note_ground(Transaction *t, sd_bus_error *reterr_error);
void transaction_find_ground(Transaction *t);
void transaction_forget_ground(Transaction *t);
int transaction_keep_ground(Transaction *t, bool forwards, sd_bus_error *reterr_error);
void transaction_give_up(Transaction *t);
int transaction_wait_for_boot(Transaction *t);
int transaction_install_menu(Transaction *t, const Toplevel *toplevel, sd_bus_error *reterr_error);
bool transaction_can_stage_menu(const Transaction *t);
int transaction_check_menu(Transaction *t, MenuTrial *ret_trial, sd_bus_error *reterr_error);
int transaction_check_room_in_menu(Transaction *t, sd_bus_error *reterr_error);
int transaction_stage_menu(Transaction *t, sd_bus_error *reterr_error);
int transaction_try_menu(Transaction *t, char **ret_instead, sd_bus_error *reterr_error);
int transaction_unstage_menu(Transaction *t);
int transaction_set_profile(Transaction *t, sd_bus_error *reterr_error);
int transaction_note_default(const Transaction *t, const char *toplevel,
                             sd_bus_error *reterr_error);
int trial_choose(Transaction *t, sd_bus_error *reterr_error);
int trial_begin(Transaction *t);
int transaction_record_commit(Transaction *t);
bool transaction_runs(const Transaction *t, const char *toplevel);
int way_restore_stopped(Way *back, const StringList *stopped);
int transaction_note_before(Transaction *t);
int transaction_recover_found(Transaction *t, sd_bus_error *reterr_error);
int transaction_go(Transaction *t, const char *first_phase, sd_bus_error *reterr_error);
void transaction_done(Transaction *t);
uint64_t transaction_job_limit_usec(const Transaction *t);
void transaction_note(const Transaction *t, const char *text);
bool confirm_is_wanted(const Transaction *t);
void confirm_begin(Transaction *t);
bool reboot_back_is_certain(const Transaction *t);
bool reboot_back_is_due(const Transaction *t);
void reboot_back(Transaction *t);
const char *transaction_kept(const Transaction *t);
bool transaction_runs_already(const Transaction *t);
int transaction_set_root(const Transaction *t, const char *name, const char *target);
void transaction_drop_root(const Transaction *t, const char *name);
void transaction_set_good(const Transaction *t, const char *target);
Scripts transaction_scripts(const Transaction *t, const Toplevel *of);
InstalledMenuSource transaction_menu(const Transaction *t, const Toplevel *of);
int transaction_look(Transaction *t, const Toplevel *from, const Toplevel *to, Way *way,
                     sd_bus_error *reterr_error);
int transaction_plan(Transaction *t, const Toplevel *to, Way *way, sd_bus_error *reterr_error);
void transaction_find_new_probes(Transaction *t);
int transaction_read_settings(Transaction *t, sd_bus_error *reterr_error);
int transaction_ask_probes(Transaction *t, const char *when, const char *of,
                           ProbeOutcomes *outcomes, sd_bus_error *reterr_error);
int transaction_failed_probes(const Transaction *t, const ProbeOutcomes *after, StringList *failed);
int transaction_add_probes(const Transaction *t, const ProbeOutcomes *after, cJSON *evidence);
void judge_begin(Transaction *t);
int judge_take_before(Transaction *t, sd_bus_error *reterr_error);
int judge_take_failing(Transaction *t, sd_bus_error *reterr_error);
int transaction_judge(Transaction *t, const Way *way, sd_bus_error *reterr_error);
int transaction_bring(Transaction *t, const Toplevel *from, const Toplevel *to,
                      sd_bus_error *reterr_error);
void way_done(Way *way);
