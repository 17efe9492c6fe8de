/*
 * Marks: what each system is to this host - running, booted, the boot default, pinned, the way
 * back. They go by store path, because numbers are given again. Nothing here needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "marks.h"
#include "noted-default.h"
#include "record.h"
#include "specialisation.h"
#include "text.h"
#include "way-back.h"

/* clang-format off */
static const struct {
        const char *name;
        const char *words; /* "it WORDS" */
} mark_texts[_MARK_MAX] = {
        [MARK_DEFAULT]  = { "default",  "is the boot default" },
        [MARK_RUNNING]  = { "running",  "runs" },
        [MARK_BOOTED]   = { "booted",   "was booted" },
        [MARK_PINNED]   = { "pinned",   "is pinned" },
        [MARK_GOOD]     = { "good",     "is the last one that was found good" },
        [MARK_ROLLBACK] = { "rollback", "is where a rollback leads" },
        [MARK_OPEN]     = { "open",     "belongs to a switch that has not ended" },
        [MARK_FAILED]   = { "failed",   "has failed" },
};
/* clang-format on */

const char *mark_to_string(Mark mark) {
        return mark_texts[mark].name;
}

/** mark_to_words() - the mark as the end of a sentence: "is the boot default". */
const char *mark_to_words(Mark mark) {
        return mark_texts[mark].words;
}

static int add(Marks *marks, const char *path, Mark mark, time_t made) {
        MarkedSystem *systems;
        char *copy;

        if (!path || !*path)
                return 0;
        for (size_t i = 0; i < marks->n; i++)
                if (strcmp(marks->systems[i].path, path) == 0) {
                        marks->systems[i].marks |= 1U << mark;
                        marks->systems[i].made = made ? made : marks->systems[i].made;
                        return 0;
                }

        systems = reallocarray(marks->systems, marks->n + 1, sizeof(*systems));
        if (!systems)
                return -ENOMEM;
        marks->systems = systems;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        systems[marks->n++] = (MarkedSystem){ copy, 1U << mark, made };
        return 0;
}

static int add_resolved(Marks *marks, const char *link, Mark mark) {
        _cleanup_free_ char *path = NULL;

        return file_realpath(link, &path) >= 0 ? add(marks, path, mark, 0) : 0;
}

static int add_root(Marks *marks, int dir_fd, const char *name, Mark mark) {
        _cleanup_free_ char *target = NULL;
        struct stat st;
        int r;

        r = file_readlink(dir_fd, name, &target);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* just removed, or no link: no root */
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return add(marks, target, mark, st.st_mtim.tv_sec);
}

/* All roots of a folder of ours; where it is missing there are none. */
static int add_roots(Marks *marks, const char *roots, const char *folder, Mark mark) {
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        int r;

        r = text_printf(&path, "%s/%s", roots, folder);
        if (r < 0)
                return r;
        r = file_open_directory(AT_FDCWD, path, &dir_fd);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = file_list(dir_fd, ".", &names);
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                r = add_root(marks, dir_fd, names.items[i], mark);
        return r;
}

static int add_good(Marks *marks, const char *roots) {
        _cleanup_free_ char *path = NULL, *target = NULL;
        int r;

        r = text_printf(&path, "%s/good", roots);
        if (r < 0)
                return r;
        return file_readlink(AT_FDCWD, path, &target) >= 0 ? add(marks, target, MARK_GOOD, 0) : 0;
}

/* A record that cannot be read is one all the same. */
static int add_record(Marks *marks, const char *state, const char *name) {
        static const char *const keys[] = { "from", "to", "old-profile", "old-default" };
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        r = text_printf(&path, "%s/%s", state, name);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        marks->open = true;
        if (r >= 0)
                r = json_parse(text, n, &object);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                r = add(marks, json_string(object, keys[i]), MARK_OPEN, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_open(Marks *marks, const char *state) {
        int r = add_record(marks, state, RECORD_NAME);

        return r < 0 ? r : add_record(marks, state, RECORD_PREVIOUS);
}

static int add_default(Marks *marks, const TransactionPlaces *places) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = noted_default_read(places, &path);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return add(marks, path, MARK_DEFAULT, 0);
}

static int list_profile(const char *profiles, const char *name, GenerationList *list) {
        _cleanup_(profile_freep) Profile *profile = NULL;
        int r;

        r = profile_open(profiles, name, /* make= */ false, &profile);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return profile_list(profile, list);
}

static int add_rollback(Marks *marks, const TransactionPlaces *places, const char *profile,
                        const History *history) {
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        _cleanup_free_ char *running = NULL;
        WayBack way;
        int r;

        r = list_profile(places->profiles, profile, &list);
        if (r < 0)
                return r;
        if (file_realpath(places->running, &running) < 0)
                running = NULL;
        r = way_back_find(&list, history, running, &way);
        return r < 0 ? r : add(marks, way.toplevel, MARK_ROLLBACK, 0);
}

static bool is_held(const GenerationList *list, const char *path) {
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->items[i].target, path) == 0)
                        return true;
        return false;
}

/* No generation is a specialisation's: it is something to the host by the system that has it. What
 * is pinned or has failed is kept by a root of its own. */
static int add_bases(Marks *marks, const TransactionPlaces *places, const char *profile) {
        const unsigned own_roots = 1U << MARK_PINNED | 1U << MARK_FAILED;
        _cleanup_(generation_list_done) GenerationList list = { 0 };
        const size_t n = marks->n;
        int r;

        r = list_profile(places->profiles, profile, &list);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (!(marks->systems[i].marks & ~own_roots) ||
                    is_held(&list, marks->systems[i].path))
                        continue;
                for (size_t k = 0; r >= 0 && k < list.n; k++) {
                        _cleanup_free_ char *name = NULL;

                        r = specialisation_name(list.items[k].target, marks->systems[i].path,
                                                &name);
                        for (Mark mark = 0; r >= 0 && mark < _MARK_MAX; mark++)
                                if (marks->systems[i].marks & ~own_roots & 1U << mark)
                                        r = add(marks, list.items[k].target, mark, 0);
                        r = r == -ENOENT ? 0 : r;
                }
        }
        return r;
}

static int read_all(const TransactionPlaces *places, const char *booted, const char *profile,
                    Marks *marks) {
        _cleanup_(history_done) History history = { 0 };
        int r;

        r = history_read(places->state, &history);
        if (r >= 0)
                r = add_default(marks, places);
        if (r >= 0)
                r = add_resolved(marks, places->running, MARK_RUNNING);
        if (r >= 0)
                r = add_resolved(marks, booted, MARK_BOOTED);
        if (r >= 0)
                r = add_rollback(marks, places, profile, &history);
        if (r >= 0)
                r = add_good(marks, places->roots);
        if (r >= 0)
                r = add_roots(marks, places->roots, "pins", MARK_PINNED);
        if (r >= 0)
                r = add_roots(marks, places->roots, "failed", MARK_FAILED);
        if (r >= 0)
                r = add_open(marks, places->state);
        if (r >= 0)
                r = add_bases(marks, places, profile);
        return r;
}

/**
 * marks_read() - look at the host
 * @booted:  "/run/booted-system"
 * @profile: whose generations a rollback would choose from
 * @marks:   all zero before; marks_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int marks_read(const TransactionPlaces *places, const char *booted, const char *profile,
               Marks *marks, sd_bus_error *reterr_error) {
        int r;

        r = read_all(places, booted, profile, marks);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot tell which systems are in use here ('%s', '%s', "
                                         "'%s'): %s. Nothing was changed.",
                                         places->profiles, places->roots, places->state,
                                         strerror(-r));
        return 0;
}

/** marks_of() - the marks of a store path as bits, 1 << Mark; 0 if it has none. */
unsigned marks_of(const Marks *marks, const char *path) {
        for (size_t i = 0; i < marks->n; i++)
                if (strcmp(marks->systems[i].path, path) == 0)
                        return marks->systems[i].marks;
        return 0;
}

void marks_done(Marks *marks) {
        for (size_t i = 0; i < marks->n; i++)
                free(marks->systems[i].path);
        free(marks->systems);
        *marks = (Marks){ 0 };
}
