#include "probe.h"
#include "test.h"

static void assert_wrong(const char *text, const char *wanted) {
        _cleanup_(probe_done) Probe probe = { 0 };
        const char *said = "";

        if (probe_from_text(text, &probe, &said) != -EINVAL)
                fail_msg("'%s' was taken", text);
        ASSERT_TEXT(said, wanted);
}

static void assert_right(const char *text, ProbeType type, const char *target) {
        _cleanup_(probe_done) Probe probe = { 0 };
        const char *said = "";

        ASSERT_OK(probe_from_text(text, &probe, &said));
        ASSERT_EQ(probe.type, type);
        ASSERT_TEXT(probe.name, text);
        ASSERT_TEXT(type == PROBE_EXEC ? probe.command.items[0] : probe.target, target);
        ASSERT_TRUE(probe_name_is_valid(probe.name));
}

TEST(each_type_is_named_with_what_it_asks) {
        assert_right("http:http://localhost:8080/health?a=b", PROBE_HTTP,
                     "http://localhost:8080/health?a=b");
        assert_right("http:https://a", PROBE_HTTP, "https://a");
        assert_right("tcp:localhost:22", PROBE_TCP, "localhost:22");
        assert_right("tcp:10.0.0.1:65535", PROBE_TCP, "10.0.0.1:65535");
        assert_right("tcp:[::1]:1", PROBE_TCP, "[::1]:1");
        assert_right("systemd:a@b.service", PROBE_SYSTEMD, "a@b.service");
        assert_right("exec:/nix/store/1-x", PROBE_EXEC, "/nix/store/1-x");
        assert_right("exec:/nix/store/1-x/bin/x", PROBE_EXEC, "/nix/store/1-x/bin/x");
        assert_right("exec:/nix/store/1-script", PROBE_EXEC, "/nix/store/1-script");
}

TEST(what_is_no_type_is_told_the_types) {
        static const char *const wrong[] = { "", "http", "ftp:ftp://a", ":a", "HTTP:http://a" };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_wrong(wrong[i], "http:URL, tcp:HOST:PORT, systemd:UNIT or exec:PROGRAM");
}

TEST(only_a_program_of_the_store_is_run) {
        static const char *const wrong[] = {
                "exec:",
                "exec:sh",
                "exec:/bin/sh",
                "exec:/nix/store",
                "exec:/nix/store/",
                "exec:/nix/store//bin/x",
                "exec:/nix/store/../../bin/sh",
                "exec:/nix/store/1-x/../../../bin/sh",
                "exec:/nix/store/1-x/..",
                "exec:/nix/store/1-x/bin/",
                "exec:/nix/storeroom/1-x/bin/x",
                "exec:/nix/store/1-x/bin/x y",
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_wrong(wrong[i], "a program below /nix/store");
}

TEST(only_http_is_asked_for) {
        static const char *const wrong[] = { "http:",          "http:localhost", "http:ftp://a",
                                             "http:http://",   "http:http:///a", "http:file:///etc",
                                             "http:http://a b" };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_wrong(wrong[i], "a URL that begins with http:// or https://");
}

TEST(an_address_has_a_host_and_a_port) {
        static const char *const wrong[] = {
                "tcp:",        "tcp:22",     "tcp::22",      "tcp:a:",    "tcp:a:0",
                "tcp:a:65536", "tcp:a:-1",   "tcp:::1:22",   "tcp:[::1]", "tcp:[::1:22",
                "tcp:a/b:22",  "tcp:a@b:22", "tcp:[a.b]:1x", "tcp:-a:22", "tcp:[::g]:1",
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_wrong(wrong[i], "HOST:PORT");
}

TEST(a_unit_has_a_type) {
        assert_wrong("systemd:a", "the name of a unit");
        assert_wrong("systemd:a@.service", "the name of a unit");
        assert_wrong("systemd:../a.service", "the name of a unit");
}

TEST(two_probes_have_two_names_and_there_are_not_too_many) {
        _cleanup_(probes_done) Probes probes = { 0 };
        _cleanup_(probe_done) Probe again = { 0 };
        const char *said;

        for (unsigned port = 1; port <= PROBES_MAX; port++) {
                _cleanup_(probe_done) Probe probe = { 0 };
                char text[32];

                (void) snprintf(text, sizeof(text), "tcp:a:%u", port);
                ASSERT_OK(probe_from_text(text, &probe, &said));
                ASSERT_OK(probes_take(&probes, &probe));
        }
        ASSERT_EQ(probes.n, PROBES_MAX);
        ASSERT_OK(probe_from_text("tcp:a:7", &again, &said));
        ASSERT_EQ(probes_take(&probes, &again), -EEXIST);
        probe_done(&again);
        ASSERT_OK(probe_from_text("tcp:b:7", &again, &said));
        ASSERT_EQ(probes_take(&probes, &again), -E2BIG);
        ASSERT_TEXT(again.name, "tcp:b:7");
}
