/*
 * Probes: how a system is asked whether it does its work. They are declared in its enact.json or
 * named on the command line; nothing here asks anything yet.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "probe.h"
#include "text.h"
#include "toplevel.h"
#include "unit-name.h"

#define TARGET_BYTES_MAX 2048U
#define TIMEOUT_USEC     (5 * USEC_PER_SEC)
#define PERIOD_USEC      (1 * USEC_PER_SEC)
#define GRACE_USEC       (10 * USEC_PER_SEC)
#define RETRIES          2U

/* clang-format off */
static const char *const type_names[_PROBE_TYPE_MAX] = {
        [PROBE_EXEC]    = "exec",
        [PROBE_HTTP]    = "http",
        [PROBE_SYSTEMD] = "systemd",
        [PROBE_TCP]     = "tcp",
};

static const char *const wanted_targets[_PROBE_TYPE_MAX] = {
        [PROBE_EXEC]    = ("a program below " STORE_DIRECTORY),
        [PROBE_HTTP]    = "a URL that begins with http:// or https://",
        [PROBE_SYSTEMD] = "the name of a unit",
        [PROBE_TCP]     = "HOST:PORT",
};
/* clang-format on */

const char *probe_type_to_string(ProbeType type) {
        return type_names[type];
}

/** probe_type_from_string() - 0, or -EINVAL for a word that is no type of probe. */
int probe_type_from_string(const char *text, ProbeType *ret_type) {
        for (ProbeType type = 0; type < _PROBE_TYPE_MAX; type++)
                if (strcmp(type_names[type], text) == 0) {
                        *ret_type = type;
                        return 0;
                }
        return -EINVAL;
}

/** probe_target_wanted() - what such a probe is to ask, in words for people. */
const char *probe_target_wanted(ProbeType type) {
        return wanted_targets[type];
}

static bool is_printable(const char *text) {
        for (const char *p = text; *p; p++)
                if (!isgraph((unsigned char) *p) || !isascii((unsigned char) *p))
                        return false;
        return true;
}

/* Nothing but a program that the store holds: what root runs must not be writable by others. A
 * script of its own is a file right there. */
static bool is_store_program(const char *path) {
        const char *below = text_after_prefix(path, STORE_DIRECTORY "/");

        return below && *below && *below != '.' && *below != '/' && !strstr(path, "/../") &&
               !strstr(path, "/./") && !text_has_suffix(path, "/") &&
               !text_has_suffix(path, "/..") && !text_has_suffix(path, "/.");
}

static bool is_url(const char *text) {
        const char *rest = text_after_prefix(text, "http://");

        if (!rest)
                rest = text_after_prefix(text, "https://");
        return rest && *rest && *rest != '/';
}

/* "host:80", "10.0.0.1:80", "[::1]:80". */
static bool is_address(const char *text) {
        const char *colon = strrchr(text, ':');
        uint64_t port;

        if (!colon || colon == text || text_to_unsigned(colon + 1, UINT16_MAX, &port) < 0 ||
            port == 0)
                return false;
        if (*text == '[')
                return colon[-1] == ']' &&
                       strspn(text + 1, "0123456789abcdefABCDEF:.") == (size_t) (colon - text) - 2;
        for (const char *p = text; p < colon; p++)
                if (!isalnum((unsigned char) *p) && !strchr("-._", *p))
                        return false;
        return *text != '-';
}

/** probe_target_is_valid() - whether such a probe could ask this. */
bool probe_target_is_valid(ProbeType type, const char *target) {
        if (strlen(target) > TARGET_BYTES_MAX || !is_printable(target))
                return false;
        switch (type) {
        case PROBE_EXEC:
                return is_store_program(target);
        case PROBE_HTTP:
                return is_url(target);
        case PROBE_SYSTEMD:
                return unit_name_is_valid(target);
        case PROBE_TCP:
                return is_address(target);
        case _PROBE_TYPE_MAX:
                break;
        }
        return false;
}

/** probe_name_is_valid() - whether a probe may be called so: short, and one word or several. */
bool probe_name_is_valid(const char *name) {
        if (!*name || strlen(name) > PROBE_NAME_SIZE_MAX || !text_is_utf8(name))
                return false;
        for (const char *p = name; *p; p++)
                if (iscntrl((unsigned char) *p))
                        return false;
        return true;
}

/** probe_init() - all that need not be said; 0 or -ENOMEM. */
int probe_init(Probe *probe, ProbeType type) {
        *probe = (Probe){
                .type = type,
                .timeout_usec = TIMEOUT_USEC,
                .period_usec = PERIOD_USEC,
                .retries = RETRIES,
                .grace_usec = GRACE_USEC,
        };
        if (type != PROBE_SYSTEMD)
                return 0;
        probe->state = strdup("active");
        return probe->state ? 0 : -ENOMEM;
}

/* A name for what was named on the command line; a long one only in its beginning. */
static int name_after_text(Probe *probe, const char *text) {
        probe->name = strndup(text, PROBE_NAME_SIZE_MAX);
        return probe->name ? 0 : -ENOMEM;
}

/**
 * probe_from_text() - "http:URL", "tcp:HOST:PORT", "systemd:UNIT", "exec:/nix/store/…/program"
 * @probe:      probe_done() even after an error
 * @ret_wanted: after -EINVAL: what was to stand there, for people
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int probe_from_text(const char *text, Probe *probe, const char **ret_wanted) {
        const char *colon = strchr(text, ':');
        _cleanup_free_ char *word = NULL;
        ProbeType type;
        int r;

        *probe = (Probe){ 0 };
        word = strndup(text, colon ? (size_t) (colon - text) : 0);
        if (!word)
                return -ENOMEM;
        if (probe_type_from_string(word, &type) < 0) {
                *ret_wanted = "http:URL, tcp:HOST:PORT, systemd:UNIT or exec:PROGRAM";
                return -EINVAL;
        }
        if (!probe_target_is_valid(type, colon + 1)) {
                *ret_wanted = wanted_targets[type];
                return -EINVAL;
        }

        r = probe_init(probe, type);
        if (r >= 0)
                r = name_after_text(probe, text);
        if (r >= 0 && type == PROBE_EXEC)
                return string_list_add(&probe->command, colon + 1);
        if (r < 0)
                return r;
        probe->target = strdup(colon + 1);
        return probe->target ? 0 : -ENOMEM;
}

/** probe_is_same() - whether two probes ask the same, whatever they are called and how often. */
bool probe_is_same(const Probe *a, const Probe *b) {
        if (a->type != b->type)
                return false;
        return a->type == PROBE_EXEC ? string_list_equal(&a->command, &b->command) :
                                       strcmp(a->target, b->target) == 0;
}

void probe_done(Probe *probe) {
        free(probe->name);
        free(probe->target);
        free(probe->state);
        string_list_done(&probe->command);
        *probe = (Probe){ 0 };
}

/**
 * probes_take() - append one, which is the list's from then on
 *
 * Return: 0, -EEXIST if there is one of that name, -E2BIG past PROBES_MAX, -ENOMEM; then @probe
 * stays the caller's.
 */
int probes_take(Probes *probes, Probe *probe) {
        Probe *items;

        if (probes_find(probes, probe->name))
                return -EEXIST;
        if (probes->n >= PROBES_MAX)
                return -E2BIG;
        items = reallocarray(probes->items, probes->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        probes->items = items;
        items[probes->n++] = *probe;
        *probe = (Probe){ 0 };
        return 0;
}

/** probes_find() - the one of that name, or NULL. */
const Probe *probes_find(const Probes *probes, const char *name) {
        for (size_t i = 0; i < probes->n; i++)
                if (strcmp(probes->items[i].name, name) == 0)
                        return &probes->items[i];
        return NULL;
}

void probes_done(Probes *probes) {
        for (size_t i = 0; i < probes->n; i++)
                probe_done(&probes->items[i]);
        free(probes->items);
        *probes = (Probes){ 0 };
}
