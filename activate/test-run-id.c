#include "run-id.h"
#include "test.h"
#include "text.h"

/* 2026-01-31 23:59:59.000123 */
static const struct timespec now = { .tv_sec = 1769903999, .tv_nsec = 123456 };

static void assert_id(const char *last, const char *wanted) {
        _cleanup_free_ char *id = NULL;

        ASSERT_OK(run_id_make(last, &now, &id));
        ASSERT_TEXT(id, wanted);
}

TEST(an_id_is_the_time) {
        assert_id(NULL, "20260131-235959-000123");
        assert_id("20260131-235959-000122", "20260131-235959-000123");
}

TEST(an_id_comes_after_the_last_one_also_when_the_clock_was_set_back) {
        assert_id("20260131-235959-000123", "20260131-235959-000124");
        assert_id("20270131-101112-000007", "20270131-101112-000008");
        assert_id("20271231-235959-999999", "20280101-000000-000000");
}

TEST(what_is_no_id_comes_after_none) {
        assert_id("x", "20260131-235959-000123");
        assert_id("20270131", "20260131-235959-000123");
        assert_id("20270131-101112-x", "20260131-235959-000123");
        assert_id("20270131-101112-1000000", "20260131-235959-000123");
}
