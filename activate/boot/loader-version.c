/*
 * The loader's version: a boot entry that is safe with one is an endless loop with another, so it
 * is read where it stands, in the binary on the partition or in what the running one said.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "loader-version.h"
#include "text.h"

#define MARK_BEFORE   "#### LoaderInfo: "
#define MARK_BEHIND   " ####"
#define PROGRAM       "systemd-boot "
#define TEXT_MAX      ((size_t) 128)
#define NUMBER_MAX    UINT64_C(100000)

#define SINCE_COUNTS  239U
#define SINCE_PREFERS 260U

static unsigned read_number(const char *text, const char **ret_behind) {
        size_t n = strspn(text, "0123456789");
        _cleanup_free_ char *digits = strndup(text, n);
        uint64_t number = 0;

        *ret_behind = text + n;
        if (digits && text_to_unsigned(digits, NUMBER_MAX, &number) < 0)
                number = 0;
        return (unsigned) number;
}

/**
 * loader_version_parse() - read what LoaderInfo says
 * @version: all zero before; loader_version_done() even after an error
 *
 * Another loader has a text and no number.
 *
 * Return: 0 or -ENOMEM.
 */
int loader_version_parse(const char *text, LoaderVersion *version) {
        const char *behind = text_after_prefix(text, PROGRAM);

        version->text = strndup(text, TEXT_MAX);
        if (!version->text)
                return -ENOMEM;
        text_strip_controls(version->text);
        if (!behind)
                return 0;
        version->major = read_number(behind, &behind);
        if (*behind == '.')
                version->minor = read_number(behind + 1, &behind);
        return 0;
}

/**
 * loader_version_from_binary() - the same from the loader's program
 *
 * Return: 0, -ENOENT if it does not say, -ENOMEM.
 */
int loader_version_from_binary(const void *bytes, size_t n, LoaderVersion *version) {
        const char *at, *end = (const char *) bytes + n;
        const char *behind;

        at = memmem(bytes, n, MARK_BEFORE, strlen(MARK_BEFORE));
        if (!at)
                return -ENOENT;
        at += strlen(MARK_BEFORE);
        behind = memmem(at, (size_t) (end - at) < TEXT_MAX ? (size_t) (end - at) : TEXT_MAX,
                        MARK_BEHIND, strlen(MARK_BEHIND));
        if (!behind)
                return -ENOENT;

        {
                _cleanup_free_ char *text = strndup(at, (size_t) (behind - at));

                return text ? loader_version_parse(text, version) : -ENOMEM;
        }
}

/** loader_version_counts() - whether it lowers the counter of an entry before it boots it. */
bool loader_version_counts(const LoaderVersion *version) {
        return version->major >= SINCE_COUNTS;
}

/* An entry with a counter is called without it, so that an exact default finds a bad one, too.
 * Source: systemd#38897, in 259 and 258.3. */
bool loader_version_hides_counters(const LoaderVersion *version) {
        return version->major >= 259 || (version->major == 258 && version->minor >= 3);
}

/** loader_version_prefers() - whether it knows "preferred", which passes over bad entries. */
bool loader_version_prefers(const LoaderVersion *version) {
        return version->major >= SINCE_PREFERS;
}

void loader_version_done(LoaderVersion *version) {
        free(version->text);
        *version = (LoaderVersion){ 0 };
}
