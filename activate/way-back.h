#pragma once

#include "history.h"
#include "profile.h"

typedef struct WayBack {
        const char *toplevel; /* store path, which may be gone; NULL if none is known */
        const char *failed;   /* the newest that was passed over, since it has failed; or NULL */
        uint64_t generation;  /* the number, where it goes by that; 0 where by the recorded path */
} WayBack;

int way_back_find(const GenerationList *list, const History *history, const char *running,
                  WayBack *ret);
