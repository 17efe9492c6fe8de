#pragma once

#include <systemd/sd-bus.h>

#include "boot-menu.h"

int boot_secrets_make(const char *directory, const char *key, BootSource *source,
                      sd_bus_error *reterr_error);
