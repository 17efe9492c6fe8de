#pragma once

#include <systemd/sd-bus.h>

#include "boot-partition.h"
#include "macros.h"
#include "string-list.h"

/* The loader's two copies on the ESP: the one that systemd names, and the one that firmware starts
 * where nobody has told it of another. */
typedef enum LoaderCopy {
        LOADER_COPY_OWN,      /* EFI/systemd/systemd-bootx64.efi */
        LOADER_COPY_FALLBACK, /* EFI/BOOT/BOOTX64.EFI */
        _LOADER_COPY_MAX,
} LoaderCopy;

/* Where the new one comes from, and where it goes. */
typedef struct LoaderUpdate {
        const BootPartition *esp;
        const char *programs;     /* a folder: "TOPLEVEL/systemd/lib/systemd/boot/efi" */
        const char *architecture; /* "x64"; of loader_update_architecture() */
        int variables_fd;         /* EFI variables; -EBADF: none here */
} LoaderUpdate;

const char *loader_update_architecture(void);
int loader_update_run(const LoaderUpdate *update, StringList *notes, sd_bus_error *reterr_error);
