/* Nix's log as foreign bytes: whatever they are, the parser ends, its account is consistent, and so
 * is the model of what is under way. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nix-log.h"
#include "progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const Progress *progress) {
        for (ProgressKind kind = 0; kind < _PROGRESS_KIND_MAX; kind++) {
                const ProgressItem *item = progress_newest(progress, kind);

                assert(!item == (progress_n(progress, kind) == 0));
                assert(!item || !strpbrk(item->name, "\033\n\r\t"));
                assert(!item || !item->phase || !strpbrk(item->phase, "\033\n\r\t"));
        }
}

static void on_event(const NixEvent *event, void *userdata) {
        Progress *progress = userdata;

        assert(event->kind < _NIX_EVENT_MAX);
        assert(!event->text || !strchr(event->text, '\033'));
        assert(!event->name == !event->path);
        (void) progress_take(progress, event, 0);
        check_names(progress);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(progress_freep) Progress *progress = NULL;
        _cleanup_(nix_log_freep) NixLog *log = NULL;
        _cleanup_free_ char *error = NULL;
        NixFailedBuild failed;
        size_t half = size / 2;

        if (progress_new(0, &progress) < 0 || nix_log_new(on_event, progress, &log) < 0)
                return 0;
        if (nix_log_feed(log, (const char *) data, half) < 0 ||
            nix_log_feed(log, (const char *) data + half, size - half) < 0 ||
            nix_log_finish(log) < 0)
                return 0;

        assert(nix_log_failure(log, 1) < _NIX_FAILURE_MAX);
        for (size_t i = 0; nix_log_failed_build(log, i, &failed); i++)
                assert(failed.lines->n <= failed.n_lines);
        if (nix_log_error(log, &error) >= 0)
                assert(strlen(error) <= 256 * 1024);
        return 0;
}
