#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "event.h"
#include "inventory.h"
#include "string-list.h"

/* Somebody whose service manager runs. */
typedef struct User {
        uid_t uid;
        gid_t gid;
        char *name;
        char *home;
        char *runtime_directory; /* "/run/user/UID" */
} User;

typedef struct UserList {
        User *items;
        size_t n;
} UserList;

/* Work that is done for all users side by side, each in a process of their own with their rights.
 */
typedef struct UsersWork {
        const UserList *users;
        /* In the user's process: tells its story to @log; 0 or a negative errno. */
        int (*work)(const User *user, EventLog *log, void *userdata);
        /* Here: an event of a user, as it came; a foreign process wrote it. */
        void (*on_event)(const User *user, const cJSON *event, void *userdata);
        /* Here: the work for a user did not end well; @why is for people. */
        void (*on_failure)(const User *user, const char *why, void *userdata);
        void *userdata;
        uint64_t limit_usec;   /* for each; then the process is killed */
        uint64_t silence_usec; /* the same, for who tells nothing; 0: no matter */
        /* Whether all shall leave off: each process is sent SIGTERM and has ten seconds to end, of
         * which nothing more is told. May be NULL. */
        bool (*interrupted)(void);
} UsersWork;

int users_find(const Inventory *system, UserList *users, StringList *notes);
int users_work(const UsersWork *work);
void user_done(User *user);
void users_done(UserList *users);
