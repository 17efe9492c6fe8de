/*
 * The drop-in: NixOS' own switch-to-configuration, with its actions, order, words and exit codes.
 * It never moves the profile, takes no short cut and rolls nothing back, unless the new system asks
 * for the latter (drop-in-guard.c): whoever calls it expects that. Where it differs on purpose is
 * in docs/switch-to-configuration.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "activation.h"
#include "clock.h"
#include "drop-in-guard.h"
#include "drop-in-story.h"
#include "drop-in.h"
#include "error.h"
#include "file-lock.h"
#include "file.h"
#include "journal.h"
#include "judge.h"
#include "live-state.h"
#include "manager.h"
#include "noted-default.h"
#include "plan-load.h"
#include "process.h"
#include "program.h"
#include "settings.h"
#include "text.h"
#include "unit-lists.h"

#define RUNNING_SYSTEM  "/run/current-system"
#define LOG_INFORMATION "PRIORITY=6"
#define LOG_ERROR       "PRIORITY=3"

enum {
        EXIT_FAILED = 1,
        EXIT_SCRIPT_FAILED = 2,
        EXIT_UNITS_FAILED = 4,
        EXIT_NEEDS_REBOOT = 100,
};

/* One run. Steps answer 0 to go on, or the exit code to end with. */
typedef struct Run {
        const DropIn *drop_in;
        char *old; /* what /run/current-system resolves to, or that name itself */
        int lock_fd;
        Manager *manager;
        RecordedState state;
        EventLog *log;
        DropInStory story;
        Plan *plan;
        Settings settings;  /* of the new system */
        DropInGuard *guard; /* NULL: as NixOS' own program */
        int exit_code;
} Run;

static bool is_action(const Run *run, const char *action) {
        return strcmp(run->drop_in->action, action) == 0;
}

static bool variable_is(const char *name, const char *value) {
        const char *found = getenv(name);

        return found && strcmp(found, value) == 0;
}

/* An error that ends the run, in the shape that callers know. */
static int say_error(const char *text) {
        drop_in_say("Error: %s", text);
        return EXIT_FAILED;
}

static int say_bus_error(const sd_bus_error *error, int r) {
        return say_error(error->message ? error->message : strerror(-r));
}

/* Whether the ID of os-release is that of the system, with or without quotes. */
static bool distribution_matches(const char *os_release, const char *wanted) {
        _cleanup_free_ char *text = strdup(os_release);
        char *rest;

        for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
             line = strtok_r(NULL, "\n", &rest)) {
                const char *value = text_after_prefix(line, "ID=");
                size_t n;

                if (!value)
                        continue;
                n = strlen(value);
                if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
                        value++;
                        n -= 2;
                }
                return n == strlen(wanted) && strncmp(value, wanted, n) == 0;
        }
        return false;
}

static int check_distribution(Run *run) {
        const char *wanted = wrapper_get(&run->drop_in->new->wrapper, "DISTRO_ID");
        _cleanup_free_ char *os_release = NULL;
        struct stat st;
        int r;

        r = file_read(AT_FDCWD, "/etc/os-release", FILE_SMALL_MAX, &os_release, NULL);
        if (r < 0)
                drop_in_say("Failed to parse os-release: %s", strerror(-r));
        if (stat("/etc/NIXOS", &st) >= 0 && S_ISREG(st.st_mode))
                return 0;
        if (r >= 0 && distribution_matches(os_release, wanted))
                return 0;
        drop_in_say("This is not a NixOS installation!");
        return EXIT_FAILED; /* not the 2 of NixOS: that says that the new system runs */
}

static int take_lock(Run *run) {
        int r;

        r = file_make_directories(NIXOS_DIRECTORY, 0755);
        if (r >= 0 && chmod(NIXOS_DIRECTORY, 0755) < 0)
                r = -errno;
        if (r < 0)
                return say_error("Failed to create " NIXOS_DIRECTORY);

        r = file_lock(NIXOS_DIRECTORY "/switch-to-configuration.lock", &run->lock_fd);
        if (r < 0) {
                drop_in_say("Could not open lock");
                return EXIT_FAILED;
        }
        if (r == LOCK_HELD) {
                drop_in_say("Could not acquire lock");
                return EAGAIN;
        }
        return 0;
}

static int make_guard(Run *run) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!is_action(run, "switch") && !is_action(run, "test"))
                return 0;
        r = settings_read(run->drop_in->new->path, &run->settings, &error);
        if (r >= 0)
                r = drop_in_guard_new(run->drop_in, run->old, run->log, &run->guard, &error);
        return r < 0 ? say_bus_error(&error, r) : 0;
}

static Scripts scripts_of(const Run *run) {
        return (Scripts){
                .of = run->drop_in->new,
                .action = run->drop_in->action,
                .log = run->log,
                .in_place = true,
        };
}

static int run_checks(Run *run) {
        const Scripts scripts = scripts_of(run);

        if (variable_is("NIXOS_NO_CHECK", "1"))
                return 0;
        if (scripts_run_variable(&scripts, "pre-switch check", "PRE_SWITCH_CHECK",
                                 run->drop_in->action, NULL) >= 0)
                return 0;
        drop_in_say("Pre-switch checks failed");
        return EXIT_FAILED;
}

static int install_boot_loader(Run *run) {
        const TransactionPlaces places = TRANSACTION_PLACES_HOST;
        const Scripts scripts = scripts_of(run);

        if (!is_action(run, "switch") && !is_action(run, "boot"))
                return 0;
        if (scripts_run_variable(&scripts, "boot loader installer", "INSTALL_BOOTLOADER", NULL,
                                 NULL) >= 0) {
                (void) noted_default_write(&places, run->drop_in->new->path);
                return 0;
        }
        noted_default_forget(&places);
        drop_in_say("Failed to install bootloader");
        return EXIT_FAILED;
}

/* A dry run has written nothing that would need it. */
static int sync_store(Run *run) {
        int r;

        if (variable_is("NIXOS_NO_SYNC", "1") || is_action(run, "dry-activate"))
                return 0;
        r = file_sync_filesystem(STORE_DIRECTORY);
        return r < 0 ? say_error("Failed to sync the Nix store") : 0;
}

static int check_init_interface(Run *run) {
        _cleanup_free_ char *old_path = NULL, *old = NULL, *new = NULL;

        if (toplevel_read_line(run->drop_in->new, "init-interface-version", &new) < 0)
                return say_error("Failed to read init-interface-version of the new system");
        if (text_printf(&old_path, "%s/init-interface-version", run->old) < 0)
                return EXIT_FAILED;
        if (file_read_line(AT_FDCWD, old_path, &old) < 0)
                old = strdup("");
        if (old && strcmp(old, new) == 0)
                return 0;

        drop_in_say("Warning: the new NixOS configuration has an ‘init’ that is\n"
                    "incompatible with the current configuration.  The new configuration\n"
                    "won't take effect until you reboot the system.\n");
        return EXIT_NEEDS_REBOOT;
}

static void say_notes(const char *user, const StringList *notes, size_t from) {
        for (size_t i = from; i < notes->n; i++)
                drop_in_say("%s%s%s", user ? user : "", user ? ": " : "", notes->items[i]);
}

static int make_plan(Run *run) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const LiveSource source = {
                .from = run->old,
                .to = run->drop_in->new->path,
                .lists_directory = NIXOS_DIRECTORY,
                .all_users = true,
        };
        int r;

        r = manager_open(&run->manager, &error);
        if (r >= 0)
                r = live_plan(run->manager, &source, &run->state, &run->plan, &error);
        if (r >= 0)
                r = live_check_bus(run->manager, run->plan, &error);
        if (r < 0)
                return say_bus_error(&error, r);
        say_notes(NULL, &run->plan->notes, 0);
        for (size_t i = 0; i < run->plan->n_users; i++)
                say_notes(run->plan->users[i]->user, &run->plan->users[i]->notes, 0);
        return 0;
}

/* What the dry activation script forecasts for the lists of the live one. */
static void take_dry_lists(Run *run) {
        _cleanup_(string_list_done) StringList restart = { 0 }, reload = { 0 }, notes = { 0 };
        size_t n_notes = run->plan->notes.n;

        (void) unit_lists_read(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RESTART, &restart, &notes);
        (void) unit_lists_read(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RELOAD, &reload, &notes);
        unit_lists_remove(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RESTART);
        unit_lists_remove(NIXOS_DIRECTORY, LIST_DRY_ACTIVATION_RELOAD);
        say_notes(NULL, &notes, 0);
        if (restart.n == 0 && reload.n == 0)
                return;
        drop_in_story_tell_deprecated();
        (void) live_add_lists(run->manager, run->old, run->drop_in->new->path, &run->state,
                              &restart, &reload, run->plan);
        say_notes(NULL, &run->plan->notes, n_notes);
}

static int dry_activate(Run *run) {
        const Scripts scripts = scripts_of(run);
        bool show_all = run->story.show_all;

        for (size_t i = 0; i < run->plan->swapoff.n; i++)
                drop_in_say("would stop swap device: %s", run->plan->swapoff.items[i]);
        drop_in_say_planned("would stop the following units", run->plan, PLAN_STOP, show_all);
        drop_in_say_planned("would NOT stop the following changed units", run->plan, PLAN_SKIP,
                            show_all);
        drop_in_say("would activate the configuration...");
        (void) scripts_run_activation(&scripts, "dry-activate", NULL);
        take_dry_lists(run);
        if (run->plan->reexec)
                drop_in_say("would restart systemd");
        drop_in_say_planned("would reload the following units", run->plan, PLAN_RELOAD, show_all);
        drop_in_say_planned("would restart the following units", run->plan, PLAN_RESTART, show_all);
        drop_in_say_planned("would start the following units", run->plan, PLAN_START, show_all);
        for (size_t i = 0; i < run->plan->n_users; i++)
                drop_in_story_forecast_user(run->plan->users[i]);
        return 0;
}

/* What its job was given up for may still be starting. */
static int leave_out(const StringList *failed_jobs, StringList *started) {
        StringList all = TAKE_GENERIC(*started, (StringList){ 0 });
        int r = 0;

        for (size_t i = 0; r >= 0 && i < all.n; i++)
                if (!string_list_contains(failed_jobs, all.items[i]))
                        r = string_list_add(started, all.items[i]);
        string_list_done(&all);
        return r;
}

/* The closing report: what is new and what failed, whether by this switch or not. */
static int report(Run *run, const StringList *failed_jobs) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(string_list_done) StringList failed = { 0 }, started = { 0 }, command = { 0 };
        _cleanup_(inventory_done) Inventory after = { 0 };
        Program program = { .arguments = &command, .limit_usec = 60 * USEC_PER_SEC };
        char *systemctl;
        int r, status;

        r = manager_units(run->manager, &after, &error);
        if (r < 0)
                return say_bus_error(&error, r);
        r = judge_report(&run->state.inventory, &after, run->plan, run->manager, &started, &failed);
        if (r >= 0)
                r = leave_out(failed_jobs, &started);
        if (r < 0)
                return EXIT_FAILED;

        drop_in_say_list("the following new units were started", &started);
        if (failed.n == 0)
                return 0;
        drop_in_say_list("warning: the following units failed", &failed);
        run->exit_code = EXIT_UNITS_FAILED;

        r = text_printf(&systemctl, "%s/bin/systemctl",
                        wrapper_get(&run->drop_in->new->wrapper, "SYSTEMD"));
        if (r < 0 || string_list_take(&command, systemctl) < 0 ||
            string_list_add(&command, "status") < 0 ||
            string_list_add(&command, "--no-pager") < 0 ||
            string_list_add(&command, "--full") < 0 || string_list_copy(&command, &failed) < 0)
                return EXIT_FAILED;
        (void) program_run(&program, &status);
        return 0;
}

/* What NixOS' own program says and answers at the end. */
static int conclude(Run *run, const StringList *failed_jobs) {
        int code;

        drop_in_story_failures(&run->story);
        manager_settle(run->manager);
        code = report(run, failed_jobs);
        return code ? code : run->exit_code;
}

static int activate(Run *run) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Activation activation = {
                .scripts = scripts_of(run),
                .from = run->old,
                .lists_directory = NIXOS_DIRECTORY,
                .state = &run->state,
                .steps = {
                        .log = run->log,
                        .manager = run->manager,
                        .plan = run->plan,
                        .job_limit_usec = run->settings.job_limit_usec,
                        .show_all = run->story.show_all,
                },
        };
        int r, code;

        r = activation_run(&activation, &error);
        if (sd_bus_error_is_set(&activation.script_error))
                run->exit_code = EXIT_SCRIPT_FAILED;
        if (activation.steps.failed.n > 0 || activation.failed_users.n > 0)
                run->exit_code = EXIT_UNITS_FAILED;
        code = r < 0 ? say_bus_error(&error, r) : conclude(run, &activation.steps.failed);
        if (run->guard) {
                if (!sd_bus_error_is_set(&error))
                        (void) sd_bus_error_copy(&error, &activation.script_error);
                code = drop_in_guard_end(run->guard, &activation.steps, &error, code);
                drop_in_story_failures(&run->story);
        }
        activation_done(&activation);
        return code;
}

/* The guard looks at what runs before it is touched. */
static int begin_guard(Run *run) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!run->guard)
                return 0;
        r = drop_in_guard_begin(run->guard, run->manager, &run->state, run->plan, &error);
        return r < 0 ? say_bus_error(&error, r) : 0;
}

/* To where `journalctl -t nixos` looks; a log that does not keep up is not waited for. */
static _printf_(2, 3) void log_line(const char *priority, const char *format, ...) {
        _cleanup_(string_list_done) StringList fields = { 0 };
        _cleanup_free_ char *text = NULL;
        char *message;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0 || text_printf(&message, "MESSAGE=%s", text) < 0 ||
            string_list_take(&fields, message) < 0 || string_list_add(&fields, priority) < 0 ||
            string_list_add(&fields, "SYSLOG_IDENTIFIER=nixos") < 0 ||
            string_list_add(&fields, "SYSLOG_FACILITY=1") < 0)
                return;
        (void) journal_send(&fields);
}

static int switch_live(Run *run) {
        const char *path = run->drop_in->new->path;
        int code;

        /* What has been stopped must be started again: from here on the end is the next safe point.
         */
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGTERM, SIG_IGN);
        log_line(LOG_INFORMATION, "switching to system configuration %s", path);
        code = begin_guard(run);
        if (code == 0)
                code = activate(run);
        if (code == 0)
                log_line(LOG_INFORMATION, "finished switching to system configuration %s", path);
        else
                log_line(LOG_ERROR, "switching to system configuration %s failed (status %d)", path,
                         code);
        return code;
}

static int go(Run *run) {
        static int (*const steps[])(Run * run) = { check_distribution, take_lock, make_guard,
                                                   run_checks };
        static int (*const more_steps[])(Run * run) = { install_boot_loader, sync_store };
        int code = 0;

        for (size_t i = 0; code == 0 && i < ELEMENTSOF(steps); i++)
                code = steps[i](run);
        if (code != 0 || is_action(run, "check"))
                return code;
        for (size_t i = 0; code == 0 && i < ELEMENTSOF(more_steps); i++)
                code = more_steps[i](run);
        if (code != 0 || is_action(run, "boot"))
                return code;

        code = check_init_interface(run);
        if (code == 0)
                code = make_plan(run);
        if (code != 0)
                return code;
        return is_action(run, "dry-activate") ? dry_activate(run) : switch_live(run);
}

static void run_done(Run *run) {
        drop_in_guard_free(run->guard);
        free(run->old);
        (void) fd_close(run->lock_fd);
        manager_free(run->manager);
        recorded_state_done(&run->state);
        settings_done(&run->settings);
        event_log_free(run->log);
        drop_in_story_done(&run->story);
        plan_free(run->plan);
}

/**
 * drop_in_run() - carry the action out
 *
 * Return: the exit code, as NixOS' own program has it.
 */
int drop_in_run(const DropIn *drop_in) {
        _cleanup_(run_done) Run run = { .drop_in = drop_in, .lock_fd = -EBADF };

        run.story.show_all = variable_is("STC_DISPLAY_ALL_UNITS", "1");
        if (file_realpath(RUNNING_SYSTEM, &run.old) < 0)
                run.old = strdup(RUNNING_SYSTEM);
        if (!run.old || event_log_new_handler(drop_in_story_tell, &run.story, &run.log) < 0 ||
            setenv("NIXOS_ACTION", drop_in->action, /* overwrite= */ 1) < 0)
                return EXIT_FAILED;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        return go(&run);
}

/**
 * drop_in_from_environment() - the system that the wrapper's variables describe
 *
 * Return: 0, or the exit code with what is missing said.
 */
int drop_in_from_environment(DropIn *drop_in) {
        static const char *const required[] = {
                "OUT", "TOPLEVEL", "DISTRO_ID", "PRE_SWITCH_CHECK", "INSTALL_BOOTLOADER", "SYSTEMD",
        };
        Toplevel *toplevel;

        toplevel = drop_in->new = calloc(1, sizeof(*toplevel));
        if (!toplevel)
                return EXIT_FAILED;
        for (size_t i = 0; i < ELEMENTSOF(required); i++) {
                const char *value = getenv(required[i]);

                if (!value) {
                        drop_in_say("Error: missing required environment variable $%s",
                                    required[i]);
                        return EXIT_FAILED;
                }
                if (string_list_add(&toplevel->wrapper.names, required[i]) < 0 ||
                    string_list_add(&toplevel->wrapper.values, value) < 0)
                        return EXIT_FAILED;
        }
        toplevel->path = strdup(wrapper_get(&toplevel->wrapper, "TOPLEVEL"));
        return toplevel->path ? 0 : EXIT_FAILED;
}

void drop_in_done(DropIn *drop_in) {
        toplevel_free(drop_in->new);
}
