#pragma once

#include <systemd/sd-bus.h>

#include "history.h"
#include "profile.h"
#include "transaction.h"

#define BOOTED_SYSTEM "/run/booted-system"

/* What a system can be to its host. */
typedef enum Mark {
        MARK_DEFAULT,
        MARK_RUNNING,
        MARK_BOOTED,
        MARK_PINNED,
        MARK_GOOD,     /* the last one that was judged well */
        MARK_ROLLBACK, /* where `enact rollback` leads */
        MARK_OPEN,     /* of a switch that has not ended */
        MARK_FAILED,   /* found bad; kept for those who want to know why */
        _MARK_MAX,
} Mark;

typedef struct MarkedSystem {
        char *path;     /* store path, which may be gone */
        unsigned marks; /* 1 << Mark */
        time_t made;    /* when it was pinned or had failed; 0: unknown */
} MarkedSystem;

typedef struct Marks {
        MarkedSystem *systems; /* each path once */
        size_t n;
        bool open; /* there is a record of a switch that has not ended */
} Marks;

int marks_read(const TransactionPlaces *places, const char *booted, const char *profile,
               Marks *marks, sd_bus_error *reterr_error);
unsigned marks_of(const Marks *marks, const char *path);
const char *mark_to_string(Mark mark);
const char *mark_to_words(Mark mark);
void marks_done(Marks *marks);
