#pragma once

/*
 * Ownership and small conveniences. Every owner on the stack wears `_cleanup_` from its first line,
 * so that each early return is right; ownership moves only by TAKE_PTR() and TAKE_FD().
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)          __attribute__((cleanup(f)))
#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _unused_              __attribute__((unused))

#define ELEMENTSOF(array)     (sizeof(array) / sizeof((array)[0]))

#define TAKE_GENERIC(variable, empty)                                                              \
        __extension__({                                                                            \
                typeof(variable) *_p = &(variable);                                                \
                typeof(variable) _taken = *_p;                                                     \
                *_p = (empty);                                                                     \
                _taken;                                                                            \
        })
#define TAKE_PTR(pointer) TAKE_GENERIC(pointer, NULL)
#define TAKE_FD(fd)       TAKE_GENERIC(fd, -EBADF)

/* Defines what `_cleanup_(NAMEp)` calls for a destructor `type NAME(type)` that accepts NULL. */
#define DEFINE_CLEANUP(type, free_function)                                                        \
        static inline void free_function##p(type *p) {                                             \
                if (*p)                                                                            \
                        free_function(*p);                                                         \
        }                                                                                          \
        struct _cleanup_needs_semicolon_

static inline void freep(void *p) {
        free(*(void **) p);
}

/* Closes and answers -EBADF, so that `fd = fd_close(fd)` leaves nothing behind; errno is kept. */
static inline int fd_close(int fd) {
        int saved = errno;

        if (fd >= 0)
                (void) close(fd);
        errno = saved;
        return -EBADF;
}

static inline void closep(int *fd) {
        (void) fd_close(*fd);
}

#define _cleanup_free_  _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
