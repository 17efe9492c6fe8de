/* The request has a verb and a version, and nothing that could name a system or a path. */
#include <errno.h>

#include "menu-refresh.h"
#include "test.h"

static int check(const char *text) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        int r = json_parse(text, strlen(text), &object);

        return r < 0 ? r : menu_refresh_check_request(object);
}

TEST(a_request_is_what_it_must_be) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;

        ASSERT_OK(menu_refresh_request(&object));
        ASSERT_TRUE(menu_refresh_is_meant(object));
        ASSERT_OK(menu_refresh_check_request(object));
}

TEST(anything_else_is_refused) {
        static const char *const texts[] = {
                "{}",
                "[]",
                "{\"verb\":\"refresh-boot-menu\"}",
                "{\"version\":2,\"verb\":\"refresh-boot-menu\"}",
                "{\"version\":1,\"verb\":\"refresh\"}",
                "{\"version\":1,\"verb\":7}",
                "{\"version\":1,\"verb\":\"refresh-boot-menu\",\"toplevel\":\"/nix/store/a\"}",
                "{\"version\":1,\"verb\":\"refresh-boot-menu\",\"version\":1}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                ASSERT_EQ(check(texts[i]), -EBADMSG);
}
