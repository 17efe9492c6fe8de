/* Entry files as foreign bytes, the first line their name: both are read, and lines come back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "loader-entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_name(const char *file) {
        _cleanup_(entry_name_done) EntryName name = { 0 };
        _cleanup_free_ char *text = NULL, *again = NULL;

        if (entry_name_parse(file, &name) == 0)
                assert(strlen(name.stem) < strlen(file));
        assert(loader_entry_encode(file, &text) >= 0);
        assert(loader_entry_decode(text, &again) >= 0);
        assert(strcmp(again, file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
        size_t n = end ? (size_t) (end - data) : size;
        _cleanup_free_ char *name = strndup((const char *) data, n), *text = NULL, *again = NULL;
        _cleanup_(loader_entry_done) LoaderEntry entry = { 0 }, second = { 0 };
        _cleanup_free_ char *toplevel = NULL;

        assert(name);
        read_name(name);
        if (!end || loader_entry_parse((const char *) end + 1, size - n - 1, &entry) < 0)
                return 0;
        (void) loader_entry_toplevel(&entry, &toplevel);
        assert(loader_entry_print(&entry, &text) >= 0);
        if (strlen(text) > LOADER_ENTRY_BYTES_MAX)
                return 0;
        assert(loader_entry_parse(text, strlen(text), &second) >= 0);
        assert(loader_entry_print(&second, &again) >= 0);
        assert(strcmp(text, again) == 0);
        return 0;
}
