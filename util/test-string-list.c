#include "string-list.h"
#include "test.h"

TEST(an_empty_list_joins_to_an_empty_text) {
        StringList list = { 0 };
        _cleanup_free_ char *text = NULL;

        ASSERT_OK(string_list_join(&list, ", ", &text));
        ASSERT_TEXT(text, "");
        string_list_sort(&list);
        string_list_done(&list);
}

TEST(items_keep_their_order_until_they_are_sorted_by_bytes) {
        _cleanup_(string_list_done) StringList list = { 0 };
        static const char *const items[] = { "b", "a", "B", "\303\251", "", "a" };
        _cleanup_free_ char *before = NULL, *after = NULL;

        for (size_t i = 0; i < ELEMENTSOF(items); i++)
                ASSERT_OK(string_list_add(&list, items[i]));
        ASSERT_OK(string_list_join(&list, ",", &before));
        ASSERT_TEXT(before, "b,a,B,\303\251,,a");

        string_list_sort(&list);
        ASSERT_OK(string_list_join(&list, ",", &after));
        ASSERT_TEXT(after, ",B,a,a,b,\303\251");
}

TEST(a_copy_is_equal_and_its_own) {
        _cleanup_(string_list_done) StringList a = { 0 }, b = { 0 };

        ASSERT_OK(string_list_add(&a, "x"));
        ASSERT_OK(string_list_take(&a, strdup("y")));
        ASSERT_OK(string_list_copy(&b, &a));
        ASSERT_TRUE(string_list_equal(&a, &b));
        ASSERT_TRUE(a.items[0] != b.items[0]);

        b.items[1][0] = 'z';
        ASSERT_FALSE(string_list_equal(&a, &b));
        ASSERT_TRUE(string_list_contains(&b, "z"));
        ASSERT_FALSE(string_list_contains(&b, "y"));
}

TEST(a_missing_item_is_a_lack_of_memory) {
        _cleanup_(string_list_done) StringList list = { 0 };

        ASSERT_EQ(string_list_take(&list, NULL), -ENOMEM);
        ASSERT_EQ(list.n, 0);
}

TEST(the_nearest_item_to_a_mistyped_word_is_found_and_no_far_one) {
        _cleanup_(string_list_done) StringList list = { 0 };

        ASSERT_OK(string_list_add(&list, "webs"));
        ASSERT_OK(string_list_add(&list, "web"));
        ASSERT_OK(string_list_add(&list, "db"));
        ASSERT_TEXT(string_list_nearest(&list, "wbe"), "web");
        ASSERT_TEXT(string_list_nearest(&list, "wxbs"), "webs");
        ASSERT_NULL(string_list_nearest(&list, "mail"));
        ASSERT_NULL(string_list_nearest(&list, ""));
        ASSERT_NULL(string_list_nearest(&list, "x")); /* all of it would be mistyped */
}

TEST(edges_are_found_by_their_first_name) {
        static const char *const edges[] = { "a b", "a c", "a.a x", "b y" };
        _cleanup_(string_list_done) StringList list = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(edges); i++)
                ASSERT_OK(string_list_add(&list, edges[i]));
        string_list_sort(&list);
        ASSERT_EQ(string_list_first_edge(&list, "a"), 0);
        ASSERT_TEXT(string_list_edge_at(&list, "a", 0), "b");
        ASSERT_TEXT(string_list_edge_at(&list, "a", 1), "c");
        ASSERT_NULL(string_list_edge_at(&list, "a", 2));
        ASSERT_TEXT(string_list_edge_at(&list, "a.a", string_list_first_edge(&list, "a.a")), "x");
        ASSERT_NULL(string_list_edge_at(&list, "aa", string_list_first_edge(&list, "aa")));
        ASSERT_EQ(string_list_first_edge(&list, "c"), list.n);
        ASSERT_NULL(string_list_edge_at(&list, "c", list.n));
        ASSERT_TRUE(string_list_has_sorted(&list, "a.a x"));
        ASSERT_FALSE(string_list_has_sorted(&list, "a"));
}
