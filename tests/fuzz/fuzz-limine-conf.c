/* limine.conf as foreign bytes: entries within their limits, and a default that is one of them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "limine-conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        const ListedEntry *entry = NULL;

        if (limine_conf_parse((const char *) data, size, &menu) < 0)
                return 0;
        for (size_t i = 0; i < menu.n; i++) {
                _cleanup_free_ char *toplevel = NULL;

                assert(menu.entries[i].depth < 16);
                (void) listed_entry_toplevel(&menu.entries[i], &toplevel);
        }
        if (limine_default_find(&menu, &entry) == 0)
                assert(entry >= menu.entries && entry < menu.entries + menu.n && !entry->group);
        return 0;
}
