#pragma once

#include <systemd/sd-bus.h>

#include "digest.h"
#include "macros.h"

#define FAT_TEMPORARY_SUFFIX ".tmp"

enum {
        FAT_FILE_ABSENT = 1,  /* answer: there is no file of that name */
        FAT_FILE_DIFFERS = 2, /* answer: its bytes are not those */
};

/* A directory on a FAT file system, open. */
typedef struct FatDirectory {
        int fd;
        const char *path; /* for people */
} FatDirectory;

/* What a file is to hold. */
typedef struct FatSource {
        int fd; /* a file that is read from its start; -EBADF: the bytes */
        const void *bytes;
        Digest digest;
} FatSource;

FatSource fat_source_of_text(const char *text);
int fat_file_add(const FatDirectory *directory, const char *name, const FatSource *source,
                 sd_bus_error *reterr_error);
int fat_file_replace(const FatDirectory *directory, const char *name, const FatSource *source,
                     sd_bus_error *reterr_error);
int fat_file_rename(const FatDirectory *directory, const char *from, const char *to,
                    sd_bus_error *reterr_error);
int fat_file_remove(const FatDirectory *directory, const char *name, sd_bus_error *reterr_error);
int fat_file_check(const FatDirectory *directory, const char *name, const Digest *digest);
int fat_directory_make(const FatDirectory *directory, const char *name, sd_bus_error *reterr_error);
int fat_barrier(const FatDirectory *directory, sd_bus_error *reterr_error);
