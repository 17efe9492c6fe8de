#pragma once

#include <stdio.h>

#include "options.h"
#include "verb.h"

void help_print(const Verb *const verbs[], FILE *f);
void help_print_verb(const Verb *verb, FILE *f);
bool help_lists(const Verb *verb, const OptionInfo *option);
