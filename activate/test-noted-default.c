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
                .root = host->directory,
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

/* Somebody picked it in the menu, and the menu leads elsewhere. */
TEST(what_booted_is_no_default_where_an_installer_was_told_otherwise) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *real = NULL, *path = below(host.directory, "roots");

        ASSERT_OK(file_realpath(path, &real));
        put_link(&host, "profiles/system-1-link", real);
        set_profile(&host, "system-1-link", 500);
        note(&host, B);
        set_profile(&host, "system-1-link", 1000);
        put_link(&host, "booted", "roots");
        set_time(&host, "booted", 1500);
        assert_default(&host, NOTED_DEFAULT_GUESSED, real);

        note(&host, real);
        set_profile(&host, "system-1-link", 1001);
        assert_default(&host, 0, real);
}

static void put_menu(const Host *host, const char *name, const char *text) {
        _cleanup_free_ char *path = below(host->directory, name);
        _cleanup_free_ char *directory = strdup(path);

        *strrchr(directory, '/') = '\0';
        ASSERT_OK(file_make_directories(directory, 0755));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

TEST(a_menu_that_another_installer_has_written_since_makes_it_a_guess) {
        static const char *const files[] = { "boot/loader/loader.conf", "boot/grub/grub.cfg",
                                             "boot/limine/limine.conf", "efi/loader/loader.conf",
                                             "boot/efi/loader/entries/nixos-1.conf" };
        _cleanup_(host_done) Host host = new_host();

        put_link(&host, "profiles/system-1-link", A);
        set_profile(&host, "system-1-link", 1000);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                note(&host, A);
                assert_default(&host, 0, A);
                put_menu(&host, files[i], "one");
                assert_default(&host, NOTED_DEFAULT_GUESSED, A);
                note(&host, A);
                put_menu(&host, files[i], "one"); /* the same once more */
                put_menu(&host, "boot/kernels/linux", files[i]);
                assert_default(&host, 0, A);
                put_menu(&host, files[i], "two");
                assert_default(&host, NOTED_DEFAULT_GUESSED, A);
        }
}

TEST(a_boot_into_a_system_does_not_vouch_for_a_menu_that_somebody_has_changed) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *real = NULL, *path = below(host.directory, "roots");

        ASSERT_OK(file_realpath(path, &real));
        put_link(&host, "profiles/system-1-link", real);
        set_profile(&host, "system-1-link", 1000);
        put_menu(&host, "boot/loader/loader.conf", "default one");
        note(&host, real);
        put_menu(&host, "boot/loader/loader.conf", "default two");
        put_link(&host, "booted", "roots");
        set_time(&host, "booted", 1500);
        assert_default(&host, NOTED_DEFAULT_GUESSED, real);
}

TEST(a_boot_counter_changes_no_menu) {
        _cleanup_(host_done) Host host = new_host();
        _cleanup_free_ char *counted = below(host.directory, "boot/loader/entries/nixos-1+3.conf");
        _cleanup_free_ char *fewer = below(host.directory, "boot/loader/entries/nixos-1+2-1.conf");
        _cleanup_free_ char *blessed = below(host.directory, "boot/loader/entries/nixos-1.conf");
        _cleanup_free_ char *other = below(host.directory, "boot/loader/entries/nixos-2.conf");

        put_link(&host, "profiles/system-1-link", A);
        set_profile(&host, "system-1-link", 1000);
        put_menu(&host, "boot/loader/entries/nixos-1+3.conf", "linux one");
        note(&host, A);
        ASSERT_OK(rename(counted, fewer));
        assert_default(&host, 0, A);
        ASSERT_OK(rename(fewer, blessed));
        assert_default(&host, 0, A);
        ASSERT_OK(rename(blessed, other));
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
}

/* Of a loader that is not known: all that an installer may have touched. */
TEST(an_unknown_menu_that_somebody_has_written_since_makes_it_a_guess) {
        _cleanup_(host_done) Host host = new_host();
        const TransactionPlaces places = places_of(&host);
        _cleanup_free_ char *gone = below(host.directory, "boot/own/kernels/two");

        put_link(&host, "profiles/system-1-link", A);
        set_profile(&host, "system-1-link", 1000);
        put_menu(&host, "boot/own/menu", "one");
        put_menu(&host, "boot/own/kernels/one", "kernel");
        ASSERT_OK(noted_default_write_by(&places, A, "/nix/store/1-install-own"));
        assert_default(&host, 0, A);

        set_time(&host, "boot/own/menu", 5000); /* the same text, but somebody has written it */
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
        ASSERT_OK(noted_default_write_by(&places, A, "/nix/store/1-install-own"));
        put_menu(&host, "boot/own/kernels/two", "kernel");
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
        ASSERT_OK(unlink(gone));
        assert_default(&host, 0, A);
        put_menu(&host, "efi/loader/loader.conf", "one");
        assert_default(&host, NOTED_DEFAULT_GUESSED, A);
}

TEST(an_installer_that_leaves_no_trace_makes_it_a_guess) {
        static const struct {
                const char *installer;
                int answer;
        } cases[] = {
                { NULL, 0 },
                { "", 0 },
                { "/nix/store/1-no-bootloader", 0 },
                { "/nix/store/1-no-bootloader --quiet", 0 },
                { "echo 'Warning: do not know how to make this configuration bootable' 1>&2; true",
                  0 },
                { "/nix/store/1-install-somewhere", NOTED_DEFAULT_GUESSED },
                { "/nix/store/1-install /nix/store/1-no-bootloader", NOTED_DEFAULT_GUESSED },
        };
        _cleanup_(host_done) Host host = new_host();
        const TransactionPlaces places = places_of(&host);

        put_link(&host, "profiles/system-1-link", A);
        set_profile(&host, "system-1-link", 1000);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ASSERT_OK(noted_default_write_by(&places, A, cases[i].installer));
                assert_default(&host, cases[i].answer, A);
        }
}
