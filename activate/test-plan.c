/*
 * Plans. Each rule is a folder in tests/data/plan: from/ and to/ are two toplevels, state.json the
 * recorded machine, expected.json the plan, about a line for people; root/, if there is one, has
 * the links on the way to mount points. What of a plan is empty or false need not stand in
 * expected.json; nothing else may be missing. ENACT_TEST_ACCEPT=1 writes it anew.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "plan-build.h"
#include "plan-load.h"
#include "recorded-state.h"
#include "test.h"
#include "text.h"

#define CASES     PROJECT_ROOT "/tests/data/plan"
#define CASES_MIN 350

/* NULL if the fixture has none. */
static char *read_text(const char *dir, const char *name, size_t *ret_n) {
        _cleanup_free_ char *path = NULL;
        char *text;

        ASSERT_OK(text_printf(&path, "%s/%s", dir, name));
        if (file_read(AT_FDCWD, path, RECORDED_STATE_BYTES_MAX, &text, ret_n) < 0)
                return NULL;
        return text;
}

static cJSON *read_json(const char *dir, const char *name) {
        _cleanup_free_ char *text = NULL;
        cJSON *object;
        size_t n;

        text = read_text(dir, name, &n);
        if (!text)
                return NULL;
        if (json_parse(text, n, &object) < 0)
                fail_msg("'%s/%s' is no JSON", dir, name);
        return object;
}

static bool read_state(const char *dir, const char *name, RecordedState *state) {
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        text = read_text(dir, name, &n);
        if (!text)
                return false;
        r = recorded_state_read(state, TAKE_PTR(text), n);
        ASSERT_OK(r);
        return true;
}

/* Where the fixture says so, a second look: what the lists of an activation script add. */
static void add_lists(const char *dir, const PlanSource *source, Plan *plan) {
        _cleanup_(cJSON_Deletep) cJSON *lists = read_json(dir, "lists.json");
        _cleanup_(string_list_done) StringList restart = { 0 }, reload = { 0 };
        const cJSON *item;

        if (!lists)
                return;
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(lists, "restart"))
                ASSERT_OK(string_list_add(&restart, cJSON_GetStringValue(item)));
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(lists, "reload"))
                ASSERT_OK(string_list_add(&reload, cJSON_GetStringValue(item)));
        ASSERT_OK(plan_load_lists(source, plan, &restart, &reload));
}

/* The same for what had gone down by the time of the reloads: now.json is that moment's state. */
static void add_inactive(const char *dir, const PlanSource *source, Plan *plan) {
        _cleanup_(recorded_state_done) RecordedState now = { 0 };
        PlanSource later = *source;

        if (plan->n_users > 0 || !read_state(dir, "now.json", &now))
                return;
        later.inventory = &now.inventory;
        ASSERT_OK(plan_load_inactive_reloads(&later, plan));
}

/* And for a user's units that moved: the second plan takes the place of the first. */
static Plan *migrate(const char *dir, const PlanSource *source, Plan *user) {
        _cleanup_(recorded_state_done) RecordedState now = { 0 };
        PlanSource later = *source;
        Plan *second;

        if (!read_state(dir, "now.json", &now))
                return user;
        ASSERT_EQ(now.n_users, 1);
        later.inventory = &now.users[0].inventory;
        ASSERT_OK(plan_load_migration(&later, user, &second));
        ASSERT_OK(string_list_copy(&second->migrate, &user->migrate));
        plan_free(user);
        return second;
}

static void add_users(const char *dir, const PlanSource *source, const RecordedState *state,
                      Plan *plan) {
        for (size_t i = 0; i < state->n_users; i++) {
                const RecordedUser *recorded = &state->users[i];
                const PlanUser whose = { recorded->uid, recorded->name, recorded->config };
                PlanSource own = *source;
                Plan *user;

                own.inventory = &recorded->inventory;
                own.leftovers = &recorded->leftovers;
                own.cannot_reload = NULL;
                ASSERT_OK(plan_load_user(&own, &whose, &user));
                ASSERT_OK(plan_load_dependents(&own, user, &recorded->takes_down));
                ASSERT_OK(plan_add_user(plan, migrate(dir, &own, user)));
        }
}

static Plan *make_plan(const char *dir) {
        _cleanup_free_ char *from = NULL, *to = NULL, *root = NULL;
        _cleanup_(recorded_state_done) RecordedState state = { 0 };
        PlanSource source = { 0 };
        Plan *plan;

        ASSERT_OK(text_printf(&from, "%s/from", dir));
        ASSERT_OK(text_printf(&to, "%s/to", dir));
        ASSERT_OK(text_printf(&root, "%s/root", dir));
        ASSERT_TRUE(read_state(dir, "state.json", &state));
        source = (PlanSource){
                .from = from,
                .to = to,
                .inventory = &state.inventory,
                .leftovers = &state.leftovers,
                .cannot_reload = &state.cannot_reload,
                .pid1_exe = state.pid1_exe,
                .root = root,
        };

        ASSERT_OK(plan_load(&source, &plan));
        ASSERT_OK(plan_load_dependents(&source, plan, &state.takes_down));
        add_lists(dir, &source, plan);
        add_users(dir, &source, &state, plan);
        add_inactive(dir, &source, plan);
        return plan;
}

/* Takes off what is empty or false, and what differs from checkout to checkout. */
static void strip(cJSON *item) {
        cJSON *child = item->child, *next;

        for (; child; child = next) {
                const char *key = child->string ? child->string : "";
                bool empty = cJSON_IsFalse(child) || (cJSON_IsArray(child) && !child->child);

                next = child->next;
                strip(child);
                if (strcmp(key, "digest") == 0 || strcmp(key, "from") == 0 ||
                    strcmp(key, "to") == 0 || (*key && empty))
                        cJSON_Delete(cJSON_DetachItemViaPointer(item, child));
        }
}

/* As the fixtures are stored, so that a difference shows what became of the plan and no more. */
static void print_json(FILE *f, const cJSON *item, int depth) {
        bool object = cJSON_IsObject(item);
        _cleanup_free_ char *text = NULL;

        if (!item->child) {
                text = cJSON_PrintUnformatted(item);
                fputs(text, f);
                return;
        }
        fputs(object ? "{" : "[", f);
        for (const cJSON *child = item->child; child; child = child->next) {
                fprintf(f, "\n%*s", 2 * (depth + 1), "");
                if (object)
                        fprintf(f, "\"%s\": ", child->string);
                print_json(f, child, depth + 1);
                if (child->next)
                        fputc(',', f);
        }
        fprintf(f, "\n%*s%s", 2 * depth, "", object ? "}" : "]");
}

static void accept_plan(const char *dir, const cJSON *object) {
        _cleanup_free_ char *text = NULL, *path = NULL;
        size_t n;
        FILE *f = open_memstream(&text, &n);

        assert_non_null(f);
        print_json(f, object, 0);
        fputc('\n', f);
        ASSERT_EQ(fclose(f), 0);
        ASSERT_OK(text_printf(&path, "%s/expected.json", dir));
        ASSERT_OK(file_write(AT_FDCWD, path, text, 0644));
}

static bool check_case(const char *name) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL, *expected = NULL;
        _cleanup_free_ char *dir = NULL, *got = NULL, *wanted = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        ASSERT_OK(text_printf(&dir, CASES "/%s", name));
        plan = make_plan(dir);
        ASSERT_OK(plan_to_json(plan, &object));
        strip(object);
        if (getenv("ENACT_TEST_ACCEPT")) {
                accept_plan(dir, object);
                return true;
        }

        expected = read_json(dir, "expected.json");
        assert_non_null(expected);
        strip(expected);
        if (cJSON_Compare(object, expected, /* case_sensitive= */ true))
                return true;
        got = cJSON_Print(object);
        wanted = cJSON_Print(expected);
        fprintf(stderr, "%s: the plan is\n%s\nand should be\n%s\n", name, got, wanted);
        return false;
}

static int is_case(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

TEST(every_fixture_has_the_plan_it_expects) {
        size_t n_bad = 0;
        struct dirent **cases;
        int n = scandir(CASES, &cases, is_case, alphasort);

        for (int i = 0; i < n; i++) {
                n_bad += !check_case(cases[i]->d_name);
                free(cases[i]);
        }
        free(cases);
        ASSERT_EQ(n_bad, 0);
        assert_true(n >= CASES_MIN);
}

static void make_digest_without(const char *fixture, StringList *(*list_of)(Plan *plan)) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *dir = NULL, *digest = NULL;

        ASSERT_OK(text_printf(&dir, CASES "/%s", fixture));
        plan = make_plan(dir);
        ASSERT_OK(plan_make_digest(plan));
        digest = strdup(plan->digest);
        assert_non_null(digest);
        assert_true(list_of(plan)->n > 0);
        string_list_done(list_of(plan));
        ASSERT_OK(plan_make_digest(plan));
        assert_string_not_equal(plan->digest, digest);
}

static StringList *hold_of(Plan *plan) {
        return &plan->hold;
}

static StringList *sockets_of(Plan *plan) {
        return &plan->sockets;
}

TEST(what_is_kept_down_and_what_comes_first_are_in_the_digest) {
        make_digest_without("automount-added-by-its-old-name", hold_of);
        make_digest_without("early-socket-that-was-wanted-before", sockets_of);
}
