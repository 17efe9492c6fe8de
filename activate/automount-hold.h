#pragma once

#define AUTOMOUNT_HOLD_DIRECTORY "/run/systemd/system"

int automount_hold(const char *directory, const char *automount);
