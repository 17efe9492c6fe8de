#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macros.h"

/* One thing of a system that only a reboot can bring. */
typedef struct RebootReason {
        const char *what;      /* a file of the toplevel: "kernel", "kernel-params", ... */
        bool hard;             /* the new system is not whole without it */
        char *booted, *wanted; /* what it is; "" if there is none */
} RebootReason;

typedef struct RebootReasons {
        RebootReason *items;
        size_t n;
} RebootReasons;

int reboot_reasons(const char *booted, const char *wanted, const char *command_line,
                   RebootReasons *reasons);
bool reboot_is_needed(const RebootReasons *reasons);
void reboot_reasons_done(RebootReasons *reasons);
