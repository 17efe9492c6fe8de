#pragma once

#include "verb.h"

extern const Verb verb_plan;
extern const Verb verb_run;
extern const Verb verb_serve;
