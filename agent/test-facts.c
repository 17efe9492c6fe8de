#include <fcntl.h>
#include <sys/stat.h>

#include "facts.h"
#include "file.h"
#include "test.h"
#include "text.h"

static void put(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL, *parent = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", directory, name));
        parent = strndup(path, (size_t) (strrchr(path, '/') - path));
        ASSERT_OK(file_make_directories(parent, 0755));
        if (text)
                ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
        else
                ASSERT_OK(mkdir(path, 0755));
}

TEST(a_system_says_what_nixos_rebuild_lists) {
        _cleanup_(facts_done) Facts facts = { 0 };
        const char *toplevel = test_directory();

        put(toplevel, "nixos-version", "24.11.20241231.abcdef0");
        put(toplevel, "kernel-modules/lib/modules/6.6.69", NULL);
        put(toplevel, "specialisation/red", NULL);
        put(toplevel, "specialisation/blue", NULL);
        put(toplevel, "sw/bin/nixos-version",
            "#!/bin/sh\ncase \"$1\" in\n  --hash)\n    echo 1\n    ;;\n  --json)\n    cat <<EOF\n"
            "{\"configurationRevision\":\"448160aeccf6\",\"nixosVersion\":\"24.11\"}\nEOF\n    ;;\nesac\n");
        ASSERT_OK(facts_read(toplevel, &facts));
        ASSERT_TRUE(facts.there);
        ASSERT_TEXT(facts.version, "24.11.20241231.abcdef0");
        ASSERT_TEXT(facts.kernel, "6.6.69");
        ASSERT_TEXT(facts.revision, "448160aeccf6");
        ASSERT_EQ(facts.specialisations.n, 2);
        ASSERT_TEXT(facts.specialisations.items[0], "blue");
}

TEST(what_a_system_does_not_say_is_not_known) {
        _cleanup_(facts_done) Facts facts = { 0 };
        const char *toplevel = test_directory();

        put(toplevel, "sw/bin/nixos-version", "{\"configurationRevision\":null}\n{oops\n");
        ASSERT_OK(facts_read(toplevel, &facts));
        ASSERT_TRUE(facts.there);
        ASSERT_NULL(facts.version);
        ASSERT_NULL(facts.kernel);
        ASSERT_NULL(facts.revision);
        ASSERT_EQ(facts.specialisations.n, 0);
}

TEST(a_system_that_is_gone_says_so) {
        _cleanup_(facts_done) Facts facts = { 0 };

        ASSERT_OK(facts_read("/nonexistent/1-a", &facts));
        ASSERT_FALSE(facts.there);
}
