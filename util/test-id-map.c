#include "id-map.h"
#include "test.h"

TEST(an_empty_map_has_nothing) {
        IdMap map = { 0 };
        size_t position = 0;

        ASSERT_NULL(id_map_get(&map, 0));
        ASSERT_NULL(id_map_remove(&map, 0));
        ASSERT_NULL(id_map_next(&map, &position));
        id_map_done(&map);
}

TEST(a_number_has_one_value) {
        _cleanup_(id_map_done) IdMap map = { 0 };
        int a, b;

        ASSERT_OK(id_map_put(&map, 0, &a));
        ASSERT_EQ(id_map_put(&map, 0, &b), -EEXIST);
        ASSERT_TRUE(id_map_get(&map, 0) == &a);
        ASSERT_TRUE(id_map_remove(&map, 0) == &a);
        ASSERT_NULL(id_map_remove(&map, 0));
        ASSERT_OK(id_map_put(&map, 0, &b));
        ASSERT_EQ(map.n, 1);
}

/* Against a plain array, in an order that no two neighbours share; the numbers are Nix's: a process
 * id above, a count below. */
TEST(what_comes_and_goes_is_found_as_long_as_it_is_there) {
        enum { N = 3000 };
        _cleanup_(id_map_done) IdMap map = { 0 };
        static char things[N];
        static bool there[N];
        uint64_t random = 1;
        size_t n = 0, n_seen = 0, position = 0;

        for (size_t round = 0; round < 100000; round++) {
                size_t k;
                uint64_t id;

                random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
                k = (size_t) (random >> 33) % N;
                id = ((uint64_t) (k % 3) << 32 << (k % 3)) + k;
                if (there[k]) {
                        ASSERT_TRUE(id_map_get(&map, id) == &things[k]);
                        ASSERT_TRUE(id_map_remove(&map, id) == &things[k]);
                        n--;
                } else {
                        ASSERT_NULL(id_map_get(&map, id));
                        ASSERT_OK(id_map_put(&map, id, &things[k]));
                        n++;
                }
                there[k] = !there[k];
                ASSERT_EQ(map.n, n);
        }

        for (char *thing; (thing = id_map_next(&map, &position)); n_seen++)
                ASSERT_TRUE(there[thing - things]);
        ASSERT_EQ(n_seen, n);
}
