#pragma once

#include <systemd/sd-bus.h>

#include "macros.h"

#define EFI_VARIABLES_DIRECTORY   "/sys/firmware/efi/efivars"
#define EFI_VARIABLE_BYTES_MAX    ((size_t) 4096)

#define EFI_LOADER_ONE_SHOT       "LoaderEntryOneShot"
#define EFI_LOADER_DEFAULT        "LoaderEntryDefault"
#define EFI_LOADER_PREFERRED      "LoaderEntryPreferred"
#define EFI_LOADER_LAST_BOOTED    "LoaderEntryLastBooted"
#define EFI_LOADER_SELECTED       "LoaderEntrySelected"
#define EFI_LOADER_COUNT_PATH     "LoaderBootCountPath"
#define EFI_LOADER_INFO           "LoaderInfo"
#define EFI_LOADER_PARTITION_UUID "LoaderDevicePartUUID"

enum { EFI_VARIABLE_ABSENT = 1 }; /* answer: nobody has set it */

int efi_variables_open(int *ret_fd);
int efi_variable_read(int dir_fd, const char *name, char **ret_text);
int efi_variable_write(int dir_fd, const char *name, const char *text, sd_bus_error *reterr_error);
int efi_variable_delete(int dir_fd, const char *name, sd_bus_error *reterr_error);
