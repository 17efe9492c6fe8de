/* A system's enact.json as foreign bytes: it is refused with a reason, or each probe in it can be
 * asked. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_probe(const Probe *probe) {
        assert(probe_name_is_valid(probe->name));
        assert(probe_target_is_valid(
                probe->type, probe->type == PROBE_EXEC ? probe->command.items[0] : probe->target));
        assert(probe->timeout_usec > 0);
        assert((probe->type == PROBE_SYSTEMD) == (probe->state != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(settings_done) Settings settings = { 0 };
        _cleanup_free_ char *wrong = NULL;
        int r;

        r = settings_parse((const char *) data, size, &settings, &wrong);
        assert(r == 0 || r == -EBADMSG);
        assert((r == 0) == (wrong == NULL));
        for (size_t i = 0; r == 0 && i < settings.probes.n; i++)
                check_probe(&settings.probes.items[i]);
        return 0;
}
