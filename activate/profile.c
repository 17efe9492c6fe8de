/*
 * Profiles and generations, natively and by Nix' own rules, so that nix-env and enact can be mixed:
 * relative profile link, numbered links beside it, a number more than the highest one, a lock file
 * that is removed after use. What Nix does not do is make each step durable; here a power cut
 * leaves the old link or the new.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "file.h"
#include "profile.h"
#include "text.h"

#define GENERATION_NUMBER_MAX ((uint64_t) 1 << 53)
#define LOCK_TRIES            200
#define LOCK_PAUSE_MSEC       50 /* ten seconds in all; Nix holds it for an instant */

struct Profile {
        char *name;
        int dir_fd;
        int lock_fd;
};

/**
 * profile_new() - a profile in an open directory
 * @dir_fd: the profiles' directory; duplicated
 * @name:   "system", or a name in system-profiles/
 *
 * Return: 0, -EINVAL for a name that can be no profile, or an errno of fcntl(2).
 */
int profile_new(int dir_fd, const char *name, Profile **ret) {
        _cleanup_(profile_freep) Profile *profile = NULL;

        if (!*name || *name == '.' || strchr(name, '/') || text_has_suffix(name, "-link"))
                return -EINVAL;

        profile = malloc(sizeof(*profile));
        if (!profile)
                return -ENOMEM;
        *profile = (Profile){
                .name = strdup(name),
                .dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3),
                .lock_fd = -EBADF,
        };
        if (!profile->name)
                return -ENOMEM;
        if (profile->dir_fd < 0)
                return -errno;

        *ret = TAKE_PTR(profile);
        return 0;
}

/**
 * profile_open() - a profile by its name
 * @profiles: Nix' directory of profiles
 * @name:     "system" lies there, every other one in system-profiles/ below it
 * @make:     whether a missing system-profiles/ is made
 *
 * Return: 0, -EINVAL, or an errno of mkdir(2) or open(2).
 */
int profile_open(const char *profiles, const char *name, bool make, Profile **ret) {
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        bool system = strcmp(name, SYSTEM_PROFILE) == 0;
        int r;

        r = text_printf(&directory, "%s%s", profiles, system ? "" : "/" SYSTEM_PROFILES);
        if (r < 0)
                return r;
        if (make && !system && mkdir(directory, 0755) < 0 && errno != EEXIST)
                return -errno;
        r = file_open_directory(AT_FDCWD, directory, &dir_fd);
        if (r < 0)
                return r;
        return profile_new(dir_fd, name, ret);
}

/*
 * The mark means that the file is gone, and sends everybody to the next one; where the name stays
 * all the same (an unlink(2) that failed, a restored backup) Nix waits for ever. The inode is ours
 * by flock(2), and by the protocol nobody else may take its name away, so we do.
 */
static void remove_marked(const Profile *profile, const char *name, const struct stat *marked) {
        struct stat st;

        if (fstatat(profile->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
            st.st_dev == marked->st_dev && st.st_ino == marked->st_ino)
                (void) unlinkat(profile->dir_fd, name, 0);
}

static int try_lock(const Profile *profile, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = openat(profile->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > 0) { /* whoever had it has removed the file and marked this inode */
                remove_marked(profile, name, &st);
                return -EAGAIN;
        }
        return TAKE_FD(fd);
}

/**
 * profile_lock() - keep other programs that follow Nix' protocol from changing the profile
 *
 * Return: 0, PROFILE_LOCKED if another one has it for ten seconds, or an errno of openat(2),
 * flock(2).
 */
int profile_lock(Profile *profile) {
        _cleanup_free_ char *name = NULL;
        int r;

        assert(profile->lock_fd < 0);

        r = text_printf(&name, "%s.lock", profile->name);
        if (r < 0)
                return r;

        for (int i = 0; i < LOCK_TRIES; i++) {
                r = try_lock(profile, name);
                if (r >= 0) {
                        profile->lock_fd = r;
                        return 0;
                }
                if (r != -EAGAIN)
                        return r;
                (void) poll(NULL, 0, LOCK_PAUSE_MSEC);
        }
        return PROFILE_LOCKED;
}

/** profile_unlock() - let others in again; nothing if it was not locked. */
void profile_unlock(Profile *profile) {
        _cleanup_free_ char *name = NULL;

        if (profile->lock_fd < 0)
                return;
        if (text_printf(&name, "%s.lock", profile->name) >= 0) {
                (void) unlinkat(profile->dir_fd, name, 0);
                /* Tells those who wait for this inode that the file is gone. */
                (void) file_append(profile->lock_fd, "d", 1);
        }
        profile->lock_fd = fd_close(profile->lock_fd);
}

/** profile_generation_link() - "system-12-link", owned by the caller; 0 or -ENOMEM. */
int profile_generation_link(const Profile *profile, uint64_t number, char **ret_link) {
        return text_printf(ret_link, "%s-%" PRIu64 "-link", profile->name, number);
}

/* "system-12-link" -> 12 for the profile "system"; false for every other name, also
 * "system-012-link": profile_generation_link() would make another one of its number. */
static bool parse_link_name(const Profile *profile, const char *name, uint64_t *ret_number) {
        const char *number = text_after_prefix(name, profile->name);
        _cleanup_free_ char *digits = NULL;

        if (!number || *number++ != '-' || !text_has_suffix(number, "-link"))
                return false;
        digits = strndup(number, strlen(number) - strlen("-link"));
        if (!digits || (digits[0] == '0' && digits[1] != '\0'))
                return false;
        return text_to_unsigned(digits, GENERATION_NUMBER_MAX, ret_number) >= 0;
}

/* Whether a path made by hand leads into the profiles' own directory: "/nix/var/nix/profiles/x". */
static bool is_beside(const Profile *profile, const char *path) {
        _cleanup_free_ char *directory = strndup(path, (size_t) (strrchr(path, '/') - path) + 1);
        struct stat ours, theirs;

        return directory && fstat(profile->dir_fd, &ours) >= 0 && stat(directory, &theirs) >= 0 &&
               ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/*
 * What the profile's link holds. Older Nix and people's hands leave an absolute path there: of the
 * generation's link, which is made a name as Nix has it, or of the store.
 */
static int read_current(const Profile *profile, char **ret_link) {
        _cleanup_free_ char *link = NULL;
        int r;

        r = file_readlink(profile->dir_fd, profile->name, &link);
        if (r < 0)
                return r;
        if (*link == '/' && is_beside(profile, link)) {
                *ret_link = strdup(strrchr(link, '/') + 1);
                return *ret_link ? 0 : -ENOMEM;
        }
        *ret_link = TAKE_PTR(link);
        return 0;
}

static int read_generation(const Profile *profile, const char *name, Generation *generation) {
        struct stat st;
        int r;

        r = file_readlink(profile->dir_fd, name, &generation->target);
        if (r < 0)
                return r;
        if (fstatat(profile->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        generation->created = st.st_mtim.tv_sec;
        return 0;
}

static int add_generation(GenerationList *list, const Generation *generation) {
        Generation *items = reallocarray(list->items, list->n + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        items[list->n++] = *generation;
        list->items = items;
        return 0;
}

static int compare_generations(const void *a, const void *b) {
        const Generation *x = a, *y = b;

        return x->number < y->number ? -1 : x->number > y->number;
}

static int read_generations(const Profile *profile, DIR *dir, GenerationList *list) {
        _cleanup_free_ char *current = NULL;
        struct dirent *entry;
        int r;

        r = read_current(profile, &current);
        if (r < 0 && r != -ENOENT)
                return r;

        while ((entry = readdir(dir))) {
                Generation generation = { 0 };

                if (!parse_link_name(profile, entry->d_name, &generation.number))
                        continue;
                r = read_generation(profile, entry->d_name, &generation);
                if (r == -ENOENT || r == -EINVAL) /* just removed, or no link: not a generation */
                        continue;
                generation.current = current && strcmp(current, entry->d_name) == 0;
                if (r >= 0)
                        r = add_generation(list, &generation);
                if (r < 0) {
                        free(generation.target);
                        return r;
                }
        }
        return 0;
}

/**
 * profile_list() - all generations there are, lowest number first
 * @list: all zero before; generation_list_done() even after an error
 *
 * Return: 0, or an errno of openat(2), readdir(3) or readlinkat(2).
 */
int profile_list(const Profile *profile, GenerationList *list) {
        _cleanup_close_ int fd = -EBADF;
        DIR *dir;
        int r;

        r = file_open_directory(profile->dir_fd, ".", &fd);
        if (r < 0)
                return r;
        dir = fdopendir(fd);
        if (!dir)
                return -errno;
        fd = -EBADF;

        r = read_generations(profile, dir, list);
        (void) closedir(dir);
        if (list->n > 1)
                qsort(list->items, list->n, sizeof(*list->items), compare_generations);
        return r;
}

/** profile_link() - what the profile itself holds, owned by the caller; 0 or an errno of
 * readlinkat(2), -ENOENT if there is none. */
int profile_link(const Profile *profile, char **ret_link) {
        return file_readlink(profile->dir_fd, profile->name, ret_link);
}

/**
 * profile_current() - the store path that the profile stands for now
 * @ret_target: owned by the caller
 *
 * Return: 0, -ENOENT if there is none, or an errno of readlinkat(2).
 */
int profile_current(const Profile *profile, char **ret_target) {
        _cleanup_free_ char *link = NULL;
        int r;

        r = read_current(profile, &link);
        if (r < 0)
                return r;
        if (*link == '/') { /* made by hand: the profile itself holds the store path */
                *ret_target = TAKE_PTR(link);
                return 0;
        }
        return file_readlink(profile->dir_fd, link, ret_target);
}

/**
 * profile_add() - a generation for a store path; the profile itself stays
 * @target:     must be durable in the store
 * @ret_number: of the generation; the newest one if that holds @target already, as Nix has it
 * @ret_made:   whether a link was made
 *
 * The profile must be locked.
 *
 * Return: 0, or an error of profile_list() or file_symlink().
 */
int profile_add(Profile *profile, const char *target, uint64_t *ret_number, bool *ret_made) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        _cleanup_free_ char *name = NULL;
        const Generation *newest;
        uint64_t number;
        int r;

        assert(profile->lock_fd >= 0);

        r = profile_list(profile, &list);
        if (r < 0)
                return r;

        newest = list.n > 0 ? &list.items[list.n - 1] : NULL;
        if (newest && strcmp(newest->target, target) == 0) {
                *ret_number = newest->number;
                if (ret_made)
                        *ret_made = false;
                return 0;
        }

        number = newest ? newest->number + 1 : 1;
        r = profile_generation_link(profile, number, &name);
        if (r < 0)
                return r;
        r = file_symlink(profile->dir_fd, target, name);
        if (r < 0)
                return r;

        *ret_number = number;
        if (ret_made)
                *ret_made = true;
        return 0;
}

/**
 * profile_obtain() - a generation that holds a store path: one that there is, or a new one
 * @preferred:  taken if it still holds @target; 0: none is preferred
 * @any:        whether an older one that is not current will do
 * @ret_number: of it
 * @ret_made:   whether a link was made
 *
 * The profile must be locked.
 *
 * Return: 0, or an error of profile_list() or profile_add().
 */
int profile_obtain(Profile *profile, const char *target, uint64_t preferred, bool any,
                   uint64_t *ret_number, bool *ret_made) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        const Generation *found = NULL, *named;
        int r;

        r = profile_list(profile, &list);
        if (r < 0)
                return r;

        for (size_t i = 0; i < list.n; i++) {
                const Generation *g = &list.items[i];

                if (strcmp(g->target, target) == 0 &&
                    (g->current || (any && !(found && found->current))))
                        found = g;
        }
        named = generation_list_find(&list, preferred);
        if (named && strcmp(named->target, target) == 0)
                found = named;
        if (!found)
                return profile_add(profile, target, ret_number, ret_made);

        *ret_number = found->number;
        if (ret_made)
                *ret_made = false;
        return 0;
}

/**
 * profile_set() - make a generation the current one, durably, and read it back
 *
 * The profile must be locked and the generation there.
 *
 * Return: 0, -EIO if something else stands there afterwards, or an error of file_symlink().
 */
int profile_set(Profile *profile, uint64_t number) {
        _cleanup_free_ char *name = NULL, *now = NULL;
        int r;

        assert(profile->lock_fd >= 0);

        r = profile_generation_link(profile, number, &name);
        if (r < 0)
                return r;
        r = file_symlink(profile->dir_fd, name, profile->name);
        if (r < 0)
                return r;

        r = file_readlink(profile->dir_fd, profile->name, &now);
        if (r < 0)
                return r;
        return strcmp(now, name) == 0 ? 0 : -EIO;
}

/** profile_holds() - whether the profile is what profile_link() has answered; "" is none. */
bool profile_holds(const Profile *profile, const char *link) {
        _cleanup_free_ char *now = NULL;

        return profile_link(profile, &now) >= 0 ? strcmp(now, link) == 0 : !*link;
}

static int remove_profile(const Profile *profile) {
        if (unlinkat(profile->dir_fd, profile->name, 0) < 0 && errno != ENOENT)
                return -errno;
        return fsync(profile->dir_fd) < 0 ? -errno : 0;
}

/**
 * profile_put_back() - make the profile what it was
 * @link:   what it held; "": there was none
 * @target: the store path that it stood for; a generation that is gone since is made anew for it
 *
 * The profile must be locked.
 *
 * Return: 0, or an error of profile_obtain(), profile_set() or file_symlink().
 */
int profile_put_back(Profile *profile, const char *link, const char *target) {
        _cleanup_free_ char *stands_for = NULL;
        uint64_t number;
        int r;

        assert(profile->lock_fd >= 0);

        if (profile_holds(profile, link))
                return 0;
        if (!*link)
                return remove_profile(profile);
        if (*link == '/' || (file_readlink(profile->dir_fd, link, &stands_for) >= 0 &&
                             strcmp(stands_for, target) == 0))
                return file_symlink(profile->dir_fd, link, profile->name);
        r = profile_obtain(profile, target, 0, /* any= */ true, &number, NULL);
        return r < 0 ? r : profile_set(profile, number);
}

/**
 * profile_remove() - take a generation away that is not the current one
 *
 * The profile must be locked.
 *
 * Return: 0, -EBUSY if it is current, or an errno of unlinkat(2) or fsync(2).
 */
int profile_remove(Profile *profile, uint64_t number) {
        _cleanup_free_ char *name = NULL, *current = NULL;
        int r;

        assert(profile->lock_fd >= 0);

        r = profile_generation_link(profile, number, &name);
        if (r < 0)
                return r;
        r = read_current(profile, &current);
        if (r >= 0 && strcmp(current, name) == 0)
                return -EBUSY;

        if (unlinkat(profile->dir_fd, name, 0) < 0)
                return -errno;
        return fsync(profile->dir_fd) < 0 ? -errno : 0;
}

Profile *profile_free(Profile *profile) {
        if (!profile)
                return NULL;

        profile_unlock(profile);
        (void) fd_close(profile->dir_fd);
        free(profile->name);
        free(profile);
        return NULL;
}

/** generation_list_find() - the generation of that number, or NULL. */
const Generation *generation_list_find(const GenerationList *list, uint64_t number) {
        const Generation wanted = { .number = number };

        if (list->n == 0)
                return NULL;
        return bsearch(&wanted, list->items, list->n, sizeof(wanted), compare_generations);
}

void generation_list_done(GenerationList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->items[i].target);
        free(list->items);
        *list = (GenerationList){ 0 };
}
