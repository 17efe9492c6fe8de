/*
 * The boot default: what the boot menu leads to, as far as that can be known of an installer that
 * is not ours. It is what the last one that we ran was told, as long as nobody has touched the
 * profile "system" since: other programs move that before they run the installer, or without
 * running it. Which link that was is kept with it, so that no clock has a say. Some run an
 * installer and leave that profile alone; they show by the menu's own files (menu-sign.c). An
 * installer that leaves nothing behind where boot menus are is one of which nobody sees the next
 * run, so that it stays a guess.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "file.h"
#include "json.h"
#include "menu-sign.h"
#include "noted-default.h"
#include "profile.h"
#include "text.h"
#include "toplevel.h"

#define NOTE_NAME      "boot-default.json"
#define NO_BOOT_LOADER "-no-bootloader"

/* A link that was made anew is another one, whatever it holds. "" if there is none. */
static int describe_link(const TransactionPlaces *places, char **ret_text) {
        _cleanup_free_ char *path = NULL, *target = NULL;
        struct stat st;
        int r;

        r = text_printf(&path, "%s/" SYSTEM_PROFILE, places->profiles);
        if (r >= 0)
                r = file_readlink(AT_FDCWD, path, &target);
        if (r >= 0 && lstat(path, &st) < 0)
                r = -errno;
        if (r == -ENOENT) {
                *ret_text = strdup("");
                return *ret_text ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;
        return text_printf(ret_text, "%s %" PRId64 ".%09ld", target, (int64_t) st.st_mtim.tv_sec,
                           st.st_mtim.tv_nsec);
}

/* NULL where nobody can tell, as for who is not root. */
static int read_menu(const TransactionPlaces *places, char **ret_menu) {
        int r;

        *ret_menu = NULL;
        r = places->root ? menu_sign_read(places->root, ret_menu) : 0;
        return r == -ENOMEM ? r : 0;
}

/* What NixOS has where no boot loader is configured: the profile is all that there is to boot. */
static bool installs_nothing(const char *installer) {
        size_t n = installer ? strcspn(installer, " ") : 0;

        return n == 0 || text_after_prefix(installer, "echo ") ||
               (n >= strlen(NO_BOOT_LOADER) &&
                strncmp(installer + n - strlen(NO_BOOT_LOADER), NO_BOOT_LOADER,
                        strlen(NO_BOOT_LOADER)) == 0);
}

/**
 * noted_default_write_by() - an installer that is known has succeeded
 * @toplevel:  what it was told to make the default
 * @installer: its command; NULL if there is none
 *
 * To be called when the profile has been set as well.
 *
 * Return: 0, -ENOMEM, or an error of file_write(); what was noted before stands then.
 */
int noted_default_write_by(const TransactionPlaces *places, const char *toplevel,
                           const char *installer) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *path = NULL, *link = NULL, *line = NULL, *menu = NULL;
        int r;

        r = describe_link(places, &link);
        if (r >= 0)
                r = read_menu(places, &menu);
        if (r < 0)
                return r;
        if (!object || !cJSON_AddNumberToObject(object, "version", 1) ||
            !cJSON_AddStringToObject(object, "toplevel", toplevel) ||
            !cJSON_AddStringToObject(object, "system-link", link) ||
            (menu && !cJSON_AddStringToObject(object, "menu", menu)) ||
            !cJSON_AddBoolToObject(object, "leaves-no-trace",
                                   menu && !*menu && !installs_nothing(installer)))
                return -ENOMEM;
        r = text_printf(&path, "%s/" NOTE_NAME, places->state);
        if (r >= 0)
                r = json_print(object, &line);
        return r < 0 ? r : file_write(AT_FDCWD, path, line, 0644);
}

/** noted_default_write() - the boot loader installer of a system has succeeded for it; as
 * noted_default_write_by(). */
int noted_default_write(const TransactionPlaces *places, const char *toplevel) {
        _cleanup_(toplevel_freep) Toplevel *of = NULL;

        return noted_default_write_by(places, toplevel,
                                      toplevel_open(toplevel, &of, NULL) >= 0 ?
                                              wrapper_get(&of->wrapper, "INSTALL_BOOTLOADER") :
                                              NULL);
}

/** noted_default_forget() - an installer has failed: nobody knows what the menu leads to. */
void noted_default_forget(const TransactionPlaces *places) {
        (void) file_remove(places->state, NOTE_NAME);
}

typedef struct Note {
        char *toplevel;
        bool link_holds; /* the profile is still the one that it was noted with */
        bool menu_holds; /* so is the menu, or nobody can look */
        bool traceless;  /* whoever writes that menu, nobody sees it */
} Note;

static void note_done(Note *note) {
        free(note->toplevel);
}

/* -ENOENT: there is none, or a damaged one. */
static int read_note(const TransactionPlaces *places, Note *note) {
        _cleanup_free_ char *path = NULL, *text = NULL, *now = NULL, *menu_now = NULL;
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const char *toplevel, *link, *menu;
        size_t n;
        int r;

        r = text_printf(&path, "%s/" NOTE_NAME, places->state);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, &n);
        if (r >= 0)
                r = json_parse(text, n, &object);
        if (r >= 0)
                r = describe_link(places, &now);
        if (r >= 0)
                r = read_menu(places, &menu_now);
        if (r < 0)
                return r == -ENOMEM ? r : -ENOENT;
        toplevel = json_string(object, "toplevel");
        link = json_string(object, "system-link");
        menu = json_string(object, "menu");
        if (!toplevel || *toplevel != '/' || !link)
                return -ENOENT;
        note->link_holds = strcmp(link, now) == 0;
        note->menu_holds = !menu || !menu_now || strcmp(menu, menu_now) == 0;
        note->traceless = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "leaves-no-trace"));
        note->toplevel = strdup(toplevel);
        return note->toplevel ? 0 : -ENOMEM;
}

static bool is_newer(const struct stat *a, const struct stat *b) {
        return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
               (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec > b->st_mtim.tv_nsec);
}

/* A machine that booted what the profile stands for, and whose profile was not made anew since. */
static bool has_just_booted(const TransactionPlaces *places, const char *path) {
        _cleanup_free_ char *booted = NULL, *link = NULL;
        struct stat made, boot;

        return places->booted && file_realpath(places->booted, &booted) >= 0 &&
               strcmp(booted, path) == 0 &&
               text_printf(&link, "%s/" SYSTEM_PROFILE, places->profiles) >= 0 &&
               lstat(link, &made) >= 0 && lstat(places->booted, &boot) >= 0 &&
               is_newer(&boot, &made);
}

/**
 * noted_default_read() - which system the next boot takes
 * @ret_path: its store path, owned by the caller
 *
 * Return: 0 if that is known; NOTED_DEFAULT_GUESSED if it is only what the profile "system" stands
 * for; -ENOENT if there is no such profile; -ENOMEM, or an errno of reading the profile.
 */
int noted_default_read(const TransactionPlaces *places, char **ret_path) {
        _cleanup_(profile_freep) Profile *profile = NULL;
        _cleanup_(note_done) Note note = { 0 };
        int r;

        r = read_note(places, &note);
        if (r >= 0 && note.link_holds && note.menu_holds) {
                *ret_path = TAKE_PTR(note.toplevel);
                return note.traceless ? NOTED_DEFAULT_GUESSED : 0;
        }
        if (r < 0 && r != -ENOENT)
                return r;
        r = profile_open(places->profiles, SYSTEM_PROFILE, /* make= */ false, &profile);
        if (r >= 0)
                r = profile_current(profile, ret_path);
        if (r < 0)
                return r;
        /* It may have been picked in a menu that leads elsewhere by itself. */
        if (note.toplevel && (!note.menu_holds || strcmp(note.toplevel, *ret_path) != 0))
                return NOTED_DEFAULT_GUESSED;
        return has_just_booted(places, *ret_path) ? 0 : NOTED_DEFAULT_GUESSED;
}
