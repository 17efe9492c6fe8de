/* fstab as foreign bytes: libmount ends, and what we keep of it can be found and printed. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fstab.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const FstabEntry *entry) {
        _cleanup_free_ char *options = NULL, *device = NULL;

        assert(text_is_utf8(entry->unit) && text_is_utf8(entry->source));
        assert(text_is_utf8(entry->options));
        if (fstab_entry_mount_options(entry, &options) >= 0)
                assert(strlen(options) <= strlen(entry->options));
        (void) fstab_entry_has_option(entry, "x-systemd.automount");
        if (fstab_device_path(entry->source, &device) >= 0)
                assert(text_is_utf8(device));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fstab_done) Fstab fstab = { 0 };

        if (fstab_parse(&fstab, (const char *) data, size, -EBADF) < 0)
                return 0;
        for (size_t i = 0; i < fstab.n_mounts; i++) {
                check_entry(&fstab.mounts[i]);
                assert(fstab_find_mount(&fstab, fstab.mounts[i].unit) == &fstab.mounts[i]);
                assert(fstab.mounts[i].target[0] == '/');
        }
        for (size_t i = 0; i < fstab.n_swaps; i++) {
                check_entry(&fstab.swaps[i]);
                assert(fstab_find_swap(&fstab, fstab.swaps[i].unit) == &fstab.swaps[i]);
        }
        return 0;
}
