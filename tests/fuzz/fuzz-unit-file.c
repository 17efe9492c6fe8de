/* Unit files as foreign bytes: the parser ends, its keys are in order, and a diff of any two halves
 * agrees with itself. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "text.h"
#include "unit-diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static UnitFile *parse(const char *text, size_t n) {
        UnitFile *file = NULL;

        if (unit_file_new(&file) < 0)
                return NULL;
        if (unit_file_parse(file, "x.service", text, n) < 0)
                (void) unit_file_add_opaque(file, "x.service", "fingerprint");
        if (unit_file_finish(file) < 0)
                return unit_file_free(file);
        return file;
}

static void check_keys(const UnitFile *file) {
        size_t n;
        const UnitKey *keys = unit_file_keys(file, &n);

        for (size_t i = 0; i < n; i++) {
                assert(keys[i].values.n > 0 && *keys[i].key);
                assert(strcmp(keys[i].section, "Install") != 0);
                assert(unit_file_has_section(file, keys[i].section));
                assert(unit_file_find(file, keys[i].section, keys[i].key) == &keys[i]);
                for (size_t j = 0; j < keys[i].values.n; j++)
                        assert(text_is_utf8(keys[i].values.items[j]));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data, *middle = memmem(text, size, "\n===\n", 5);
        size_t n = middle ? (size_t) (middle - text) : size;
        _cleanup_(unit_file_freep) UnitFile *old = parse(text, n);
        _cleanup_(unit_file_freep) UnitFile *new =
                middle ? parse(middle + 5, size - n - 5) : parse(text, n);
        _cleanup_(unit_diff_done) UnitDiff diff = { 0 };

        if (!old || !new)
                return 0;
        check_keys(old);
        check_keys(new);
        if (unit_diff_make(&diff, old, new) < 0)
                return 0;
        assert((diff.change == UNIT_EQUAL) == (diff.n_differences == 0));
        assert(middle || diff.change == UNIT_EQUAL);
        return 0;
}
