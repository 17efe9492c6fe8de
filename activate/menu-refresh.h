#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "event.h"
#include "json.h"
#include "marks.h"
#include "transaction.h"

int menu_refresh_request(cJSON **ret_object);
bool menu_refresh_is_meant(const cJSON *object);
int menu_refresh_check_request(const cJSON *object);
int menu_refresh_write(const TransactionPlaces *places, const Marks *marks, EventLog *log,
                       sd_bus_error *reterr_error);
int menu_refresh_run(const TransactionPlaces *places, EventLog *log, char **ret_text,
                     sd_bus_error *reterr_error);
