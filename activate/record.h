#pragma once

#include "request.h"
#include "string-list.h"

/* In the state directory. The previous one is kept while another transaction, which is to put right
 * what that one has left, is open; where it stands alone, it is the open one. */
#define RECORD_NAME     "transaction.json"
#define RECORD_PREVIOUS "transaction.previous.json"

/* answer: of a later version of enact, or of another kind; only @engine is read */
enum { RECORD_NEWER = 1 };

/* The open transaction, as transaction.json in the state directory keeps it: all that is needed to
 * bring it to an end after whoever worked on it has died. Texts that are not known are "". */
typedef struct Record {
        char *id;
        char *boot_id; /* of the boot that it was begun in */
        char *phase;
        char *engine; /* the program that can read this */
        Request request;
        char *from, *to;         /* toplevels; @from is "" if no system ran */
        uint64_t highest;        /* generation of the profile before; what is above is ours */
        char *old_link;          /* what the profile held before: "system-12-link" */
        char *old_profile;       /* and the store path that it stood for */
        char *old_default;       /* the store path that the boot menu led to before */
        char *digest;            /* of the plan */
        StringList stopped;      /* units that ran before and are in the plan */
        StringList failing;      /* units that had failed before */
        bool activates;          /* whether there is anything to do to the running system */
        bool committing;         /* the profile or the boot default may have changed */
        bool given_up;           /* whoever worked on it has told that it cannot be ended now */
        bool rebooting;          /* the host was rebooted over it, or that was tried */
        char *trial;             /* how the next boot tries it (MenuTrial); "": it does not */
        bool waits;              /* for that boot: nobody need end it before */
        bool staged_entry;       /* the boot menu may have an entry of it that is not the default */
        uint64_t begun;          /* seconds since 1970 */
        uint64_t lease_sec;      /* so long without a sign of life, and it is rolled back */
        uint64_t judge_deadline; /* of CLOCK_MONOTONIC, in microseconds; 0: not judged yet */
        uint64_t confirm_deadline; /* of CLOCK_BOOTTIME, in microseconds; 0: nobody need confirm */
        char *error_name, *error_text; /* what leads back */
        cJSON *evidence;               /* what the judge saw, as the history keeps it; or NULL */
} Record;

int record_fill(Record *record);
int record_write(const char *directory, const Record *record);
int record_read_text(const char *directory, char **ret_text, size_t *ret_n);
int record_read(const char *directory, Record *record);
int record_parse(const char *text, size_t n, Record *record);
bool record_was_tried(const Record *record);
int record_keep_previous(const char *directory);
int record_take_up(const char *directory);
int record_end(const char *directory, bool settled);
int record_set_aside(const char *directory);
bool record_was_damaged(const char *directory);
void record_forget_damage(const char *directory);
void record_done(Record *record);
