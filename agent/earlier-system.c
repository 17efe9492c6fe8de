/* The system that a rollback leads to: the one that ran before, or that of a generation. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "earlier-system.h"
#include "error.h"
#include "profile.h"
#include "systems.h"
#include "text.h"
#include "variant.h"
#include "way-back.h"

static int by_number(const Systems *systems, const char *word, EarlierSystem *earlier,
                     sd_bus_error *reterr_error) {
        const Generation *g;
        uint64_t number;

        if (text_to_unsigned(word, UINT64_MAX, &number) < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_USAGE,
                        "'%s' is no number of a generation; 'enact generations' lists "
                        "them.",
                        word);
        g = generation_list_find(&systems->generations, number);
        if (!g)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "There is no generation %" PRIu64
                                         "; 'enact generations' lists "
                                         "those there are. Nothing was changed.",
                                         number);
        earlier->generation = number;
        earlier->toplevel = strdup(g->target);
        return earlier->toplevel ? 0 : -ENOMEM;
}

static int by_record(const Systems *systems, EarlierSystem *earlier, sd_bus_error *reterr_error) {
        WayBack way;
        int r;

        r = way_back_find(&systems->generations, &systems->history, systems->running, &way);
        if (r < 0)
                return r;
        if (!way.toplevel && way.failed)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "The system that ran before, '%s', has failed, and no other one is known "
                        "to go back to; name a generation ('enact generations' lists them). "
                        "Nothing was changed.",
                        way.failed);
        if (!way.toplevel)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "No earlier system is known to go back to; name a generation "
                        "('enact generations' lists them). Nothing was changed.");
        if (access(way.toplevel, F_OK) < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_REFUSED,
                        "The system that ran before, '%s', is not in the store any more; name a "
                        "generation ('enact generations' lists them). Nothing was changed.",
                        way.toplevel);
        earlier->generation = way.generation;
        earlier->toplevel = strdup(way.toplevel);
        return earlier->toplevel ? 0 : -ENOMEM;
}

/* One that is not there would be made, and its first generation be the boot default. */
static int check_profile(const char *profile, const Systems *systems, sd_bus_error *reterr_error) {
        if (systems->generations.n > 0 || strcmp(profile, SYSTEM_PROFILE) == 0)
                return 0;
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                 "There is no profile '%s' to roll back: it has no generation. "
                                 "Nothing was changed.",
                                 profile);
}

/**
 * earlier_system_find() - what to go back to
 * @profile: "system"
 * @word:    number of a generation; NULL: what ran before, by its recorded path
 * @earlier: all zero before; earlier_system_done() even after an error
 *
 * Return: 0, or a negative errno with @reterr_error set.
 */
int earlier_system_find(const char *profile, const char *word, EarlierSystem *earlier,
                        sd_bus_error *reterr_error) {
        _cleanup_(systems_done) Systems systems = { 0 };
        _cleanup_free_ char *name = NULL;
        int r;

        r = systems_read(profile, &systems, reterr_error);
        if (r >= 0)
                r = check_profile(profile, &systems, reterr_error);
        if (r < 0)
                return r;
        r = word ? by_number(&systems, word, earlier, reterr_error) :
                   by_record(&systems, earlier, reterr_error);
        if (r >= 0) /* no generation is a specialisation's */
                r = variant_base(profile, earlier->toplevel, &earlier->system, &name);
        if (r >= 0 && earlier->system)
                earlier->generation = 0;
        return r;
}

void earlier_system_done(EarlierSystem *earlier) {
        free(earlier->toplevel);
        free(earlier->system);
        *earlier = (EarlierSystem){ 0 };
}
