/* loader.conf as foreign bytes: a key is set, and all other lines are what they were. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "loader-conf.h"
#include "loader-version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(loader_conf_done) LoaderConf conf = { 0 };
        _cleanup_(loader_version_done) LoaderVersion version = { 0 };
        _cleanup_free_ char *value = NULL, *text = NULL;
        size_t n;

        (void) loader_version_from_binary(data, size, &version);
        if (loader_conf_parse((const char *) data, size, &conf) < 0)
                return 0;
        n = conf.lines.n;
        assert(loader_conf_set(&conf, "default", "x.conf") >= 0);
        assert(conf.lines.n <= n + 1);
        assert(loader_conf_get(&conf, "default", &value) >= 0);
        assert(strcmp(value, "x.conf") == 0);
        assert(loader_conf_set(&conf, "default", NULL) >= 0);
        assert(loader_conf_get(&conf, "default", &text) == -ENOENT);
        return 0;
}
