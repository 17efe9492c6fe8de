#pragma once

#include <systemd/sd-bus.h>

#include "transaction.h"

int locks_take(const TransactionPlaces *places, uint64_t limit_usec, int *ret_fd, int *ret_nixos_fd,
               sd_bus_error *reterr_error);
