#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "display.h"

int channels_update(const char *directory, bool all, const Display *display,
                    sd_bus_error *reterr_error);

#define CHANNELS_DIRECTORY "/nix/var/nix/profiles/per-user/root/channels"
