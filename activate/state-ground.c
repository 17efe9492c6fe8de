/*
 * The ground that the open record stands on. It goes by path, for everybody: the engine, its dead
 * man's switch, whoever confirms, the next boot. Mounts that units make there are known beforehand
 * and refused (state-mount.c). What a script mounts is seen by the ids of the mounts along the way
 * only when it is there, and is taken away again: what lies over the record would hide it, and who
 * comes after would know nothing of a switch that is half done.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "state-ground.h"
#include "text.h"

#define MOUNTS_ABOVE_MAX 16U /* one over the other at one place */
#define MOUNT_TABLE      "/proc/self/mountinfo"
#define MOUNT_TABLE_MAX  ((size_t) 16 * 1024 * 1024)
#define ID_MAX           UINT64_C(0xffffffff)

/* What is mounted at a path: by the last mount there, whose number changes with each mount. */
typedef struct MountAt {
        uint64_t id;
        bool is_root; /* the mount begins right here */
} MountAt;

static int mount_at(const char *path, MountAt *ret) {
        struct statx st;

        if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0)
                return -errno;
        if (!(st.stx_mask & STATX_MNT_ID) || !(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
                return -EOPNOTSUPP;
        *ret = (MountAt){
                .id = st.stx_mnt_id,
                .is_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT,
        };
        return 0;
}

/* The first @n components of a path; owned by the caller. -ENOENT: it has no more. */
static int prefix_of(const char *path, size_t n, char **ret_prefix) {
        const char *end = path;

        for (size_t i = 0; i < n; i++) {
                if (!*end || !end[1])
                        return -ENOENT;
                end += 1 + strcspn(end + 1, "/");
        }
        *ret_prefix = n == 0 ? strdup("/") : strndup(path, (size_t) (end - path));
        return *ret_prefix ? 0 : -ENOMEM;
}

static int add_mount(StateGround *ground, const char *path) {
        MountAt mount;
        char *text;
        int r;

        r = mount_at(path, &mount);
        if (r >= 0)
                r = text_printf(&text, "%" PRIu64, mount.id);
        return r < 0 ? r : string_list_take(&ground->mounts, text);
}

/**
 * state_ground_look() - remember what is mounted along the way to a directory
 * @ret: state_ground_done()
 *
 * Return: 0, -EOPNOTSUPP where the kernel does not tell (before 5.8), or another negative errno.
 */
int state_ground_look(const char *directory, StateGround *ret) {
        StateGround ground = { 0 };
        int r;

        r = file_realpath(directory, &ground.directory);
        for (size_t n = 0; r >= 0; n++) {
                _cleanup_free_ char *prefix = NULL;

                r = prefix_of(ground.directory, n, &prefix);
                if (r >= 0)
                        r = add_mount(&ground, prefix);
        }
        if (r != -ENOENT || ground.mounts.n < 2) {
                state_ground_done(&ground);
                return r;
        }
        *ret = ground;
        return 0;
}

/**
 * state_ground_write() - let whoever comes after know it, too
 *
 * Return: 0, -ENOMEM, or an error of file_write().
 */
int state_ground_write(const StateGround *ground, const char *file) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "directory", ground->directory) ||
            json_add_strings(object, "mounts", &ground->mounts) < 0)
                return -ENOMEM;
        r = json_print(object, &line);
        return r < 0 ? r : file_write(AT_FDCWD, file, line, 0644);
}

static size_t count_components(const char *path) {
        size_t n = 0;

        for (const char *p = path; *p; p++)
                n += *p == '/';
        return n;
}

static bool is_sane(const StateGround *ground) {
        uint64_t id;

        if (!ground->directory || *ground->directory != '/' || !ground->directory[1] ||
            ground->mounts.n != count_components(ground->directory) + 1)
                return false;
        for (size_t i = 0; i < ground->mounts.n; i++)
                if (text_to_unsigned(ground->mounts.items[i], ID_MAX, &id) < 0)
                        return false;
        return true;
}

/**
 * state_ground_parse() - take apart what state_ground_write() has written
 * @ret: state_ground_done()
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int state_ground_parse(const char *text, size_t n, StateGround *ret) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        StateGround ground = { 0 };
        const char *directory;
        uint64_t version;
        int r;

        r = json_parse(text, n, &object);
        if (r < 0)
                return r;
        directory = json_string(object, "directory");
        if (json_number(object, "version", 1, &version) < 0 || version != 1 || !directory)
                return -EBADMSG;
        ground.directory = strdup(directory);
        r = ground.directory ? json_read_strings(object, "mounts", &ground.mounts) : -ENOMEM;
        if (r >= 0 && !is_sane(&ground))
                r = -EBADMSG;
        if (r < 0) {
                state_ground_done(&ground);
                return r;
        }
        *ret = ground;
        return 0;
}

/**
 * state_ground_read() - what somebody who died has remembered
 * @ret: state_ground_done()
 *
 * Return: 0, -ENOENT if there is nothing, -EBADMSG, or another error of file_read().
 */
int state_ground_read(const char *file, StateGround *ret) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = file_read(AT_FDCWD, file, FILE_SMALL_MAX, &text, &n);
        return r < 0 ? r : state_ground_parse(text, n, ret);
}

/* What was taken away itself cannot be below what is there now. */
static bool is_mounted_still(const char *id) {
        _cleanup_free_ char *table = NULL, *line = NULL;
        size_t n;

        if (file_read(AT_FDCWD, MOUNT_TABLE, MOUNT_TABLE_MAX, &table, &n) < 0 ||
            text_printf(&line, "\n%s ", id) < 0)
                return false;
        return text_after_prefix(table, line + 1) || strstr(table, line);
}

/* Takes away what is mounted at a place above what was there. 0, the number of mounts, or a
 * negative errno. */
static int uncover(const char *path, const char *id) {
        unsigned n = 0;
        uint64_t wanted;
        MountAt mount;
        int r;

        r = text_to_unsigned(id, ID_MAX, &wanted);
        if (r < 0)
                return r;
        for (;;) {
                if (mount_at(path, &mount) < 0 || mount.id == wanted || !mount.is_root ||
                    !is_mounted_still(id))
                        return (int) n;
                if (n++ >= MOUNTS_ABOVE_MAX)
                        return -ELOOP;
                /* Whoever has a file open there keeps it. */
                if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
                        return -errno;
        }
}

/**
 * state_ground_keep() - take away what was mounted over the state directory since
 *
 * Return: 0 if nothing was; else a negative errno, and @reterr_error says what lay there, and
 * whether it still does.
 */
int state_ground_keep(const StateGround *ground, sd_bus_error *reterr_error) {
        for (size_t i = 0; ground->directory && i < ground->mounts.n; i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                r = prefix_of(ground->directory, i, &path);
                if (r < 0)
                        return r;
                r = uncover(path, ground->mounts.items[i]);
                if (r < 0)
                        return sd_bus_error_setf(
                                reterr_error, ENACT_ERROR_FAILED,
                                "Something was mounted at '%s' in the middle of the switch. It "
                                "hides the switch's record in '%s', and cannot be taken away: %s",
                                path, ground->directory, strerror(-r));
                if (r > 0)
                        return sd_bus_error_setf(
                                reterr_error, ENACT_ERROR_FAILED,
                                "Something was mounted at '%s' in the middle of the switch, over "
                                "the switch's record in '%s', and was taken away again. Use 'enact "
                                "boot' and reboot to have it there",
                                path, ground->directory);
        }
        return 0;
}

void state_ground_done(StateGround *ground) {
        free(ground->directory);
        string_list_done(&ground->mounts);
        *ground = (StateGround){ 0 };
}
