#include <poll.h>

#include "clock.h"
#include "lease.h"
#include "test.h"
#include "text.h"

static bool grows_within(const Lease *lease, int msec) {
        uint64_t beats = lease_beats(lease);

        for (int waited = 0; waited < msec; waited += 50) {
                (void) poll(NULL, 0, 50);
                if (lease_beats(lease) != beats)
                        return true;
        }
        return false;
}

TEST(a_lease_is_renewed_as_long_as_the_work_is_in_time) {
        _cleanup_(lease_freep) Lease *lease = NULL, *watched = NULL;
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/lease", test_directory()));
        ASSERT_OK(lease_new(path, &lease));
        ASSERT_OK(lease_open(path, &watched));
        ASSERT_TRUE(grows_within(watched, 20000));

        lease_expect(lease, 0);
        (void) poll(NULL, 0, 50); /* a beat may be under way */
        ASSERT_FALSE(grows_within(watched, 2500));

        lease_expect(lease, 60 * USEC_PER_SEC);
        ASSERT_TRUE(grows_within(watched, 20000));
}

TEST(a_lease_ends_with_its_process_and_stays_readable) {
        _cleanup_(lease_freep) Lease *lease = NULL, *watched = NULL;
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/lease", test_directory()));
        ASSERT_OK(lease_new(path, &lease));
        ASSERT_OK(lease_open(path, &watched));
        lease = lease_free(lease);
        ASSERT_FALSE(grows_within(watched, 1500));
}

TEST(without_a_place_there_is_no_lease) {
        _cleanup_(lease_freep) Lease *lease = NULL;

        ASSERT_EQ(lease_new("/nonexistent/lease", &lease), -ENOENT);
        ASSERT_EQ(lease_open("/nonexistent/lease", &lease), -ENOENT);
}
