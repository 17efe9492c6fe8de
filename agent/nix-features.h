#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

int nix_update_takes_inputs(bool *ret, sd_bus_error *reterr_error);
int nix_repl_takes_file_option(bool *ret, sd_bus_error *reterr_error);
