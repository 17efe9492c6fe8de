/*
 * `sudo enact`: what a flake is, what it builds and where its result lies concerns whoever called,
 * not root. So Nix, git and ssh work as them, with their keys and settings, and leave nothing of
 * root's in their home. Root comes back for what needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "caller.h"
#include "error.h"
#include "text.h"

#define NIX_DAEMON "/nix/var/nix/daemon-socket/socket"
#define N_GROUPS   ((size_t) NGROUPS_MAX)

/* Where programs keep what is a user's own. */
static const char *const variables[] = {
        "HOME",          "LOGNAME",         "USER",           "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
        "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
};

struct Caller {
        uid_t uid;
        gid_t gid;
        char *name, *home;
        char *environment[ELEMENTSOF(variables)]; /* root's */
        gid_t *groups;                            /* root's */
        int n_groups;
        bool is_down;
};

static const struct passwd *find_by_number(const char *variable) {
        const char *text = getenv(variable);
        uint64_t uid;

        return text && text_to_unsigned(text, UINT32_MAX - 1, &uid) >= 0 ? getpwuid((uid_t) uid) :
                                                                           NULL;
}

/* run0 and sudo say it by the same name. */
static const struct passwd *find_caller(void) {
        const char *doas = getenv("DOAS_USER");
        const struct passwd *user;

        if (getuid() != 0 || geteuid() != 0)
                return NULL;
        user = find_by_number("SUDO_UID");
        if (!user)
                user = find_by_number("PKEXEC_UID");
        return user || !doas ? user : getpwnam(doas);
}

/* What is root's, git opens for root alone. */
static bool is_for_root(const char *directory) {
        struct stat st;

        return directory && stat(directory, &st) >= 0 && st.st_uid == 0;
}

/* Who may not ask the daemon cannot build; without one only root can. */
static bool can_build(void) {
        return faccessat(AT_FDCWD, NIX_DAEMON, W_OK, AT_EACCESS) >= 0;
}

static int keep_root(Caller *caller) {
        int n;

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                const char *value = getenv(variables[i]);

                caller->environment[i] = value ? strdup(value) : NULL;
                if (value && !caller->environment[i])
                        return -ENOMEM;
        }
        caller->groups = calloc(N_GROUPS, sizeof(*caller->groups));
        if (!caller->groups)
                return -ENOMEM;
        n = getgroups((int) N_GROUPS, caller->groups);
        caller->n_groups = n;
        return n < 0 ? -errno : 0;
}

static int set_environment(const Caller *caller) {
        _cleanup_free_ char *runtime = NULL;
        struct stat st;

        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                (void) unsetenv(variables[i]);
        if (text_printf(&runtime, "/run/user/%u", (unsigned) caller->uid) < 0 ||
            setenv("HOME", caller->home, 1) < 0 || setenv("USER", caller->name, 1) < 0 ||
            setenv("LOGNAME", caller->name, 1) < 0)
                return -ENOMEM;
        return stat(runtime, &st) >= 0 && st.st_uid == caller->uid &&
                               setenv("XDG_RUNTIME_DIR", runtime, 1) < 0 ?
                       -ENOMEM :
                       0;
}

static void restore_environment(const Caller *caller) {
        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                if (caller->environment[i])
                        (void) setenv(variables[i], caller->environment[i], 1);
                else
                        (void) unsetenv(variables[i]);
}

/* Children become the caller for good: process_start() sees to that. */
static int become(Caller *caller) {
        caller->is_down = true;
        if (initgroups(caller->name, caller->gid) < 0 || setegid(caller->gid) < 0 ||
            seteuid(caller->uid) < 0)
                return -errno;
        return set_environment(caller);
}

/**
 * caller_step_down() - from here on work in the name of whoever called
 * @directory: of the flake; one of root's is worked on as root. NULL: it is elsewhere
 * @ret:       NULL if there is nobody but root, or root is needed
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int caller_step_down(const char *directory, Caller **ret, sd_bus_error *reterr_error) {
        _cleanup_(caller_step_upp) Caller *caller = NULL;
        const struct passwd *user = find_caller();
        int r;

        *ret = NULL;
        if (!user || user->pw_uid == 0 || is_for_root(directory))
                return 0;
        caller = calloc(1, sizeof(*caller));
        if (!caller)
                return -ENOMEM;
        caller->uid = user->pw_uid;
        caller->gid = user->pw_gid;
        caller->name = strdup(user->pw_name);
        caller->home = strdup(user->pw_dir);
        if (!caller->name || !caller->home)
                return -ENOMEM;
        r = keep_root(caller);
        if (r >= 0)
                r = become(caller);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot work as '%s', who called: %s. Nothing was "
                                         "changed.",
                                         caller->name, strerror(-r));
        if (can_build())
                *ret = TAKE_PTR(caller);
        return 0;
}

/** caller_step_up() - root again. Whoever cannot become that has nothing left to do. */
Caller *caller_step_up(Caller *caller) {
        if (!caller)
                return NULL;
        if (caller->is_down) {
                if (seteuid(0) < 0 || setegid(0) < 0 ||
                    setgroups((size_t) caller->n_groups, caller->groups) < 0)
                        abort();
                restore_environment(caller);
        }
        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                free(caller->environment[i]);
        free(caller->groups);
        free(caller->name);
        free(caller->home);
        free(caller);
        return NULL;
}
