/*
 * What differs between two generations, or any two systems: packages with their versions and sizes,
 * units, and what only a reboot brings. Needs Nix for the packages, and no root.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "closure.h"
#include "error.h"
#include "facts.h"
#include "file.h"
#include "generations-diff.h"
#include "json.h"
#include "package-diff.h"
#include "reboot.h"
#include "systems.h"
#include "text.h"
#include "unit-changes.h"

#define KEYS_SHOWN_MAX 6U

typedef struct Side {
        uint64_t generation; /* 0: a path that was named as such */
        char *toplevel;
        Closure closure;
} Side;

typedef struct Difference {
        Side old, new;
        PackageDiff packages;
        UnitChanges units;
        RebootReasons reboot;
} Difference;

static void side_done(Side *side) {
        free(side->toplevel);
        closure_done(&side->closure);
}

static void difference_done(Difference *d) {
        side_done(&d->old);
        side_done(&d->new);
        package_diff_done(&d->packages);
        unit_changes_done(&d->units);
        reboot_reasons_done(&d->reboot);
}

static int take_generation(const Systems *systems, uint64_t number, Side *side,
                           sd_bus_error *reterr_error) {
        const Generation *g = generation_list_find(&systems->generations, number);

        if (!g)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "There is no generation %" PRIu64
                                         "; 'enact generations' lists those there are.",
                                         number);
        side->generation = number;
        side->toplevel = strdup(g->target);
        return side->toplevel ? 0 : -ENOMEM;
}

static int take_word(const Systems *systems, const char *word, Side *side,
                     sd_bus_error *reterr_error) {
        uint64_t number;
        int r;

        if (text_to_unsigned(word, UINT64_MAX, &number) >= 0)
                return take_generation(systems, number, side, reterr_error);
        if (!strchr(word, '/'))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE,
                                         "'%s' is no number of a generation and no path of a "
                                         "system; 'enact generations' lists them.",
                                         word);
        r = file_realpath(word, &side->toplevel);
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "No system at '%s': %s.", word, strerror(-r));
        return 0;
}

static int take_current(const Systems *systems, Side *side, sd_bus_error *reterr_error) {
        if (!systems->current)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_REFUSED,
                                         "The profile has no current generation to compare with; "
                                         "name two.");
        for (size_t i = 0; i < systems->generations.n; i++)
                if (systems->generations.items[i].current)
                        side->generation = systems->generations.items[i].number;
        side->toplevel = strdup(systems->current);
        return side->toplevel ? 0 : -ENOMEM;
}

/* "A", "A B" or "A..B" */
static int take_words(const Systems *systems, char *const words[], int n_words, Difference *d,
                      sd_bus_error *reterr_error) {
        const char *dots = n_words == 1 && !strchr(words[0], '/') ? strstr(words[0], "..") : NULL;
        _cleanup_free_ char *first =
                dots ? strndup(words[0], (size_t) (dots - words[0])) : strdup(words[0]);
        const char *second = dots ? dots + 2 : n_words == 2 ? words[1] : NULL;
        int r;

        if (!first)
                return -ENOMEM;
        r = take_word(systems, first, &d->old, reterr_error);
        if (r < 0)
                return r;
        return second ? take_word(systems, second, &d->new, reterr_error) :
                        take_current(systems, &d->new, reterr_error);
}

static int read_side(Side *side, sd_bus_error *reterr_error) {
        _cleanup_(facts_done) Facts facts = { 0 };
        int r;

        r = facts_read(side->toplevel, &facts);
        if (r < 0)
                return r;
        if (!facts.there)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "'%s' is not in the store any more: nothing is known of "
                                         "what it was.",
                                         side->toplevel);
        if (!facts.version)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NOT_A_SYSTEM,
                                         "'%s' is no NixOS system: it has no file 'nixos-version'.",
                                         side->toplevel);
        return closure_read(side->toplevel, &side->closure, reterr_error);
}

static int compare(Difference *d, sd_bus_error *reterr_error) {
        int r;

        r = read_side(&d->old, reterr_error);
        if (r >= 0)
                r = read_side(&d->new, reterr_error);
        if (r >= 0)
                r = package_diff_make(&d->old.closure, &d->new.closure, &d->packages);
        if (r >= 0)
                r = reboot_reasons(d->old.toplevel, d->new.toplevel, NULL, &d->reboot);
        if (r >= 0)
                r = unit_changes_read(d->old.toplevel, d->new.toplevel, &d->units);
        if (r < 0 && r != -ENOMEM && !sd_bus_error_is_set(reterr_error))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_FAILED,
                                         "Cannot compare '%s' with '%s': %s", d->old.toplevel,
                                         d->new.toplevel, strerror(-r));
        return r;
}

static const char *size_text(uint64_t bytes, char text[static 32]) {
        static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
        double value = (double) bytes;
        size_t unit = 0;

        while (value >= 1024 && unit + 1 < ELEMENTSOF(units)) {
                value /= 1024;
                unit++;
        }
        (void) snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
        return text;
}

static void print_growth(FILE *f, int64_t bytes) {
        char text[32];

        fprintf(f, "%c%s", bytes < 0 ? '-' : '+',
                size_text(bytes < 0 ? -(uint64_t) bytes : (uint64_t) bytes, text));
}

/* Others have written it: nothing in it may reach a terminal as a command. */
static void print_clean(FILE *f, const char *text) {
        _cleanup_free_ char *clean = strdup(text);

        if (!clean)
                return;
        text_strip_controls(clean);
        fputs(clean, f);
}

static void print_versions(FILE *f, const StringList *versions) {
        if (versions->n == 0)
                fputs("none", f);
        for (size_t i = 0; i < versions->n; i++) {
                fputs(i > 0 ? ", " : "", f);
                print_clean(f, *versions->items[i] ? versions->items[i] : "without version");
        }
}

static void print_packages(FILE *f, const PackageDiff *diff) {
        if (diff->n > 0)
                fputs("packages\n", f);
        for (size_t i = 0; i < diff->n; i++) {
                const PackageChange *change = &diff->changes[i];

                fputs("  ", f);
                print_clean(f, change->name);
                fputs(": ", f);
                if (change->old.n > 0 || change->new.n > 0) {
                        print_versions(f, &change->old);
                        fputs(" -> ", f);
                        print_versions(f, &change->new);
                        fputs(", ", f);
                }
                print_growth(f, change->bytes);
                fputc('\n', f);
        }
}

static void print_units(FILE *f, const UnitChanges *changes) {
        if (changes->n > 0)
                fputs("units\n", f);
        for (size_t i = 0; i < changes->n; i++) {
                const UnitChangeEntry *entry = &changes->items[i];

                fprintf(f, "  %-8s  ", entry->how);
                print_clean(f, entry->unit);
                fputs(entry->user ? " (of users)" : "", f);
                for (size_t k = 0; k < entry->keys.n && k < KEYS_SHOWN_MAX; k++) {
                        fputs(k == 0 ? ": " : ", ", f);
                        print_clean(f, entry->keys.items[k]);
                }
                fputs(entry->keys.n > KEYS_SHOWN_MAX ? ", …\n" : "\n", f);
        }
}

static void print_reboot(FILE *f, const Difference *d) {
        _cleanup_(facts_done) Facts old = { 0 }, new = { 0 };

        if (d->reboot.n == 0 || facts_read(d->old.toplevel, &old) < 0 ||
            facts_read(d->new.toplevel, &new) < 0)
                return;
        fputs("in effect after a reboot\n", f);
        for (size_t i = 0; i < d->reboot.n; i++) {
                const RebootReason *reason = &d->reboot.items[i];
                bool kernel = strcmp(reason->what, "kernel") == 0 && old.kernel && new.kernel;

                fprintf(f, "  %s: ", reason->what);
                print_clean(f, kernel ? old.kernel : *reason->booted ? reason->booted : "none");
                fputs(" -> ", f);
                print_clean(f, kernel ? new.kernel : *reason->wanted ? reason->wanted : "none");
                fputc('\n', f);
        }
}

static void print_side(FILE *f, const char *title, const Side *side) {
        char bytes[32];

        fprintf(f, "%-4s ", title);
        if (side->generation > 0)
                fprintf(f, "generation %" PRIu64 ", ", side->generation);
        fprintf(f, "%s, %s\n", side->toplevel, size_text(closure_bytes(&side->closure), bytes));
}

static void print_text(FILE *f, const Difference *d) {
        print_side(f, "from", &d->old);
        print_side(f, "to", &d->new);
        if (strcmp(d->old.toplevel, d->new.toplevel) == 0) {
                fputs("They are the same system.\n", f);
                return;
        }
        print_packages(f, &d->packages);
        print_units(f, &d->units);
        print_reboot(f, d);
        fputs("size ", f);
        print_growth(f,
                     (int64_t) (closure_bytes(&d->new.closure) - closure_bytes(&d->old.closure)));
        fputc('\n', f);
}

static cJSON *add_object(cJSON *array) {
        cJSON *object = cJSON_CreateObject();

        if (object && cJSON_AddItemToArray(array, object))
                return object;
        cJSON_Delete(object);
        return NULL;
}

static int add_side(cJSON *object, const char *key, const Side *side) {
        cJSON *item = cJSON_AddObjectToObject(object, key);

        return item &&
                               (side->generation > 0 ?
                                        cJSON_AddNumberToObject(item, "generation",
                                                                (double) side->generation) :
                                        cJSON_AddNullToObject(item, "generation")) &&
                               cJSON_AddStringToObject(item, "toplevel", side->toplevel) &&
                               cJSON_AddNumberToObject(item, "bytes",
                                                       (double) closure_bytes(&side->closure)) ?
                       0 :
                       -ENOMEM;
}

static int add_packages(cJSON *object, const PackageDiff *diff) {
        cJSON *array = cJSON_AddArrayToObject(object, "packages");

        for (size_t i = 0; array && i < diff->n; i++) {
                const PackageChange *change = &diff->changes[i];
                cJSON *item = add_object(array);

                if (!item || !cJSON_AddStringToObject(item, "name", change->name) ||
                    json_add_strings(item, "old", &change->old) < 0 ||
                    json_add_strings(item, "new", &change->new) < 0 ||
                    !cJSON_AddNumberToObject(item, "bytes", (double) change->bytes))
                        return -ENOMEM;
        }
        return array ? 0 : -ENOMEM;
}

static int add_units(cJSON *object, const UnitChanges *changes) {
        cJSON *array = cJSON_AddArrayToObject(object, "units");

        for (size_t i = 0; array && i < changes->n; i++) {
                const UnitChangeEntry *entry = &changes->items[i];
                cJSON *item = add_object(array);

                if (!item || !cJSON_AddStringToObject(item, "unit", entry->unit) ||
                    !cJSON_AddBoolToObject(item, "user", entry->user) ||
                    !cJSON_AddStringToObject(item, "how", entry->how) ||
                    json_add_strings(item, "keys", &entry->keys) < 0)
                        return -ENOMEM;
        }
        return array ? 0 : -ENOMEM;
}

static int add_reboot(cJSON *object, const RebootReasons *reasons) {
        cJSON *array = cJSON_AddArrayToObject(object, "reboot");

        for (size_t i = 0; array && i < reasons->n; i++) {
                const RebootReason *reason = &reasons->items[i];
                cJSON *item = add_object(array);

                if (!item || !cJSON_AddStringToObject(item, "what", reason->what) ||
                    !cJSON_AddBoolToObject(item, "hard", reason->hard) ||
                    !cJSON_AddStringToObject(item, "old", reason->booted) ||
                    !cJSON_AddStringToObject(item, "new", reason->wanted))
                        return -ENOMEM;
        }
        return array ? 0 : -ENOMEM;
}

static int print_json(const Difference *d) {
        _cleanup_(cJSON_Deletep) cJSON *object = cJSON_CreateObject();
        _cleanup_free_ char *line = NULL;
        int r;

        if (!object || !cJSON_AddNumberToObject(object, "version", 1))
                return -ENOMEM;
        r = add_side(object, "from", &d->old);
        if (r >= 0)
                r = add_side(object, "to", &d->new);
        if (r >= 0)
                r = add_packages(object, &d->packages);
        if (r >= 0)
                r = add_units(object, &d->units);
        if (r >= 0)
                r = add_reboot(object, &d->reboot);
        if (r >= 0)
                r = json_print(object, &line);
        if (r >= 0)
                puts(line);
        return r;
}

/**
 * generations_diff() - print what differs between two systems, for people or as one JSON object
 * @words: one or two: numbers of generations or paths of systems; or one "A..B". The second one is
 *         the current generation where it is missing
 *
 * Return: 0, or a negative errno, with @reterr_error set but without memory.
 */
int generations_diff(const Options *options, char *const words[], int n_words,
                     sd_bus_error *reterr_error) {
        _cleanup_(difference_done) Difference d = { 0 };
        _cleanup_(systems_done) Systems systems = { 0 };
        int r;

        r = systems_read(options->profile, &systems, reterr_error);
        if (r >= 0)
                r = take_words(&systems, words, n_words, &d, reterr_error);
        if (r >= 0)
                r = compare(&d, reterr_error);
        if (r < 0)
                return r;
        if (options->json)
                return print_json(&d);
        print_text(stdout, &d);
        return 0;
}

/**
 * generations_diff_packages() - print which packages differ between two systems, for people
 * @f: where to
 *
 * Return: 0, or a negative errno, with @reterr_error set but without memory.
 */
int generations_diff_packages(const char *from, const char *to, FILE *f,
                              sd_bus_error *reterr_error) {
        _cleanup_(difference_done) Difference d = { 0 };
        int r;

        d.old.toplevel = strdup(from);
        d.new.toplevel = strdup(to);
        if (!d.old.toplevel || !d.new.toplevel)
                return -ENOMEM;
        r = compare(&d, reterr_error);
        if (r < 0)
                return r;
        if (d.packages.n == 0)
                fputs("packages\n  no difference\n", f);
        print_packages(f, &d.packages);
        print_reboot(f, &d);
        fputs("size ", f);
        print_growth(f, (int64_t) (closure_bytes(&d.new.closure) - closure_bytes(&d.old.closure)));
        fputc('\n', f);
        return 0;
}

/**
 * generations_diff_to_json() - the same for programs: the keys "packages", "reboot" and "bytes"
 * @object: what they are added to
 *
 * Return: as generations_diff_packages().
 */
int generations_diff_to_json(const char *from, const char *to, cJSON *object,
                             sd_bus_error *reterr_error) {
        _cleanup_(difference_done) Difference d = { 0 };
        int r;

        d.old.toplevel = strdup(from);
        d.new.toplevel = strdup(to);
        if (!d.old.toplevel || !d.new.toplevel)
                return -ENOMEM;
        r = compare(&d, reterr_error);
        if (r >= 0)
                r = add_packages(object, &d.packages);
        if (r >= 0)
                r = add_reboot(object, &d.reboot);
        if (r >= 0 && !cJSON_AddNumberToObject(object, "bytes",
                                               (double) closure_bytes(&d.new.closure) -
                                                       (double) closure_bytes(&d.old.closure)))
                return -ENOMEM;
        return r;
}
