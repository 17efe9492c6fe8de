#pragma once

#include <stddef.h>

#include "macros.h"
#include "string-list.h"

#define LOADER_CONF_BYTES_MAX ((size_t) 64 * 1024)

/* loader.conf, with every line as it stands, whoever wrote it. */
typedef struct LoaderConf {
        StringList lines; /* without their line ends */
} LoaderConf;

int loader_conf_parse(const char *text, size_t n, LoaderConf *conf);
int loader_conf_get(const LoaderConf *conf, const char *key, char **ret_value);
int loader_conf_set(LoaderConf *conf, const char *key, const char *value);
int loader_conf_print(const LoaderConf *conf, char **ret_text);
void loader_conf_done(LoaderConf *conf);
