/* grub.cfg as foreign bytes: entries within their limits, and a default that is one of them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "grub-cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(listed_menu_done) ListedMenu menu = { 0 };
        const char *text = (const char *) data;
        const ListedEntry *entry = NULL;
        _cleanup_free_ char *saved = NULL;

        (void) grub_environment_get(text, size, "saved_entry", &saved);
        if (grub_cfg_parse(text, size, &menu) < 0)
                return 0;
        for (size_t i = 0; i < menu.n; i++) {
                _cleanup_free_ char *toplevel = NULL;

                assert(menu.entries[i].depth < 32 && strlen(menu.entries[i].title) <= size);
                assert(i == 0 || menu.entries[i].depth <= menu.entries[i - 1].depth + 1);
                (void) listed_entry_toplevel(&menu.entries[i], &toplevel);
        }
        if (grub_default_find(&menu, saved, &entry) == 0)
                assert(entry >= menu.entries && entry < menu.entries + menu.n && !entry->group);
        return 0;
}
