#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "macros.h"
#include "nix-log.h"
#include "progress.h"

typedef struct ProgressView ProgressView;

bool progress_view_is_possible(int fd);
int progress_view_new(int fd, bool colour, uint64_t now_usec, ProgressView **ret);
void progress_view_take(ProgressView *view, const NixEvent *event, uint64_t now_usec);
FILE *progress_view_lines(ProgressView *view);
void progress_view_draw(ProgressView *view, uint64_t now_usec);
const Progress *progress_view_progress(const ProgressView *view);
ProgressView *progress_view_free(ProgressView *view);

DEFINE_CLEANUP(ProgressView *, progress_view_free);
