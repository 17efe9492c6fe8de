/* Store paths as foreign text: only what leads below the store, whatever is put behind it. */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "store-path.h"
#include "text.h"
#include "toplevel.h"

static bool is_component(const char *name, size_t n) {
        if (n == 0 || (n == 1 && name[0] == '.') || (n == 2 && strncmp(name, "..", 2) == 0))
                return false;
        for (size_t i = 0; i < n; i++)
                if (iscntrl((unsigned char) name[i]))
                        return false;
        return true;
}

/* What Nix lets a store path be called. */
static bool is_store_name(const char *name, size_t n) {
        if (n == 0 || name[0] == '.')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isascii((unsigned char) name[i]) ||
                    (!isalnum((unsigned char) name[i]) && !strchr("+-._?=", name[i])))
                        return false;
        return true;
}

/** store_path_is_valid() - whether it names something in the store, without "..", "." or "//". */
bool store_path_is_valid(const char *path) {
        const char *below = text_after_prefix(path, STORE_DIRECTORY "/");
        size_t n;

        if (!below || strlen(path) >= PATH_MAX)
                return false;
        n = strcspn(below, "/");
        if (!is_store_name(below, n))
                return false;
        while (below[n] == '/') {
                below += n + 1;
                n = strcspn(below, "/");
                if (!is_component(below, n))
                        return false;
        }
        return true;
}

/** store_path_is_toplevel() - whether it is one directly below the store. */
bool store_path_is_toplevel(const char *path) {
        return store_path_is_valid(path) && !strchr(path + strlen(STORE_DIRECTORY "/"), '/');
}
