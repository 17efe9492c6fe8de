#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "string-list.h"

/* A unit file and its drop-ins, read together: keys in order of section and name. */
typedef struct UnitFile UnitFile;

#define UNIT_FILE_BYTES_MAX ((size_t) 16 * 1024 * 1024)

typedef struct UnitKey {
        const char *section;
        const char *key;
        const char *file;  /* where its last value stands */
        StringList values; /* in order, and never none: "" alone says that it was set to nothing */
} UnitKey;

int unit_file_new(UnitFile **ret);
int unit_file_parse(UnitFile *file, const char *name, const char *text, size_t n);
int unit_file_add_opaque(UnitFile *file, const char *name, const char *fingerprint);
int unit_file_finish(UnitFile *file);

const StringList *unit_file_opaques(const UnitFile *file);
bool unit_file_has_section(const UnitFile *file, const char *section);
const UnitKey *unit_file_section_keys(const UnitFile *file, const char *section, size_t *ret_n);
const UnitKey *unit_file_keys(const UnitFile *file, size_t *ret_n);
const StringList *unit_file_sections(const UnitFile *file);
const UnitKey *unit_file_find(const UnitFile *file, const char *section, const char *key);
const char *unit_file_value(const UnitFile *file, const char *section, const char *key);
bool unit_file_boolean(const UnitFile *file, const char *section, const char *key, bool otherwise);

UnitFile *unit_file_free(UnitFile *file);
DEFINE_CLEANUP(UnitFile *, unit_file_free);
