/*
 * Whether a reboot is needed, and why: what of a system is taken only when the machine boots, and
 * differs from what it booted with. Without it a live switch is complete.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "file.h"
#include "json.h"
#include "reboot.h"
#include "string-list.h"
#include "text.h"

/* Reads what stands for one thing in a toplevel; "" if it is not there. Owned by the caller. */
typedef int (*ReadThing)(const char *toplevel, const char *name, char **ret);

static int read_link(const char *toplevel, const char *name, char **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", toplevel, name);
        if (r < 0)
                return r;
        r = file_realpath(path, ret);
        if (r == -ENOENT) {
                *ret = strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        return r;
}

static int read_text(const char *toplevel, const char *name, char **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", toplevel, name);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, ret, NULL);
        if (r == -ENOENT) {
                *ret = strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        return r;
}

/* What the bootspec has beyond its own two parts: loaders and others read it at boot. */
static int read_extensions(const char *toplevel, const char *name, char **ret) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_text(toplevel, name, &text);
        if (r < 0)
                return r;
        r = *text ? json_parse(text, strlen(text), &object) : -EBADMSG;
        if (r == -EBADMSG) { /* none, or none that could be read */
                *ret = strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;
        cJSON_DeleteItemFromObjectCaseSensitive(object, "org.nixos.bootspec.v1");
        cJSON_DeleteItemFromObjectCaseSensitive(object, "org.nixos.specialisation.v1");
        if (!object->child) {
                *ret = strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        return json_print(object, ret);
}

/* clang-format off */
static const struct {
        const char *what, *file;
        ReadThing read;
        bool hard;
} things[] = {
        { "kernel",                 "kernel",                 read_link,       /* hard= */ true  },
        { "initrd",                 "initrd",                 read_link,       /* hard= */ true  },
        { "kernel-modules",         "kernel-modules",         read_link,       /* hard= */ true  },
        { "init-interface-version", "init-interface-version", read_text,       /* hard= */ true  },
        { "switch-inhibitors",      "switch-inhibitors",      read_text,       /* hard= */ true  },
        { "dtbs",                   "dtbs",                   read_link,       /* hard= */ false },
        { "firmware",               "firmware",               read_link,       /* hard= */ false },
        { "bootspec-extensions",    "boot.json",              read_extensions, /* hard= */ false },
};
/* clang-format on */

/* Takes over both texts, also where it fails. */
static int add_reason(RebootReasons *reasons, const char *what, bool hard, char *booted,
                      char *wanted) {
        RebootReason *items = reallocarray(reasons->items, reasons->n + 1, sizeof(*items));

        if (!items) {
                free(booted);
                free(wanted);
                return -ENOMEM;
        }
        reasons->items = items;
        items[reasons->n++] = (RebootReason){
                .what = what,
                .hard = hard,
                .booted = booted,
                .wanted = wanted,
        };
        return 0;
}

static int split_words(const char *text, StringList *words) {
        _cleanup_free_ char *copy = strdup(text);
        char *saved = NULL;
        int r = copy ? 0 : -ENOMEM;

        for (char *word = copy ? strtok_r(copy, " \n", &saved) : NULL; word && r >= 0;
             word = strtok_r(NULL, " \n", &saved))
                r = string_list_add(words, word);
        return r;
}

/* What of @words stands in @in but not in @not_in, in one line. */
static int pick_words(const StringList *words, const StringList *in, const StringList *not_in,
                      char **ret_text) {
        _cleanup_(string_list_done) StringList picked = { 0 };
        int r = 0;

        for (size_t i = 0; i < words->n && r >= 0; i++)
                if (string_list_contains(in, words->items[i]) &&
                    !string_list_contains(not_in, words->items[i]))
                        r = string_list_add(&picked, words->items[i]);
        return r < 0 ? r : string_list_join(&picked, " ", ret_text);
}

/* The kernel's own command line tells what was given to it, if the booted system was started by it:
 * in a container it is the machine's outside. What the loader adds is in neither list. */
static int compare_parameters(const char *booted, const char *wanted, const char *command_line,
                              RebootReasons *reasons) {
        _cleanup_(string_list_done) StringList old = { 0 }, new = { 0 }, given = { 0 };
        _cleanup_free_ char *old_text = NULL, *new_text = NULL, *init = NULL;
        _cleanup_free_ char *gone = NULL, *come = NULL;
        const StringList *live;
        int r;

        r = read_text(booted, "kernel-params", &old_text);
        if (r >= 0)
                r = read_text(wanted, "kernel-params", &new_text);
        if (r >= 0)
                r = text_printf(&init, "init=%s/init", booted);
        if (r >= 0)
                r = split_words(old_text, &old);
        if (r >= 0)
                r = split_words(new_text, &new);
        if (r >= 0)
                r = split_words(command_line ? command_line : "", &given);
        if (r < 0)
                return r;

        live = string_list_contains(&given, init) ? &given : &old;
        r = pick_words(&old, live, &new, &gone);
        if (r >= 0)
                r = pick_words(&new, &new, live, &come);
        if (r < 0 || (!*gone && !*come))
                return r;
        return add_reason(reasons, "kernel-params", /* hard= */ false, TAKE_PTR(gone),
                          TAKE_PTR(come));
}

/**
 * reboot_reasons() - what a reboot would bring
 * @booted:       the toplevel that was booted
 * @wanted:       the one that runs, or that the next boot takes
 * @command_line: of the kernel; NULL if it is not known
 * @reasons:      all zero before; reboot_reasons_done() even after an error. For "kernel-params",
 *                @booted are those that would go, and @wanted those that would come
 *
 * Return: 0, -ENOMEM, or an errno of reading in a toplevel.
 */
int reboot_reasons(const char *booted, const char *wanted, const char *command_line,
                   RebootReasons *reasons) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(things); i++) {
                _cleanup_free_ char *old = NULL, *new = NULL;

                r = things[i].read(booted, things[i].file, &old);
                if (r >= 0)
                        r = things[i].read(wanted, things[i].file, &new);
                if (r >= 0 && strcmp(old, new) != 0)
                        r = add_reason(reasons, things[i].what, things[i].hard, TAKE_PTR(old),
                                       TAKE_PTR(new));
                if (r < 0)
                        return r;
        }
        return compare_parameters(booted, wanted, command_line, reasons);
}

/** reboot_is_needed() - whether one of the reasons is a hard one. */
bool reboot_is_needed(const RebootReasons *reasons) {
        for (size_t i = 0; i < reasons->n; i++)
                if (reasons->items[i].hard)
                        return true;
        return false;
}

void reboot_reasons_done(RebootReasons *reasons) {
        for (size_t i = 0; i < reasons->n; i++) {
                free(reasons->items[i].booted);
                free(reasons->items[i].wanted);
        }
        free(reasons->items);
        *reasons = (RebootReasons){ 0 };
}
