#pragma once

#include <systemd/sd-bus.h>

#include "boot-default.h"
#include "digest.h"
#include "loader-conf.h"
#include "macros.h"

#define BOOT_ENTRIES_FOLDER        "loader/entries"
#define BOOT_UNIFIED_FOLDER        "EFI/Linux"
#define BOOT_PAYLOADS_FOLDER       "EFI/enact" /* ours */
#define BOOT_NIXOS_PAYLOADS_FOLDER "EFI/nixos"
#define BOOT_LOADER_CONF           "loader/loader.conf"
#define BOOT_PAYLOAD_SUFFIX        ".efi"

#define BOOT_LISTING_MAX           4096U /* files of one folder */

/* A kernel, initrd or device tree on the partition. */
typedef struct PayloadFile {
        char *path; /* on the partition: "EFI/enact/NAME" */
        uint64_t size;
        bool verified; /* of ours: its bytes are those that it is named by */
} PayloadFile;

/* What is on a boot partition. */
typedef struct BootListing {
        MenuEntry *entries; /* by file name */
        size_t n_entries;
        PayloadFile *payloads;
        size_t n_payloads;
        StringList leftovers; /* half-written files of ours: paths on the partition */
        LoaderConf conf;      /* of the ESP */
} BootListing;

int boot_listing_read(int menu_fd, int esp_fd, const char *path, BootListing *listing,
                      sd_bus_error *reterr_error);
const PayloadFile *boot_listing_payload(const BootListing *listing, const char *path);
bool payload_name_is_ours(const char *name);
int payload_name_print(const Digest *digest, char **ret_name);
int entry_path_normalise(const char *path, char **ret_path);
bool menu_entry_refers_to(const MenuEntry *entry, const char *path);
void boot_listing_done(BootListing *listing);
