#pragma once

#include "boot-partition.h"
#include "boot-plan.h"

/* Where a menu is written to; all of it stays the caller's. */
typedef struct BootTarget {
        const BootPartition *menu; /* entries and their files */
        const BootPartition *esp;  /* loader.conf; the same where there is one only */
        int variables_fd;          /* -EBADF: none here */
} BootTarget;

/* What came of it. */
typedef struct BootOutcome {
        bool begun; /* something may be otherwise than before, after an error too */
        size_t n_written, n_removed;
        StringList notes;    /* for people */
        char *boots_instead; /* the entry that boots next, where that is not the default's; NULL */
} BootOutcome;

int boot_sources_read(const BootListing *listing, const StringList *keys, BootSources *sources,
                      sd_bus_error *reterr_error);
int boot_install_read_loader(const BootPartition *esp, LoaderVersion *version,
                             sd_bus_error *reterr_error);
int boot_install_run(const BootTarget *target, const MenuWish *wish, BootOutcome *outcome,
                     sd_bus_error *reterr_error);
void boot_outcome_done(BootOutcome *outcome);
