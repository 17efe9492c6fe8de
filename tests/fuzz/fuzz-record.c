/* Open records as foreign bytes: what is accepted can be written and read again, and is the same.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(record_done) Record record = { 0 };

        if (record_parse((const char *) data, size, &record) != 0)
                return 0;
        assert(*record.id && *record.to && *record.phase);
        assert(*record.request.toplevel == '/');
        assert(record.from && record.old_link && record.engine);
        return 0;
}
