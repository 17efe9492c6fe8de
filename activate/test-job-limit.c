/* How long a job may take, from what systemd counts. */
#include "clock.h"
#include "job-limit.h"
#include "test.h"

#define MARGIN  (30 * USEC_PER_SEC)
#define ENDLESS (600 * USEC_PER_SEC)

/* A plain service: one command, a minute and a half for whatever it does. */
static JobTimes plain_service(void) {
        return (JobTimes){
                .start_usec = 90 * USEC_PER_SEC,
                .stop_usec = 90 * USEC_PER_SEC,
                .n_start = 1,
                .n_stop = 4,
                .n_reload = 2,
        };
}

TEST(each_command_has_the_whole_timeout) {
        JobTimes times = plain_service();
        uint64_t start = job_limit("start", &times), stop = job_limit("stop", &times);

        ASSERT_EQ(stop, 4 * times.stop_usec + MARGIN);
        ASSERT_EQ(job_limit("reload", &times), 2 * times.start_usec + MARGIN);

        times.n_start += 3;
        ASSERT_EQ(job_limit("start", &times), start + 3 * times.start_usec);
        times.n_stop += 2;
        ASSERT_EQ(job_limit("stop", &times), stop + 2 * times.stop_usec);
}

TEST(what_fails_to_start_may_be_stopped_before_its_job_ends) {
        const JobTimes times = plain_service();

        ASSERT_TRUE(job_limit("start", &times) >=
                    times.start_usec + times.n_stop * times.stop_usec + MARGIN);
}

TEST(a_restart_is_a_stop_and_a_start) {
        const JobTimes times = plain_service();

        ASSERT_TRUE(job_limit("restart", &times) >=
                    job_limit("stop", &times) + job_limit("start", &times));
}

TEST(an_abort_has_a_timeout_of_its_own) {
        JobTimes times = plain_service();
        uint64_t stop = job_limit("stop", &times);

        times.n_abort = 2;
        times.abort_usec = 7 * USEC_PER_SEC;
        ASSERT_EQ(job_limit("stop", &times), stop + 14 * USEC_PER_SEC);
        times.abort_usec = UINT64_MAX;
        ASSERT_EQ(job_limit("stop", &times), ENDLESS);
}

TEST(what_may_ask_for_more_time_gets_ten_minutes_at_least) {
        JobTimes times = plain_service();

        times.extends = true;
        ASSERT_EQ(job_limit("reload", &times), ENDLESS);
        times.stop_usec = times.start_usec = 2 * USEC_PER_SEC;
        ASSERT_EQ(job_limit("start", &times), ENDLESS);
        ASSERT_EQ(job_limit("stop", &times), ENDLESS);
        times.stop_usec = ENDLESS;
        ASSERT_EQ(job_limit("stop", &times), 4 * ENDLESS + MARGIN);
}

TEST(what_has_no_end_gets_ten_minutes) {
        JobTimes times = plain_service();
        uint64_t stop = job_limit("stop", &times);

        times.start_usec = UINT64_MAX;
        ASSERT_EQ(job_limit("start", &times), ENDLESS);
        ASSERT_EQ(job_limit("reload", &times), ENDLESS);
        ASSERT_EQ(job_limit("stop", &times), stop);
        ASSERT_EQ(job_limit("restart", &times), ENDLESS + stop + MARGIN);

        times.stop_usec = UINT64_MAX;
        ASSERT_EQ(job_limit("start", &times), ENDLESS);
        ASSERT_EQ(job_limit("stop", &times), ENDLESS);
        ASSERT_EQ(job_limit("restart", &times), 2 * ENDLESS + MARGIN);
}

TEST(no_limit_is_without_end) {
        static const char *const verbs[] = { "start", "stop", "restart", "reload" };
        static const uint64_t longs[] = { UINT64_MAX - 1, UINT64_MAX / 2, UINT64_MAX - MARGIN,
                                          UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                for (size_t j = 0; j < ELEMENTSOF(longs); j++) {
                        const JobTimes times = {
                                .start_usec = longs[j],
                                .stop_usec = longs[j],
                                .n_start = 2,
                                .n_stop = 4,
                                .n_reload = 2,
                        };

                        ASSERT_TRUE(job_limit(verbs[i], &times) >= ENDLESS);
                        ASSERT_TRUE(job_limit(verbs[i], &times) <= 2 * ENDLESS + MARGIN);
                }
}
