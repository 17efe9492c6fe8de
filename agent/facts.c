/* Facts of a toplevel for people: what `nixos-rebuild list-generations` shows, read from its files;
 * no program of it is run. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "file.h"
#include "json.h"
#include "text.h"

/* The names in a directory; none where it is missing. */
static int read_names(const char *toplevel, const char *name, StringList *list) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/%s", toplevel, name);
        if (r >= 0)
                r = file_list(AT_FDCWD, path, list);
        return r == -ENOMEM ? r : 0;
}

static int read_version(const char *toplevel, Facts *facts) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_printf(&path, "%s/nixos-version", toplevel);
        if (r >= 0)
                r = file_read_line(AT_FDCWD, path, &facts->version);
        return r == -ENOMEM ? r : 0;
}

/* The one directory below lib/modules has the kernel's own name for itself. */
static int read_kernel(const char *toplevel, Facts *facts) {
        _cleanup_(string_list_done) StringList names = { 0 };
        int r;

        r = read_names(toplevel, "kernel-modules/lib/modules", &names);
        if (r < 0 || names.n == 0)
                return r;
        facts->kernel = strdup(names.items[0]);
        return facts->kernel ? 0 : -ENOMEM;
}

static int take_revision(const char *line, Facts *facts) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const char *revision;
        int r;

        r = json_parse(line, strlen(line), &object);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        revision = json_string(object, "configurationRevision");
        if (!revision || facts->revision)
                return 0;
        facts->revision = strdup(revision);
        return facts->revision ? 0 : -ENOMEM;
}

/* NixOS keeps it nowhere but in its script nixos-version, in the line that `--json` prints. */
static int read_revision(const char *toplevel, Facts *facts) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char *rest;
        int r;

        r = text_printf(&path, "%s/sw/bin/nixos-version", toplevel);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, FILE_SMALL_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                r = *line == '{' ? take_revision(line, facts) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * facts_read() - what a system says of itself
 * @facts: all zero before; facts_done() even after an error
 *
 * What cannot be read is not known, and no error.
 *
 * Return: 0 or -ENOMEM.
 */
int facts_read(const char *toplevel, Facts *facts) {
        int r;

        facts->there = access(toplevel, F_OK) >= 0;
        if (!facts->there)
                return 0;
        r = read_version(toplevel, facts);
        if (r >= 0)
                r = read_kernel(toplevel, facts);
        if (r >= 0)
                r = read_revision(toplevel, facts);
        if (r >= 0)
                r = read_names(toplevel, "specialisation", &facts->specialisations);
        return r;
}

void facts_done(Facts *facts) {
        free(facts->version);
        free(facts->kernel);
        free(facts->revision);
        string_list_done(&facts->specialisations);
        *facts = (Facts){ 0 };
}
