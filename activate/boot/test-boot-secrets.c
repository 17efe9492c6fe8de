/* Initrds with secrets: a private copy, what the program appends, and what happens if it fails. */
#include <fcntl.h>
#include <sys/stat.h>

#include "boot-secrets.h"
#include "error.h"
#include "file.h"
#include "test.h"
#include "text.h"

typedef struct Place {
        const char *directory;
        char *key;
} Place;

static Place new_place(const char *script) {
        Place place = { .directory = test_directory() };
        const char *store = test_directory();
        _cleanup_free_ char *initrd = NULL, *program = NULL;

        ASSERT_OK(text_printf(&initrd, "%s/initrd", store));
        ASSERT_OK(text_printf(&program, "%s/append", store));
        ASSERT_OK(file_write(AT_FDCWD, initrd, "initrd;", 0444));
        ASSERT_OK(file_write(AT_FDCWD, program, script, 0755));
        ASSERT_OK(text_printf(&place.key, "%s\n%s", initrd, program));
        return place;
}

static void source_done(BootSource *source) {
        free(source->key);
        free(source->file);
}

TEST(secrets_are_appended_to_a_copy_that_only_its_owner_reads) {
        _cleanup_(source_done) BootSource source = { 0 };
        Place place = new_place("#!/bin/sh\nprintf secret >> \"$1\"\n");
        _cleanup_free_ char *text = NULL;
        struct stat st;
        Digest wanted;

        ASSERT_OK(boot_secrets_make(place.directory, place.key, &source, NULL));
        ASSERT_TEXT(source.key, place.key);
        ASSERT_OK(file_read(AT_FDCWD, source.file, 100, &text, NULL));
        ASSERT_TEXT(text, "initrd;secret");
        digest_of_bytes(text, strlen(text), &wanted);
        ASSERT_TRUE(digest_equal(&source.digest, &wanted));
        ASSERT_OK(stat(source.file, &st));
        ASSERT_EQ(st.st_mode & 0777, 0600);
        free(place.key);
}

TEST(a_program_that_fails_is_named) {
        _cleanup_(source_done) BootSource source = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        Place place = new_place("#!/bin/sh\nexit 7\n");

        ASSERT_EQ(boot_secrets_make(place.directory, place.key, &source, &error), -ECANCELED);
        ASSERT_CONTAINS(error.message, "/append'");
        ASSERT_CONTAINS(error.message, "7");
        ASSERT_NULL(source.file);
        free(place.key);
}

TEST(an_initrd_that_is_gone_is_named) {
        _cleanup_(source_done) BootSource source = { 0 };
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;

        ASSERT_EQ(boot_secrets_make(test_directory(), "/nonexistent/initrd\n/bin/true", &source,
                                    &error),
                  -ENOENT);
        ASSERT_CONTAINS(error.message, "/nonexistent/initrd");
}
