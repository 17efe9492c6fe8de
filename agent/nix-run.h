#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "nix-log.h"
#include "string-list.h"

/* One run of Nix. */
typedef struct NixRun {
        sd_event *event;
        sd_event_source *output, *child, *overdue, *tick;
        sd_event_source *signals[3];
        NixLog *log;
        NixEventHandler handler;
        void *userdata;
        int output_fd;
        pid_t pid; /* 0: not started, or it has ended */
        bool interrupted;
        unsigned n_urged; /* signals sent since; the next one is stronger */
        siginfo_t end;
        sigset_t old_mask;
        bool mask_changed;
} NixRun;

#define NIX_RUN_NULL                                                                               \
        (NixRun) {                                                                                 \
                .output_fd = -EBADF                                                                \
        }

int nix_arguments(const char *verb, bool for_build, const StringList *options,
                  StringList *arguments);
int nix_run(NixRun *run, const StringList *arguments, int stdout_fd, NixEventHandler handler,
            void *userdata, sd_bus_error *reterr_error);
void nix_run_done(NixRun *run);
