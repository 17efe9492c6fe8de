/*
 * enact-activate boot-check: in a boot that tries a new system, says whether it is well. It is then
 * the boot default; else the host reboots into the one before. enact-boot-check.service runs it
 * before boot-complete.target, and reboots the host if it dies over it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "transaction.h"
#include "verbs.h"
#include "working.h"

#define LOCK_LIMIT_USEC (2 * 60 * USEC_PER_SEC) /* whoever ends an older switch at boot */

/* Who looks for the holder of the lock sees by its command line which switch it works on. */
static int become_known(void) {
        _cleanup_free_ char *id = NULL;

        if (transaction_find_trial(&TRANSACTION_PLACES_HOST, &id) == TRANSACTION_NONE) {
                puts("No new system is on trial in this boot.");
                return 0;
        }
        (void) fflush(stdout);
        (void) execl("/proc/self/exe", "enact-activate", verb_boot_check.name, id, NULL);
        fprintf(stderr, "enact-activate: cannot begin to judge this boot: %s\n", strerror(errno));
        return 1;
}

static int check(const char *id) {
        _cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(event_log_freep) EventLog *log = NULL;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        int r;

        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : event_log_new(TAKE_FD(fd), /* journal= */ true, &log);
        if (r < 0)
                return 1;
        r = transaction_check_trial(id, &TRANSACTION_PLACES_HOST, log, working_is_interrupted,
                                    LOCK_LIMIT_USEC, &text, &error);
        if (r == TRANSACTION_NONE) {
                puts("The trial of this boot was ended by somebody else.");
                return 0;
        }
        (void) working_tell_end(log, id, r, &error, text);
        /* What was judged is told and carried out, whichever way it went. */
        return transaction_find_trial(&TRANSACTION_PLACES_HOST, &text) == 0 ? 1 : 0;
}

static int run(int argc, char **argv) {
        if (argc > 2) {
                fprintf(stderr, "Usage: enact-activate %s\n", verb_boot_check.name);
                return 2;
        }
        working_set_up_signals();
        return argc == 2 ? check(argv[1]) : become_known();
}

const Verb verb_boot_check = {
        .name = "boot-check",
        .synopsis = "",
        .help = "Judge the boot that tries a new system (started by systemd)",
        .run = run,
};
