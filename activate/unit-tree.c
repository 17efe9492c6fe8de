/*
 * A tree of unit files, as NixOS makes one for each system. It is listed once, so that the many
 * units without drop-ins cost no system call for them.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "file.h"
#include "text.h"
#include "unit-name.h"
#include "unit-tree.h"

#define DROP_INS_SUFFIX ".d"
#define ALIAS_STEPS_MAX 16U /* of links that lead on; a circle ends there */

static bool is_for_wants(const char *name) {
        return text_has_suffix(name, ".target.wants") ||
               text_has_suffix(name, ".target.requires") ||
               text_has_suffix(name, ".target.upholds");
}

static int add_name(UnitTree *tree, const char *name) {
        if (*name != '.' && is_for_wants(name))
                return string_list_add(&tree->wants, name);
        if (*name == '.' || !text_has_suffix(name, DROP_INS_SUFFIX))
                return 0;
        if (strstr(name, "-.") || strstr(name, "-@"))
                tree->has_prefixes = true;
        return string_list_take(&tree->stems,
                                strndup(name, strlen(name) - strlen(DROP_INS_SUFFIX)));
}

static int open_list(const UnitTree *tree, DIR **ret) {
        int copy_fd, r;

        copy_fd = openat(tree->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy_fd < 0)
                return -errno;
        *ret = fdopendir(copy_fd);
        if (*ret)
                return 0;
        r = -errno;
        (void) close(copy_fd);
        return r;
}

static int read_names(UnitTree *tree) {
        const struct dirent *entry;
        DIR *dir;
        int r;

        r = open_list(tree, &dir);
        if (r < 0)
                return r;
        while (r >= 0 && (entry = readdir(dir)))
                r = add_name(tree, entry->d_name);
        (void) closedir(dir);
        if (r < 0)
                return r;
        string_list_sort(&tree->stems);
        string_list_sort(&tree->wants);
        return 0;
}

/* Whether it could be the name of an entry: names come from anywhere, and must not lead elsewhere.
 */
static bool is_name(const char *name) {
        return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

static bool has_entry(const UnitTree *tree, const char *name) {
        struct stat st;

        return is_name(name) && fstatat(tree->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0;
}

#define DIRECTORY(path)                                                                            \
        { path, sizeof(path) - 1 }

/* The unit that a link names, if it leads to one of systemd's own directories of units: whichever
 * it is, the name is looked for in all of them. A link to anywhere else is where the content is. */
static const char *unit_of_link(const char *target) {
        static const struct {
                const char *path;
                size_t n; /* its length: it is asked of all units there are */
        } directories[] = {
                DIRECTORY("./"),
                DIRECTORY("/etc/systemd/system/"),
                DIRECTORY("/etc/systemd/user/"),
                DIRECTORY("/run/systemd/system/"),
                DIRECTORY("/run/systemd/user/"),
                DIRECTORY("/usr/local/lib/systemd/system/"),
                DIRECTORY("/usr/local/lib/systemd/user/"),
                DIRECTORY("/usr/lib/systemd/system/"),
                DIRECTORY("/usr/lib/systemd/user/"),
                DIRECTORY("/lib/systemd/system/"),
                DIRECTORY("/lib/systemd/user/"),
        };
        const char *slash = strrchr(target, '/');
        size_t n = slash ? (size_t) (slash + 1 - target) : 0;

        for (size_t i = 0; n > 0 && i < ELEMENTSOF(directories); i++)
                if (directories[i].n == n && memcmp(target, directories[i].path, n) == 0)
                        return slash + 1;
        return slash ? NULL : target;
}

/* What a name is a link to: an instance without an entry of its own is what its template is. */
static int read_link(const UnitTree *tree, const char *name, char **ret_target) {
        _cleanup_free_ char *template = NULL;
        int r;

        r = file_readlink(tree->dir_fd, name, ret_target);
        if (r != -ENOENT)
                return r;
        r = unit_name_template(name, &template);
        if (r < 0)
                return r;
        return template ? file_readlink(tree->dir_fd, template, ret_target) : -ENOENT;
}

/* Of a link to a template an instance is one of that. */
static int instantiate(const char *name, const char *unit, char **ret_unit) {
        int r;

        r = unit_name_instance_of(unit, name, ret_unit);
        if (r < 0 || *ret_unit)
                return r;
        *ret_unit = strdup(unit);
        return *ret_unit ? 0 : -ENOMEM;
}

static bool is_defined(const UnitTree *tree, const char *unit) {
        _cleanup_free_ char *template = NULL;

        return has_entry(tree, unit) ||
               (unit_name_template(unit, &template) >= 0 && template && has_entry(tree, template));
}

/* One hop of an alias; @ret_unit is NULL where it ends. */
static int follow_alias(const UnitTree *tree, const char *name, char **ret_unit) {
        _cleanup_free_ char *target = NULL, *full = NULL;
        const char *unit;
        int r;

        *ret_unit = NULL;
        if (tree->dir_fd < 0 || !is_name(name))
                return 0;
        r = read_link(tree, name, &target);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        unit = unit_of_link(target);
        if (!unit)
                return 0;
        r = instantiate(name, unit, &full);
        if (r >= 0 && unit_name_may_be(name, full) && strcmp(full, name) != 0 &&
            is_defined(tree, full))
                *ret_unit = TAKE_PTR(full);
        return r;
}

/* Another name is a link that leads to the unit, be it by way of others. */
static int find_alias(const UnitTree *tree, const char *name, StringList *aliases) {
        _cleanup_free_ char *unit = NULL;
        char *alias;
        int r;

        r = unit_tree_main_name(tree, name, &unit);
        if (r < 0 || strcmp(unit, name) == 0)
                return r;
        r = text_printf(&alias, "%s %s", unit, name);
        return r < 0 ? r : string_list_take(aliases, alias);
}

/* systemd reads the drop-ins of a unit's other names, too. */
static int find_aliases(UnitTree *tree) {
        for (size_t i = 0; i < tree->stems.n; i++) {
                int r = find_alias(tree, tree->stems.items[i], &tree->aliases);

                if (r < 0)
                        return r;
        }
        string_list_sort(&tree->aliases);
        return 0;
}

/**
 * unit_tree_open() - list a directory of unit files
 * @tree: UNIT_TREE_EMPTY before; unit_tree_done() even after an error
 *
 * Return: 0 or an errno of openat(2).
 */
int unit_tree_open(UnitTree *tree, const char *path) {
        int r;

        assert(tree->dir_fd < 0);

        r = file_open_directory(AT_FDCWD, path, &tree->dir_fd);
        if (r < 0)
                return r;
        r = read_names(tree);
        if (r < 0)
                return r;
        return find_aliases(tree);
}

static bool is_mask(const struct stat *st, bool drop_in) {
        if (S_ISCHR(st->st_mode))
                return st->st_rdev == makedev(1, 3);
        return !drop_in && S_ISREG(st->st_mode) && st->st_size == 0;
}

static UnitFileState state_of(int dir_fd, const char *path, bool drop_in, struct stat *ret_st) {
        if (fstatat(dir_fd, path, ret_st, 0) < 0) {
                /* A loop of links and the like: there is something, and nobody can read it. */
                *ret_st = (struct stat){ 0 };
                return errno == ENOENT || errno == ENOTDIR ? UNIT_FILE_MISSING : UNIT_FILE_PRESENT;
        }
        return is_mask(ret_st, drop_in) ? UNIT_FILE_MASKED : UNIT_FILE_PRESENT;
}

/**
 * unit_tree_state() - what stands there under exactly that name
 * @ret_st: of what it resolves to; all zero if that is not known
 */
UnitFileState unit_tree_state(const UnitTree *tree, const char *name, struct stat *ret_st) {
        *ret_st = (struct stat){ 0 };
        if (tree->dir_fd < 0 || !is_name(name))
                return UNIT_FILE_MISSING;
        return state_of(tree->dir_fd, name, /* drop_in= */ false, ret_st);
}

static ssize_t read_target(const UnitTree *tree, const char *name, char target[static PATH_MAX]) {
        ssize_t n = -1;

        if (tree->dir_fd >= 0 && !strchr(name, '/'))
                n = readlinkat(tree->dir_fd, name, target, PATH_MAX - 1);
        target[n > 0 ? n : 0] = '\0';
        return n;
}

static bool leads_away(const char *target) {
        return *target == '/' && !unit_of_link(target);
}

/**
 * unit_tree_compare_links() - what both trees link @name to
 *
 * As NixOS makes them nearly all are links into the store, and most are the same: to see that costs
 * less than to follow them. That they are not the same says nothing yet.
 */
void unit_tree_compare_links(const UnitTree *old, const UnitTree *new, const char *name,
                             UnitTreeLinks *ret) {
        char a[PATH_MAX], b[PATH_MAX];
        ssize_t n, m;

        n = read_target(old, name, a);
        m = read_target(new, name, b);
        ret->same = n > 0 && n == m && memcmp(a, b, (size_t) n) == 0 && leads_away(a) &&
                    strcmp(a, "/dev/null") != 0;
        ret->old_leads_away = ret->same || leads_away(a);
        ret->new_leads_away = ret->same || leads_away(b);
}

/** unit_tree_defines() - the same for a unit, which may be an instance of a template there. */
UnitFileState unit_tree_defines(const UnitTree *tree, const char *unit) {
        _cleanup_free_ char *template = NULL;
        UnitFileState state;
        struct stat st;

        state = unit_tree_state(tree, unit, &st);
        if (state != UNIT_FILE_MISSING || unit_name_template(unit, &template) < 0 || !template)
                return state;
        return unit_tree_state(tree, template, &st);
}

static int compare_entries(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_link_name(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

/** unit_tree_has_drop_ins() - whether there is a directory "@stem.d". */
bool unit_tree_has_drop_ins(const UnitTree *tree, const char *stem) {
        return string_list_has_sorted(&tree->stems, stem);
}

/** unit_tree_drop_in_state() - the same for a drop-in; an empty one is no mask. */
UnitFileState unit_tree_drop_in_state(const UnitTree *tree, const char *path) {
        struct stat st;

        return state_of(tree->dir_fd, path, /* drop_in= */ true, &st);
}

/**
 * unit_tree_aliases() - other names of a unit, as far as those have drop-ins
 * @aliases: appended to
 *
 * Return: 0 or -ENOMEM.
 */
int unit_tree_aliases(const UnitTree *tree, const char *name, StringList *aliases) {
        int r = 0;

        for (size_t i = string_list_first_edge(&tree->aliases, name); r >= 0; i++) {
                const char *alias = string_list_edge_at(&tree->aliases, name, i);

                if (!alias)
                        break;
                r = string_list_add(aliases, alias);
        }
        return r;
}

/**
 * unit_tree_main_name() - the name under which systemd lists a unit
 * @name:     that, or another name that is a link to it
 * @ret_name: owned by the caller; @name itself where nothing else is known
 *
 * Return: 0 or -ENOMEM.
 */
int unit_tree_main_name(const UnitTree *tree, const char *name, char **ret_name) {
        _cleanup_free_ char *main = strdup(name);

        for (unsigned i = 0; main && i < ALIAS_STEPS_MAX; i++) {
                char *target;
                int r;

                r = follow_alias(tree, main, &target);
                if (r < 0)
                        return r;
                if (!target)
                        break;
                free(main);
                main = target;
        }
        if (!main)
                return -ENOMEM;
        *ret_name = TAKE_PTR(main);
        return 0;
}

/**
 * unit_tree_all_aliases() - all other names that units have there
 * @aliases: appended to, "main-name alias", and ordered
 *
 * It reads each link of the tree.
 *
 * Return: 0, -ENOMEM, or an errno of openat(2).
 */
int unit_tree_all_aliases(const UnitTree *tree, StringList *aliases) {
        const struct dirent *entry;
        DIR *dir;
        int r;

        if (tree->dir_fd < 0)
                return 0;
        r = open_list(tree, &dir);
        if (r < 0)
                return r;
        while (r >= 0 && (entry = readdir(dir)))
                if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
                        r = find_alias(tree, entry->d_name, aliases);
        (void) closedir(dir);
        string_list_sort(aliases);
        return r < 0 ? r : 0;
}

/**
 * unit_tree_links() - the names in a directory of links, as "a.service.requires"
 * @names: appended to
 *
 * Return: 0 (also without such a directory) or -ENOMEM.
 */
int unit_tree_links(const UnitTree *tree, const char *directory, StringList *names) {
        struct dirent **entries;
        int n, r = 0;

        if (tree->dir_fd < 0 || !is_name(directory))
                return 0;
        n = scandirat(tree->dir_fd, directory, &entries, is_link_name, compare_entries);
        if (n < 0)
                return errno == ENOMEM ? -ENOMEM : 0;
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = string_list_add(names, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return r;
}

void unit_tree_done(UnitTree *tree) {
        tree->dir_fd = fd_close(tree->dir_fd);
        string_list_done(&tree->stems);
        string_list_done(&tree->wants);
        string_list_done(&tree->aliases);
}
