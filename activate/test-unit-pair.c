/* Pairs of definitions: what git cannot hold in a fixture. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "file.h"
#include "test.h"
#include "text.h"
#include "unit-drop-ins.h"
#include "unit-pair.h"

typedef struct Trees {
        const char *old_path, *new_path;
        UnitTree old, new;
} Trees;

static void put(const char *dir, const char *name, const char *text) {
        _cleanup_free_ char *path = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", dir, name));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

static Trees make_trees(void) {
        return (Trees){
                .old_path = test_directory(),
                .new_path = test_directory(),
                .old = UNIT_TREE_EMPTY,
                .new = UNIT_TREE_EMPTY,
        };
}

static void trees_done(Trees *trees) {
        unit_tree_done(&trees->old);
        unit_tree_done(&trees->new);
}

static void load(Trees *trees, const char *id, UnitPair *pair) {
        ASSERT_OK(unit_tree_open(&trees->old, trees->old_path));
        ASSERT_OK(unit_tree_open(&trees->new, trees->new_path));
        ASSERT_OK(unit_pair_load(pair, id, &trees->old, &trees->new));
}

TEST(a_fifo_is_noted_and_never_waited_for) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        _cleanup_free_ char *path = NULL;

        put(trees.old_path, "a.service", "[Service]\n");
        ASSERT_OK(text_printf(&path, "%s/a.service", trees.new_path));
        ASSERT_OK(mkfifo(path, 0600));

        load(&trees, "a.service", &pair);
        ASSERT_EQ(pair.new.state, UNIT_FILE_PRESENT);
        ASSERT_EQ(pair.notes.n, 1);
        ASSERT_CONTAINS(pair.notes.items[0], "a.service");
        ASSERT_EQ(unit_file_opaques(pair.new.file)->n, 1);
}

TEST(a_file_that_is_too_long_is_judged_by_its_bytes) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        const char *dirs[] = { trees.old_path, trees.new_path };

        for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
                _cleanup_close_ int fd = -EBADF;
                _cleanup_free_ char *path = NULL;

                ASSERT_OK(text_printf(&path, "%s/a.service", dirs[i]));
                fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                ASSERT_OK(ftruncate(fd, UNIT_FILE_BYTES_MAX + 1));
        }

        load(&trees, "a.service", &pair);
        ASSERT_EQ(pair.notes.n, 2);
        ASSERT_TEXT(unit_file_opaques(pair.old.file)->items[0],
                    unit_file_opaques(pair.new.file)->items[0]);
}

TEST(the_same_file_is_never_opened) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        _cleanup_free_ char *old = NULL, *new = NULL;

        put(trees.old_path, "a.service", "[garbage");
        ASSERT_OK(text_printf(&old, "%s/a.service", trees.old_path));
        ASSERT_OK(text_printf(&new, "%s/a.service", trees.new_path));
        ASSERT_OK(link(old, new));

        load(&trees, "a.service", &pair);
        ASSERT_TRUE(pair.identical);
        ASSERT_EQ(pair.notes.n, 0);
        ASSERT_NULL(pair.old.file);

        ASSERT_OK(unit_pair_load_new(&pair, &trees.new));
        ASSERT_EQ(pair.notes.n, 1);
}

TEST(a_unit_that_neither_tree_has_is_missing) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };

        put(trees.old_path, "b.service", "[Service]\n");
        load(&trees, "../../etc/passwd", &pair);
        ASSERT_EQ(pair.old.state, UNIT_FILE_MISSING);
        ASSERT_EQ(pair.new.state, UNIT_FILE_MISSING);
}

TEST(aliases_with_drop_ins_are_found) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(string_list_done) StringList paths = { 0 };
        static const char *const aliases[] = { "x.service", "y.service", "z.service" };
        static const char *const mains[] = { "a.service", "a.service", "a.service.service" };

        put(trees.old_path, "a.service", "[Service]\n");
        put(trees.old_path, "a.service.service", "[Service]\n");
        for (size_t i = 0; i < ELEMENTSOF(aliases); i++) {
                _cleanup_free_ char *link_path = NULL, *dir = NULL, *drop_in = NULL;

                ASSERT_OK(text_printf(&link_path, "%s/%s", trees.old_path, aliases[i]));
                ASSERT_OK(symlink(mains[i], link_path));
                ASSERT_OK(text_printf(&dir, "%s/%s.d", trees.old_path, aliases[i]));
                ASSERT_OK(mkdir(dir, 0755));
                ASSERT_OK(text_printf(&drop_in, "%s.d/%zu.conf", aliases[i], i));
                put(trees.old_path, drop_in, "[Service]\n");
        }

        ASSERT_OK(unit_tree_open(&trees.old, trees.old_path));
        ASSERT_OK(unit_drop_ins_find(&trees.old, "a.service", &paths));
        ASSERT_EQ(paths.n, 2);
        ASSERT_TEXT(paths.items[1], "y.service.d/1.conf");
        ASSERT_OK(unit_drop_ins_find(&trees.old, "a.service.service", &paths));
        ASSERT_EQ(paths.n, 3);
}

/* Links @name in both trees: to @old_target and @new_target below a third directory. */
static void link_both(const Trees *trees, const char *name, const char *old_target,
                      const char *new_target) {
        _cleanup_free_ char *old = NULL, *new = NULL;

        ASSERT_OK(text_printf(&old, "%s/%s", trees->old_path, name));
        ASSERT_OK(text_printf(&new, "%s/%s", trees->new_path, name));
        ASSERT_OK(symlink(old_target, old));
        ASSERT_OK(symlink(new_target, new));
}

static bool is_same_link(const Trees *trees, const char *name) {
        UnitTreeLinks links;

        unit_tree_compare_links(&trees->old, &trees->new, name, &links);
        return links.same;
}

TEST(links_to_one_place_are_not_followed_and_to_two_are) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_free_ char *one = NULL, *two = NULL;
        const char *store = test_directory();
        UnitTreeLinks links;

        put(store, "one", "[Service]\nA=1\n");
        put(store, "two", "[Service]\nA=2\n");
        ASSERT_OK(text_printf(&one, "%s/one", store));
        ASSERT_OK(text_printf(&two, "%s/two", store));
        link_both(&trees, "same.service", one, one);
        link_both(&trees, "other.service", one, two);
        link_both(&trees, "masked.service", "/dev/null", "/dev/null");
        link_both(&trees, "alias.service", "/etc/systemd/system/a.service",
                  "/etc/systemd/system/a.service");
        link_both(&trees, "moved.service", "same.service", one);
        link_both(&trees, "within.service", "below/a.service", "below/a.service");
        ASSERT_OK(unit_tree_open(&trees.old, trees.old_path));
        ASSERT_OK(unit_tree_open(&trees.new, trees.new_path));

        ASSERT_TRUE(is_same_link(&trees, "same.service"));
        ASSERT_FALSE(is_same_link(&trees, "other.service"));
        ASSERT_FALSE(is_same_link(&trees, "masked.service"));
        ASSERT_FALSE(is_same_link(&trees, "alias.service"));
        ASSERT_FALSE(is_same_link(&trees, "within.service"));
        ASSERT_FALSE(is_same_link(&trees, "none.service"));
        unit_tree_compare_links(&trees.old, &trees.new, "moved.service", &links);
        ASSERT_FALSE(links.same || links.old_leads_away);
        ASSERT_TRUE(links.new_leads_away);
}

static void make_drop_ins(const char *tree, const char *dir) {
        _cleanup_free_ char *path = NULL, *file = NULL;

        ASSERT_OK(text_printf(&path, "%s/%s", tree, dir));
        ASSERT_OK(mkdir(path, 0755));
        ASSERT_OK(text_printf(&file, "%s/a.conf", dir));
        put(tree, file, "[Service]\n");
}

TEST(nothing_is_made_of_a_unit_that_did_not_change_wherever_drop_ins_could_be) {
        static const struct {
                const char *unit, *old_drop_ins, *new_drop_ins;
                int answer;
        } cases[] = {
                { "a.service", NULL, NULL, UNIT_PAIR_SAME },
                { "a.target", NULL, NULL, 0 },
                { "a.service", NULL, "b.service.d", UNIT_PAIR_SAME },
                { "a.service", NULL, "a.service.d", 0 },
                { "a.service", NULL, "service.d", 0 },
                { "a-b.service", NULL, "a-.service.d", 0 },
                { "a@b.service", NULL, "a@.service.d", 0 },
                { "a.service", "a.service.d", NULL, 0 },
                { "a.service", "a.service.d", "a.service.d", 0 }, /* not one file */
        };
        const char *store = test_directory();
        _cleanup_free_ char *one = NULL;

        put(store, "one", "[Service]\nA=1\n");
        ASSERT_OK(text_printf(&one, "%s/one", store));
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(trees_done) Trees trees = make_trees();
                _cleanup_(unit_pair_done) UnitPair pair = { 0 };

                link_both(&trees, cases[i].unit, one, one);
                if (cases[i].old_drop_ins)
                        make_drop_ins(trees.old_path, cases[i].old_drop_ins);
                if (cases[i].new_drop_ins)
                        make_drop_ins(trees.new_path, cases[i].new_drop_ins);
                ASSERT_OK(unit_tree_open(&trees.old, trees.old_path));
                ASSERT_OK(unit_tree_open(&trees.new, trees.new_path));
                ASSERT_EQ(unit_pair_load_changed(&pair, cases[i].unit, &trees.old, &trees.new),
                          cases[i].answer);
        }
}

TEST(the_same_file_by_another_name_is_told) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };
        _cleanup_free_ char *old = NULL, *new = NULL, *alias = NULL;

        put(trees.old_path, "a.service", "[Service]\n");
        ASSERT_OK(text_printf(&old, "%s/a.service", trees.old_path));
        ASSERT_OK(text_printf(&new, "%s/b.service", trees.new_path));
        ASSERT_OK(text_printf(&alias, "%s/a.service", trees.new_path));
        ASSERT_OK(link(old, new));
        ASSERT_OK(symlink("b.service", alias));
        ASSERT_OK(unit_tree_open(&trees.old, trees.old_path));
        ASSERT_OK(unit_tree_open(&trees.new, trees.new_path));

        ASSERT_EQ(unit_pair_load_changed(&pair, "a.service", &trees.old, &trees.new), 0);
        ASSERT_TRUE(pair.identical);
        ASSERT_TRUE(unit_pair_is_renamed(&pair));
        ASSERT_TEXT(pair.new.name, "b.service");
        ASSERT_TRUE(pair.new.file);
}

TEST(only_names_of_entries_are_looked_for) {
        _cleanup_(trees_done) Trees trees = make_trees();
        UnitTree none = UNIT_TREE_EMPTY;
        char too_long[NAME_MAX + 2];
        struct stat st;

        memset(too_long, 'a', sizeof(too_long) - 1);
        too_long[sizeof(too_long) - 1] = '\0';
        put(trees.old_path, "a.service", "[Service]\n");
        ASSERT_OK(unit_tree_open(&trees.old, trees.old_path));
        ASSERT_EQ(unit_tree_state(&trees.old, "a.service", &st), UNIT_FILE_PRESENT);
        ASSERT_EQ(unit_tree_state(&trees.old, "b.service", &st), UNIT_FILE_MISSING);
        ASSERT_EQ(unit_tree_state(&trees.old, "./a.service", &st), UNIT_FILE_MISSING);
        ASSERT_EQ(unit_tree_state(&trees.old, "/etc/passwd", &st), UNIT_FILE_MISSING);
        ASSERT_EQ(unit_tree_state(&trees.old, ".", &st), UNIT_FILE_MISSING);
        ASSERT_EQ(unit_tree_state(&trees.old, "", &st), UNIT_FILE_MISSING);
        ASSERT_EQ(unit_tree_state(&trees.old, too_long, &st), UNIT_FILE_MISSING);
        ASSERT_EQ(unit_tree_state(&none, "a.service", &st), UNIT_FILE_MISSING);
}

TEST(a_target_that_leads_nowhere_is_seen_to) {
        _cleanup_(trees_done) Trees trees = make_trees();
        _cleanup_(unit_pair_done) UnitPair pair = { 0 };

        link_both(&trees, "a.target", "/nowhere/at/all", "/nowhere/at/all");
        load(&trees, "a.target", &pair);
        ASSERT_EQ(pair.old.state, UNIT_FILE_MISSING);
}
