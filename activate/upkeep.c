/*
 * Upkeep: pinning, unpinning and deleting generations. What is asked for is done as a whole or not
 * at all: everything is checked, under enact's locks and Nix' own, before anything is changed.
 *
 * Boot entries go before their kernels: what a deleted generation stood for stays rooted until a
 * boot loader installer has written a menu without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "locks.h"
#include "marks.h"
#include "menu-refresh.h"
#include "profile.h"
#include "retention.h"
#include "text.h"
#include "upkeep.h"

#define PINS    "pins"
#define IN_MENU "menu" /* roots of what the boot menu may still name */

typedef struct Upkeep {
        const UpkeepRequest *request;
        const UpkeepPlaces *places;
        EventLog *log;
        int lock_fd, nixos_lock_fd;
        Profile *profile;
        GenerationList list;
        Marks marks;
        char *current; /* what the profile stands for; NULL: nothing */
} Upkeep;

/* HASH-NAME directly below the store: its name can be a file's in a folder of roots. */
static bool is_store_path(const Upkeep *upkeep, const char *path) {
        const char *name = text_after_prefix(path, upkeep->places->store);

        return name && name[0] == '/' && name[1] != '\0' && name[1] != '.' &&
               !strchr(name + 1, '/');
}

static void tell(const Upkeep *upkeep, const UpkeepItem *item) {
        static const char *const names[_UPKEEP_VERB_MAX] = {
                [UPKEEP_PIN] = "pinned",
                [UPKEEP_UNPIN] = "unpinned",
                [UPKEEP_DELETE] = "deleted",
        };
        const sd_id128_t ids[_UPKEEP_VERB_MAX] = {
                [UPKEEP_PIN] = MESSAGE_SYSTEM_PINNED,
                [UPKEEP_UNPIN] = MESSAGE_SYSTEM_UNPINNED,
                [UPKEEP_DELETE] = MESSAGE_GENERATION_DELETED,
        };
        const UpkeepVerb verb = upkeep->request->verb;
        cJSON *event = event_new(names[verb]);
        _cleanup_free_ char *text = NULL;

        if (item->generation > 0)
                (void) text_printf(&text, "generation %" PRIu64 " of '%s', '%s'", item->generation,
                                   upkeep->request->profile, item->toplevel);
        event_add_number(event, "generation", (double) item->generation);
        event_add_text(event, "profile", upkeep->request->profile);
        event_add_text(event, "toplevel", item->toplevel);
        event_add_number(event, "uid", upkeep->request->uid);
        event_add_text(event, "text", text ? text : item->toplevel);
        event_add_message_id(event, ids[verb]);
        event_emit(upkeep->log, event);
}

/* The number may have been given again since the caller looked. */
static int check_generation(const Upkeep *upkeep, const UpkeepItem *item,
                            sd_bus_error *reterr_error) {
        const Generation *g = generation_list_find(&upkeep->list, item->generation);

        if (!g)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "There is no generation %" PRIu64 " of '%s' any more. "
                                         "Nothing was changed.",
                                         item->generation, upkeep->request->profile);
        if (strcmp(g->target, item->toplevel) != 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "Generation %" PRIu64 " of '%s' is '%s' now and not '%s': "
                                         "its number was given again. Nothing was changed.",
                                         item->generation, upkeep->request->profile, g->target,
                                         item->toplevel);
        return 0;
}

static int check_items(const Upkeep *upkeep, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < upkeep->request->n; i++) {
                const UpkeepItem *item = &upkeep->request->items[i];
                int r;

                if (item->generation > 0) {
                        r = check_generation(upkeep, item, reterr_error);
                        if (r < 0)
                                return r;
                } else if (upkeep->request->verb != UPKEEP_UNPIN &&
                           marks_of(&upkeep->marks, item->toplevel) == 0)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                                 "'%s' is nothing to this host (any more). "
                                                 "Nothing was changed.",
                                                 item->toplevel);
        }
        return 0;
}

/* The name of the store path: whoever roots it again makes the same link. */
static int set_root(const Upkeep *upkeep, const char *folder, const char *path,
                    sd_bus_error *reterr_error) {
        const char *roots = upkeep->places->transaction.roots;
        _cleanup_free_ char *directory = NULL, *link = NULL;
        int r;

        r = text_printf(&directory, "%s/%s", roots, folder);
        if (r >= 0)
                r = text_printf(&link, "%s/%s", directory, file_base_name(path));
        if (r >= 0)
                r = file_make_directories(directory, 0755);
        if (r >= 0)
                r = file_symlink(AT_FDCWD, path, link);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot root '%s' in '%s/%s': %s", path, roots, folder,
                                         strerror(-r));
        return 0;
}

/* Takes away all roots of a folder that hold @path; NULL: all there are. */
static int drop_roots(const char *roots, const char *folder, const char *path) {
        _cleanup_free_ char *directory = NULL;
        _cleanup_(string_list_done) StringList names = { 0 };
        _cleanup_close_ int dir_fd = -EBADF;
        int r;

        r = text_printf(&directory, "%s/%s", roots, folder);
        if (r < 0)
                return r;
        r = file_open_directory(AT_FDCWD, directory, &dir_fd);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = file_list(dir_fd, ".", &names);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                _cleanup_free_ char *target = NULL;

                if (file_readlink(dir_fd, names.items[i], &target) < 0 ||
                    (path && strcmp(target, path) != 0))
                        continue;
                if (unlinkat(dir_fd, names.items[i], 0) < 0 && errno != ENOENT)
                        r = -errno;
        }
        if (r >= 0 && fsync(dir_fd) < 0)
                r = -errno;
        return r;
}

/**
 * upkeep_menu_is_written() - a boot loader installer has succeeded
 * @roots: "/nix/var/nix/gcroots/enact"
 *
 * The menu has what generations there are, so those that were deleted before may be collected.
 *
 * Return: 0, -ENOMEM, or an errno of openat(2), unlinkat(2) or fsync(2).
 */
int upkeep_menu_is_written(const char *roots) {
        return drop_roots(roots, IN_MENU, NULL);
}

static bool is_pinned(const Upkeep *upkeep, const UpkeepItem *item) {
        return marks_of(&upkeep->marks, item->toplevel) >> MARK_PINNED & 1;
}

static int check_can_pin(const Upkeep *upkeep, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < upkeep->request->n; i++) {
                const char *path = upkeep->request->items[i].toplevel;

                if (!is_store_path(upkeep, path))
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                                 "'%s' is no store path, so Nix would not keep it. "
                                                 "Nothing was changed.",
                                                 path);
                if (access(path, F_OK) < 0)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                                 "'%s' is not in the store any more. "
                                                 "Nothing was changed.",
                                                 path);
        }
        return 0;
}

static int pin(Upkeep *upkeep, char **ret_text, sd_bus_error *reterr_error) {
        size_t n_new = 0;
        int r;

        r = check_can_pin(upkeep, reterr_error);
        for (size_t i = 0; r >= 0 && i < upkeep->request->n; i++) {
                const UpkeepItem *item = &upkeep->request->items[i];

                if (is_pinned(upkeep, item))
                        continue;
                r = set_root(upkeep, PINS, item->toplevel, reterr_error);
                if (r < 0)
                        return r;
                tell(upkeep, item);
                n_new++;
        }
        if (r < 0)
                return r;
        return text_printf(ret_text,
                           n_new > 0 ? "Kept until unpinned." : "Nothing to do: pinned already.");
}

static int unpin(Upkeep *upkeep, char **ret_text, sd_bus_error *reterr_error) {
        size_t n_done = 0;

        for (size_t i = 0; i < upkeep->request->n; i++) {
                const UpkeepItem *item = &upkeep->request->items[i];
                int r;

                if (!is_pinned(upkeep, item))
                        continue;
                r = drop_roots(upkeep->places->transaction.roots, PINS, item->toplevel);
                if (r < 0)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                                 "Cannot unpin '%s': %s", item->toplevel,
                                                 strerror(-r));
                tell(upkeep, item);
                n_done++;
        }
        return text_printf(ret_text, n_done > 0 ? "No longer kept for being pinned." :
                                                  "Nothing to do: not pinned.");
}

static RetentionView view_of(const Upkeep *upkeep) {
        return (RetentionView){ &upkeep->list, &upkeep->marks, upkeep->current };
}

static int list_reasons(const Upkeep *upkeep, const UpkeepItem *item, StringList *texts) {
        const Generation *g = generation_list_find(&upkeep->list, item->generation);
        const RetentionView view = view_of(upkeep);
        unsigned reasons = retention_reasons(&view, upkeep->request, g);
        int r = 0;

        if (reasons & RETENTION_CURRENT)
                r = string_list_add(texts, "is current");
        for (Mark mark = 0; r >= 0 && mark < _MARK_MAX; mark++)
                if (reasons >> mark & 1)
                        r = string_list_add(texts, mark_to_words(mark));
        return r;
}

static int describe_refusal(const Upkeep *upkeep, StringList *sentences) {
        for (size_t i = 0; i < upkeep->request->n; i++) {
                const UpkeepItem *item = &upkeep->request->items[i];
                _cleanup_(string_list_done) StringList reasons = { 0 };
                _cleanup_free_ char *words = NULL;
                char *sentence;
                int r;

                r = list_reasons(upkeep, item, &reasons);
                if (r < 0)
                        return r;
                if (reasons.n == 0)
                        continue;
                r = string_list_join(&reasons, ", ", &words);
                if (r >= 0)
                        r = text_printf(&sentence, "generation %" PRIu64 " %s", item->generation,
                                        words);
                if (r >= 0)
                        r = string_list_take(sentences, sentence);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_can_delete(const Upkeep *upkeep, sd_bus_error *reterr_error) {
        _cleanup_(string_list_done) StringList sentences = { 0 };
        _cleanup_free_ char *text = NULL;
        int r;

        if (upkeep->marks.open)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "A switch was interrupted and has not been brought to its end; "
                        "'enact status' tells of it. Nothing was deleted.");
        for (size_t i = 0; i < upkeep->request->n; i++)
                if (upkeep->request->items[i].generation == 0)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                                 "'%s' has no generation that could be deleted. "
                                                 "Nothing was deleted.",
                                                 upkeep->request->items[i].toplevel);
        r = describe_refusal(upkeep, &sentences);
        if (r < 0 || sentences.n == 0)
                return r;
        r = string_list_join(&sentences, "; ", &text);
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "Not deleted, nor any other: %s. Nothing was deleted.", text);
}

/* A link to what is gone already, or to no store path, keeps nothing in the menu alive. */
static int keep_for_menu(const Upkeep *upkeep, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < upkeep->request->n; i++) {
                const char *path = upkeep->request->items[i].toplevel;
                int r;

                if (!is_store_path(upkeep, path) || access(path, F_OK) < 0)
                        continue;
                r = set_root(upkeep, IN_MENU, path, reterr_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int remove_links(const Upkeep *upkeep, size_t *n_done, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < upkeep->request->n; i++) {
                const UpkeepItem *item = &upkeep->request->items[i];
                int r = profile_remove(upkeep->profile, item->generation);

                if (r == -ENOENT) /* named twice */
                        continue;
                if (r < 0)
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                                 "Cannot delete generation %" PRIu64
                                                 " of '%s': %s. "
                                                 "%zu were deleted before.",
                                                 item->generation, upkeep->request->profile,
                                                 strerror(-r), *n_done);
                tell(upkeep, item);
                (*n_done)++;
        }
        return 0;
}

static int delete (Upkeep *upkeep, char **ret_text, sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        size_t n_done = 0;
        int r;

        r = check_can_delete(upkeep, reterr_error);
        if (r >= 0)
                r = keep_for_menu(upkeep, reterr_error);
        if (r >= 0)
                r = remove_links(upkeep, &n_done, reterr_error);
        if (r < 0)
                return r;

        profile_unlock(upkeep->profile); /* an installer may look at the profile as nix-env does */
        r = menu_refresh_write(&upkeep->places->transaction, &upkeep->marks, upkeep->log, &error);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Deleted %zu, but the boot menu may still list what was deleted: %s. "
                        "Until it is rewritten (at the next switch or delete), '%s/" IN_MENU
                        "' keeps those systems.",
                        n_done, error.message ? error.message : strerror(-r),
                        upkeep->places->transaction.roots);
        return text_printf(ret_text, "Deleted %zu generation%s of '%s'.", n_done,
                           n_done == 1 ? "" : "s", upkeep->request->profile);
}

static int lock_profile(Upkeep *upkeep, sd_bus_error *reterr_error) {
        const char *profiles = upkeep->places->transaction.profiles;
        const char *name = upkeep->request->profile;
        int r;

        r = profile_open(profiles, name, /* make= */ false, &upkeep->profile);
        if (r >= 0)
                r = profile_lock(upkeep->profile);
        if (r == PROFILE_LOCKED)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_BUSY,
                                         "Another program is changing the profile '%s/%s'. "
                                         "Nothing was changed.",
                                         profiles, name);
        if (r >= 0)
                r = profile_list(upkeep->profile, &upkeep->list);
        if (r >= 0)
                r = profile_current(upkeep->profile, &upkeep->current);
        if (r < 0 && r != -ENOENT)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_FAILED,
                        "Cannot read the profile '%s/%s': %s. Nothing was changed.", profiles, name,
                        strerror(-r));
        return 0;
}

/* What there is, and that it stays so. */
static int look(Upkeep *upkeep, sd_bus_error *reterr_error) {
        int r;

        r = lock_profile(upkeep, reterr_error);
        if (r < 0)
                return r;
        return marks_read(&upkeep->places->transaction, upkeep->places->booted,
                          upkeep->request->profile, &upkeep->marks, reterr_error);
}

static int begin(Upkeep *upkeep, sd_bus_error *reterr_error) {
        const TransactionPlaces *places = &upkeep->places->transaction;
        int r;

        r = locks_take(places, 0, &upkeep->lock_fd, &upkeep->nixos_lock_fd, reterr_error);
        if (r < 0)
                return r;
        r = look(upkeep, reterr_error);
        return r < 0 ? r : check_items(upkeep, reterr_error);
}

static void upkeep_done(Upkeep *upkeep) {
        profile_free(upkeep->profile);
        generation_list_done(&upkeep->list);
        marks_done(&upkeep->marks);
        free(upkeep->current);
        (void) fd_close(upkeep->nixos_lock_fd);
        (void) fd_close(upkeep->lock_fd);
}

/**
 * upkeep_run() - pin, unpin or delete
 * @log:      told what was done to each
 * @ret_text: how it ended well, in one sentence; owned by the caller
 *
 * Return: 0; else a negative errno, and @reterr_error says what failed and what holds now:
 * ENACT_ERROR_BUSY, _REFUSED or _FAILED.
 */
int upkeep_run(const UpkeepRequest *request, const UpkeepPlaces *places, EventLog *log,
               char **ret_text, sd_bus_error *reterr_error) {
        static int (*const verbs[_UPKEEP_VERB_MAX])(Upkeep *, char **, sd_bus_error *) = {
                [UPKEEP_PIN] = pin,
                [UPKEEP_UNPIN] = unpin,
                [UPKEEP_DELETE] = delete,
        };
        _cleanup_(upkeep_done) Upkeep upkeep = {
                .request = request,
                .places = places,
                .log = log,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
        };
        int r;

        r = begin(&upkeep, reterr_error);
        return r < 0 ? r : verbs[request->verb](&upkeep, ret_text, reterr_error);
}

static int trim(Upkeep *upkeep, uint64_t keep, UpkeepRequest *request, sd_bus_error *reterr_error) {
        RetentionView view;
        size_t n_done = 0;
        int r;

        r = look(upkeep, reterr_error);
        if (r < 0)
                return r;
        if (upkeep->marks.open)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "A switch has not been brought to its end");
        view = view_of(upkeep);
        r = retention_choose(&view, keep, request);
        if (r >= 0)
                r = keep_for_menu(upkeep, reterr_error);
        return r < 0 ? r : remove_links(upkeep, &n_done, reterr_error);
}

/**
 * upkeep_trim() - delete what a switch has made superfluous
 * @profile: whose generations
 * @keep:    how many of the newest stay in any case; 0: all
 * @uid:     who asked for the switch
 * @log:     told of each that was deleted
 *
 * The caller holds the locks, and no transaction is open. The boot menu was written just before and
 * still names what is deleted: that stays rooted until the next installer run.
 *
 * Return: 0; else a negative errno, and @reterr_error says what failed.
 */
int upkeep_trim(const char *profile, uint64_t keep, uid_t uid, const UpkeepPlaces *places,
                EventLog *log, sd_bus_error *reterr_error) {
        _cleanup_(upkeep_request_done)
                UpkeepRequest request = { .verb = UPKEEP_DELETE, .uid = uid };
        _cleanup_(upkeep_done) Upkeep upkeep = {
                .request = &request,
                .places = places,
                .log = log,
                .lock_fd = -EBADF,
                .nixos_lock_fd = -EBADF,
        };

        request.profile = strdup(profile);
        if (!request.profile)
                return -ENOMEM;
        return trim(&upkeep, keep, &request, reterr_error);
}
