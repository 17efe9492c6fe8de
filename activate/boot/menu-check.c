/*
 * What somebody else's boot loader installer has done, held to what it was asked for: the exit
 * status alone says little. The system that is to be the default has an entry that boots, and the
 * next start takes it; nothing that booted before is damaged now; and all of it is on the disk.
 *
 * There may be more than one menu on a machine, and only one that the firmware leads to. A menu is
 * held to account if it is known to be in use: this run has changed it, or it led to the default
 * before and the same installer was run. Whether any other one is to blame cannot be told, and what
 * cannot be told is no failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "efi-variable.h"
#include "error.h"
#include "fat-file.h"
#include "file.h"
#include "menu-check.h"
#include "text.h"

static const char *const subject_words[MENU_CHECK_SUBJECTS] = { "the new default",
                                                                "the booted system",
                                                                "the last good system" };

static _printf_(2, 3) int add(StringList *texts, const char *format, ...) {
        va_list ap;
        char *text;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : string_list_take(texts, text);
}

/* What a system says of itself is wanted for comparing; without it less can be told. */
static int read_spec(MenuCheck *check, size_t i) {
        const char *toplevel = check->subjects[i].toplevel;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (file_open_directory(AT_FDCWD, toplevel, &fd) < 0)
                return 0;
        r = bootspec_obtain(fd, toplevel, &check->specs[i], NULL);
        if (r >= 0)
                check->subjects[i].spec = &check->specs[i];
        return r == -ENOMEM ? r : 0;
}

static int take_text(MenuCheck *check, size_t i, const char **text) {
        if (!*text)
                return 0;
        *text = check->texts[i] = strdup(*text);
        return *text ? 0 : -ENOMEM;
}

static int take_source(const MenuCheckSource *source, MenuCheck *check) {
        MenuCheckSource *own = &check->source;
        const char **const texts[] = { &own->toplevel, &own->booted, &own->good, &own->led_to[0],
                                       &own->led_to[1] };
        int r = 0;

        *own = *source;
        own->places.variables_fd = -EBADF;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(texts); i++)
                r = take_text(check, i, texts[i]);
        if (r < 0 || source->places.variables_fd < 0)
                return r;
        own->places.variables_fd = fcntl(source->places.variables_fd, F_DUPFD_CLOEXEC, 3);
        return own->places.variables_fd < 0 ? -errno : 0;
}

/* A system that is told of twice need not be looked for twice; the candidate is always the first.
 */
static int take_subjects(MenuCheck *check) {
        const char *const toplevels[] = { check->source.toplevel, check->source.booted,
                                          check->source.good };

        for (size_t i = 0; i < ELEMENTSOF(toplevels); i++) {
                bool known = !toplevels[i];
                int r;

                for (size_t j = 0; !known && j < check->n_subjects; j++)
                        known = strcmp(check->subjects[j].toplevel, toplevels[i]) == 0;
                if (known)
                        continue;
                check->subjects[check->n_subjects].toplevel = toplevels[i];
                r = read_spec(check, check->n_subjects++);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * menu_check_begin() - look at the menus before an installer runs
 * @check: all zero before, but for the specs of subjects that are known; menu_check_done() it even
 *         after an error
 *
 * Return: 0, -ENOMEM, or an errno of opening the root.
 */
int menu_check_begin(const MenuCheckSource *source, MenuCheck *check) {
        int r;

        r = take_source(source, check);
        if (r >= 0)
                r = take_subjects(check);
        return r < 0 ? r :
                       seen_menus_read(&check->source.places, check->subjects, check->n_subjects,
                                       &check->before);
}

static const SeenMenu *find_before(const MenuCheck *check, const SeenMenu *menu) {
        for (size_t i = 0; i < check->before.n; i++)
                if (check->before.items[i].kind == menu->kind &&
                    strcmp(check->before.items[i].path, menu->path) == 0)
                        return &check->before.items[i];
        return NULL;
}

/* Whether the firmware is known to lead to it. */
static bool is_in_use(const MenuCheck *check, const SeenMenu *menu, const SeenMenu *before) {
        if (!before || memcmp(before->sign, menu->sign, sizeof(menu->sign)) != 0)
                return true;
        if (!check->source.same_installer || before->lead != MENU_LEAD_SYSTEM)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(check->source.led_to); i++)
                if (check->source.led_to[i] &&
                    strcmp(before->leads_to, check->source.led_to[i]) == 0)
                        return true;
        return false;
}

static const char *lead_reason(const SeenMenu *menu) {
        return menu->kind == MENU_SYSTEMD_BOOT ? boot_reason_to_words(menu->reason) :
                                                 "it is the default of the menu";
}

static int judge_lead(const MenuCheck *check, const SeenMenu *menu, StringList *problems,
                      StringList *notes) {
        const char *wanted = check->source.toplevel;

        switch (menu->lead) {
        case MENU_LEAD_NOTHING:
                return add(problems, "no entry of it can be started");
        case MENU_LEAD_UNTOLD:
                return add(notes, "which entry of '%s' boots next cannot be told", menu->path);
        case MENU_LEAD_OTHER:
                return add(notes, "'%s' boots next: an entry of '%s' that is not NixOS' own",
                           menu->lead_entry, menu->path);
        case MENU_LEAD_SYSTEM:
                break;
        }
        if (strcmp(menu->leads_to, wanted) != 0)
                return add(problems, "'%s' boots next (%s), which is '%s'", menu->lead_entry,
                           lead_reason(menu), menu->leads_to);
        if (menu->lead_state == ENTRY_DAMAGED)
                return add(problems, "its entry '%s' is damaged: %s", menu->lead_entry,
                           menu->lead_why);
        return 0;
}

static int judge_candidate(const MenuCheck *check, const SeenMenu *menu, StringList *problems,
                           StringList *notes) {
        const SeenSystem *system = &menu->systems[0];

        if (!system->listed && menu->vague)
                return add(notes, "whether an entry of '%s' boots '%s' cannot be told", menu->path,
                           check->source.toplevel);
        if (!system->listed)
                return add(problems, "it has no entry that boots '%s'", check->source.toplevel);
        if (system->state == ENTRY_DAMAGED)
                return add(problems, "the entry that boots '%s' is damaged: %s",
                           check->source.toplevel, system->why);
        if (system->state == ENTRY_UNVERIFIED)
                return add(notes,
                           "whether the kernel and initrd of '%s' in '%s' are whole cannot be told",
                           check->source.toplevel, menu->path);
        return 0;
}

/* The others are to be what they were; an installer that drops old ones is within its rights. */
static int judge_other(const MenuCheck *check, const SeenMenu *menu, const SeenMenu *before,
                       size_t i, StringList *problems, StringList *notes) {
        const char *what = strcmp(check->subjects[i].toplevel,
                                  check->source.booted ? check->source.booted : "") == 0 ?
                                   subject_words[1] :
                                   subject_words[2];
        const SeenSystem *now = &menu->systems[i], *then = before ? &before->systems[i] : NULL;
        const char *toplevel = check->subjects[i].toplevel;

        if (now->listed && now->state == ENTRY_DAMAGED && then && then->listed &&
            then->state != ENTRY_DAMAGED)
                return add(problems, "the entry of %s ('%s') was whole and is damaged now: %s",
                           what, toplevel, now->why);
        if (now->listed && now->state == ENTRY_DAMAGED)
                return add(notes, "the entry of %s ('%s') in '%s' is damaged: %s", what, toplevel,
                           menu->path, now->why);
        if (!now->listed && then && then->listed)
                return add(notes, "%s ('%s') has no entry in '%s' any more", what, toplevel,
                           menu->path);
        return 0;
}

static int judge_leftovers(const SeenMenu *menu, StringList *notes) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < menu->leftovers.n; i++)
                r = add(notes, "'%s' of '%s' was left behind by a run that was cut off",
                        menu->leftovers.items[i], menu->path);
        return r;
}

/* All of one menu. */
static int judge(const MenuCheck *check, const SeenMenu *menu, const SeenMenu *before,
                 StringList *problems, StringList *notes) {
        int r;

        r = judge_candidate(check, menu, problems, notes);
        if (r >= 0)
                r = judge_lead(check, menu, problems, notes);
        for (size_t i = 1; r >= 0 && i < check->n_subjects; i++)
                r = judge_other(check, menu, before, i, problems, notes);
        return r < 0 ? r : judge_leftovers(menu, notes);
}

/* What was chosen with a key in the menu beats loader.conf for ever, and is mostly forgotten. */
static int clear_stale_variable(const MenuCheck *check, const SeenMenus *menus, StringList *notes,
                                bool *ret_cleared, sd_bus_error *reterr_error) {
        for (size_t i = 0; i < menus->n; i++) {
                const SeenMenu *menu = &menus->items[i];
                const char *name = menu->reason == BOOT_VARIABLE_DEFAULT   ? EFI_LOADER_DEFAULT :
                                   menu->reason == BOOT_VARIABLE_PREFERRED ? EFI_LOADER_PREFERRED :
                                                                             NULL;
                int r;

                if (menu->kind != MENU_SYSTEMD_BOOT || !name || menu->lead != MENU_LEAD_SYSTEM ||
                    strcmp(menu->leads_to, check->source.toplevel) == 0)
                        continue;
                r = efi_variable_delete(check->source.places.variables_fd, name, reterr_error);
                if (r < 0)
                        return r;
                *ret_cleared = true;
                return add(notes, "the EFI variable %s named '%s' and was deleted", name,
                           menu->lead_entry);
        }
        return 0;
}

static int look(const MenuCheck *check, SeenMenus *menus) {
        return seen_menus_read(&check->source.places, check->subjects, check->n_subjects, menus);
}

/* Each of the variables may name one. */
static int look_after(const MenuCheck *check, SeenMenus *menus, StringList *notes,
                      sd_bus_error *reterr_error) {
        int r;

        r = look(check, menus);
        for (size_t i = 0; r >= 0 && i < 2; i++) {
                bool cleared = false;

                r = clear_stale_variable(check, menus, notes, &cleared, reterr_error);
                if (r < 0 || !cleared)
                        break;
                seen_menus_done(menus);
                r = look(check, menus);
        }
        return r;
}

static int sync_file(int dir_fd, const char *path) {
        _cleanup_close_ int fd = -EBADF, folder_fd = -EBADF;
        _cleanup_free_ char *folder = strdup(path);
        char *slash;

        if (!folder)
                return -ENOMEM;
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        slash = strrchr(folder, '/');
        if (slash)
                *slash = '\0';
        folder_fd = openat(dir_fd, slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return folder_fd < 0 || fsync(folder_fd) < 0 ? -errno : 0;
}

/* The files that count, and then whatever else there is: the last fsync has the drive flush its
 * cache. */
static int sync_menu(const SeenMenu *menu, sd_bus_error *reterr_error) {
        const FatDirectory root = { menu->fd, menu->path }, conf = { menu->conf_fd, menu->path };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < menu->files.n; i++) {
                r = sync_file(menu->fd, menu->files.items[i]);
                if (r < 0 && r != -ENOMEM)
                        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                                 "Cannot sync '%s', which '%s' needs: %s",
                                                 menu->files.items[i], menu->path, strerror(-r));
        }
        if (r >= 0)
                r = fat_barrier(&root, reterr_error);
        return r < 0 || menu->conf_fd < 0 ? r : fat_barrier(&conf, reterr_error);
}

static int say_bad(const SeenMenu *menu, const StringList *problems, sd_bus_error *reterr_error) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = string_list_join(problems, "; ", &text);
        if (r < 0)
                return r;
        (void) sd_bus_error_setf(reterr_error, ENACT_ERROR_BOOT_MENU,
                                 "The boot loader installer ended well, but the menu that %s has "
                                 "in '%s' is not what it must be: %s",
                                 menu_kind_to_words(menu->kind), menu->path, text);
        return -EBADMSG;
}

/* One menu that does is enough: it is told which, by what it was like before. */
static int judge_all(const MenuCheck *check, const SeenMenus *menus, StringList *notes,
                     sd_bus_error *reterr_error) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        bool any_good = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < menus->n; i++) {
                _cleanup_(string_list_done) StringList problems = { 0 }, own = { 0 };
                const SeenMenu *menu = &menus->items[i], *before = find_before(check, menu);

                if (!is_in_use(check, menu, before) && menu->systems[0].listed == false)
                        continue;
                r = judge(check, menu, before, &problems, &own);
                if (r < 0 || (problems.n > 0 && !is_in_use(check, menu, before)))
                        continue;
                if (problems.n == 0)
                        r = sync_menu(menu, reterr_error);
                else if (!sd_bus_error_is_set(&error) &&
                         say_bad(menu, &problems, &error) == -ENOMEM)
                        r = -ENOMEM;
                any_good = any_good || problems.n == 0;
                if (r >= 0 && problems.n == 0)
                        r = string_list_copy(notes, &own);
        }
        if (r < 0 || any_good)
                return r;
        if (!sd_bus_error_is_set(&error))
                return MENU_CHECK_UNTOLD;
        (void) sd_bus_error_move(reterr_error, &error);
        return -EBADMSG;
}

/**
 * menu_check_end() - look at them again after it ran
 * @notes: what is not as it should be and is no failure, and what could not be told
 *
 * A stale EFI variable that leads to another system is deleted. What was verified is durable.
 *
 * Return: 0 if it is what it must be, MENU_CHECK_UNTOLD; -EBADMSG if it is not, or an errno of
 * syncing it, each with @reterr_error set; -ENOMEM.
 */
int menu_check_end(MenuCheck *check, StringList *notes, sd_bus_error *reterr_error) {
        _cleanup_(seen_menus_done) SeenMenus menus = { 0 };
        int r;

        r = look_after(check, &menus, notes, reterr_error);
        if (r >= 0)
                r = string_list_copy(notes, &menus.unread);
        return r < 0 ? r : judge_all(check, &menus, notes, reterr_error);
}

static bool leads_there(const MenuCheck *check, const SeenMenu *menu) {
        return menu->lead == MENU_LEAD_SYSTEM && menu->lead_state != ENTRY_DAMAGED &&
               strcmp(menu->leads_to, check->source.toplevel) == 0;
}

/**
 * menu_check_finds_damage() - whether the system lost what an installer had made for it
 *
 * By what menu_check_begin() found: a menu lists it, and none does as it must.
 */
bool menu_check_finds_damage(const MenuCheck *check) {
        bool any_damaged = false;

        for (size_t i = 0; i < check->before.n; i++) {
                const SeenMenu *menu = &check->before.items[i];
                const SeenSystem *system = &menu->systems[0];

                if (!system->listed)
                        continue;
                if (system->state != ENTRY_DAMAGED &&
                    (menu->lead == MENU_LEAD_UNTOLD || menu->lead == MENU_LEAD_OTHER ||
                     leads_there(check, menu)))
                        return false;
                any_damaged = true;
        }
        return any_damaged;
}

void menu_check_done(MenuCheck *check) {
        if (check->source.toplevel) /* else it was never begun */
                (void) fd_close(check->source.places.variables_fd);
        for (size_t i = 0; i < ELEMENTSOF(check->texts); i++)
                free(check->texts[i]);
        for (size_t i = 0; i < MENU_CHECK_SUBJECTS; i++)
                bootspec_done(&check->specs[i]);
        seen_menus_done(&check->before);
        *check = (MenuCheck){ 0 };
}
