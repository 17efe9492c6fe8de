#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "macros.h"
#include "string-list.h"

#define FILE_SMALL_MAX                                                                             \
        ((size_t) 1024 * 1024) /* records, links' side files: what we expect to be short */

const char *file_base_name(const char *path);
int file_readlink(int dir_fd, const char *path, char **ret_target);
int file_realpath(const char *path, char **ret_path);
int file_read(int dir_fd, const char *path, size_t max_bytes, char **ret_text, size_t *ret_n);
int file_read_line(int dir_fd, const char *path, char **ret_line);
int file_write(int dir_fd, const char *path, const char *text, mode_t mode);
int file_append(int fd, const char *text, size_t n);
int file_symlink(int dir_fd, const char *target, const char *name);
int file_remove(const char *directory, const char *name);
int file_remove_temporaries(const char *directory);
int file_make_directories(const char *path, mode_t mode);
int file_open_directory(int dir_fd, const char *path, int *ret_fd);
int file_open_standard(void);
int file_list(int dir_fd, const char *path, StringList *names);
int file_keep_newest(const char *directory, const char *newest, size_t n_kept);
int file_sync_filesystem(const char *path);
