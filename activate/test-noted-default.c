#include <errno.h>

#include "noted-default.h"
#include "test-host.h"

#define A "/nix/store/1-a"
#define B "/nix/store/2-b"
#define C "/nix/store/3-c"

static TransactionPlaces places_of(const Host *host) {
        return (TransactionPlaces){
                .state = host->state,
                .profiles = host->profiles,
                .booted = host->booted,
        };
}

static void assert_default(const Host *host, int answer, const char *wanted) {
        const TransactionPlaces places = places_of(host);
        _cleanup_free_ char *path = NULL;

        ASSERT_EQ(noted_default_read(&places, &path), answer);
        ASSERT_TEXT(path, wanted);
}

static void note(const Host *host, const char *toplevel) {
        const TransactionPlaces places = places_of(host);

        ASSERT_OK(noted_default_write(&places, toplevel));
}

static void set_profile(const Host *host, const char *link, time_t made) {
        put_link(host, "profiles/system", link);
        set_time(host, "profiles/system", made);
}

TEST(without_a_profile_there_is_none) {
        _cleanup_(host_done) Host host = new_host();
        const TransactionPlaces places = places_of(&host);
        char *path = NULL;

        ASSERT_EQ(noted_default_read(&places, &path), -ENOENT);
}

TEST(where_nobody_has_noted_anything_the_profile_is_a_guess) {
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "profiles/system-1-link", A);
        put_link(&host, "profiles/system", "system-1-link");
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
}

TEST(what_an_installer_was_told_holds_until_the_profile_is_made_anew) {
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "profiles/system-1-link", A);
        put_link(&host, "profiles/system-2-link", C);
        set_profile(&host, "system-1-link", 1000);
        note(&host, B);
        assert_default(&host, 0, B);
        note(&host, A);
        assert_default(&host, 0, A);

        set_profile(&host, "system-2-link", 1000);
        assert_default(&host, NOTED_DEFAULT_GUESSED, C);
}

/* The menu was written for what the profile was in between; a clock that goes back changes nothing.
 */
TEST(a_profile_that_was_moved_there_and_back_is_another_one) {
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "profiles/system-1-link", A);
        set_profile(&host, "system-1-link", 1000);
        note(&host, A);
        set_profile(&host, "system-1-link", 2000);
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
        set_profile(&host, "system-1-link", 500);
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
        set_profile(&host, "system-1-link", 1000);
        assert_default(&host, 0, A);
}

TEST(a_profile_that_comes_into_being_is_another_one) {
        _cleanup_(host_done) Host host = new_host();

        note(&host, B);
        assert_default(&host, 0, B);
        put_link(&host, "profiles/system-1-link", A);
        put_link(&host, "profiles/system", "system-1-link");
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
}

TEST(a_damaged_note_is_none) {
        static const char *const texts[] = { "", "{", "[]", "{\"toplevel\":7}",
                                             "{\"toplevel\":\"relative\",\"system-link\":\"\"}" };
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *path = below(host.state, "boot-default.json");

        put_link(&host, "profiles/system-1-link", A);
        put_link(&host, "profiles/system", "system-1-link");
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                ASSERT_OK(file_write(AT_FDCWD, path, texts[i], 0644));
                assert_default(&host, NOTED_DEFAULT_GUESSED, A);
        }
}

TEST(what_booted_is_the_default_of_a_profile_that_nobody_has_touched_since) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *real = NULL, *path = below(host.directory, "roots");

        ASSERT_OK(file_realpath(path, &real));
        put_link(&host, "profiles/system-1-link", real);
        set_profile(&host, "system-1-link", 1000);
        put_link(&host, "booted", "roots");
        set_time(&host, "booted", 1500);
        assert_default(&host, 0, real);

        set_profile(&host, "system-1-link", 2000);
        assert_default(&host, NOTED_DEFAULT_GUESSED, real);

        put_link(&host, "profiles/system-2-link", B);
        set_profile(&host, "system-2-link", 1000);
        assert_default(&host, NOTED_DEFAULT_GUESSED, B);
}
