/* Boot documents as foreign bytes: what is accepted can stand in an entry file, line by line. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "bootspec.h"
#include "store-path.h"

#define TOPLEVEL "/nix/store/aaa-nixos-system-web-1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const Bootspec *spec) {
        assert(store_path_is_valid(spec->kernel));
        assert(!spec->initrd || store_path_is_valid(spec->initrd));
        assert(strncmp(spec->init, spec->toplevel, strlen(spec->toplevel)) == 0);
        assert(!strpbrk(spec->label, "\r\n") && !strpbrk(spec->sort_key, "\r\n"));
        for (size_t i = 0; i < spec->kernel_params.n; i++) {
                assert(!strpbrk(spec->kernel_params.items[i], "\r\n"));
                assert(strncmp(spec->kernel_params.items[i], "init=", 5) != 0);
        }
        for (size_t i = 0; i < spec->n_specialisations; i++)
                check(&spec->specialisations[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(bootspec_done) Bootspec spec = { 0 };

        if (bootspec_parse((const char *) data, size, TOPLEVEL, &spec, NULL) >= 0)
                check(&spec);
        return 0;
}
