/*
 * The id of a request: the time, as fine as it takes for names to be in its order. The history is
 * read in that order, so an id is greater than all before it, also where the clock was set back.
 */
#include <errno.h>
#include <string.h>

#include "run-id.h"
#include "text.h"

#define STAMP_FORMAT "%Y%m%d-%H%M%S"
#define USEC_MAX     999999U

static int format(time_t seconds, uint64_t usec, char **ret_id) {
        char stamp[sizeof("20260131-235959")];
        struct tm tm;

        if (!gmtime_r(&seconds, &tm) || strftime(stamp, sizeof(stamp), STAMP_FORMAT, &tm) == 0)
                return -EIO;
        return text_printf(ret_id, "%s-%06u", stamp, (unsigned) usec);
}

/* One microsecond later. */
static int successor(const char *id, char **ret_id) {
        struct tm tm = { 0 };
        const char *rest = strptime(id, STAMP_FORMAT, &tm);
        uint64_t usec;
        time_t seconds;

        if (!rest || *rest != '-' || text_to_unsigned(rest + 1, USEC_MAX, &usec) < 0)
                return -EINVAL;
        seconds = timegm(&tm);
        return usec < USEC_MAX ? format(seconds, usec + 1, ret_id) : format(seconds + 1, 0, ret_id);
}

/**
 * run_id_make() - an id that comes after all there were
 * @last:   the greatest of those; NULL if there is none. What is none is passed over
 * @now:    of the wall clock
 * @ret_id: owned by the caller
 *
 * Return: 0, -ENOMEM, or -EIO for a year beyond all years.
 */
int run_id_make(const char *last, const struct timespec *now, char **ret_id) {
        _cleanup_free_ char *id = NULL;
        int r;

        r = format(now->tv_sec, (uint64_t) now->tv_nsec / 1000, &id);
        if (r < 0)
                return r;
        if (last && strcmp(id, last) <= 0) {
                r = successor(last, ret_id);
                if (r != -EINVAL)
                        return r;
        }
        *ret_id = TAKE_PTR(id);
        return 0;
}
