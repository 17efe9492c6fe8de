#include "error.h"
#include "profile.h"
#include "test-host.h"
#include "upkeep.h"

static EventLog *log_to_nowhere(void) {
        EventLog *log = NULL;

        ASSERT_OK(
                event_log_new(open("/dev/null", O_WRONLY | O_CLOEXEC), /* journal= */ false, &log));
        return log;
}

/* A system in the host's store. */
static char *new_system(const Host *host, const char *name) {
        _cleanup_free_ char *store = below(host->directory, "store"), *path = NULL;

        (void) mkdir(store, 0755);
        path = below(store, name);
        ASSERT_OK(mkdir(path, 0755));
        return TAKE_PTR(path);
}

/* Asks for one generation; answers the error's name, or NULL, and its text in @text. */
static const char *ask(const Host *host, UpkeepVerb verb, uint64_t generation, const char *path,
                       char text[static 1024]) {
        _cleanup_(upkeep_request_done) UpkeepRequest request = { .verb = verb };
        _cleanup_(event_log_freep) EventLog *log = log_to_nowhere();
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *nixos = below(host->directory, "nixos"), *done = NULL;
        _cleanup_free_ char *store = below(host->directory, "store");
        const UpkeepPlaces places = {
                .transaction = {
                        .state = host->state,
                        .profiles = host->profiles,
                        .roots = host->roots,
                        .running = host->running,
                        .nixos = nixos,
                },
                .booted = host->booted,
                .store = store,
        };
        static const char *const names[] = { ENACT_ERROR_BUSY, ENACT_ERROR_REFUSED,
                                             ENACT_ERROR_FAILED };
        int r;

        request.profile = strdup("system");
        ASSERT_OK(upkeep_request_add(&request, generation, path));
        r = upkeep_run(&request, &places, log, &done, &error);
        (void) snprintf(text, 1024, "%s", r < 0 ? error.message : done);
        if (r >= 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (sd_bus_error_has_name(&error, names[i]))
                        return names[i];
        fail_msg("an error without a name: %d", r);
        return NULL;
}

static bool has(const Host *host, const char *name) {
        _cleanup_free_ char *path = below(host->directory, name);
        struct stat st;

        return lstat(path, &st) >= 0;
}

static void assert_refused(const Host *host, UpkeepVerb verb, uint64_t generation, const char *path,
                           const char *why) {
        char text[1024];

        ASSERT_TEXT(ask(host, verb, generation, path, text), ENACT_ERROR_REFUSED);
        ASSERT_CONTAINS(text, why);
}

static void assert_done(const Host *host, UpkeepVerb verb, uint64_t generation, const char *path) {
        char text[1024] = "";

        if (ask(host, verb, generation, path, text))
                fail_msg("%s", text);
}

TEST(a_pin_is_a_root_that_can_be_set_and_taken_away_again_and_again) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a"), *pin = below(host.roots, "pins/1-a");
        _cleanup_free_ char *target = NULL;

        put_link(&host, "profiles/system-3-link", a);
        assert_done(&host, UPKEEP_PIN, 3, a);
        assert_done(&host, UPKEEP_PIN, 3, a);
        ASSERT_OK(file_readlink(AT_FDCWD, pin, &target));
        ASSERT_TEXT(target, a);

        put_link(&host, "roots/pins/by-hand", a);
        assert_done(&host, UPKEEP_UNPIN, 3, a);
        assert_done(&host, UPKEEP_UNPIN, 3, a);
        ASSERT_FALSE(has(&host, "roots/pins/1-a"));
        ASSERT_FALSE(has(&host, "roots/pins/by-hand"));
}

TEST(a_number_that_was_given_again_is_refused_whatever_is_asked_for) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a"), *b = new_system(&host, "2-b");

        put_link(&host, "profiles/system-3-link", b);
        for (UpkeepVerb verb = 0; verb < _UPKEEP_VERB_MAX; verb++) {
                assert_refused(&host, verb, 3, a, "given again");
                assert_refused(&host, verb, 4, a, "no generation 4");
        }
        ASSERT_TRUE(has(&host, "profiles/system-3-link"));
        ASSERT_FALSE(has(&host, "roots/pins/1-a"));
}

TEST(only_what_nix_would_keep_can_be_pinned) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *gone = below(host.directory, "store/9-gone");

        put_link(&host, "profiles/system-1-link", "/etc");
        put_link(&host, "profiles/system-2-link", gone);
        assert_refused(&host, UPKEEP_PIN, 1, "/etc", "no store path");
        assert_refused(&host, UPKEEP_PIN, 2, gone, "not in the store");
        assert_refused(&host, UPKEEP_PIN, 0, "/etc", "nothing to this host");
}

TEST(a_failed_system_without_a_generation_can_be_pinned) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a");

        put_link(&host, "roots/failed/1-a", a);
        assert_done(&host, UPKEEP_PIN, 0, a);
        ASSERT_TRUE(has(&host, "roots/pins/1-a"));
        assert_refused(&host, UPKEEP_DELETE, 0, a, "no generation");
}

TEST(nothing_in_use_is_deleted_and_each_reason_is_told) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a"), *b = new_system(&host, "2-b");
        _cleanup_free_ char *c = new_system(&host, "3-c"), *d = new_system(&host, "4-d");
        _cleanup_free_ char *e = new_system(&host, "5-e");

        put_link(&host, "profiles/system-1-link", a);
        put_link(&host, "profiles/system-2-link", b);
        put_link(&host, "profiles/system-3-link", c);
        put_link(&host, "profiles/system-4-link", d);
        put_link(&host, "profiles/system-5-link", e);
        put_link(&host, "profiles/system", "system-5-link");
        put_link(&host, "running", d);
        put_link(&host, "booted", c);
        put_link(&host, "roots/good", b);
        put_link(&host, "roots/pins/1-a", a);
        put_history(&host, "1", "switch", b, d, 0);

        assert_refused(&host, UPKEEP_DELETE, 1, a, "generation 1 is pinned. Nothing was deleted");
        assert_refused(&host, UPKEEP_DELETE, 2, b, "found good, is where a rollback leads");
        assert_refused(&host, UPKEEP_DELETE, 3, c, "was booted");
        assert_refused(&host, UPKEEP_DELETE, 4, d, "runs");
        assert_refused(&host, UPKEEP_DELETE, 5, e, "is current, is the boot default");
        ASSERT_TRUE(has(&host, "profiles/system-5-link"));
}

TEST(of_two_generations_that_are_the_same_system_one_can_go) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a"), *b = new_system(&host, "2-b");
        char text[1024];

        put_link(&host, "profiles/system-1-link", a);
        put_link(&host, "profiles/system-2-link", b);
        put_link(&host, "profiles/system-3-link", a);
        put_link(&host, "profiles/system", "system-3-link");
        assert_refused(&host, UPKEEP_DELETE, 3, a, "is current");
        ASSERT_TEXT(ask(&host, UPKEEP_DELETE, 1, a, text), ENACT_ERROR_FAILED);
        ASSERT_FALSE(has(&host, "profiles/system-1-link"));
}

TEST(a_profile_made_by_hand_protects_what_it_stands_for) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a");

        put_link(&host, "profiles/system-1-link", a);
        put_link(&host, "profiles/system", a);
        assert_refused(&host, UPKEEP_DELETE, 1, a, "is current");
}

TEST(what_a_menu_may_still_name_stays_rooted_until_it_is_rewritten) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a"), *b = new_system(&host, "2-b");
        char text[1024];

        put_link(&host, "profiles/system-1-link", a);
        put_link(&host, "profiles/system-9-link", b);
        put_link(&host, "profiles/system-8-link", b);
        put_link(&host, "profiles/system-7-link", b);
        put_link(&host, "profiles/system", "system-7-link");
        /* The default is no system that has an installer. */
        ASSERT_TEXT(ask(&host, UPKEEP_DELETE, 9, b, text), ENACT_ERROR_FAILED);
        ASSERT_CONTAINS(text, "Deleted 1, but the boot menu may still list");
        ASSERT_FALSE(has(&host, "profiles/system-9-link"));
        ASSERT_TRUE(has(&host, "roots/menu/2-b"));
}

TEST(while_a_switch_has_not_ended_nothing_is_deleted) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a");

        put_link(&host, "profiles/system-1-link", a);
        put_record(&host, "not even json");
        assert_refused(&host, UPKEEP_DELETE, 1, a, "interrupted");
        assert_done(&host, UPKEEP_PIN, 1, a);
}

TEST(whoever_switches_meanwhile_is_named) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *a = new_system(&host, "1-a"), *nixos = below(host.directory, "nixos");
        _cleanup_free_ char *path = below(host.directory, "nixos/switch-to-configuration.lock");
        _cleanup_close_ int fd = -EBADF;
        char text[1024];

        put_link(&host, "profiles/system-1-link", a);
        ASSERT_OK(mkdir(nixos, 0755));
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_OK(flock(fd, LOCK_EX));
        ASSERT_TEXT(ask(&host, UPKEEP_PIN, 1, a, text), ENACT_ERROR_BUSY);
        ASSERT_CONTAINS(text, "process");
        ASSERT_FALSE(has(&host, "roots/pins/1-a"));
}
