#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "macros.h"

#define PROFILES_DIRECTORY "/nix/var/nix/profiles"
#define SYSTEM_PROFILE     "system"
#define SYSTEM_PROFILES    "system-profiles" /* where the others are */

enum { PROFILE_LOCKED = 1 }; /* answer: another program changes the profile right now */

/* A profile: a link that names one of the numbered generation links beside it, by Nix' own rules.
 */
typedef struct Profile Profile;

typedef struct Generation {
        uint64_t number;
        char *target;   /* what the link holds: a store path */
        time_t created; /* when the link was made */
        bool current;
} Generation;

typedef struct GenerationList {
        Generation *items; /* lowest number first */
        size_t n;
} GenerationList;

int profile_new(int dir_fd, const char *name, Profile **ret);
int profile_open(const char *profiles, const char *name, bool make, Profile **ret);
int profile_lock(Profile *profile);
void profile_unlock(Profile *profile);
int profile_link(const Profile *profile, char **ret_link);
int profile_generation_link(const Profile *profile, uint64_t number, char **ret_link);
bool profile_holds(const Profile *profile, const char *link);
int profile_current(const Profile *profile, char **ret_target);
int profile_list(const Profile *profile, GenerationList *list);
int profile_add(Profile *profile, const char *target, uint64_t *ret_number, bool *ret_made);
int profile_obtain(Profile *profile, const char *target, uint64_t preferred, bool any,
                   uint64_t *ret_number, bool *ret_made);
int profile_set(Profile *profile, uint64_t number);
int profile_put_back(Profile *profile, const char *link, const char *target);
int profile_remove(Profile *profile, uint64_t number);
Profile *profile_free(Profile *profile);
DEFINE_CLEANUP(Profile *, profile_free);

const Generation *generation_list_find(const GenerationList *list, uint64_t number);
void generation_list_done(GenerationList *list);
