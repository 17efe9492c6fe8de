#include <fcntl.h>

#include "file.h"
#include "specialisation.h"
#include "test.h"
#include "text.h"

/* A system with two variants, the links of which lead out of it. */
static char *make_system(void) {
        static const char *const names[] = { "red", "blue" };
        const char *root = test_directory();
        char *system;

        ASSERT_OK(text_printf(&system, "%s/system", root));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *folder = NULL, *variant = NULL, *link = NULL;

                ASSERT_OK(text_printf(&folder, "%s/specialisation", system));
                ASSERT_OK(file_make_directories(folder, 0755));
                ASSERT_OK(text_printf(&variant, "%s/%s-system", root, names[i]));
                ASSERT_OK(file_make_directories(variant, 0755));
                ASSERT_OK(text_printf(&link, "%s/%s", folder, names[i]));
                ASSERT_OK(symlink(variant, link));
        }
        return system;
}

TEST(a_variant_is_found_by_its_name_and_its_name_by_its_path) {
        _cleanup_free_ char *system = make_system(), *path = NULL, *name = NULL;
        _cleanup_(string_list_done) StringList names = { 0 };

        ASSERT_OK(specialisation_list(system, &names));
        ASSERT_EQ(names.n, 2);
        ASSERT_TEXT(names.items[0], "blue");
        ASSERT_OK(specialisation_path(system, "red", &path));
        ASSERT_CONTAINS(path, "/red-system");
        ASSERT_OK(specialisation_name(system, path, &name));
        ASSERT_TEXT(name, "red");
}

TEST(what_is_no_variant_is_none) {
        _cleanup_free_ char *system = make_system(), *path = NULL, *name = NULL;
        static const char *const names[] = { "", ".", "..", "../system", "green", "red/x" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ASSERT_EQ(specialisation_path(system, names[i], &path), -ENOENT);
        ASSERT_EQ(specialisation_name(system, system, &name), -ENOENT);
        ASSERT_EQ(specialisation_name("/none", system, &name), -ENOENT);
}
