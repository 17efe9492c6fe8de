/* switch-to-configuration: what the wrapper in a NixOS system calls. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "drop-in-story.h"
#include "drop-in.h"
#include "file.h"

static const char *const actions[] = { "check", "switch", "boot", "test", "dry-activate" };

static bool is_known(const char *action) {
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (strcmp(actions[i], action) == 0)
                        return true;
        return false;
}

static void say_usage(const char *program) {
        drop_in_say("Usage: %s [check|switch|boot|test|dry-activate]\n"
                    "check:        run pre-switch checks and exit\n"
                    "switch:       make the configuration the boot default and activate now\n"
                    "boot:         make the configuration the boot default\n"
                    "test:         activate the configuration, but don't make it the boot default\n"
                    "dry-activate: show what would be done if this configuration were activated\n",
                    program);
}

int main(int argc, char **argv) {
        _cleanup_(drop_in_done) DropIn drop_in = { 0 };
        const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
        int code;

        if (file_open_standard() < 0)
                return 1;
        drop_in.program = slash ? slash + 1 : argc > 0 ? argv[0] : "switch-to-configuration";
        if (argc < 2 || !is_known(argv[1])) {
                say_usage(drop_in.program);
                return 1;
        }
        if (geteuid() != 0) {
                drop_in_say("Error: %s must be run as the root user", drop_in.program);
                return 1;
        }
        drop_in.action = argv[1];

        code = drop_in_from_environment(&drop_in);
        return code ? code : drop_in_run(&drop_in);
}
