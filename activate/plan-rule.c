/* The names of the rules, which are part of the plan's format, and what they say to people. */
#include <assert.h>
#include <stddef.h>

#include "plan-rule.h"

/* clang-format off */
static const struct {
        const char *name, *text;
} rules[_PLAN_RULE_MAX] = {
        [PLAN_RULE_GONE]              = { "gone",                        "the new system does not have it" },
        [PLAN_RULE_MASKED]            = { "masked",                      "the new system masks it" },
        [PLAN_RULE_DROP_INS_GONE]     = { "drop-ins-gone",               "the new system has no drop-in for this instance any more" },
        [PLAN_RULE_TARGET]            = { "target",                      "active targets are started again, for what they newly want" },
        [PLAN_RULE_RECONFIGURATION]   = { "stop-on-reconfiguration",     "it asks to be stopped on each switch (X-StopOnReconfiguration)" },
        [PLAN_RULE_SOCKET_OF_SERVICE] = { "socket-of-changed-service",   "its service changed" },
        [PLAN_RULE_SERVICE_OF_SOCKET] = { "service-of-changed-socket",   "its socket changed, and can only be restarted while the service is down" },
        [PLAN_RULE_NEW_SOCKET]        = { "new-socket",                  "the new system adds it to a service that runs already" },
        [PLAN_RULE_SERVICE_OF_NEW_SOCKET] = { "service-of-new-socket",   "its new socket can only be started while it is down" },
        [PLAN_RULE_SOCKET_LISTENS]    = { "socket-keeps-listening",      "a listening socket is left alone unless it asks to be restarted (X-RestartIfChanged=true)" },
        [PLAN_RULE_SERVICE_STAYS]     = { "service-keeps-running",       "its service must not be restarted, and it cannot be while that runs" },
        [PLAN_RULE_SERVICE_UNKNOWN]   = { "service-is-unknown",          "which service it starts is not told by its files, and it cannot be restarted while that runs" },
        [PLAN_RULE_MOUNT_STAYS]       = { "mount-stays",                 "it cannot be unmounted while the system runs" },
        [PLAN_RULE_RELOAD_IF_CHANGED] = { "reload-if-changed",           "it asks to be reloaded instead of restarted (X-ReloadIfChanged)" },
        [PLAN_RULE_NO_RELOAD]         = { "no-exec-reload",              "it should be reloaded, but cannot be (no ExecReload)" },
        [PLAN_RULE_NO_RESTART]        = { "restart-if-changed-is-false", "it asks not to be restarted (X-RestartIfChanged=false)" },
        [PLAN_RULE_REFUSES_STOP]      = { "refuse-manual-stop",          "it refuses to be stopped by hand (RefuseManualStop)" },
        [PLAN_RULE_REFUSES_START]     = { "refuse-manual-start",         "it refuses to be started by hand (RefuseManualStart)" },
        [PLAN_RULE_MANUAL_START]      = { "only-manual-start",           "only a person may start it (X-OnlyManualStart)" },
        [PLAN_RULE_BYTES]             = { "judged-by-bytes",             "it is no readable unit file, and its bytes changed" },
        [PLAN_RULE_NOT_IN_FSTAB]      = { "not-in-fstab",                "the new system's fstab does not have it" },
        [PLAN_RULE_ALREADY_MOUNTED]   = { "already-mounted",             "its place is mounted, and systemd arms nothing there; it is armed at the next boot, or by hand once that is unmounted" },
        [PLAN_RULE_AUTOMOUNT_STAYS]   = { "automount-stays",             "to stop it takes away what is mounted there; it is as configured from the next boot on, or once it is stopped by hand" },
        [PLAN_RULE_LEFT_OVER]         = { "left-over",                   "an interrupted switch left it to be done" },
        [PLAN_RULE_RESTART_LIST]      = { "activation-restart-list",     "the activation script asks for it" },
        [PLAN_RULE_RELOAD_LIST]       = { "activation-reload-list",      "the activation script asks for a reload" },
        [PLAN_RULE_INACTIVE]          = { "inactive-by-now",             "it should be reloaded, but does not run any more" },
        [PLAN_RULE_GOES_DOWN]         = { "goes-down",                   "it should be reloaded, but goes down with what it requires" },
        [PLAN_RULE_ENDED]             = { "ended",                       "it should be reloaded, but has ended, and is not to remain active (no RemainAfterExit)" },
        [PLAN_RULE_COMES_BACK]        = { "comes-back",                  "it runs, and goes down with what it requires" },
        [PLAN_RULE_MOVED]             = { "moved-to-etc",                "it was defined by the user before, and is by the system now" },
        [PLAN_RULE_MERGED]            = { "merged",                      "the new system makes it another name of a unit that runs already" },
        [PLAN_RULE_RENAMED]           = { "renamed",                     "it has run by another name, which the new system does not have" },
};
/* clang-format on */

/** plan_rule_to_string() - its name in JSON; NULL for none. */
const char *plan_rule_to_string(PlanRule rule) {
        assert(rule < _PLAN_RULE_MAX);
        return rules[rule].name;
}

/** plan_rule_to_text() - the rule as a clause for people. */
const char *plan_rule_to_text(PlanRule rule) {
        assert(rule < _PLAN_RULE_MAX);
        return rules[rule].text;
}
