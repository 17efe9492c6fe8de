/* Requests as foreign bytes: what is accepted can be written and read again, and is the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cJSON_Deletep) cJSON *object = NULL, *again = NULL;
        _cleanup_(request_done) Request request = { 0 }, copy = { 0 };

        if (json_parse((const char *) data, size, &object) < 0 ||
            request_from_json(object, &request) < 0)
                return 0;
        assert(request.verb < _REQUEST_VERB_MAX && *request.toplevel == '/');
        if (request_to_json(&request, &again) < 0)
                return 0;
        assert(request_from_json(again, &copy) == 0);
        assert(strcmp(copy.toplevel, request.toplevel) == 0 && copy.uid == request.uid);
        return 0;
}
