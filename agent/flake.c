/*
 * A flake as a person names it: REF#NAME, or nothing at all. REF is handed to Nix as it is; but
 * what lies on this machine is looked at first, since a mistyped directory or a git repository of
 * somebody else is told better before Nix starts than by its words. Source of the rules: Nix,
 * flakeref.cc.
 */
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "error.h"
#include "file.h"
#include "flake.h"
#include "process.h"
#include "text.h"

#define NOTHING_CHANGED "Nothing was changed."
#define LETTERS         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS          "0123456789"

typedef enum ReferenceKind {
        REFERENCE_PATH, /* a directory; Nix looks above it for flake.nix, and for git around it */
        REFERENCE_PATH_URL, /* path:DIR, copied as it is */
        REFERENCE_GIT_FILE, /* git+file:DIR */
        REFERENCE_ELSEWHERE /* another URL, or a name in a registry: Nix's affair */
} ReferenceKind;

/* A name in a flake registry, with or without /REF or /REV behind it. */
static bool is_registry_name(const char *reference) {
        size_t n = strspn(reference, LETTERS DIGITS "_-");

        if (n == 0 || !strchr(LETTERS, reference[0]))
                return false;
        return reference[n] == '\0' ||
               (reference[n] == '/' && reference[n + 1] != '\0' &&
                reference[n + 1 + strspn(reference + n + 1, LETTERS DIGITS "_./@-")] == '\0');
}

static ReferenceKind reference_kind(const char *reference, const char **ret_path) {
        size_t scheme = strspn(reference, LETTERS DIGITS "+.-");
        const char *path;

        *ret_path = reference;
        if (is_registry_name(reference))
                return REFERENCE_ELSEWHERE;
        if (scheme == 0 || reference[scheme] != ':' || !strchr(LETTERS, reference[0]))
                return REFERENCE_PATH;

        *ret_path = path = reference + scheme + 1;
        if (text_after_prefix(path, "///"))
                *ret_path = path + 2;
        if (strncmp(reference, "path:", scheme + 1) == 0)
                return REFERENCE_PATH_URL;
        if (strncmp(reference, "git+file:", scheme + 1) == 0)
                return REFERENCE_GIT_FILE;
        return REFERENCE_ELSEWHERE;
}

static bool exists_in(const char *directory, const char *name, struct stat *ret) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (text_printf(&path, "%s/%s", directory, name) < 0)
                return false;
        return stat(path, ret ? ret : &st) >= 0;
}

/* One directory up, in place; false at the root. */
static bool go_up(char *directory) {
        char *slash = strrchr(directory, '/');

        if (!slash || directory[1] == '\0')
                return false;
        slash[slash == directory ? 1 : 0] = '\0';
        return true;
}

/* Moves @directory up to the one that has a flake.nix; stops where Nix does. */
static int find_flake_file(char *directory, sd_bus_error *reterr_error) {
        _cleanup_free_ char *start = strdup(directory);
        struct stat first, here;

        if (!start)
                return -ENOMEM;
        if (stat(directory, &first) < 0)
                return -errno;

        while (!exists_in(directory, "flake.nix", NULL))
                if (exists_in(directory, ".git", NULL) || stat(directory, &here) < 0 ||
                    here.st_dev != first.st_dev || !go_up(directory)) {
                        if (strcmp(start, directory) == 0)
                                return sd_bus_error_setf(
                                        reterr_error, ENACT_ERROR_NO_FLAKE,
                                        "There is no flake.nix in '%s'. " NOTHING_CHANGED, start);
                        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                                 "There is no flake.nix in '%s', nor above it up "
                                                 "to '%s'. " NOTHING_CHANGED,
                                                 start, directory);
                }
        return 0;
}

static void user_name(uid_t uid, char *name, size_t n) {
        const struct passwd *user = getpwuid(uid);

        if (user)
                (void) snprintf(name, n, "'%s'", user->pw_name);
        else
                (void) snprintf(name, n, "uid %u", uid);
}

/* git trusts what belongs to the caller and, for root under sudo, what belongs to who called sudo.
 */
static bool git_trusts_owner(uid_t uid) {
        const char *sudo = getenv("SUDO_UID");
        uint64_t sudo_uid;

        if (uid == geteuid())
                return true;
        return geteuid() == 0 && sudo && text_to_unsigned(sudo, UINT32_MAX, &sudo_uid) >= 0 &&
               sudo_uid == uid;
}

/* Whether `git -C root ARGUMENT…` succeeds; negative if it cannot be run. */
static int git_agrees(const char *root, const char *const *words, size_t n) {
        _cleanup_(string_list_done) StringList arguments = { 0 };
        int r, status;
        pid_t pid;

        for (size_t i = 0; i < 3 + n; i++) {
                r = string_list_add(&arguments, i == 0 ? "git" :
                                                i == 1 ? "-C" :
                                                i == 2 ? root :
                                                         words[i - 3]);
                if (r < 0)
                        return r;
        }

        r = process_start(&arguments, &PROCESS_OPTIONS_NULL, &pid);
        if (r < 0)
                return r;
        r = process_wait(pid, &status);
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Only git can tell what its safe.directory settings allow; where it cannot be run that is left to
 * Nix, which may have a git of its own. */
static int git_opens(const char *root) {
        static const char *const words[] = { "rev-parse", "--git-dir" };
        int r = git_agrees(root, words, ELEMENTSOF(words));

        return r < 0 && r != -ENOMEM ? true : r;
}

static int check_git_owner(const char *root, sd_bus_error *reterr_error) {
        char owner[LOGIN_NAME_MAX + 16], caller[LOGIN_NAME_MAX + 16];
        struct stat tree, git;
        int r;

        if (stat(root, &tree) < 0)
                return -errno;
        if (!exists_in(root, ".git", &git))
                git = tree;
        if (git_trusts_owner(tree.st_uid) && git_trusts_owner(git.st_uid))
                return 0;

        r = git_opens(root);
        if (r != 0)
                return r < 0 ? r : 0;

        user_name(git_trusts_owner(tree.st_uid) ? git.st_uid : tree.st_uid, owner, sizeof(owner));
        user_name(geteuid(), caller, sizeof(caller));
        return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                 "The git repository '%s' belongs to %s, and git does not open it "
                                 "for %s. Build as its owner, or allow it: "
                                 "git config --global --add safe.directory '%s'. " NOTHING_CHANGED,
                                 root, owner, caller, root);
}

/* The git repository around a flake, as Nix looks for it; none is fine. */
static int check_git_around(char *directory, sd_bus_error *reterr_error) {
        do
                if (exists_in(directory, ".git", NULL))
                        return check_git_owner(directory, reterr_error);
        while (go_up(directory));
        return 0;
}

static int open_directory(const char *path, char **ret_path, sd_bus_error *reterr_error) {
        _cleanup_free_ char *real = NULL;
        struct stat st;
        int r;

        r = file_realpath(path, &real);
        if (r == -ENOMEM)
                return r;
        if (r == -ENOENT)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "There is no directory '%s'. " NOTHING_CHANGED, path);
        if (r < 0)
                return sd_bus_error_setf(
                        reterr_error, ENACT_ERROR_NO_FLAKE,
                        "Cannot open the flake directory '%s': %s. " NOTHING_CHANGED, path,
                        strerror(-r));

        if (stat(real, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "'%s' is not a directory. " NOTHING_CHANGED, path);

        *ret_path = TAKE_PTR(real);
        return 0;
}

/**
 * flake_check() - whether Nix will find the flake that @reference names
 * @reference: without '#'
 *
 * Looks only at what lies on this machine and runs git only where an owner looks wrong. A reference
 * with an escaped path is left to Nix.
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int flake_check(const char *reference, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL, *directory = NULL;
        const char *start;
        ReferenceKind kind;
        int r;

        assert(reference);

        kind = reference_kind(reference, &start);
        if (kind == REFERENCE_ELSEWHERE)
                return 0;
        if (kind != REFERENCE_PATH && strchr(start, '%'))
                return 0;

        path = strndup(start, strcspn(start, "?"));
        if (!path)
                return -ENOMEM;
        r = open_directory(*path ? path : ".", &directory, reterr_error);
        if (r < 0)
                return r;

        if (kind == REFERENCE_GIT_FILE)
                return check_git_owner(directory, reterr_error);
        if (strchr(start, '?')) /* the flake may lie in its ?dir= */
                return kind == REFERENCE_PATH ? check_git_around(directory, reterr_error) : 0;
        if (kind == REFERENCE_PATH_URL) {
                if (exists_in(directory, "flake.nix", NULL))
                        return 0;
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "There is no flake.nix in '%s'. " NOTHING_CHANGED,
                                         directory);
        }

        r = find_flake_file(directory, reterr_error);
        if (r < 0)
                return r;
        return check_git_around(directory, reterr_error);
}

/* People name the file; Nix wants its directory. */
static void drop_flake_file(char *reference) {
        const char *path;
        char *base;
        struct stat st;

        if (reference_kind(reference, &path) == REFERENCE_ELSEWHERE)
                return;

        base = strrchr(path, '/');
        base = base ? base + 1 : (char *) path;
        if (strcmp(base, "flake.nix") != 0 || stat(path, &st) < 0 || S_ISDIR(st.st_mode))
                return;

        if (base == path)
                strcpy(base, ".");
        else if (base - 1 == path)
                *base = '\0'; /* of the root directory */
        else
                base[-1] = '\0';
}

/* @text is what follows the '#'; quotes as Nix' own attribute paths have them are taken off. */
static int parse_name(const char *text, char **ret_name, sd_bus_error *reterr_error) {
        size_t n = strlen(text);

        if (n >= 2 && text[0] == '"' && text[n - 1] == '"') {
                text++;
                n -= 2;
        }
        if (memchr(text, '"', n))
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE,
                                         "Cannot name a configuration %s: Nix has no way to write "
                                         "a '\"' in an attribute path. " NOTHING_CHANGED,
                                         text);
        if (n == 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_USAGE,
                                         "The name of a configuration is empty. " NOTHING_CHANGED);

        *ret_name = strndup(text, n);
        return *ret_name ? 0 : -ENOMEM;
}

/**
 * flake_find_default() - the flake of somebody who names none
 * @system_file:  FLAKE_SYSTEM_FILE, but in tests; links are followed, so that a linked
 *                /etc/nixos/flake.nix leads to the repository it lies in
 * @ret_argument: REF or REF#NAME; owned by the caller
 *
 * Return: 0; FLAKE_NONE if there is none; negative with a sentence in @reterr_error.
 */
int flake_find_default(const char *system_file, char **ret_argument, sd_bus_error *reterr_error) {
        static const char *const variables[] = { "ENACT_FLAKE", "NH_OS_FLAKE", "NH_FLAKE" };
        _cleanup_free_ char *file = NULL;
        struct stat st;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                const char *value = getenv(variables[i]);

                if (value && *value) {
                        *ret_argument = strdup(value);
                        return *ret_argument ? 0 : -ENOMEM;
                }
        }

        if (lstat(system_file, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
                return FLAKE_NONE;
        r = file_realpath(system_file, &file);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_NO_FLAKE,
                                         "No flake was named, and '%s' cannot be opened: %s. "
                                         "Use --flake to name one, or --no-flake. " NOTHING_CHANGED,
                                         system_file, strerror(-r));

        (void) go_up(file);
        *ret_argument = TAKE_PTR(file);
        return 0;
}

/**
 * flake_new() - what a person means by --flake
 * @argument:  REF[#NAME] as it was typed
 * @host_name: stands in for a missing NAME, as it is (nixos-rebuild does not cut it at a dot
 * either); NULL or empty: "default", as nixos-rebuild has it
 * @ret:       owned by the caller
 *
 * Return: 0, or negative with a sentence in @reterr_error.
 */
int flake_new(const char *argument, const char *host_name, Flake **ret,
              sd_bus_error *reterr_error) {
        _cleanup_(flake_freep) Flake *f = NULL;
        const char *hash;
        int r;

        assert(argument && ret);

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;

        hash = argument + strcspn(argument, "#");
        if (hash == argument)
                f->reference = strdup("."); /* "#web": newer Nix takes it so too */
        else
                f->reference = strndup(argument, (size_t) (hash - argument));
        if (!f->reference)
                return -ENOMEM;
        drop_flake_file(f->reference);

        f->name_is_default = hash[0] == '\0' || hash[1] == '\0';
        if (!f->name_is_default)
                r = parse_name(hash + 1, &f->name, reterr_error);
        else
                r = parse_name(host_name && *host_name ? host_name : "default", &f->name,
                               reterr_error);
        if (r < 0)
                return r;

        r = flake_check(f->reference, reterr_error);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}

Flake *flake_free(Flake *f) {
        if (!f)
                return NULL;

        free(f->reference);
        free(f->name);
        free(f);
        return NULL;
}

/**
 * flake_installable() - what `nix build` is told to build
 * @set:             "nixosConfigurations"
 * @attribute:       "config.system.build.toplevel"; NULL: the configuration itself
 * @ret_installable: REF#SET."NAME".ATTRIBUTE; owned by the caller
 *
 * The name is percent-encoded: Nix decodes the fragment, and some of its versions refuse '%', '^',
 * '[', '$' and letters beyond ASCII in it. Between quotes Nix knows no escapes.
 *
 * Return: 0 or -ENOMEM.
 */
int flake_installable(const Flake *f, const char *set, const char *attribute,
                      char **ret_installable) {
        _cleanup_free_ char *name = malloc(3 * strlen(f->name) + 1);
        char *end = name;

        if (!name)
                return -ENOMEM;

        for (const unsigned char *p = (const unsigned char *) f->name; *p; p++)
                if (strchr(LETTERS DIGITS "-._~@+", *p))
                        *end++ = (char) *p;
                else
                        end += sprintf(end, "%%%02X", *p);
        *end = '\0';

        return text_printf(ret_installable, "%s#%s.\"%s\"%s%s", f->reference, set, name,
                           attribute ? "." : "", attribute ? attribute : "");
}

/**
 * flake_hint() - why Nix may not find a flake that is there
 * @ret_hint: a sentence and a newline, owned by the caller; NULL if there is nothing to say
 *
 * For after a failed evaluation: of a git repository Nix sees only what git tracks.
 *
 * Return: 0 or -ENOMEM.
 */
int flake_hint(const Flake *f, char **ret_hint) {
        static const char *const words[] = { "ls-files", "--error-unmatch", "flake.nix" };
        _cleanup_free_ char *directory = NULL, *above = NULL;
        const char *start;
        bool in_git;

        *ret_hint = NULL;
        if (reference_kind(f->reference, &start) != REFERENCE_PATH || strchr(start, '?'))
                return 0;
        if (file_realpath(start, &directory) < 0 || find_flake_file(directory, NULL) < 0)
                return 0;

        above = strdup(directory);
        if (!above)
                return -ENOMEM;
        do
                in_git = exists_in(above, ".git", NULL);
        while (!in_git && go_up(above));
        if (!in_git || git_agrees(directory, words, ELEMENTSOF(words)) != 0)
                return 0;

        return text_printf(ret_hint,
                           "git does not track '%s/flake.nix', and Nix sees only what it tracks: "
                           "git add it.\n",
                           directory);
}

/**
 * flake_directory() - where a flake's flake.nix and flake.lock lie
 * @ret_directory: owned by the caller
 *
 * Return: 0; FLAKE_NONE if that is not on this machine; negative with a sentence in @reterr_error.
 */
int flake_directory(const Flake *f, char **ret_directory, sd_bus_error *reterr_error) {
        _cleanup_free_ char *path = NULL, *directory = NULL;
        const char *start, *below;
        ReferenceKind kind = reference_kind(f->reference, &start);
        int r;

        if (kind == REFERENCE_ELSEWHERE || (kind != REFERENCE_PATH && strchr(start, '%')))
                return FLAKE_NONE;
        path = strndup(start, strcspn(start, "?"));
        if (!path)
                return -ENOMEM;
        r = open_directory(*path ? path : ".", &directory, reterr_error);
        if (r < 0)
                return r;
        below = strstr(start + strlen(path), "?dir=");
        if (!below)
                below = strstr(start + strlen(path), "&dir=");
        if (below) {
                below += strlen("?dir=");
                return text_printf(ret_directory, "%s/%.*s", directory, (int) strcspn(below, "&"),
                                   below);
        }
        if (kind == REFERENCE_PATH) {
                r = find_flake_file(directory, reterr_error);
                if (r < 0)
                        return r;
        }
        *ret_directory = TAKE_PTR(directory);
        return 0;
}
