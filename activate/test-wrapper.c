/* The wrapper of a toplevel: what makeWrapper writes is read, and nothing else. */
#include "test.h"
#include "wrapper.h"

#define HEAD "#! /nix/store/x-bash/bin/bash -e\n"
#define TAIL "exec \"/nix/store/x/bin/.switch\" \"$@\"\n"

static int parse(const char *text, Wrapper *wrapper) {
        return wrapper_parse(text, strlen(text), wrapper);
}

static int parse_bad(const char *text) {
        _cleanup_(wrapper_done) Wrapper wrapper = { 0 };

        return parse(text, &wrapper);
}

TEST(variables_are_read_with_their_quotes_taken_off) {
        _cleanup_(wrapper_done) Wrapper wrapper = { 0 };

        ASSERT_OK(parse(HEAD "export OUT='/nix/store/x'\n\n# comment\n"
                             "export TEXT='it'\\''s'\nexport EMPTY=''\nexport OUT='/again'\n" TAIL,
                        &wrapper));
        ASSERT_TEXT(wrapper_get(&wrapper, "OUT"), "/again");
        ASSERT_TEXT(wrapper_get(&wrapper, "TEXT"), "it's");
        ASSERT_TEXT(wrapper_get(&wrapper, "EMPTY"), "");
        ASSERT_NULL(wrapper_get(&wrapper, "NONE"));
}

TEST(anything_else_is_refused) {
        ASSERT_EQ(parse_bad(""), -EBADMSG);
        ASSERT_EQ(parse_bad("export A='1'\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export A=1\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export A=\"1\"\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export A='1\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export A='1'2\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export A='$(x)'; rm x\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export 1A='1'\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export ='1'\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "A='1'\n" TAIL), -EBADMSG);
        ASSERT_EQ(parse_bad(HEAD "export A\n" TAIL), -EBADMSG);
}

TEST(bytes_that_are_no_text_are_refused) {
        _cleanup_(wrapper_done) Wrapper wrapper = { 0 };

        ASSERT_EQ(wrapper_parse(HEAD "\0" TAIL, sizeof(HEAD "\0" TAIL) - 1, &wrapper), -EBADMSG);
}

TEST(a_huge_script_is_refused) {
        _cleanup_(wrapper_done) Wrapper wrapper = { 0 };
        _cleanup_free_ char *text = calloc(1, WRAPPER_BYTES_MAX + 1);

        ASSERT_EQ(wrapper_parse(text, WRAPPER_BYTES_MAX + 1, &wrapper), -EFBIG);
}
