/* extlinux.conf as foreign bytes: entries within their limits, and a default that is one of them.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "extlinux-conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        const ListedEntry *entry = NULL;

        if (extlinux_conf_parse((const char *) data, size, &menu) < 0)
                return 0;
        for (size_t i = 0; i < menu.n; i++) {
                _cleanup_free_ char *toplevel = NULL;

                assert(menu.entries[i].name && menu.entries[i].title);
                (void) listed_entry_toplevel(&menu.entries[i], &toplevel);
        }
        assert((extlinux_default_find(&menu, &entry) == 0) == (menu.n > 0));
        assert(menu.n == 0 || (entry >= menu.entries && entry < menu.entries + menu.n));
        return 0;
}
