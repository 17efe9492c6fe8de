#pragma once

#include <stdio.h>
#include <systemd/sd-bus.h>

#include "json.h"
#include "options.h"

int generations_diff(const Options *options, char *const words[], int n_words,
                     sd_bus_error *reterr_error);
int generations_diff_packages(const char *from, const char *to, FILE *f,
                              sd_bus_error *reterr_error);
int generations_diff_to_json(const char *from, const char *to, cJSON *object,
                             sd_bus_error *reterr_error);
