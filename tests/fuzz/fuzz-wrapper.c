/* The wrapper of a toplevel as foreign bytes: the parser ends, and names and values are pairs. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wrapper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(wrapper_done) Wrapper wrapper = { 0 };

        if (wrapper_parse((const char *) data, size, &wrapper) < 0)
                return 0;
        assert(wrapper.names.n == wrapper.values.n);
        for (size_t i = 0; i < wrapper.names.n; i++) {
                assert(wrapper_get(&wrapper, wrapper.names.items[i]));
                assert(!strchr(wrapper.names.items[i], '\''));
        }
        return 0;
}
