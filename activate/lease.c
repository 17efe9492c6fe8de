/*
 * The lease. A thread of the engine counts up once a second, as long as the engine's own work is in
 * time: it says beforehand how long its next step may take. So a stopped or frozen process is
 * noticed at once, and one that hangs when its step is overdue. The dead man's switch watches the
 * engine, and systemd's watchdog the dead man's switch.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "lease.h"

#define BEAT_USEC USEC_PER_SEC

typedef struct Page {
        _Atomic uint64_t beats;
} Page;

struct Lease {
        Page *page;
        _Atomic uint64_t deadline_usec; /* of the step that is under way */
        pthread_t thread;
        bool beating;
        int end_fds[2]; /* closing the second ends the thread */
};

/* A process that was paused, alone or with its host, has what was left of its time when it goes on.
 */
static void forgive_pause(Lease *lease, uint64_t last, uint64_t now) {
        if (now - last > 2 * BEAT_USEC)
                atomic_fetch_add(&lease->deadline_usec, now - last - BEAT_USEC);
}

static void *beat(void *userdata) {
        Lease *lease = userdata;
        struct pollfd fd = { .fd = lease->end_fds[0], .events = POLLIN };
        uint64_t last = clock_monotonic_usec();

        while (poll(&fd, 1, BEAT_USEC / USEC_PER_MSEC) <= 0) {
                uint64_t now = clock_monotonic_usec();

                forgive_pause(lease, last, now);
                if (now < atomic_load(&lease->deadline_usec)) {
                        atomic_fetch_add(&lease->page->beats, 1);
                        (void) sd_notify(/* unset_environment= */ false, "WATCHDOG=1");
                }
                last = now;
        }
        return NULL;
}

static int map(int fd, int protection, Lease **ret) {
        Lease *lease = calloc(1, sizeof(*lease));
        void *page;

        if (!lease)
                return -ENOMEM;
        lease->end_fds[0] = lease->end_fds[1] = -EBADF;
        page = mmap(NULL, sizeof(Page), protection, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd,
                    0);
        if (page == MAP_FAILED) {
                free(lease);
                return -errno;
        }
        lease->page = page;
        *ret = lease;
        return 0;
}

/* Signals are for the main thread. */
static int start_beating(Lease *lease) {
        sigset_t all, before;
        int r;

        if (pipe2(lease->end_fds, O_CLOEXEC) < 0)
                return -errno;
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = -pthread_create(&lease->thread, NULL, beat, lease);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        lease->beating = r == 0;
        return r;
}

/**
 * lease_new() - begin to give signs of life
 * @path: of the file, made anew; NULL: only systemd is told, if it watches this process
 *
 * Return: 0, or an errno of open(2), posix_fallocate(3), mmap(2) or pthread_create(3).
 */
int lease_new(const char *path, Lease **ret) {
        _cleanup_(lease_freep) Lease *lease = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        if (path) {
                fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
                if (fd < 0)
                        return -errno;
                r = -posix_fallocate(fd, 0,
                                     sizeof(Page)); /* no room is told here, not by a signal */
        }
        if (r >= 0)
                r = map(fd, PROT_READ | PROT_WRITE, &lease);
        if (r < 0)
                return r;
        lease_expect(lease, LEASE_SEC * USEC_PER_SEC);
        r = start_beating(lease);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(lease);
        return 0;
}

/** lease_expect() - the next word of the engine's own work comes within that time. */
void lease_expect(Lease *lease, uint64_t within_usec) {
        atomic_store(&lease->deadline_usec, clock_monotonic_usec() + within_usec);
}

/**
 * lease_open() - watch another process' signs of life
 *
 * Return: 0, or an errno of open(2) or mmap(2).
 */
int lease_open(const char *path, Lease **ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : map(fd, PROT_READ, ret);
}

/** lease_beats() - how many there were; only that it grows has a meaning. */
uint64_t lease_beats(const Lease *lease) {
        return atomic_load(&lease->page->beats);
}

Lease *lease_free(Lease *lease) {
        if (!lease)
                return NULL;
        lease->end_fds[1] = fd_close(lease->end_fds[1]);
        if (lease->beating)
                (void) pthread_join(lease->thread, NULL);
        (void) fd_close(lease->end_fds[0]);
        (void) munmap(lease->page, sizeof(Page));
        free(lease);
        return NULL;
}
