/* Upkeep requests as foreign bytes: what is accepted can be written and read again, and is the
 * same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "upkeep-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL, *again = NULL;
        _cleanup_(upkeep_request_done) UpkeepRequest request = { 0 }, copy = { 0 };

        if (json_parse((const char *) data, size, &object) < 0 ||
            upkeep_request_from_json(object, &request) < 0)
                return 0;
        assert(upkeep_request_is_meant(object));
        assert(request.n > 0 && request.n <= UPKEEP_ITEMS_MAX);
        if (upkeep_request_to_json(&request, &again) < 0)
                return 0;
        assert(upkeep_request_from_json(again, &copy) == 0);
        assert(copy.verb == request.verb && copy.n == request.n);
        for (size_t i = 0; i < request.n; i++)
                assert(*request.items[i].toplevel == '/' &&
                       copy.items[i].generation == request.items[i].generation &&
                       strcmp(copy.items[i].toplevel, request.items[i].toplevel) == 0);
        return 0;
}
