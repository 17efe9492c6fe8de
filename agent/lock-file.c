/*
 * flake.lock: what each input is held at, for telling what an update has moved. Source of the
 * format: the manual of Nix, "nix flake", "Lock files" (versions 5 to 7).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "lock-file.h"
#include "text.h"

#define LOCK_BYTES_MAX ((size_t) 16 * 1024 * 1024)
#define INPUTS_MAX     10000U
#define DEPTH_MAX      50U

static const char *text_of(const cJSON *object, const char *key) {
        const char *text = json_string(object, key);

        return text ? text : "";
}

static int describe(const cJSON *original, char **ret_text) {
        const char *type = text_of(original, "type"), *ref = text_of(original, "ref");
        const char *id = text_of(original, "id"), *owner = text_of(original, "owner");

        if (strcmp(type, "indirect") == 0)
                return text_printf(ret_text, "%s%s%s", id, *ref ? "/" : "", ref);
        if (*owner)
                return text_printf(ret_text, "%s:%s/%s%s%s", type, owner, text_of(original, "repo"),
                                   *ref ? "/" : "", ref);
        if (*text_of(original, "url"))
                return text_printf(ret_text, "%s%s%s%s", strcmp(type, "git") == 0 ? "git+" : "",
                                   text_of(original, "url"), *ref ? "?ref=" : "", ref);
        if (*text_of(original, "path"))
                return text_printf(ret_text, "path:%s", text_of(original, "path"));
        return text_printf(ret_text, "%s", type);
}

static int add_input(LockFile *lock, const char *path, const cJSON *node) {
        const cJSON *locked = cJSON_GetObjectItemCaseSensitive(node, "locked");
        const cJSON *original = cJSON_GetObjectItemCaseSensitive(node, "original");
        LockedInput *inputs = reallocarray(lock->inputs, lock->n + 1, sizeof(*inputs)), *input;
        const char *revision = text_of(locked, "rev");

        if (!inputs)
                return -ENOMEM;
        lock->inputs = inputs;
        input = &inputs[lock->n];
        *input = (LockedInput){ 0 };
        lock->n++;
        (void) json_number(locked, "lastModified", INT64_MAX, &input->modified);
        input->path = strdup(path);
        input->revision = strdup(*revision ? revision : text_of(locked, "narHash"));
        if (!input->path || !input->revision)
                return -ENOMEM;
        return describe(original, &input->reference);
}

/* Those of a node, and theirs. A list stands for an input of another one that is followed. */
static int add_inputs(LockFile *lock, const cJSON *nodes, const cJSON *node, const char *above,
                      unsigned depth) {
        const cJSON *name;
        int r = 0;

        cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(node, "inputs")) {
                _cleanup_free_ char *path = NULL;
                const cJSON *input;

                if (!cJSON_IsString(name))
                        continue;
                input = cJSON_GetObjectItemCaseSensitive(nodes, name->valuestring);
                if (!cJSON_IsObject(input) || depth >= DEPTH_MAX || lock->n >= INPUTS_MAX)
                        return -EBADMSG;
                r = text_printf(&path, "%s%s%s", above, *above ? "/" : "", name->string);
                if (r >= 0)
                        r = add_input(lock, path, input);
                if (r >= 0)
                        r = add_inputs(lock, nodes, input, path, depth + 1);
                if (r < 0)
                        return r;
        }
        return r;
}

static int by_path(const void *a, const void *b) {
        return strcmp(((const LockedInput *) a)->path, ((const LockedInput *) b)->path);
}

/**
 * lock_file_parse() - take a flake.lock apart
 * @lock: all zero before; lock_file_done() even after an error
 *
 * Return: 0, -EBADMSG for what is none, -ENOMEM.
 */
int lock_file_parse(const char *text, size_t n, LockFile *lock) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL;
        const cJSON *nodes, *root;
        int r;

        r = json_parse(text, n, &object);
        if (r < 0)
                return r;
        nodes = cJSON_GetObjectItemCaseSensitive(object, "nodes");
        root = cJSON_GetObjectItemCaseSensitive(nodes, text_of(object, "root"));
        if (!cJSON_IsObject(nodes) || !cJSON_IsObject(root))
                return -EBADMSG;
        r = add_inputs(lock, nodes, root, "", 0);
        if (r >= 0 && lock->n > 0)
                qsort(lock->inputs, lock->n, sizeof(*lock->inputs), by_path);
        return r;
}

/** lock_file_read() - that of a flake's directory; none is one without inputs. As
 * lock_file_parse().
 */
int lock_file_read(const char *directory, LockFile *lock) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t n;
        int r;

        r = text_printf(&path, "%s/flake.lock", directory);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, LOCK_BYTES_MAX, &text, &n);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : lock_file_parse(text, n, lock);
}

/** lock_file_find() - the input of that path, or NULL. */
const LockedInput *lock_file_find(const LockFile *lock, const char *path) {
        const LockedInput wanted = { .path = (char *) path };

        return lock->n > 0 ?
                       bsearch(&wanted, lock->inputs, lock->n, sizeof(*lock->inputs), by_path) :
                       NULL;
}

void lock_file_done(LockFile *lock) {
        for (size_t i = 0; i < lock->n; i++) {
                free(lock->inputs[i].path);
                free(lock->inputs[i].revision);
                free(lock->inputs[i].reference);
        }
        free(lock->inputs);
        *lock = (LockFile){ 0 };
}
