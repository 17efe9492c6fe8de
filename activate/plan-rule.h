#pragma once

/* The rules by which something is decided without a key that changed. */
typedef enum PlanRule {
        PLAN_RULE_NONE,
        PLAN_RULE_GONE,
        PLAN_RULE_MASKED,
        PLAN_RULE_DROP_INS_GONE,
        PLAN_RULE_TARGET,
        PLAN_RULE_RECONFIGURATION,
        PLAN_RULE_SOCKET_OF_SERVICE,
        PLAN_RULE_SERVICE_OF_SOCKET,
        PLAN_RULE_NEW_SOCKET,
        PLAN_RULE_SERVICE_OF_NEW_SOCKET,
        PLAN_RULE_SOCKET_LISTENS,
        PLAN_RULE_SERVICE_STAYS,
        PLAN_RULE_SERVICE_UNKNOWN,
        PLAN_RULE_MOUNT_STAYS,
        PLAN_RULE_RELOAD_IF_CHANGED,
        PLAN_RULE_NO_RELOAD,
        PLAN_RULE_NO_RESTART,
        PLAN_RULE_REFUSES_STOP,
        PLAN_RULE_REFUSES_START,
        PLAN_RULE_MANUAL_START,
        PLAN_RULE_BYTES,
        PLAN_RULE_NOT_IN_FSTAB,
        PLAN_RULE_ALREADY_MOUNTED,
        PLAN_RULE_AUTOMOUNT_STAYS,
        PLAN_RULE_LEFT_OVER,
        PLAN_RULE_RESTART_LIST,
        PLAN_RULE_RELOAD_LIST,
        PLAN_RULE_INACTIVE,
        PLAN_RULE_GOES_DOWN,
        PLAN_RULE_ENDED,
        PLAN_RULE_COMES_BACK,
        PLAN_RULE_MOVED,
        PLAN_RULE_MERGED,
        PLAN_RULE_RENAMED,
        _PLAN_RULE_MAX,
} PlanRule;

const char *plan_rule_to_string(PlanRule rule);
const char *plan_rule_to_text(PlanRule rule);
