#pragma once

/*
 * Unit tests whose names are sentences: TEST(a_missing_link_is_an_answer) { … }. Each file that
 * includes this is one program; its tests find themselves and cmocka runs them.
 */

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "macros.h"

#define TESTS_MAX 512

static struct CMUnitTest tests[TESTS_MAX];
static size_t n_tests;

#define TEST(sentence)                                                                             \
        static void sentence(void);                                                                \
        static void run_##sentence(_unused_ void **state) {                                        \
                sentence();                                                                        \
        }                                                                                          \
        static __attribute__((constructor)) void add_##sentence(void) {                            \
                if (n_tests >= TESTS_MAX)                                                          \
                        abort();                                                                   \
                tests[n_tests++] =                                                                 \
                        (struct CMUnitTest){ .name = #sentence, .test_func = run_##sentence };     \
        }                                                                                          \
        static void sentence(void)

#define ASSERT_OK(expression)     assert_int_equal((expression), 0)
#define ASSERT_EQ(a, b)           assert_int_equal((a), (b))
#define ASSERT_TRUE(expression)   assert_true(expression)
#define ASSERT_FALSE(expression)  assert_false(expression)
#define ASSERT_NULL(pointer)      assert_null(pointer)
#define ASSERT_TEXT(text, wanted) assert_string_equal((text), (wanted))
#define ASSERT_CONTAINS(text, wanted)                                                              \
        do {                                                                                       \
                if (!strstr((text), (wanted)))                                                     \
                        fail_msg("'%s' does not contain '%s'", (text), (wanted));                  \
        } while (0)

#define TEST_DIRECTORIES_MAX 64

static char *test_directories[TEST_DIRECTORIES_MAX];
static size_t n_test_directories;

static inline int test_remove(const char *path, _unused_ const struct stat *st, _unused_ int flag,
                              _unused_ struct FTW *ftw) {
        return remove(path);
}

/* A new empty directory that is removed when the program ends. */
static inline _unused_ const char *test_directory(void) {
        char *path = strdup("/tmp/enact-test-XXXXXX");

        assert_true(n_test_directories < TEST_DIRECTORIES_MAX);
        assert_non_null(path);
        assert_non_null(mkdtemp(path));
        test_directories[n_test_directories++] = path;
        return path;
}

int main(void) {
        int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

        for (size_t i = 0; i < n_test_directories; i++) {
                (void) nftw(test_directories[i], test_remove, 16, FTW_DEPTH | FTW_PHYS);
                free(test_directories[i]);
        }
        return n_failed > 0;
}
