#include <fcntl.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "settings.h"
#include "test.h"
#include "text.h"

static int parse(const char *text, Settings *settings, char **ret_wrong) {
        return settings_parse(text, strlen(text), settings, ret_wrong);
}

static void assert_refused(const char *text, const char *why) {
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;

        if (parse(text, &settings, &wrong) != -EBADMSG)
                fail_msg("'%s' was not refused", text);
        ASSERT_TEXT(wrong, why);
}

/* A probe with these keys besides its name. */
static void assert_probe_refused(const char *keys, const char *why) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(text_printf(&text, "{\"version\":1,\"judge\":{\"probes\":[{\"name\":\"p\",%s}]}}",
                              keys));
        assert_refused(text, why);
}

static void assert_note(const char *text, const char *wanted) {
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;

        ASSERT_OK(parse(text, &settings, &wrong));
        ASSERT_EQ(settings.notes.n, 1);
        ASSERT_TEXT(settings.notes.items[0], wanted);
}

TEST(without_a_word_all_is_as_it_is_by_itself) {
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;

        ASSERT_OK(parse("{\"version\":1}", &settings, &wrong));
        ASSERT_FALSE(settings.has_window || settings.no_rollback || settings.drop_in);
        ASSERT_EQ(settings.confirm_usec, 0);
        ASSERT_EQ(settings.units.n, 0);
        ASSERT_EQ(settings.probes.n, 0);
        ASSERT_EQ(settings.generations, 0);
        ASSERT_EQ(settings.notes.n, 0);
        ASSERT_FALSE(settings.boot_menu || settings.no_trial);
        ASSERT_EQ(settings.tries, SETTINGS_TRIES);
        ASSERT_EQ(settings.trial_usec, SETTINGS_TRIAL_SECONDS * USEC_PER_SEC);
}

TEST(who_writes_the_boot_menu_and_how_it_is_tried_is_taken) {
        static const char text[] =
                "{\"version\":1,\"bootMenu\":{\"mountPoint\":\"/efi\",\"extendedMountPoint\":\"/boot\","
                "\"configurationLimit\":7},\"trialBoot\":{\"enable\":false,\"tries\":2,\"deadline\":90}}";
        _cleanup_(settings_done) Settings settings = { 0 }, least = { 0 };
        _cleanup_free_ char *wrong = NULL;

        ASSERT_OK(parse(text, &settings, &wrong));
        ASSERT_TRUE(settings.boot_menu && settings.no_trial);
        ASSERT_TEXT(settings.esp_path, "/efi");
        ASSERT_TEXT(settings.extended_path, "/boot");
        ASSERT_EQ(settings.menu_limit, 7);
        ASSERT_EQ(settings.tries, 2);
        ASSERT_EQ(settings.trial_usec, 90 * USEC_PER_SEC);

        ASSERT_OK(parse("{\"version\":1,\"bootMenu\":{}}", &least, &wrong));
        ASSERT_TRUE(least.boot_menu && !least.esp_path && !least.no_trial);
}

TEST(what_a_menu_has_besides_generations_is_taken) {
        static const char text[] =
                "{\"version\":1,\"bootMenu\":{\"extraEntries\":["
                "{\"name\":\"memtest\",\"title\":\"Memory test\",\"program\":\"/nix/store/1-m/m.efi\"},"
                "{\"name\":\"shell\",\"title\":\"Shell\",\"program\":\"/nix/store/1-s/s.efi\","
                "\"options\":\"-nomap\",\"sortKey\":\"a\"}]}}";
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;

        ASSERT_OK(parse(text, &settings, &wrong));
        ASSERT_EQ(settings.extras.n, 2);
        ASSERT_TEXT(settings.extras.items[0].program, "/nix/store/1-m/m.efi");
        ASSERT_TRUE(!settings.extras.items[0].options && !settings.extras.items[0].sort_key);
        ASSERT_TEXT(settings.extras.items[1].options, "-nomap");
}

static void assert_extra_refused(const char *entries, const char *why) {
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(text_printf(&text, "{\"version\":1,\"bootMenu\":{\"extraEntries\":[%s]}}",
                              entries));
        assert_refused(text, why);
}

TEST(an_entry_that_is_no_line_or_no_program_of_the_store_is_refused) {
        static const char good[] =
                "{\"name\":\"m\",\"title\":\"M\",\"program\":\"/nix/store/1-m/m\"}";
        _cleanup_free_ char *twice = NULL;

        ASSERT_OK(text_printf(&twice, "%s,%s", good, good));
        assert_extra_refused(twice, "'bootMenu.extraEntries[1]' has the name of another entry");
        assert_extra_refused("{\"name\":\"m\"}",
                             "'bootMenu.extraEntries[0]' needs name, title and program");
        assert_extra_refused("{\"title\":\"a\\nlinux /x\"}",
                             "'bootMenu.extraEntries[0].title' is not a line");
        assert_extra_refused("{\"program\":\"/boot/m.efi\"}",
                             "'bootMenu.extraEntries[0].program' is not a path in the store");
        assert_extra_refused("{\"name\":\"a b\"}", "'bootMenu.extraEntries[0].name' is not a word");
        assert_extra_refused("7", "'bootMenu.extraEntries[0]' is not an object");
}

TEST(a_boot_menu_that_cannot_be_is_refused) {
        assert_refused("{\"version\":1,\"bootMenu\":true}", "'bootMenu' is not an object");
        assert_refused("{\"version\":1,\"bootMenu\":{\"mountPoint\":\"boot\"}}",
                       "'bootMenu.mountPoint' is not an absolute path");
        assert_refused("{\"version\":1,\"trialBoot\":{\"tries\":0}}",
                       "'trialBoot.tries' is not a number from 1 to 99");
        assert_refused(
                "{\"version\":1,\"trialBoot\":{\"deadline\":0}}",
                "'trialBoot.deadline' is not a number of seconds up to 3600 and more than 0");
        assert_refused("{\"version\":1,\"trialBoot\":{\"enable\":1}}",
                       "'trialBoot.enable' is not true or false");
}

TEST(all_that_can_be_said_is_taken) {
        static const char text[] =
                "{\"version\":1,\"judge\":{\"window\":2.5,\"confirm\":60,\"units\":[\"a.service\"],\"probes\":["
                "{\"name\":\"web\",\"type\":\"http\",\"url\":\"http://localhost/\",\"status\":204,"
                "\"timeout\":0.5,\"period\":2,\"retries\":7,\"grace\":0},"
                "{\"name\":\"ssh\",\"type\":\"tcp\",\"address\":\"[::1]:22\"},"
                "{\"name\":\"own\",\"type\":\"exec\",\"command\":[\"/nix/store/1-x/bin/x\",\"a b\"]},"
                "{\"name\":\"gone\",\"type\":\"systemd\",\"unit\":\"b.service\",\"state\":\"inactive\"}]},"
                "\"rollback\":{\"automatic\":false,\"dropIn\":true,\"reboot\":true},\"jobs\":{\"timeout\":604800},\"retention\":{\"generations\":9}}";
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;
        const Probe *probes;

        ASSERT_OK(parse(text, &settings, &wrong));
        ASSERT_TRUE(settings.has_window && settings.no_rollback && settings.drop_in);
        ASSERT_TRUE(settings.reboot);
        ASSERT_EQ(settings.window_usec, 2500000);
        ASSERT_EQ(settings.confirm_usec, 60 * USEC_PER_SEC);
        ASSERT_TEXT(settings.units.items[0], "a.service");
        ASSERT_EQ(settings.job_limit_usec, 604800 * USEC_PER_SEC);
        ASSERT_EQ(settings.generations, 9);
        ASSERT_EQ(settings.probes.n, 4);
        ASSERT_EQ(settings.notes.n, 0);

        probes = settings.probes.items;
        ASSERT_TEXT(probes[0].name, "web");
        ASSERT_EQ(probes[0].type, PROBE_HTTP);
        ASSERT_TEXT(probes[0].target, "http://localhost/");
        ASSERT_EQ(probes[0].status, 204);
        ASSERT_EQ(probes[0].timeout_usec, 500000);
        ASSERT_EQ(probes[0].period_usec, 2000000);
        ASSERT_EQ(probes[0].retries, 7);
        ASSERT_EQ(probes[0].grace_usec, 0);
        ASSERT_TEXT(probes[1].target, "[::1]:22");
        ASSERT_EQ(probes[1].timeout_usec, 5000000);
        ASSERT_EQ(probes[1].grace_usec, 10000000);
        ASSERT_EQ(probes[2].command.n, 2);
        ASSERT_TEXT(probes[2].command.items[1], "a b");
        ASSERT_TEXT(probes[3].state, "inactive");
}

TEST(null_is_a_word_that_was_not_said) {
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;

        ASSERT_OK(parse(
                "{\"version\":1,\"judge\":{\"window\":null,\"confirm\":null,\"probes\":[{\"name\":\"a\","
                "\"type\":\"tcp\",\"address\":\"a:1\",\"timeout\":null}]},\"retention\":null}",
                &settings, &wrong));
        ASSERT_FALSE(settings.has_window);
        ASSERT_EQ(settings.probes.items[0].timeout_usec, 5000000);
}

TEST(what_a_newer_module_says_is_noted_and_passed_over) {
        assert_note("{\"version\":1,\"colour\":[1]}",
                    "'colour' in enact.json is not known to this enact, ignoring");
        assert_note("{\"version\":1,\"judge\":{\"mood\":null}}",
                    "'judge.mood' in enact.json is not known to this enact, ignoring");
        assert_note("{\"version\":1,\"judge\":{\"probes\":[{\"name\":\"a\",\"type\":\"tcp\","
                    "\"address\":\"a:1\",\"url\":7}]}}",
                    "'judge.probes[0].url' in enact.json is not known to this enact, ignoring");
        assert_note("{\"version\":1,\"a\\u001b[2Jb\":1}",
                    "'ab' in enact.json is not known to this enact, ignoring");
}

TEST(what_is_no_such_file_is_refused) {
        assert_refused("", "it is not one object of JSON");
        assert_refused("[]", "it is not one object of JSON");
        assert_refused("{\"version\":1} x", "it is not one object of JSON");
        assert_refused("{}", "it has no version");
        assert_refused("{\"version\":null}", "it has no version");
        assert_refused("{\"version\":2}", "its version is 2, and this enact knows version 1");
        assert_refused("{\"version\":\"1\"}", "'version' is not a number");
        assert_refused("{\"version\":1,\"version\":1}", "'version' is there twice");
        assert_refused("{\"version\":1,\"x\":1,\"x\":1}", "'x' is there twice");
}

TEST(a_wrong_type_is_refused_and_named) {
        static const struct {
                const char *text, *why;
        } cases[] = {
                { "\"judge\":[]", "'judge' is not an object" },
                { "\"judge\":{\"window\":\"2\"}",
                  "'judge.window' is not a number of seconds up to 3600" },
                { "\"judge\":{\"window\":-1}",
                  "'judge.window' is not a number of seconds up to 3600" },
                { "\"judge\":{\"window\":3601}",
                  "'judge.window' is not a number of seconds up to 3600" },
                { "\"judge\":{\"confirm\":true}",
                  "'judge.confirm' is not a number of seconds up to 3600" },
                { "\"judge\":{\"units\":\"a.service\"}",
                  "'judge.units' is not a list of names of units" },
                { "\"judge\":{\"units\":[\"a b\"]}",
                  "'judge.units' is not a list of names of units" },
                { "\"judge\":{\"units\":[1]}", "'judge.units' is not a list of names of units" },
                { "\"judge\":{\"probes\":{}}", "'judge.probes' is not a list of probes" },
                { "\"judge\":{\"probes\":[1]}", "'judge.probes[0]' is not an object" },
                { "\"rollback\":{\"automatic\":\"no\"}",
                  "'rollback.automatic' is not true or false" },
                { "\"rollback\":{\"dropIn\":0}", "'rollback.dropIn' is not true or false" },
                { "\"rollback\":{\"reboot\":\"yes\"}", "'rollback.reboot' is not true or false" },
                { "\"jobs\":{\"timeout\":0}",
                  "'jobs.timeout' is not a number of seconds up to a week and more than 0" },
                { "\"jobs\":{\"timeout\":604801}",
                  "'jobs.timeout' is not a number of seconds up to a week and more than 0" },
                { "\"jobs\":[]", "'jobs' is not an object" },
                { "\"retention\":{\"generations\":1.5}",
                  "'retention.generations' is not a number of generations" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = NULL;

                ASSERT_OK(text_printf(&text, "{\"version\":1,%s}", cases[i].text));
                assert_refused(text, cases[i].why);
        }
}

TEST(a_wrong_probe_is_refused_and_named) {
        assert_probe_refused("\"type\":\"ping\"",
                             "'judge.probes[0].type' is not exec, http, systemd or tcp");
        assert_probe_refused("\"type\":1", "'judge.probes[0].type' is not a text");
        assert_probe_refused("\"type\":\"http\"", "'judge.probes[0].url' is not a URL that begins "
                                                  "with http:// or https://");
        assert_probe_refused("\"type\":\"http\",\"url\":\"file:///etc/shadow\"",
                             "'judge.probes[0].url' is not a URL that begins "
                             "with http:// or https://");
        assert_probe_refused("\"type\":\"http\",\"url\":\"http://a\",\"status\":99",
                             "'judge.probes[0].status' is not a status of HTTP");
        assert_probe_refused("\"type\":\"tcp\",\"address\":\"localhost\"",
                             "'judge.probes[0].address' is not HOST:PORT");
        assert_probe_refused("\"type\":\"exec\",\"command\":[]",
                             "'judge.probes[0].command' is not a program below /nix/store");
        assert_probe_refused("\"type\":\"exec\",\"command\":[\"/bin/sh\"]",
                             "'judge.probes[0].command' is not a program below /nix/store");
        assert_probe_refused("\"type\":\"exec\",\"command\":[1]",
                             "'judge.probes[0].command' is not a list of texts");
        assert_probe_refused("\"type\":\"systemd\",\"unit\":\"a\"",
                             "'judge.probes[0].unit' is not the name of a unit");
        assert_probe_refused("\"type\":\"systemd\",\"unit\":\"a.service\",\"state\":\"fine\"",
                             "'judge.probes[0].state' is not a state of a unit, like 'active'");
        assert_probe_refused("\"type\":\"tcp\",\"address\":\"a:1\",\"timeout\":0",
                             "'judge.probes[0].timeout' is not a number of seconds up to 3600 and "
                             "more than 0");
        assert_probe_refused("\"type\":\"tcp\",\"address\":\"a:1\",\"retries\":-1",
                             "'judge.probes[0].retries' is not a number up to 1000");
        assert_probe_refused("\"type\":\"tcp\",\"address\":\"a:1\",\"name\":\"q\"",
                             "'judge.probes[0].name' is there twice");
        assert_refused(
                "{\"version\":1,\"judge\":{\"probes\":[{\"type\":\"tcp\",\"address\":\"a:1\"}]}}",
                "'judge.probes[0]' has no name");
        assert_refused("{\"version\":1,\"judge\":{\"probes\":["
                       "{\"name\":\"a\",\"type\":\"tcp\",\"address\":\"a:1\"},"
                       "{\"name\":\"a\",\"type\":\"tcp\",\"address\":\"a:2\"}]}}",
                       "'judge.probes[1]' has the name of another probe");
}

TEST(a_system_without_the_file_has_no_settings) {
        _cleanup_(settings_done) Settings settings = { 0 };

        ASSERT_OK(settings_read(test_directory(), &settings, NULL));
        ASSERT_EQ(settings.probes.n, 0);
}

TEST(a_file_that_is_wrong_or_too_long_is_named_with_its_path) {
        _cleanup_error_ sd_bus_error wrong = SD_BUS_ERROR_NULL, big = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL, *long_text = NULL;
        _cleanup_(settings_done) Settings settings = { 0 };
        const char *directory = test_directory();

        ASSERT_OK(text_printf(&path, "%s/enact.json", directory));
        ASSERT_OK(file_write(AT_FDCWD, path, "{\"version\":1,\"judge\":7}", 0644));
        ASSERT_TRUE(settings_read(directory, &settings, &wrong) < 0);
        ASSERT_TRUE(sd_bus_error_has_name(&wrong, ENACT_ERROR_REFUSED));
        ASSERT_CONTAINS(wrong.message,
                        "/enact.json': 'judge' is not an object. Nothing was changed.");

        ASSERT_OK(text_printf(&long_text, "{\"version\":1}%*s", (int) SETTINGS_BYTES_MAX, ""));
        ASSERT_OK(file_write(AT_FDCWD, path, long_text, 0644));
        ASSERT_TRUE(settings_read(directory, &settings, &big) < 0);
        ASSERT_CONTAINS(big.message, "File too large");
}
